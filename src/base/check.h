// CHECK: our own invariants, on in every build. A failed CHECK is a defect of ours and ends the process.
// Bytes from a wire, a disk or a user never reach a CHECK: return an error for those.
#pragma once

#include <sstream>
#include <string>

namespace quorate {

// Prints `what` with its place to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const std::string& what);

// Stops the process because going on could lie to a client: a failed write or fsync, a corrupt read.
// Prints one line that names the fault and exits with code 70 (EX_SOFTWARE). Any thread.
[[noreturn]] void FailStop(const std::string& why);

namespace check_internal {
template <class A, class B>
[[noreturn]] void BinaryFailed(const char* file, int line, const char* expression, const A& a, const B& b) {
  std::ostringstream out;
  out << expression;
  if constexpr (requires { out << a << b; }) out << " (" << a << " vs. " << b << ")";
  CheckFailed(file, line, out.str());
}
}  // namespace check_internal
}  // namespace quorate

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) ::quorate::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

// One full expression, so that what a temporary lends (`*Find(x)`) lives until it was compared.
#define QUORATE_CHECK_OP(op, a, b)                                                                      \
  [](const auto& check_a, const auto& check_b) {                                                        \
    if (!(check_a op check_b))                                                                          \
      ::quorate::check_internal::BinaryFailed(__FILE__, __LINE__, #a " " #op " " #b, check_a, check_b); \
  }((a), (b))

#define CHECK_EQ(a, b) QUORATE_CHECK_OP(==, a, b)
#define CHECK_NE(a, b) QUORATE_CHECK_OP(!=, a, b)
#define CHECK_LE(a, b) QUORATE_CHECK_OP(<=, a, b)
#define CHECK_LT(a, b) QUORATE_CHECK_OP(<, a, b)
#define CHECK_GE(a, b) QUORATE_CHECK_OP(>=, a, b)
#define CHECK_GT(a, b) QUORATE_CHECK_OP(>, a, b)
