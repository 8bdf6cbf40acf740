// What became of a change of the group's configuration, as a reply.
#pragma once

#include "absl/status/status.h"
#include "api/http/message.h"
#include "replica/client.h"

namespace quorate::api {

// 421, and who leads; 503 where nobody is known to.
HttpResponse NotLeaderResponse(const raft::Status& raft);

// Of an error of Client::Configure.
HttpResponse ConfigureFailure(const absl::Status& status, const raft::Status& raft);

}  // namespace quorate::api
