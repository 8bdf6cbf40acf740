// Where the door for DNS messages hands over a request for a transfer (AXFR: RFC 5936; IXFR: RFC 1995), once
// it has parsed it and verified its signature.
#pragma once

#include <optional>

#include "dns/name.h"
#include "serve/slow_door.h"
#include "wire/message.h"
#include "wire/tsig.h"
#include "zone/address.h"

namespace quorate::api::xfr {

struct TransferRequest {
  wire::Message query;  // opcode QUERY; without its TSIG record
  zone::Address client{};
  serve::Transport transport = serve::Transport::kTcp;
  std::optional<dns::Name> key;            // of the TSIG that was verified
  std::optional<wire::TsigSigner> signer;  // of the answer, all of its messages
};

class TransferDoor {
 public:
  virtual ~TransferDoor() = default;
  // `deliver` as serve::SlowDoor says. Any thread; never blocks.
  virtual void Transfer(TransferRequest request, serve::SlowDoor::Deliver deliver) = 0;
};

}  // namespace quorate::api::xfr
