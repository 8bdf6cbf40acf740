#include "app/process.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <sstream>
#include <thread>

#include "api/dns/door.h"
#include "api/etcd/server.h"
#include "api/http/http_server.h"
#include "api/xfr/transfers.h"
#include "app/cookie_roller.h"
#include "app/core_config.h"
#include "app/disk_faults.h"
#include "app/disk_watch.h"
#include "app/dns_config.h"
#include "app/guarded_client.h"
#include "app/metrics.h"
#include "app/place.h"
#include "app/seed.h"
#include "app/seeder.h"
#include "app/snapshot_source.h"
#include "base/disk_fault.h"
#include "base/status_macros.h"
#include "raft/quorum.h"
#include "replica/replica.h"
#include "rsm/published_view.h"
#include "rsm/replicated_state.h"
#include "serve/tcp_server.h"
#include "serve/tls.h"
#include "serve/udp_server.h"
#include "storage/data_directory.h"
#include "storage/rocks/rocks_state_store.h"
#include "storage/wal/posix_file_system.h"
#include "storage/wal/wal.h"
#include "transport/grpc/grpc_transport.h"

namespace quorate::app {
namespace {

constexpr Duration kHandOverTimeout = std::chrono::seconds(2);

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  if (!in) return absl::InvalidArgumentError(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  return content.str();
}

struct TlsMaterial {
  std::string certificate, key, ca;
};
absl::StatusOr<std::optional<TlsMaterial>> LoadTls(const ServeOptions& options) {
  if (options.tls_cert.empty()) return std::optional<TlsMaterial>();
  TlsMaterial tls;
  ASSIGN_OR_RETURN(tls.certificate, ReadFile(options.tls_cert));
  ASSIGN_OR_RETURN(tls.key, ReadFile(options.tls_key));
  ASSIGN_OR_RETURN(tls.ca, ReadFile(options.tls_ca));
  return std::optional<TlsMaterial>(std::move(tls));
}

// At least; a group that this replica joined had somebody to join.
zone::Address AddressOf(const serve::SocketAddress& address) {
  if (address.family() == AF_INET) {
    uint8_t octets[4];
    std::memcpy(octets, &reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr, sizeof octets);
    return zone::MapIpv4(octets);
  }
  zone::Address out;
  std::memcpy(out.data(), &reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_addr, out.size());
  return out;
}

size_t KnownMembers(const oracle::Assignment& place) {
  return place.members.empty() ? 2 : place.members.size();
}

void Notice(const std::string& text) { fmt::print(stderr, "quorate: {}\n", text); }

}  // namespace

// In the order in which they start.
struct Process::Parts {
  ServeOptions options;
  std::function<void(raft::Dismissal)> on_dismissed;
  SystemClock clock;
  std::unique_ptr<storage::DataDirectory> directory;
  oracle::Assignment place;
  std::optional<TlsMaterial> tls;
  storage::PosixFileSystem files;
  std::unique_ptr<storage::LogStore> log;
  std::unique_ptr<storage::StateStore> state;
  ViewHub<zone::View> views{std::make_shared<const zone::View>()};
  rsm::PublishedView published{views};
  std::unique_ptr<api::WatchHub> watches;
  std::unique_ptr<rsm::ReplicatedState> state_machine;
  std::unique_ptr<replica::Replica> replica;
  std::unique_ptr<DiskWatch> disk;
  std::unique_ptr<GuardedClient> client;  // of the doors
  std::unique_ptr<Seeder> seeder;
  std::unique_ptr<api::xfr::Transfers> transfers;
  std::unique_ptr<CookieRoller> cookies;
  std::unique_ptr<api::door::Door> door;  // for what is not for the workers below
  std::unique_ptr<serve::UdpServer> udp;
  std::unique_ptr<serve::TcpServer> tcp;
  std::unique_ptr<serve::TlsCertificates> dot_certificates;
  std::unique_ptr<serve::TcpServer> dot;
  std::jthread dot_watch;
  std::unique_ptr<api::EtcdServer> etcd;
  std::unique_ptr<api::HttpServer> http;

  std::atomic<api::xfr::Transfers*> hears_changes{nullptr};  // `transfers`, once it is there

  absl::Status TakePlace(std::stop_token stop);
  absl::Status OpenStorage();
  absl::Status StartReplica();
  absl::Status StartOnWhatIsThere();
  void CloseStorage();
  void WatchDisk();
  bool repairing = false;  // disk watch: taken in anew, and not caught up yet
  void LookAround(bool disk_low);
  void StartTransfers(const std::vector<serve::SocketAddress>& doors);
  absl::Status StartDns();
  void WatchCertificates(std::stop_token stop);
  absl::Status StartHttp();
  absl::Status StartEtcd();
  rsm::Observer MakeObserver();
  void HandOver();
  void Stop();
};

absl::Status Process::Parts::TakePlace(std::stop_token stop) {
  ASSIGN_OR_RETURN(directory, storage::DataDirectory::Open(options.data_dir));
  TakeCareOfDiskFaults(options.data_dir);
  ASSIGN_OR_RETURN(place, app::TakePlace(options, *directory, std::move(stop), Notice));
  return absl::OkStatus();
}

absl::Status Process::Parts::OpenStorage() {
  const storage::WalOptions wal{.segment_bytes = options.wal_segment_mib << 20,
                                .expect_existing = directory->identity().has_log};
  ASSIGN_OR_RETURN(log, storage::OpenWal(files, directory->wal_path(), wal));
  ASSIGN_OR_RETURN(state, storage::OpenRocksState(directory->state_path(), {}));
  if (!options.listen_etcd.empty()) {
    watches = std::make_unique<api::WatchHub>(state->map(), api::EtcdOptions().progress_interval);
  }
  state_machine = std::make_unique<rsm::ReplicatedState>(state->map(), MakeObserver());
  return absl::OkStatus();
}

rsm::Observer Process::Parts::MakeObserver() {
  rsm::Observer observer;
  observer.published = [this](LogIndex applied, const std::shared_ptr<const zone::ZoneSet>& zones) {
    published.Applied(applied, zones);
  };
  observer.store_changed = [this](Revision revision, const std::vector<kv::Event>& events) {
    if (watches) watches->Publish(revision, events);
    if (auto* hear = hears_changes.load(std::memory_order_acquire)) hear->StoreChanged(events);
  };
  observer.reloaded = [this] {
    if (watches) watches->Reset();
    if (auto* hear = hears_changes.load(std::memory_order_acquire)) hear->Reloaded();
  };
  return observer;
}

absl::Status Process::Parts::StartReplica() {
  replica::ReplicaOptions replica_options;
  replica_options.group = place.group_id;
  replica_options.on_dismissed = on_dismissed;
  replica_options.bootstrap = BootstrapConfiguration(place);
  for (const auto& member : place.members) replica_options.addresses[member.id] = member.addresses.peer;
  ASSIGN_OR_RETURN(replica_options.core, CoreConfigFor(options, directory->identity()));
  if (options.snapshot_rate > 0) replica_options.snapshot_bytes_per_second = options.snapshot_rate;
  replica_options.compaction.entries_max = options.log_entries;
  transport::GrpcTransportOptions transport_options{
      .listen = options.listen_peer,
      .advertise = options.advertise_peer,
      .deployment = place.group,
      .group = place.group_id,
      .self = place.replica_id,
      .message_version = MessageVersionOf(options.feature_level),
      .tls =
          tls ? std::optional(transport::TlsOptions{tls->certificate, tls->key, tls->ca, ""}) : std::nullopt,
      .on_notice = Notice};
  auto make_transport =
      [this, transport_options](
          transport::MessageHandler handler) -> absl::StatusOr<std::unique_ptr<transport::PeerTransport>> {
    RETURN_IF_ERROR(
        directory->MarkLogBegun());  // recovered; from the first message on its loss must be noticed
    ASSIGN_OR_RETURN(std::unique_ptr<transport::GrpcTransport> made,
                     transport::GrpcTransport::Start(transport_options, std::move(handler)));
    return made;
  };
  ASSIGN_OR_RETURN(replica,
                   replica::Replica::Start(std::move(replica_options),
                                           {*log, *state, *state_machine, published, clock, make_transport}));
  return absl::OkStatus();
}

// A log or a state that is damaged is given up once, and the replica begins with nothing.
absl::Status Process::Parts::StartOnWhatIsThere() {
  absl::Status started = absl::OkStatus();
  if (!directory->damage().empty()) started = absl::DataLossError(directory->damage());
  if (started.ok()) started = OpenStorage();
  if (started.ok()) started = StartReplica();
  if (DiskFaultOf(started) == DiskFault::kDamaged) {
    CloseStorage();
    RETURN_IF_ERROR(Repair(*directory, {MessageOf(started), options.repair, KnownMembers(place)}, Notice));
    started = OpenStorage();
    if (started.ok()) started = StartReplica();
  }
  RETURN_IF_ERROR(started);
  WatchDisk();
  client = std::make_unique<GuardedClient>(replica->client(), [this] { return disk->low(); });
  ASSIGN_OR_RETURN(rsm::Seed seed, MakeSeed(place.zones, NameserverHosts(place)));
  seeder = std::make_unique<Seeder>(replica->client(), state->map(), std::move(seed));
  cookies = std::make_unique<CookieRoller>(*client, views);
  return absl::OkStatus();
}

void Process::Parts::CloseStorage() {
  state_machine.reset();
  watches.reset();
  state.reset();
  log.reset();
}

void Process::Parts::WatchDisk() {
  disk = std::make_unique<DiskWatch>(DiskWatchOptions{.data_dir = options.data_dir,
                                                      .reserve_bytes = options.disk_reserve_mib << 20,
                                                      .low_bytes = options.disk_low_mib << 20,
                                                      .notice = Notice,
                                                      .each_second = [this](bool low) { LookAround(low); }});
}

void Process::Parts::LookAround(bool disk_low) {
  replica->SetDiskLow(disk_low);
  if (directory->identity().repairs == 0 && !repairing) return;
  const raft::Status now = replica->client().Status().raft;
  const raft::Member* me = raft::FindMember(now.configuration, place.replica_id);
  const bool known = now.configuration_index <= std::min(now.commit, now.durable);
  if (!me || me->instance != directory->identity().instance || !known) return;
  // From here on it is this instance that the group knows; another damage would have to name it.
  if (absl::Status done = directory->FinishRepair(); !done.ok()) return FailStop("the repair is noted", done);
  repairing = me->repairing;
  if (!repairing) Notice("repaired: this replica has everything from its leader and takes part again");
}

// What they miss before they hear of changes they look for when this replica becomes the leader.
void Process::Parts::StartTransfers(const std::vector<serve::SocketAddress>& doors) {
  api::xfr::SourceAddresses sources;
  for (const serve::SocketAddress& door : doors) sources.push_back(AddressOf(door));
  transfers = std::make_unique<api::xfr::Transfers>(api::xfr::Transfers::Backend{
      .client = client.get(), .map = &state->map(), .views = &views, .clock = &clock, .sources = sources});
  hears_changes.store(transfers.get(), std::memory_order_release);
  transfers->Reloaded();
}

absl::Status Process::Parts::StartDns() {
  serve::ServerOptions server = DnsServerOptions(options);
  server.respond.version = fmt::format("Quorate {}", QUORATE_VERSION);
  server.respond.id = fmt::format("{}-{}", place.group, place.replica_id.value);
  ASSIGN_OR_RETURN(server.addresses, DnsAddresses(options.listen_dns));
  StartTransfers(server.addresses);
  door = std::make_unique<api::door::Door>(api::door::DoorBackend{
      .client = client.get(),
      .views = &views,
      .clock = &clock,
      .transfers = &transfers->out(),
      .on_notify =
          [this](const api::door::Notified& notified) { transfers->secondaries().Want(notified.apex); },
      .respond = server.respond});
  const serve::DataSource source{views, replica->gate(), clock, seeder->health(), door.get()};
  const int workers = std::exchange(server.workers, 1);
  if (!server.addresses.empty()) {
    ASSIGN_OR_RETURN(tcp, serve::TcpServer::Start(server, source));
    server.workers = workers;
    ASSIGN_OR_RETURN(udp, serve::UdpServer::Start(server, source));
    server.workers = 1;
  }
  ASSIGN_OR_RETURN(server.addresses, DnsAddresses(options.listen_dot));
  if (server.addresses.empty()) return absl::OkStatus();
  const bool own = !options.dot_cert.empty();
  ASSIGN_OR_RETURN(dot_certificates,
                   serve::TlsCertificates::Load({.certificate = own ? options.dot_cert : options.tls_cert,
                                                 .key = own ? options.dot_key : options.tls_key},
                                                Notice));
  server.tls = dot_certificates.get();
  ASSIGN_OR_RETURN(dot, serve::TcpServer::Start(std::move(server), source));
  dot_watch = std::jthread([this](std::stop_token stop) { WatchCertificates(stop); });
  return absl::OkStatus();
}

void Process::Parts::WatchCertificates(std::stop_token stop) {
  std::mutex mu;
  std::condition_variable_any stopped;
  std::unique_lock lock(mu);
  while (!stopped.wait_for(lock, stop, std::chrono::seconds(1), [&] { return stop.stop_requested(); }))
    dot_certificates->Poll();
}

absl::Status Process::Parts::StartHttp() {
  if (options.listen_http.empty()) return absl::OkStatus();
  api::HttpServerOptions server;
  server.address = options.listen_http;
  server.tls_cert = options.tls_cert;
  server.tls_key = options.tls_key;
  if (!options.api_token_file.empty()) {
    ASSIGN_OR_RETURN(server.tokens, api::LoadTokens(options.api_token_file));
  }
  api::HttpBackend backend;
  backend.client = client.get();
  backend.map = &state->map();
  backend.clock = &clock;
  backend.zones = [this] {
    std::vector<dns::Name> apexes;
    const auto view = views.Get();
    for (const zone::ZonePtr& zone : view->zones->All()) apexes.push_back(zone->apex());
    return apexes;
  };
  backend.why_not_ready = [this] {
    return std::string(seeder->done() ? "" : "the group's zones are not made yet");
  };
  backend.open_snapshot = [this] {
    return OpenSnapshot(state->map(), place.group_id, place.group, clock.Wall());
  };
  backend.refresh_secondary = [this](const dns::Name& zone) { transfers->secondaries().Want(zone); };
  backend.secondary_status =
      [this](const dns::Name& zone) -> std::optional<api::HttpBackend::SecondaryStatus> {
    const auto info = transfers->secondaries().Info(zone);
    if (!info) return std::nullopt;
    return api::HttpBackend::SecondaryStatus{info->under_way, info->next - clock.Boot(), info->error};
  };
  backend.disk = [this] { return api::HttpBackend::Disk{disk->free_bytes(), disk->low()}; };
  backend.group = place.group;
  backend.region = options.region;
  backend.etcd = options.listen_etcd;
  backend.version = QUORATE_VERSION;
  backend.feature_level = options.feature_level;
  backend.collectors.push_back([this](api::MetricsSink& sink) {
    sink.Gauge("quorate_disk_free_bytes", "Room on the data directory's disk",
               static_cast<double>(disk->free_bytes()));
    sink.Gauge("quorate_disk_low", "1: the disk is nearly full, writes that need room are refused",
               disk->low());
    serve::Counters sum;
    for (const auto& counters : udp ? udp->ReadCounters() : std::vector<serve::Counters>()) sum += counters;
    CollectServe(sum, "udp", sink);
    sum = {};
    for (const auto& counters : tcp ? tcp->ReadCounters() : std::vector<serve::Counters>()) sum += counters;
    CollectServe(sum, "tcp", sink);
    if (transfers) CollectTransfers(*transfers, sink);
    if (door) CollectDoor(door->counters(), sink);
    if (!dot) return;
    sum = {};
    for (const auto& counters : dot->ReadCounters()) sum += counters;
    CollectServe(sum, "tls", sink);
  });
  ASSIGN_OR_RETURN(http, api::HttpServer::Start(std::move(server), std::move(backend)));
  return absl::OkStatus();
}

absl::Status Process::Parts::StartEtcd() {
  if (options.listen_etcd.empty()) return absl::OkStatus();
  api::EtcdOptions server;
  server.listen = {options.listen_etcd};
  if (tls) server.tls = api::EtcdTls{tls->certificate, tls->key, tls->ca};
  const api::EtcdBackend backend{client.get(), &state->map(), QUORATE_VERSION, nullptr};
  ASSIGN_OR_RETURN(etcd, api::EtcdServer::Start(backend, server, *watches));
  return absl::OkStatus();
}

// While the doors are open: what comes in meanwhile is forwarded to the next leader. A client whose door
// closes on it then finds another door that knows the leader, so that one retry is enough.
void Process::Parts::HandOver() {
  if (!replica) return;
  const auto over = std::make_shared<std::promise<void>>();
  replica->client().TransferLeadership(MemberId{}, [over](const absl::Status&) { over->set_value(); });
  over->get_future().wait_for(kHandOverTimeout);
}

void Process::Parts::Stop() {
  HandOver();
  if (http) http->Stop();
  if (etcd) etcd->Stop();
  dot_watch = std::jthread();
  dot.reset();
  tcp.reset();
  udp.reset();
  door.reset();
  disk.reset();
  if (replica) replica->Stop();  // answers what waits, the seeder included
  hears_changes.store(nullptr);
  transfers.reset();
  seeder.reset();
  cookies.reset();
}

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const ServeOptions& options, std::stop_token stop,
                                                        std::function<void(raft::Dismissal)> on_dismissed) {
  auto process = std::unique_ptr<Process>(new Process(std::make_unique<Parts>()));
  Parts& parts = *process->parts_;
  parts.options = options;
  parts.on_dismissed = std::move(on_dismissed);
  ASSIGN_OR_RETURN(parts.tls, LoadTls(options));
  RETURN_IF_ERROR(parts.TakePlace(std::move(stop)));
  RETURN_IF_ERROR(parts.StartOnWhatIsThere());
  RETURN_IF_ERROR(parts.StartDns());
  RETURN_IF_ERROR(parts.StartEtcd());
  RETURN_IF_ERROR(parts.StartHttp());
  return process;
}

Process::Process(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Process::~Process() { parts_->Stop(); }

std::string Process::Describe() const {
  const ServeOptions& o = parts_->options;
  std::string where;
  for (const std::string& address : o.listen_dns) where += " dns " + address;
  for (const std::string& address : o.listen_dot) where += " dot " + address;
  if (!o.listen_http.empty()) where += " http " + o.listen_http;
  if (!o.listen_etcd.empty()) where += " etcd " + o.listen_etcd;
  return fmt::format("replica {} of group {} ({}) serves:{}", parts_->place.replica_id.value,
                     parts_->place.group_id.value, parts_->place.group, where);
}

}  // namespace quorate::app
