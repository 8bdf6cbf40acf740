// Configurations as bytes. Each is written in the lowest version that can hold it, so that members of an
// older program read it as long as nothing new is in it.
#include <algorithm>

#include "base/limits.h"
#include "raft/codec_io.h"

namespace quorate::raft {
namespace {

constexpr uint8_t kWithoutTiming = 1;   // of groups formed before there were read leases
constexpr uint8_t kWithoutChanges = 2;  // before there were membership changes
constexpr uint8_t kVersion = 3;

constexpr uint8_t kVoterBit = 1;
constexpr uint8_t kLeaseEligibleBit = 2;
constexpr uint8_t kLeaseBarredBit = 4;  // only without the one before
constexpr uint8_t kPromoteBit = 8;      // since version 3, as are those below
constexpr uint8_t kLeavingBit = 16;
constexpr uint8_t kRepairingBit = 32;

constexpr Duration Timing::*kTimes[] = {&Timing::heartbeat, &Timing::election_min, &Timing::election_max,
                                        &Timing::lease,     &Timing::lease_wait,   &Timing::lease_wanted,
                                        &Timing::ack_late,  &Timing::hold};

uint8_t VersionFor(const Configuration& c) {
  const bool changes =
      c.feature_level > 1 || c.last_id || std::ranges::any_of(c.members, [](const Member& m) {
        return m.promote || m.leaving || m.repairing || m.instance != 0 || m.replaces;
      });
  if (changes) return kVersion;
  return c.leases_on || c.timing != Timing{} ? kWithoutChanges : kWithoutTiming;
}

uint8_t BitsOf(const Member& m) {
  return static_cast<uint8_t>((m.voter ? kVoterBit : 0) | (m.lease_eligible ? kLeaseEligibleBit : 0) |
                              (m.lease_barred ? kLeaseBarredBit : 0) | (m.promote ? kPromoteBit : 0) |
                              (m.leaving ? kLeavingBit : 0) | (m.repairing ? kRepairingBit : 0));
}

void SetBits(Member& m, uint8_t bits) {
  m.voter = (bits & kVoterBit) != 0;
  m.lease_eligible = (bits & kLeaseEligibleBit) != 0;
  m.lease_barred = (bits & kLeaseBarredBit) != 0;
  m.promote = (bits & kPromoteBit) != 0;
  m.leaving = (bits & kLeavingBit) != 0;
  m.repairing = (bits & kRepairingBit) != 0;
}

bool IsSound(const Member& m) {
  if (m.lease_eligible && (m.lease_barred || m.leaving)) return false;
  if ((m.promote || m.leaving) && m.voter) return false;
  if (m.promote && m.leaving) return false;
  return (!m.replaces || (m.promote && m.replaces != m.id)) && m.address.size() <= limits::kAddressBytesMax;
}

Member ReadMember(uint8_t version, ByteReader& in) {
  Member m{.id = ReadNumber<MemberId>(in)};
  const uint8_t bits = in.U8();
  SetBits(m, bits);
  m.address = std::string(in.String());
  if (version >= kVersion) {
    m.instance = in.U64();
    m.replaces = ReadNumber<MemberId>(in);
  }
  const uint8_t bits_end = version >= kVersion ? 2 * kRepairingBit : 2 * kLeaseBarredBit;
  if (bits >= bits_end || !IsSound(m)) in.Fail();
  return m;
}

void ReadMembers(uint8_t version, Configuration& c, ByteReader& in) {
  const size_t count = in.Count(3);
  if (count > limits::kMembersMax) in.Fail();
  MemberId previous;
  bool any_voter = false;
  for (size_t i = 0; in.ok() && i < count; ++i) {
    Member m = ReadMember(version, in);
    if (m.id <= previous) in.Fail();
    previous = m.id;
    any_voter |= m.voter;
    c.members.push_back(std::move(m));
  }
  if (count > 0 && !any_voter) in.Fail();
}

void ReadOutgoing(uint8_t version, Configuration& c, ByteReader& in) {
  const size_t count = in.Count();
  if (count > limits::kMembersMax || (count > 0 && c.members.empty())) in.Fail();
  MemberId previous;
  for (size_t i = 0; in.ok() && i < count; ++i) {
    const MemberId id = ReadNumber<MemberId>(in);
    const bool listed = std::ranges::any_of(c.members, [&](const Member& m) { return m.id == id; });
    if (id <= previous || (version >= kVersion && !listed)) in.Fail();
    c.outgoing_voters.push_back(previous = id);
  }
}

}  // namespace

void WriteConfiguration(const Configuration& configuration, ByteWriter& out) {
  const uint8_t version = VersionFor(configuration);
  out.U8(version);
  out.Varint(configuration.members.size());
  for (const Member& m : configuration.members) {
    out.Varint(m.id.value);
    out.U8(BitsOf(m));
    out.String(m.address);
    if (version < kVersion) continue;
    out.U64(m.instance);
    out.Varint(m.replaces.value);
  }
  out.Varint(configuration.outgoing_voters.size());
  for (MemberId id : configuration.outgoing_voters) out.Varint(id.value);
  if (version == kWithoutTiming) return;
  out.U8(configuration.leases_on);
  for (const auto field : kTimes) WriteDuration(configuration.timing.*field, out);
  if (version < kVersion) return;
  out.Varint(configuration.feature_level);
  out.Varint(configuration.last_id.value);
}

Configuration ReadConfiguration(ByteReader& in) {
  Configuration configuration;
  const uint8_t version = in.U8();
  if (version < kWithoutTiming || version > kVersion) in.Fail();
  ReadMembers(version, configuration, in);
  ReadOutgoing(version, configuration, in);
  if (version == kWithoutTiming) return configuration;
  configuration.leases_on = ReadBool(in);
  for (const auto field : kTimes) configuration.timing.*field = ReadDuration(in);
  if (in.ok() && !WhyUnsound(configuration.timing).empty()) in.Fail();
  if (version < kVersion) return configuration;
  configuration.feature_level = ReadNumber<LogIndex>(in).value;
  configuration.last_id = ReadNumber<MemberId>(in);
  const MemberId newest = configuration.members.empty() ? MemberId{} : configuration.members.back().id;
  if (configuration.feature_level == 0 || configuration.last_id < newest) in.Fail();
  return configuration;
}

std::string EncodeConfiguration(const Configuration& configuration) {
  ByteWriter out;
  WriteConfiguration(configuration, out);
  return out.Take();
}

std::optional<Configuration> DecodeConfiguration(std::string_view bytes) {
  ByteReader in(bytes);
  Configuration configuration = ReadConfiguration(in);
  if (!in.AtEnd()) return std::nullopt;
  return configuration;
}

bool IsNewerConfiguration(std::string_view bytes) {
  return !bytes.empty() && static_cast<uint8_t>(bytes[0]) > kVersion;
}

}  // namespace quorate::raft
