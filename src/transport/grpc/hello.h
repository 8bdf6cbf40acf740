// What a stream says of itself before its first frame, as gRPC metadata.
#pragma once

#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>

#include "base/types.h"

namespace quorate::transport {

inline constexpr char kAcceptedKey[] = "quorate-accepted";

struct Hello {
  std::string deployment;
  GroupId group;
  MemberId from, to;
};

void WriteHello(const Hello& hello, grpc::ClientContext& context);
// nullopt: something is missing or malformed.
std::optional<Hello> ReadHello(const grpc::CallbackServerContext& context);

// Why a receiver that is `self` of `group` and `deployment` refuses `hello`; nullopt: it fits.
std::optional<std::string> Mismatch(const std::optional<Hello>& hello, const std::string& deployment,
                                    GroupId group, MemberId self);

}  // namespace quorate::transport
