#include "api/xfr/secondaries.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/xfr/arrival.h"
#include "api/xfr/catalog_plan.h"
#include "api/xfr/fetch.h"
#include "base/limits.h"
#include "rsm/command.h"
#include "rsm/read.h"

namespace quorate::api::xfr {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(100), kProposeTimeout = std::chrono::seconds(10);

bool IsLeader(const replica::Client& client) { return client.Status().raft.role == raft::Role::kLeader; }

}  // namespace

Secondaries::Secondaries(Backend backend) : backend_(std::move(backend)), jobs_(limits::kTransfersInMax) {
  for (size_t i = 0; i < limits::kTransfersInMax; ++i) fetchers_.emplace_back([this] { Fetcher(); });
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

Secondaries::~Secondaries() {
  stopping_ = true;
  thread_.request_stop();
  changed_.Wake();
  thread_.join();
  jobs_.Close();
  for (std::thread& fetcher : fetchers_) fetcher.join();
}

void Secondaries::Want(const dns::Name& apex) {
  counters_.notified.fetch_add(1, std::memory_order_relaxed);
  {
    std::lock_guard lock(mu_);
    if (leads_ && plan_.Want(apex, backend_.clock->Boot())) return changed_.Wake();
  }
  rsm::Command command;
  command.origin = "notify";
  command.body = rsm::ZoneChecked{.apex = apex, .wanted = true};
  backend_.client->Propose(rsm::EncodeCommand(command), kProposeTimeout,
                           [](const replica::ProposeOutcome&) {});
}

std::optional<SecondaryInfo> Secondaries::Info(const dns::Name& apex) const {
  std::lock_guard lock(mu_);
  return leads_ ? plan_.Info(apex) : std::nullopt;
}

void Secondaries::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    ChangedZones::Changes changes = changed_.Take(kPoll);
    const bool leads = IsLeader(*backend_.client);
    const bool led = leads_.exchange(leads);
    if (!leads) {
      std::lock_guard lock(mu_);
      plan_.Clear();
      continue;
    }
    if (!led) changes.all = true;
    if (!changes.empty()) LookAt(changes);
    const BootTime now = backend_.clock->Boot();
    Expire(now);
    Dispatch(now);
    ReconcileCatalogs();
  }
}

void Secondaries::LookAt(const ChangedZones::Changes& changes) {
  const auto view = backend_.views->Get();
  const zone::ZoneSet& zones = *view->zones;
  if (changes.all) {
    for (const zone::ZonePtr& zone : zones.All()) SetZone(zones, zone);
    return;
  }
  for (const dns::Name& apex : changes.zones) {
    if (const zone::ZonePtr zone = zones.Get(apex.wire())) {
      SetZone(zones, zone);
      continue;
    }
    std::lock_guard lock(mu_);
    plan_.Remove(apex);
  }
}

void Secondaries::SetZone(const zone::ZoneSet& zones, const zone::ZonePtr& zone) {
  const zone::Settings& settings = zones.SettingsOf(*zone);
  if (settings.catalog_role == zone::CatalogRole::kConsumed) catalogs_.insert(zone->apex());
  std::lock_guard lock(mu_);
  if (!settings.is_secondary()) return plan_.Remove(zone->apex());
  const dns::Soa& soa = zone->soa();
  const Duration group_time = backend_.client->Status().group_time;
  plan_.Set(zone->apex(),
            {.serial = soa.serial,
             .refresh = soa.refresh,
             .retry = soa.retry,
             .expire = soa.expire,
             .state = settings.state,
             .since_checked = std::max(Duration(0), group_time - settings.checked_at),
             .asked_at = settings.asked_at,
             .asked = settings.asked_at > settings.checked_at,
             .primaries = settings.primaries},
            backend_.clock->Boot());
}

void Secondaries::Dispatch(BootTime now) {
  std::vector<dns::Name> due;
  {
    std::lock_guard lock(mu_);
    due = plan_.Due(now, limits::kTransfersInMax - std::min(under_way_, limits::kTransfersInMax));
    under_way_ += due.size();
  }
  for (dns::Name& apex : due) {
    if (jobs_.TryPush(apex)) continue;
    std::lock_guard lock(mu_);
    --under_way_;
    plan_.Done(apex, "the replica stops", now);
  }
}

void Secondaries::Expire(BootTime now) {
  std::vector<dns::Name> expired;
  {
    std::lock_guard lock(mu_);
    expired = plan_.Expired(now);
  }
  const auto view = backend_.views->Get();
  for (const dns::Name& apex : expired) {
    const zone::ZonePtr zone = view->zones->Get(apex.wire());
    if (!zone) continue;
    counters_.expired.fetch_add(1, std::memory_order_relaxed);
    Checked(apex, zone->serial(), true);
  }
}

void Secondaries::Checked(const dns::Name& apex, dns::Serial serial, bool expired) {
  rsm::Command command;
  command.origin = "transfer";
  command.body = rsm::ZoneChecked{.apex = apex, .serial = serial, .expired = expired};
  backend_.client->Propose(rsm::EncodeCommand(command), kProposeTimeout,
                           [](const replica::ProposeOutcome&) {});
}

void Secondaries::Fetcher() {
  while (!jobs_.closed()) {
    for (const dns::Name& apex : jobs_.TakeOne(kPoll)) {
      std::string error = FetchZone(apex);
      if (!error.empty()) counters_.failed.fetch_add(1, std::memory_order_relaxed);
      {
        std::lock_guard lock(mu_);
        --under_way_;
        plan_.Done(apex, std::move(error), backend_.clock->Boot());
      }
      changed_.Wake();
    }
  }
}

// The primaries in their order, until one answers well; all again if the zone changed here meanwhile.
std::string Secondaries::FetchZone(const dns::Name& apex) {
  absl::Status done = FetchOnce(apex);
  if (absl::IsAborted(done)) done = FetchOnce(apex);
  return done.ok() ? "" : std::string(done.message());
}

absl::Status Secondaries::FetchOnce(const dns::Name& apex) {
  const auto view = backend_.views->Get();
  const zone::ZonePtr zone = view->zones->Get(apex.wire());
  if (!zone) return absl::NotFoundError("the zone is gone");
  const zone::Settings& settings = view->zones->SettingsOf(*zone);
  std::string errors;
  for (const zone::Remote& primary : settings.primaries) {
    if (stopping_ || !leads_) return absl::CancelledError("this replica leads no more");
    const absl::Status done = FetchFrom(zone, settings, primary, view->zones->keyring());
    if (done.ok() || absl::IsAborted(done)) return done;
    errors += fmt::format("{}{}: {}", errors.empty() ? "" : "; ", zone::ToText(primary),
                          std::string(done.message()));
  }
  return absl::UnavailableError(errors);
}

absl::Status Secondaries::FetchFrom(const zone::ZonePtr& zone, const zone::Settings& settings,
                                    const zone::Remote& primary, const zone::Keyring& keyring) {
  const bool loaded = settings.state != zone::SecondaryState::kNotLoaded;
  FetchRequest request{.apex = zone->apex(), .have = loaded ? zone : nullptr, .primary = primary, .key = {}};
  if (primary.key) {
    const zone::TsigKey* key = keyring.Find(*primary.key);
    if (key == nullptr)
      return absl::FailedPreconditionError(
          fmt::format("there is no key {}: `quorate tsig create {}` makes one", primary.key->ToText(),
                      primary.key->ToText()));
    request.key = *key;
  }
  const Revision since = rsm::ZoneRevision(*backend_.map, zone->apex());
  Arrival arrival(*backend_.client, zone->apex(), since, limits::kTransferPieceBytes);
  FetchTools tools{.clock = backend_.clock,
                   .sources = backend_.sources,
                   .stop = [this] { return stopping_ || !leads_; },
                   .begin = [&] { arrival.Begin(); },
                   .rrset = [&](dns::RRset&& rrset) { return arrival.Add(std::move(rrset)); }};
  auto fetched = Fetch(request, tools);
  if (!fetched.ok()) return fetched.status();
  switch (fetched->kind) {
    case Fetched::Kind::kCurrent:
      counters_.current.fetch_add(1, std::memory_order_relaxed);
      Checked(zone->apex(), zone->serial(), false);
      return absl::OkStatus();
    case Fetched::Kind::kFull:
      counters_.full.fetch_add(1, std::memory_order_relaxed);
      return arrival.FinishFull();
    case Fetched::Kind::kIncremental:
      counters_.incremental.fetch_add(1, std::memory_order_relaxed);
      return arrival.Incremental(zone->serial(), std::move(fetched->edits));
  }
  return absl::OkStatus();
}

// What is refused is left: the next change of the catalog, or the next leader, looks again.
void Secondaries::ReconcileCatalogs() {
  const std::set<dns::Name> catalogs = std::exchange(catalogs_, {});
  for (const dns::Name& catalog : catalogs) {
    const auto view = backend_.views->Get();
    for (const rsm::Command& change : CatalogChanges(*view->zones, catalog)) {
      const absl::Status done = ProposeAndWait(*backend_.client, change, kProposeTimeout);
      (done.ok() ? counters_.catalog_changes : counters_.catalog_failures)
          .fetch_add(1, std::memory_order_relaxed);
      if (done.ok() || absl::IsAborted(done)) continue;
      catalogs_.insert(catalog);  // again at the next turn
      break;
    }
  }
}

}  // namespace quorate::api::xfr
