// For tests without readers of the published view.
#pragma once

#include "rsm/api.h"

namespace quorate::testing {

class NoView final : public rsm::PendingView {
 public:
  void Append(std::span<const rsm::Entry>) override {}
  void TruncateFrom(LogIndex) override {}
  void Installing(LogIndex) override {}
};

}  // namespace quorate::testing
