// What a stream says of itself before its first frame, as gRPC metadata.
#pragma once

#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>

#include "base/types.h"

namespace quorate::transport {

inline constexpr char kAcceptedKey[] = "quorate-accepted";
inline constexpr char kVersionKey[] = "quorate-version";

struct Hello {
  std::string deployment;
  GroupId group;
  MemberId from, to;
  std::string address;  // where `from` listens, for who does not know it; may be empty
  uint8_t version = 2;  // of messages (raft/codec.h): `from` reads this one and those before
};

void WriteHello(const Hello& hello, grpc::ClientContext& context);
// nullopt: something is missing or malformed. What older programs do not say has its default.
std::optional<Hello> ReadHello(const grpc::CallbackServerContext& context);
// The version to speak with the receiver that accepted; `newest`: that the caller speaks.
uint8_t AcceptedVersion(const grpc::ClientContext& context, uint8_t newest);

// Why a receiver that is `self` of `group` and `deployment` refuses `hello`; nullopt: it fits.
std::optional<std::string> Mismatch(const std::optional<Hello>& hello, const std::string& deployment,
                                    GroupId group, MemberId self);

}  // namespace quorate::transport
