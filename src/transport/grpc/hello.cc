#include "transport/grpc/hello.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "raft/codec.h"

namespace quorate::transport {
namespace {

constexpr char kDeployment[] = "quorate-deployment";
constexpr char kGroup[] = "quorate-group";
constexpr char kFrom[] = "quorate-from";
constexpr char kTo[] = "quorate-to";
constexpr char kAddress[] = "quorate-address";

std::optional<std::string> Text(const grpc::CallbackServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end()) return std::nullopt;
  return std::string(found->second.data(), found->second.size());
}

std::optional<uint64_t> Number(const grpc::CallbackServerContext& context, const char* key) {
  const auto text = Text(context, key);
  uint64_t value = 0;
  if (!text || !absl::SimpleAtoi(*text, &value)) return std::nullopt;
  return value;
}

}  // namespace

void WriteHello(const Hello& hello, grpc::ClientContext& context) {
  context.AddMetadata(kDeployment, hello.deployment);
  context.AddMetadata(kGroup, std::to_string(hello.group.value));
  context.AddMetadata(kFrom, std::to_string(hello.from.value));
  context.AddMetadata(kTo, std::to_string(hello.to.value));
  context.AddMetadata(kAddress, hello.address);
  context.AddMetadata(kVersionKey, std::to_string(hello.version));
}

uint8_t AcceptedVersion(const grpc::ClientContext& context, uint8_t newest) {
  const auto& metadata = context.GetServerInitialMetadata();
  const auto found = metadata.find(kVersionKey);
  uint32_t version = 0;
  if (found == metadata.end() ||
      !absl::SimpleAtoi(absl::string_view(found->second.data(), found->second.size()), &version))
    return raft::kMessageVersionMin;
  return static_cast<uint8_t>(std::clamp<uint32_t>(version, raft::kMessageVersionMin, newest));
}

std::optional<Hello> ReadHello(const grpc::CallbackServerContext& context) {
  const auto deployment = Text(context, kDeployment);
  const auto group = Number(context, kGroup), from = Number(context, kFrom), to = Number(context, kTo);
  if (!deployment || !group || !from || !to || *from == 0) return std::nullopt;
  std::string address = Text(context, kAddress).value_or("");
  if (address.size() > limits::kAddressBytesMax) return std::nullopt;
  return Hello{*deployment, GroupId{*group}, MemberId{*from}, MemberId{*to}, std::move(address)};
}

std::optional<std::string> Mismatch(const std::optional<Hello>& hello, const std::string& deployment,
                                    GroupId group, MemberId self) {
  if (!hello) return "the caller does not say who it is: not a replica's peer port's client";
  if (hello->deployment != deployment)
    return absl::StrCat("this is deployment \"", deployment, "\", the caller is of \"", hello->deployment,
                        "\"");
  if (hello->group != group)
    return absl::StrCat("this is group ", group.value, ", the caller is of group ", hello->group.value);
  if (hello->to != self || hello->from == self)
    return absl::StrCat("this is member ", self.value, ", the caller, member ", hello->from.value,
                        ", looks for member ", hello->to.value);
  return std::nullopt;
}

}  // namespace quorate::transport
