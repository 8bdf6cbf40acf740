#include "kv/types.h"

#include "base/check.h"

namespace quorate::kv {

KeyRange PrefixRange(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return {prefix.empty() ? std::string(1, '\0') : std::string(prefix), std::string(1, '\0')};
  ++end.back();
  return {std::string(prefix), std::move(end)};
}

std::string_view ErrorText(Error error) {
  switch (error) {
    case Error::kEmptyKey:
      return "etcdserver: key is not provided";
    case Error::kKeyNotFound:
      return "etcdserver: key not found";
    case Error::kValueProvided:
      return "etcdserver: value is provided";
    case Error::kLeaseProvided:
      return "etcdserver: lease is provided";
    case Error::kTooManyOps:
      return "etcdserver: too many operations in txn request";
    case Error::kDuplicateKey:
      return "etcdserver: duplicate key given in txn request";
    case Error::kCompacted:
      return "etcdserver: mvcc: required revision has been compacted";
    case Error::kFutureRevision:
      return "etcdserver: mvcc: required revision is a future revision";
    case Error::kLeaseNotFound:
      return "etcdserver: requested lease not found";
    case Error::kTooDeep:
      return "etcdserver: txn requests are nested too deeply";
  }
  CheckFailed(__FILE__, __LINE__, "an error without a text");
}

}  // namespace quorate::kv
