// A group of one over the real state machine, in memory, with transfers out of it and the reader of transfers
// in.
#pragma once

#include <gtest/gtest.h>

#include <deque>

#include "api/xfr/ixfr_reader.h"
#include "api/xfr/transfer_out.h"
#include "dns/presentation.h"
#include "rsm/replicated_state.h"
#include "storage/memory/memory_state_store.h"
#include "zone/export.h"

namespace quorate::api::xfr {

inline dns::Name N(std::string_view text) { return *dns::Name::FromText(text); }
inline std::string Rdata(dns::RRType type, std::string_view text) { return *dns::RdataFromText(type, text); }

class World {
 public:
  World() { state.Reload(); }

  rsm::CommandResult Apply(decltype(rsm::Command::body) body) {
    rsm::Command command;
    command.body = std::move(body);
    const std::string payload = rsm::StampCommand({group_time, clock.Wall()}, rsm::EncodeCommand(command));
    return *rsm::DecodeResult(state.Apply({LogIndex{++index}, Term{1}, true, payload}));
  }
  // "www 60 A 192.0.2.1" lines, relative to the zone.
  static std::vector<dns::RRset> Records(const dns::Name& apex, std::string_view text) {
    std::vector<dns::RRset> rrsets;
    const auto error =
        dns::ParseZoneText(text, {.origin = apex, .default_ttl = 3600}, [&](dns::TextRecord&& r) {
          rrsets.push_back({r.owner, r.type, r.ttl, {r.rdata}});
          return std::string();
        });
    EXPECT_FALSE(error) << error->what;
    return rrsets;
  }
  void Create(const std::string& apex, std::string_view text) {
    EXPECT_EQ(Apply(rsm::ZoneCreate{N(apex), Records(N(apex), text)}).reason, "");
  }
  zone::ZonePtr Zone(const std::string& apex) const { return state.zones()->Get(N(apex).wire()); }

  storage::MemoryStateStore store;
  rsm::ReplicatedState state{store.map(), {}};
  SystemClock clock;
  Duration group_time{1};
  uint64_t index = 0;
};

inline TransferRequest Request(const std::string& apex, const zone::Zone* have,
                               serve::Transport transport = serve::Transport::kTcp) {
  TransferRequest request;
  request.query = TransferQuery(7, N(apex), have);
  request.transport = transport;
  request.key = N("xfr.");
  return request;
}

inline std::vector<std::string> Drain(serve::MessageSource& source) {
  std::vector<std::string> messages;
  for (std::string m = source.Next(); !m.empty(); m = source.Next()) messages.push_back(m);
  return messages;
}

inline wire::Bytes BytesOf(const std::string& message) {
  return {reinterpret_cast<const uint8_t*>(message.data()), message.size()};
}

}  // namespace quorate::api::xfr
