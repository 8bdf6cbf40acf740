#include "api/etcd/watch_hub.h"

#include <algorithm>
#include <utility>

#include "api/etcd/convert.h"
#include "base/limits.h"

namespace quorate::api {

using etcdserverpb::WatchResponse;

namespace {

constexpr auto kIdleWait = std::chrono::milliseconds(500);

size_t BytesOf(const kv::Event& event) {
  return event.kv.key.size() + event.kv.value.size() + (event.prev ? event.prev->value.size() : 0) + 64;
}

std::unique_ptr<WatchResponse> MakeResponse(int64_t watch_number, Revision revision) {
  auto response = std::make_unique<WatchResponse>();
  response->set_watch_id(watch_number);
  response->mutable_header()->set_revision(static_cast<int64_t>(revision.value));
  return response;
}

}  // namespace

WatchHub::WatchHub(const kv::MapReader& map, Duration progress_interval)
    : map_(map), progress_interval_(progress_interval) {}

// --- the apply thread ---

void WatchHub::Publish(Revision revision, const std::vector<kv::Event>& events) {
  {
    std::lock_guard lock(mu_);
    latest_ = revision;
    if (!watched_) {
      skipped_to_ = revision;
      return;
    }
  }
  Batch batch{revision, std::make_shared<const std::vector<kv::Event>>(events)};
  for (const kv::Event& event : events) batch.bytes += BytesOf(event);
  {
    std::lock_guard lock(mu_);
    queued_events_ += events.size();
    queued_bytes_ += batch.bytes;
    inbox_.batches.push_back(std::move(batch));
    if (queued_events_ > limits::kWatchQueueEvents || queued_bytes_ > limits::kWatchQueueBytes) {
      inbox_.batches.clear();
      queued_events_ = queued_bytes_ = 0;
      skipped_to_ = revision;
      inbox_.gap = true;
    }
  }
  ready_.notify_one();
}

void WatchHub::Reset() {
  const kv::Meta meta = kv::ReadMeta(map_);
  {
    std::lock_guard lock(mu_);
    inbox_.batches.clear();
    queued_events_ = queued_bytes_ = 0;
    latest_ = skipped_to_ = meta.current;
    inbox_.gap = true;
  }
  ready_.notify_one();
}

// --- any thread ---

void WatchHub::Start() {
  Reset();
  std::lock_guard lock(mu_);
  running_ = true;
  thread_ = std::thread([this] { Run(); });
}

void WatchHub::Stop() {
  {
    std::lock_guard lock(mu_);
    stopped_ = true;
  }
  ready_.notify_all();
  if (thread_.joinable()) thread_.join();
}

uint64_t WatchHub::Open(std::shared_ptr<etcd::WatchSink> sink) {
  std::lock_guard lock(mu_);
  if (!running_ || stopped_ || open_streams_ >= limits::kWatchStreamsMax) return 0;
  ++open_streams_;
  inbox_.opened.emplace_back(++last_stream_, std::move(sink));
  return last_stream_;
}

void WatchHub::Request(uint64_t stream, etcdserverpb::WatchRequest request) {
  {
    std::lock_guard lock(mu_);
    inbox_.requests.emplace_back(stream, std::move(request));
  }
  ready_.notify_one();
}

void WatchHub::Close(uint64_t stream) {
  {
    std::lock_guard lock(mu_);
    inbox_.closed.push_back(stream);
  }
  ready_.notify_one();
}

void WatchHub::Wake() {
  {
    std::lock_guard lock(mu_);
    inbox_.woken = true;
  }
  ready_.notify_one();
}

// --- the hub's thread ---

WatchHub::Inbox WatchHub::AwaitInbox() {
  const Duration wait = CanCatchUp() ? Duration::zero() : std::min<Duration>(progress_interval_, kIdleWait);
  std::unique_lock lock(mu_);
  ready_.wait_for(lock, wait, [this] {
    return stopped_ || inbox_.woken || inbox_.gap || !inbox_.batches.empty() || !inbox_.opened.empty() ||
           !inbox_.requests.empty() || !inbox_.closed.empty();
  });
  queued_events_ = queued_bytes_ = 0;
  return std::exchange(inbox_, {});
}

void WatchHub::Run() {
  for (;;) {
    Inbox inbox = AwaitInbox();
    for (auto& [id, sink] : inbox.opened) streams_[id].sink = std::move(sink);
    {
      std::lock_guard lock(mu_);
      if (stopped_) break;
    }
    if (inbox.gap) {
      for (auto& [id, watch] : watches_) {
        if (watch.synced) FallBehind(id, watch, dispatched_ + 1);
      }
    }
    Deliver(inbox.batches);
    for (auto& [id, request] : inbox.requests) OnRequest(id, std::move(request));
    for (uint64_t id : inbox.closed) OnClose(id);
    CatchUp();
    SendProgress();
  }
  {
    std::lock_guard lock(mu_);
    for (auto& [id, sink] : inbox_.opened) streams_[id].sink = std::move(sink);
  }
  for (auto& [id, stream] : streams_) stream.sink->Stop();
  streams_.clear();
}

void WatchHub::OnRequest(uint64_t id, etcdserverpb::WatchRequest request) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  Stream& stream = it->second;
  if (request.has_create_request()) {
    OnCreate(id, stream, request.create_request());
  } else if (request.has_cancel_request()) {
    OnCancel(stream, request.cancel_request().watch_id());
  } else if (request.has_progress_request()) {
    progress_wanted_.insert(id);
  }
  stream.sink->ReadNext();
}

void WatchHub::OnCreate(uint64_t id, Stream& stream, const etcdserverpb::WatchCreateRequest& request) {
  Watch watch{.stream = id,
              .range = {request.key().empty() ? std::string(1, '\0') : request.key(), request.range_end()},
              .prev_kv = request.prev_kv(),
              .progress_notify = request.progress_notify(),
              .sent_at = std::chrono::steady_clock::now()};
  for (int filter : request.filters()) {
    if (filter == etcdserverpb::WatchCreateRequest::NOPUT) watch.puts = false;
    if (filter == etcdserverpb::WatchCreateRequest::NODELETE) watch.deletes = false;
  }
  Revision now;
  {
    std::lock_guard lock(mu_);
    now = latest_;
    watched_ = true;
  }
  watch.next =
      request.start_revision() > 0 ? Revision{static_cast<uint64_t>(request.start_revision())} : now + 1;
  watch.number = request.watch_id();
  if (watch.number == 0) {
    while (stream.watches.contains(stream.next_auto)) ++stream.next_auto;
    watch.number = stream.next_auto++;
  }

  const char* refused = nullptr;
  if (!watch.range.Single() && !watch.range.Unbounded() && watch.range.end <= watch.range.key) {
    refused = "mvcc: watcher range is empty";
  } else if (stream.watches.contains(watch.number)) {
    refused = "mvcc: duplicate watch ID provided on the WatchStream";
  } else if (watches_.size() >= limits::kWatchesMax) {
    refused = "etcdserver: too many watches";
  }
  Response response = MakeResponse(refused ? -1 : watch.number, now);
  response->set_created(true);
  if (refused) {
    response->set_canceled(true);
    response->set_cancel_reason(refused);
  } else {
    const uint64_t key = ++last_watch_;
    stream.watches.emplace(watch.number, key);
    watches_.emplace(key, std::move(watch));
    behind_.insert(key);
  }
  stream.sink->Send(std::move(response));
}

void WatchHub::OnCancel(Stream& stream, int64_t number) {
  const auto it = stream.watches.find(number);
  if (it == stream.watches.end()) return;
  Response response = MakeResponse(number, dispatched_);
  response->set_canceled(true);
  Remove(it->second);
  stream.sink->Send(std::move(response));
}

void WatchHub::OnClose(uint64_t id) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  const std::map<int64_t, uint64_t> watches = it->second.watches;
  for (const auto& [number, key] : watches) Remove(key);
  streams_.erase(it);
  progress_wanted_.erase(id);
  std::lock_guard lock(mu_);
  --open_streams_;
  if (watches_.empty()) watched_ = false;
  if (!watched_) skipped_to_ = latest_;
}

void WatchHub::Remove(uint64_t watch) {
  const auto it = watches_.find(watch);
  synced_.Remove(watch);
  behind_.erase(watch);
  streams_.at(it->second.stream).watches.erase(it->second.number);
  watches_.erase(it);
}

void WatchHub::FallBehind(uint64_t id, Watch& watch, Revision next) {
  watch.next = std::max(watch.next, next);
  watch.synced = false;
  synced_.Remove(id);
  behind_.insert(id);
}

Revision WatchHub::Floor() {
  std::lock_guard lock(mu_);
  dispatched_ = std::max(dispatched_, skipped_to_);
  return dispatched_;
}

void WatchHub::Deliver(const std::deque<Batch>& batches) {
  std::map<uint64_t, Outgoing> outgoing;
  for (const Batch& batch : batches) {
    if (batch.revision <= dispatched_) continue;  // read from the history, or nobody watched then
    DeliverBatch(batch, outgoing);
    dispatched_ = batch.revision;
  }
  for (auto& [id, out] : outgoing) SendEvents(watches_.at(id), std::move(out.response));
}

void WatchHub::DeliverBatch(const Batch& batch, std::map<uint64_t, Outgoing>& outgoing) {
  std::set<uint64_t> full;
  for (const kv::Event& event : *batch.events) {
    synced_.Match(event.kv.key, [&](uint64_t id) {
      const Watch& watch = watches_.at(id);
      const bool wanted = event.type == kv::Event::Type::kPut ? watch.puts : watch.deletes;
      if (!wanted || watch.next > batch.revision || full.contains(id)) return;
      // Asked once per revision, which comes in one piece.
      if (!outgoing.contains(id) && streams_.at(watch.stream).sink->Full()) {
        full.insert(id);
        return;
      }
      Outgoing& out = outgoing[id];
      if (!out.response) out.response = MakeResponse(watch.number, batch.revision);
      out.response->mutable_header()->set_revision(static_cast<int64_t>(batch.revision.value));
      out.bytes += BytesOf(event);
      etcd::FromStore(event, watch.prev_kv, *out.response->add_events());
    });
  }
  for (uint64_t id : full) FallBehind(id, watches_.at(id), batch.revision);
  // What is large enough goes now, so that the next revision sees whether the stream is full.
  for (auto it = outgoing.begin(); it != outgoing.end();) {
    if (it->second.bytes > limits::kWatchStreamBytesMax) {
      SendEvents(watches_.at(it->first), std::move(it->second.response));
      it = outgoing.erase(it);
    } else {
      ++it;
    }
  }
}

void WatchHub::SendEvents(Watch& watch, Response response) {
  watch.sent_at = std::chrono::steady_clock::now();
  streams_.at(watch.stream).sink->Send(std::move(response));
}

bool WatchHub::CanCatchUp() const {
  return std::any_of(behind_.begin(), behind_.end(),
                     [this](uint64_t id) { return !streams_.at(watches_.at(id).stream).sink->Full(); });
}

void WatchHub::CatchUp() {
  const Revision floor = Floor();
  const std::set<uint64_t> behind = behind_;
  for (uint64_t id : behind) {
    Watch& watch = watches_.at(id);
    if (streams_.at(watch.stream).sink->Full()) continue;
    if (watch.next <= floor && !CatchUpOne(id, watch)) continue;
    if (watch.next > floor) {
      watch.synced = true;
      synced_.Add(id, watch.range);
      behind_.erase(id);
    }
  }
}

// One page. False: the watch ended, its history being gone.
bool WatchHub::CatchUpOne(uint64_t id, Watch& watch) {
  const auto history = kv::ReadHistory(
      map_, {.range = watch.range, .from = watch.next, .to = dispatched_, .prev_kv = watch.prev_kv});
  if (!history.ok()) {
    Response response = MakeResponse(watch.number, dispatched_);
    response->set_canceled(true);
    response->set_compact_revision(static_cast<int64_t>(history.error().compacted.value));
    response->set_cancel_reason(std::string(kv::ErrorText(kv::Error::kCompacted)));
    SendEvents(watch, std::move(response));
    Remove(id);
    return false;
  }
  Response response = MakeResponse(watch.number, Revision{history->next.value - 1});
  for (const kv::Event& event : history->events) {
    const bool wanted = event.type == kv::Event::Type::kPut ? watch.puts : watch.deletes;
    if (wanted) etcd::FromStore(event, watch.prev_kv, *response->add_events());
  }
  watch.next = history->next;
  if (response->events_size() > 0) SendEvents(watch, std::move(response));
  return true;
}

void WatchHub::SendProgress() {
  std::erase_if(progress_wanted_, [this](uint64_t id) {
    const Stream& stream = streams_.at(id);
    for (const auto& [number, watch] : stream.watches) {
      if (!watches_.at(watch).synced) return false;
    }
    stream.sink->Send(MakeResponse(-1, dispatched_));  // -1: of all watches of the stream
    return true;
  });
  const auto now = std::chrono::steady_clock::now();
  if (now - progress_checked_at_ < std::min<Duration>(progress_interval_, kIdleWait)) return;
  progress_checked_at_ = now;
  for (auto& [id, watch] : watches_) {
    if (!watch.progress_notify || !watch.synced || now - watch.sent_at < progress_interval_) continue;
    if (streams_.at(watch.stream).sink->Full()) continue;
    SendEvents(watch, MakeResponse(watch.number, dispatched_));
  }
}

}  // namespace quorate::api
