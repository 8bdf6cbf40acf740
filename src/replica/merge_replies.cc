#include "replica/merge_replies.h"

#include <algorithm>
#include <utility>

namespace quorate::replica {
namespace {

using raft::AppendEntriesReply;
using raft::Message;

// `later` can say what `earlier` says.
bool Covers(const Message& later, const Message& earlier) {
  const auto* a = std::get_if<AppendEntriesReply>(&earlier.body);
  const auto* b = std::get_if<AppendEntriesReply>(&later.body);
  return a && b && a->matched && b->matched && later.to == earlier.to && later.term == earlier.term &&
         a->request_term == b->request_term && a->incarnation == b->incarnation;
}

// What was verified, synced or answered stays so within a term and a life.
void Absorb(AppendEntriesReply& later, const AppendEntriesReply& earlier) {
  later.received = std::max(later.received, earlier.received);
  later.durable = std::max(later.durable, earlier.durable);
  later.round = std::max(later.round, earlier.round);
  later.echo = std::max(later.echo, earlier.echo);
}

}  // namespace

void MergeReplies(std::vector<Message>& messages) {
  // Few at a time, and nearly all to one member: its leader.
  size_t kept = messages.size();
  for (size_t i = messages.size(); i-- > 0;) {
    bool absorbed = false;
    for (size_t j = kept; j < messages.size() && !absorbed; ++j) {
      absorbed = Covers(messages[j], messages[i]);
      if (absorbed)
        Absorb(std::get<AppendEntriesReply>(messages[j].body),
               std::get<AppendEntriesReply>(messages[i].body));
    }
    if (!absorbed && --kept != i) messages[kept] = std::move(messages[i]);
  }
  messages.erase(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(kept));
}

}  // namespace quorate::replica
