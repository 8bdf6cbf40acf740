#include "cli/resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "dns/presentation.h"

namespace quorate::cli {
namespace {

constexpr size_t kStepsMax = 200;   // questions of one run
constexpr int kAliasesMax = 16;     // of one answer
constexpr int kReferralsMax = 32;   // on one way down; each goes at least one label deeper
constexpr int kDepthMax = 4;        // look-ups of nameservers' addresses inside look-ups
constexpr size_t kServersMax = 32;  // tried for one zone

std::string RecordText(const wire::Record& r) {
  return fmt::format("{} {} IN {} {}", r.name.ToText(), r.ttl, dns::TypeToText(r.type),
                     dns::RdataToText(r.type, r.rdata));
}

std::string RcodeText(dns::Rcode rcode) {
  switch (rcode) {
    case dns::Rcode::kFormErr:
      return "FORMERR";
    case dns::Rcode::kServFail:
      return "SERVFAIL";
    case dns::Rcode::kNotImp:
      return "NOTIMP";
    case dns::Rcode::kRefused:
      return "REFUSED";
    case dns::Rcode::kNotAuth:
      return "NOTAUTH";
    default:
      return fmt::format("RCODE {}", static_cast<int>(rcode));
  }
}

std::optional<serve::SocketAddress> AddressFrom(const wire::Record& r, uint16_t port) {
  sockaddr_in v4{.sin_family = AF_INET};
  sockaddr_in6 v6{.sin6_family = AF_INET6};
  if (r.type == dns::RRType::kA && r.rdata.size() == sizeof v4.sin_addr) {
    std::copy(r.rdata.begin(), r.rdata.end(), reinterpret_cast<char*>(&v4.sin_addr));
    return serve::SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&v4), sizeof v4)
        .WithPort(port);
  }
  if (r.type == dns::RRType::kAAAA && r.rdata.size() == sizeof v6.sin6_addr) {
    std::copy(r.rdata.begin(), r.rdata.end(), reinterpret_cast<char*>(&v6.sin6_addr));
    return serve::SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&v6), sizeof v6)
        .WithPort(port);
  }
  return std::nullopt;
}

void AddUnlessThere(std::vector<dns::Name>& names, const dns::Name& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

bool HasAliasAt(const std::vector<wire::Record>& records, const dns::Name& name) {
  return std::any_of(records.begin(), records.end(),
                     [&](const wire::Record& r) { return r.type == dns::RRType::kCNAME && r.name == name; });
}

}  // namespace

std::string OutcomeText(ResolveOutcome outcome) {
  switch (outcome) {
    case ResolveOutcome::kAnswer:
      return "answer";
    case ResolveOutcome::kNoData:
      return "nodata";
    case ResolveOutcome::kNxDomain:
      return "nxdomain";
    case ResolveOutcome::kFailed:
      return "failed";
  }
  return "failed";
}

IterativeResolver::IterativeResolver(ResolveOptions options, Exchange exchange, std::ostream* trace)
    : options_(std::move(options)), exchange_(std::move(exchange)), trace_(trace) {
  Delegation& root = known_[dns::Name()];
  for (const serve::SocketAddress& address : options_.roots) root.servers.push_back({"", address});
}

ResolveResult IterativeResolver::Run() {
  ResolveResult result = Look(options_.name, options_.type, 0);
  result.steps = std::move(steps_);
  return result;
}

IterativeResolver::Delegation& IterativeResolver::ClosestDelegation(const dns::Name& name) {
  dns::Name zone = name;
  for (;;) {
    const auto found = known_.find(zone);
    if (found != known_.end()) return found->second;
    zone = zone.Parent();  // ends at the root, which is always known
  }
}

ResolveResult IterativeResolver::Look(dns::Name name, dns::RRType type, int depth) {
  ResolveResult result;
  int aliases = 0, referrals = 0;
  for (;;) {
    Delegation& delegation = ClosestDelegation(name);
    Reading reading = AskServersOf(delegation, name, type, depth);
    if (reading.is_referral) {
      if (++referrals > kReferralsMax) break;
      known_[reading.referral.zone] = std::move(reading.referral);
      continue;
    }
    for (wire::Record& r : reading.records) result.answer.push_back(std::move(r));
    if (!reading.is_alias) {
      result.outcome = reading.outcome;
      if (reading.outcome == ResolveOutcome::kFailed) result.error = std::move(reading.detail);
      return result;
    }
    if (HasAliasAt(result.answer, reading.target)) {
      result.alias_loop = true;
      result.error = fmt::format("alias loop: {} is reached again", reading.target.ToText());
      return result;
    }
    if (++aliases > kAliasesMax) {
      result.error = fmt::format("more than {} aliases", kAliasesMax);
      return result;
    }
    name = reading.target;
    referrals = 0;
  }
  result.error = fmt::format("more than {} referrals for {}", kReferralsMax, name.ToText());
  return result;
}

IterativeResolver::Reading IterativeResolver::AskServersOf(Delegation& delegation, const dns::Name& name,
                                                           dns::RRType type, int depth) {
  std::string last = "it has no nameserver with an address";
  for (int round = 0; round < options_.rounds; ++round) {
    for (size_t i = 0; i < kServersMax; ++i) {
      if (i >= delegation.servers.size() && !LookUpServer(delegation, depth)) break;
      if (i >= delegation.servers.size()) break;
      if (steps_.size() >= kStepsMax)
        return {.detail =
                    fmt::format("gave up after {} questions: is there a loop of delegations?", kStepsMax)};
      Reading reading = AskOne(delegation.servers[i], delegation.zone, name, type);
      if (reading.is_referral || reading.is_alias || reading.outcome != ResolveOutcome::kFailed)
        return reading;
      last = fmt::format("{} said last: {}", delegation.servers[i].address.ToText(), reading.detail);
    }
  }
  return {.detail = fmt::format("no server of {} gave an answer for {}; {}", delegation.zone.ToText(),
                                name.ToText(), last)};
}

// Addresses of the next nameserver without glue; true if that gave any. Never asks for a name below the zone
// that it is needed for: without glue that cannot be answered.
bool IterativeResolver::LookUpServer(Delegation& delegation, int depth) {
  while (!delegation.unlooked.empty() && depth < kDepthMax) {
    const dns::Name host = delegation.unlooked.front();
    delegation.unlooked.erase(delegation.unlooked.begin());
    if (host.IsAtOrBelow(delegation.zone)) continue;
    const size_t before = delegation.servers.size();
    for (const dns::RRType type : {dns::RRType::kA, dns::RRType::kAAAA}) {
      const ResolveResult found = Look(host, type, depth + 1);
      for (const wire::Record& r : found.answer)
        if (const auto address =
                AddressFrom(r, options_.port != 0 ? options_.port : options_.roots[0].port()))
          delegation.servers.push_back({host.ToText(), *address});
      if (delegation.servers.size() > before) return true;
    }
  }
  return false;
}

IterativeResolver::Reading IterativeResolver::AskOne(const Server& server, const dns::Name& zone,
                                                     const dns::Name& name, dns::RRType type) {
  const auto before = std::chrono::steady_clock::now();
  const auto response = exchange_(server.address, wire::MakeQuery(0, name, type));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - before;
  Reading reading;
  if (response.ok()) {
    reading = Read(*response, zone, name, type);
  } else {
    reading.what = "failed";
    reading.detail = response.error();
  }
  Note({.server = server.address.ToText(),
        .zone = zone.ToText(),
        .question = name.ToText() + " " + dns::TypeToText(type),
        .outcome = reading.what,
        .detail = reading.detail,
        .millis = took.count()});
  return reading;
}

void IterativeResolver::Note(ResolveStep step) {
  if (trace_ != nullptr)
    *trace_ << fmt::format("{} (zone {}): {}?\n  -> {} {}  [{:.1f} ms]\n", step.server, step.zone,
                           step.question, step.outcome, step.detail, step.millis)
            << std::flush;
  steps_.push_back(std::move(step));
}

IterativeResolver::Reading IterativeResolver::Read(const wire::Message& response, const dns::Name& zone,
                                                   const dns::Name& name, dns::RRType type) const {
  const bool is_alias_of_nothing = response.rcode == dns::Rcode::kNXDomain && !response.answer.empty();
  if (response.rcode != dns::Rcode::kNoError && response.rcode != dns::Rcode::kNXDomain)
    return {.what = "failed", .detail = RcodeText(response.rcode)};
  if (!response.answer.empty()) {
    Reading answer = ReadAnswer(response, zone, name, type);
    if (answer.outcome == ResolveOutcome::kAnswer || answer.is_alias || !is_alias_of_nothing) return answer;
  }
  if (response.rcode == dns::Rcode::kNXDomain)
    return {.outcome = ResolveOutcome::kNxDomain, .what = "nxdomain", .detail = "no such name"};
  Reading referral = ReadReferral(response, zone, name);
  if (referral.is_referral) return referral;
  const bool has_soa = std::any_of(response.authority.begin(), response.authority.end(),
                                   [](const wire::Record& r) { return r.type == dns::RRType::kSOA; });
  if (response.aa || has_soa)
    return {.outcome = ResolveOutcome::kNoData, .what = "nodata", .detail = "the name has no such records"};
  return {.what = "failed", .detail = "neither an answer nor a referral further down (a lame delegation)"};
}

// What a server says of names outside its zone is not believed: an alias that leaves the zone is looked up
// anew.
IterativeResolver::Reading IterativeResolver::ReadAnswer(const wire::Message& response, const dns::Name& zone,
                                                         const dns::Name& name, dns::RRType type) const {
  Reading reading;
  dns::Name at = name;
  for (int i = 0; i <= kAliasesMax; ++i) {
    if (!at.IsAtOrBelow(zone)) break;
    const wire::Record* alias = nullptr;
    for (const wire::Record& r : response.answer) {
      if (r.name != at) continue;
      if (r.type == type || type == dns::RRType::kANY) {
        reading.outcome = ResolveOutcome::kAnswer;
        reading.records.push_back(r);
      } else if (r.type == dns::RRType::kCNAME) {
        alias = &r;
      }
    }
    if (reading.outcome == ResolveOutcome::kAnswer || alias == nullptr) break;
    const auto target = dns::Name::FromWire(alias->rdata);
    if (!target) break;
    reading.records.push_back(*alias);
    reading.is_alias = true;
    at = reading.target = *target;
    if (HasAliasAt(reading.records, at)) break;  // a loop
  }
  if (reading.outcome == ResolveOutcome::kAnswer) reading.is_alias = false;
  reading.what = reading.is_alias                             ? "cname"
                 : reading.outcome == ResolveOutcome::kAnswer ? "answer"
                                                              : "failed";
  for (const wire::Record& r : reading.records)
    reading.detail += (reading.detail.empty() ? "" : "; ") + RecordText(r);
  if (reading.records.empty()) reading.detail = "an answer to something else";
  return reading;
}

// A referral goes to a zone below the one asked, above or at the name. Glue is believed for names in the zone
// asked.
IterativeResolver::Reading IterativeResolver::ReadReferral(const wire::Message& response,
                                                           const dns::Name& zone,
                                                           const dns::Name& name) const {
  Reading reading;
  std::vector<dns::Name> hosts;
  for (const wire::Record& r : response.authority) {
    if (r.type != dns::RRType::kNS || r.name == zone || !r.name.IsAtOrBelow(zone) ||
        !name.IsAtOrBelow(r.name))
      continue;
    if (!hosts.empty() && r.name != reading.referral.zone) continue;
    reading.referral.zone = r.name;
    if (const auto host = dns::Name::FromWire(r.rdata)) AddUnlessThere(hosts, *host);
  }
  if (hosts.empty()) return reading;
  reading.is_referral = true;
  reading.what = "referral";
  reading.detail = fmt::format("to {}:", reading.referral.zone.ToText());
  for (const dns::Name& host : hosts) {
    const size_t before = reading.referral.servers.size();
    reading.detail += " " + host.ToText();
    for (const wire::Record& r : response.additional) {
      if (r.name != host || !host.IsAtOrBelow(zone)) continue;
      const auto address = AddressFrom(r, options_.port != 0 ? options_.port : options_.roots[0].port());
      if (!address) continue;
      reading.referral.servers.push_back({host.ToText(), *address});
      reading.detail += fmt::format(" {}", address->ToText());
    }
    if (reading.referral.servers.size() > before) continue;
    reading.referral.unlooked.push_back(host);
    reading.detail += " (no glue)";
  }
  return reading;
}

absl::StatusOr<serve::SocketAddress> ParseServer(const std::string& text) {
  for (const std::string& candidate : {text, text + ":53", "[" + text + "]:53"})
    if (auto address = serve::SocketAddress::FromText(candidate); address.ok()) return address;
  return serve::SocketAddress::FromText(text);
}

ResolveResult Resolve(const ResolveOptions& options, std::ostream* trace) {
  return IterativeResolver(options, NetworkExchange(options.timeout), trace).Run();
}

}  // namespace quorate::cli
