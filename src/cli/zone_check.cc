#include "cli/zone_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "dns/rdata.h"
#include "zone/builder.h"
#include "zone/child_records.h"
#include "zone/name_hash.h"
#include "zone/rules.h"

namespace quorate::cli {
namespace {

using dns::RRType;
using dns::TextError;

// Where each name was last written, so that what is wrong with a name can be told with a line.
class Lines {
 public:
  void Add(const dns::TextRecord& record) {
    if (files_.empty() || files_.back() != record.file) {
      const auto it = std::find(files_.begin(), files_.end(), record.file);
      file_ = static_cast<uint32_t>(it - files_.begin());
      if (it == files_.end()) files_.push_back(record.file);
    } else {
      file_ = static_cast<uint32_t>(files_.size() - 1);
    }
    places_.push_back(
        {zone::NameHash(record.owner.Folded().wire()), static_cast<uint32_t>(record.line), file_});
  }

  TextError At(const dns::Name& owner, std::string what) const {
    const uint64_t hash = zone::NameHash(owner.Folded().wire());
    const auto found = std::find_if(places_.rbegin(), places_.rend(),
                                    [&](const Place& place) { return place.owner_hash == hash; });
    if (found == places_.rend())
      return {.file = files_.empty() ? "" : files_.front(), .what = std::move(what)};
    return {.line = found->line, .file = files_[found->file], .what = std::move(what)};
  }

 private:
  struct Place {
    uint64_t owner_hash;
    uint32_t line, file;
  };
  std::vector<std::string> files_;
  uint32_t file_ = 0;
  std::vector<Place> places_;
};

// What is told record by record.
class RecordChecker {
 public:
  explicit RecordChecker(const dns::Name& apex) : apex_(apex) {}

  std::string Why(const dns::TextRecord& record) {
    if (auto refusal = zone::CheckRecord(apex_, record.owner, record.type, record.rdata))
      return std::move(refusal->reason);
    if (auto why = zone::WhyNoChildRecord(apex_, record.owner, record.type, record.rdata))
      return *std::move(why);
    if (record.type == RRType::kCDS) cds_.push_back(record.rdata);
    if (record.type == RRType::kCDNSKEY) cdnskey_.push_back(record.rdata);
    has_soa_ |= record.type == RRType::kSOA;
    return {};
  }

  // Once all records were seen.
  std::vector<std::string> WhyNotAll() const {
    std::vector<std::string> out;
    if (!has_soa_) out.push_back(fmt::format("there is no SOA record at the apex {}", apex_.ToText()));
    for (const auto& [type, rdata] : {std::pair(RRType::kCDS, cds_), std::pair(RRType::kCDNSKEY, cdnskey_)}) {
      if (auto why = zone::WhyNoChildRRset(type, rdata)) out.push_back(*std::move(why));
    }
    return out;
  }

 private:
  const dns::Name apex_;
  std::vector<std::string> cds_, cdnskey_;
  bool has_soa_ = false;
};

// False: enough.
bool Tell(TextError error, ZoneFaults& faults) {
  faults.more = faults.errors.size() == kFaultsMax;
  if (!faults.more) faults.errors.push_back(std::move(error));
  return !faults.more;
}

void ReadAll(const ZoneFile& file, const dns::Name& apex, uint32_t default_ttl, ZoneFaults& faults,
             const std::function<void(const dns::TextRecord&)>& take) {
  RecordChecker checker(apex);
  const auto reader = file.Read(
      apex, default_ttl,
      [&](dns::TextRecord&& record) {
        ++faults.records;
        std::string why = checker.Why(record);
        if (why.empty()) take(record);
        return why;
      },
      [&](TextError&& error) { return Tell(std::move(error), faults); });
  while (reader->Step()) {
  }
  if (faults.more) return;
  for (std::string& why : checker.WhyNotAll()) Tell({.file = file.name(), .what = std::move(why)}, faults);
}

// --- warnings ---

class Warner {
 public:
  Warner(const zone::Zone& zone, const Lines& lines, ZoneFaults& faults)
      : zone_(zone), lines_(lines), faults_(faults) {}

  void Run() {
    for (const zone::Node* node : zone_.InCanonicalOrder()) {
      for (const RRType type : {RRType::kNS, RRType::kMX, RRType::kSRV}) {
        const zone::RRsetView rrset = node->Find(type);
        for (const std::string_view rdata : rrset) Look(*node, type, rdata);
      }
    }
  }

 private:
  void Warn(dns::NameView owner, const std::string& what) {
    if (faults_.warnings.size() < kFaultsMax)
      faults_.warnings.push_back(lines_.At(dns::Name::FromView(owner), what));
  }

  void Look(const zone::Node& node, RRType type, std::string_view rdata) {
    const auto parts = dns::FirstName(type, rdata);
    if (!parts || parts->name.size() == 1 || !dns::IsAtOrBelow(parts->name, zone_.apex().wire())) return;
    const std::string shown = fmt::format("{} {} {}", dns::Name::FromView(node.owner()).ToText(),
                                          dns::TypeToText(type), dns::Name::FromView(parts->name).ToText());
    const bool is_cut = type == RRType::kNS && !dns::SameName(node.owner(), zone_.apex().wire());
    const bool needs_glue = is_cut && dns::IsAtOrBelow(parts->name, node.owner());
    const zone::Node* target = zone_.Find(parts->name);
    if (needs_glue) {
      if (!HasAddress(target)) Warn(node.owner(), shown + ": there is no glue for it (RFC 9471)");
    } else if (!IsBelowCut(parts->name)) {
      if (target != nullptr && target->Find(RRType::kCNAME)) {
        Warn(node.owner(), shown + ": it is an alias (RFC 2181 10.3)");
      } else if (!HasAddress(target) && !MayBeWildcard(target, parts->name)) {
        Warn(node.owner(), shown + ": it has no address");
      }
    }
  }

  static bool HasAddress(const zone::Node* node) {
    return node != nullptr && (node->Find(RRType::kA) || node->Find(RRType::kAAAA));
  }

  // Somebody else's: whether it has addresses is not to be seen here.
  bool IsBelowCut(dns::NameView name) const {
    for (; !dns::SameName(name, zone_.apex().wire()); name = dns::ParentOf(name)) {
      const zone::Node* node = zone_.Find(name);
      if (node != nullptr && (node->HasNs() || node->Find(RRType::kDNAME))) return true;
    }
    return false;
  }

  bool MayBeWildcard(const zone::Node* target, dns::NameView name) const {
    if (target != nullptr) return false;
    for (; !dns::SameName(name, zone_.apex().wire()); name = dns::ParentOf(name)) {
      const std::string wildcard = std::string("\1*", 2) + std::string(dns::ParentOf(name));
      if (wildcard.size() <= 255 && zone_.Find(wildcard) != nullptr) return true;
    }
    return false;
  }

  const zone::Zone& zone_;
  const Lines& lines_;
  ZoneFaults& faults_;
};

}  // namespace

ZoneFaults CheckRecords(const ZoneFile& file, const dns::Name& apex, uint32_t default_ttl) {
  ZoneFaults faults;
  ReadAll(file, apex, default_ttl, faults, [](const dns::TextRecord&) {});
  return faults;
}

ZoneFaults CheckZone(const ZoneFile& file, const dns::Name& apex, uint32_t default_ttl) {
  ZoneFaults faults;
  Lines lines;
  zone::ZoneBuilder builder(apex);
  ReadAll(file, apex, default_ttl, faults, [&](const dns::TextRecord& record) {
    lines.Add(record);
    builder.Add(record.owner, record.type, record.ttl, record.rdata);
  });
  if (faults.more) return faults;
  const bool has_soa = std::none_of(faults.errors.begin(), faults.errors.end(), [](const TextError& error) {
    return error.what.starts_with("there is no SOA");
  });
  auto built = std::move(builder).BuildTellingAll();
  if (auto* refused = std::get_if<std::vector<zone::NodeRefusal>>(&built)) {
    for (zone::NodeRefusal& each : *refused) {
      if (each.refusal.code == zone::RefusalCode::kNoSoa && !has_soa) continue;  // it was told
      if (!Tell(lines.At(each.owner, std::move(each.refusal.reason)), faults)) break;
    }
  } else if (faults.errors.empty()) {
    faults.zone = std::get<zone::ZonePtr>(std::move(built));
    Warner(*faults.zone, lines, faults).Run();
  }
  return faults;
}

void PrintFaults(const ZoneFaults& faults) {
  for (const TextError& error : faults.errors) fmt::print(stderr, "{}\n", ToText(error));
  for (const TextError& warning : faults.warnings)
    fmt::print(stderr, "{}:{}: warning: {}\n", warning.file, warning.line, warning.what);
  if (faults.more) fmt::print(stderr, "more than {} errors: the rest of it was not read\n", kFaultsMax);
}

}  // namespace quorate::cli
