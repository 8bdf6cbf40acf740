// For tests only: operator new of the test program counts.
#pragma once

#include <cstddef>

namespace quorate::serve {

size_t AllocationsOfThisThread();

}  // namespace quorate::serve
