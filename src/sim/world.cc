#include "sim/world.h"

#include <cstdio>
#include <utility>

#include "base/crc32c.h"

namespace quorate::sim {
namespace {

constexpr size_t kLinesKept = 60;

}  // namespace

void World::At(Duration when, std::function<void()> what) {
  events_.push({std::max(when, now_), ++order_, std::move(what)});
}

bool World::Step(Duration until) {
  if (events_.empty() || events_.top().when > until) {
    now_ = until;
    return false;
  }
  Event event = std::move(const_cast<Event&>(events_.top()));
  events_.pop();
  now_ = event.when;
  ++steps_;
  event.what();
  return true;
}

std::string World::Text(const Line& line) {
  char head[48];
  std::snprintf(head, sizeof head, "%12.6f  %llu  ", static_cast<double>(line.when.count()) / 1e9,
                static_cast<unsigned long long>(line.member));
  return head + line.what + " " + std::to_string(line.a) + " " + std::to_string(line.b);
}

void World::Note(uint64_t member, std::string_view what, uint64_t a, uint64_t b) {
  for (uint64_t part : {static_cast<uint64_t>(now_.count()), member, uint64_t{Crc32c(what)}, a, b})
    trace_hash_ = (trace_hash_ ^ part) * 0x9e3779b97f4a7c15ULL + (trace_hash_ >> 31);
  lines_.push_back({now_, member, std::string(what), a, b});
  if (lines_.size() > kLinesKept) lines_.pop_front();
  if (verbose_) std::printf("%s\n", Text(lines_.back()).c_str());
}

std::vector<std::string> World::LastLines() const {
  std::vector<std::string> out;
  for (const Line& line : lines_) out.push_back(Text(line));
  return out;
}

void World::Fail(std::string property, std::string detail) {
  if (!violation_) violation_ = {std::move(property), std::move(detail)};
}

}  // namespace quorate::sim
