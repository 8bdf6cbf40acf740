#include "api/xfr/record_feed.h"

#include <utility>

namespace quorate::api::xfr {
namespace {

constexpr size_t kRecordBytes = 10;  // type, class, TTL, length

FeedRecord SoaOf(const zone::Zone& zone) {
  const zone::RRsetView soa = zone.soa_rrset();
  return {soa.owner, soa.type, soa.ttl, *soa.begin()};
}

dns::RRType CoveredBy(std::string_view rrsig) {
  if (rrsig.size() < 2) return dns::RRType::kRRSIG;
  return static_cast<dns::RRType>(static_cast<uint8_t>(rrsig[0]) << 8 | static_cast<uint8_t>(rrsig[1]));
}

class WholeZone final : public RecordFeed {
 public:
  explicit WholeZone(zone::ZonePtr zone)
      : zone_(std::move(zone)), nodes_(zone_->InCanonicalOrder()), record_(SoaOf(*zone_)) {
    EnterNode();
  }

  const FeedRecord* Peek() override { return place_ == Place::kEnd ? nullptr : &record_; }

  void Advance() override {
    if (place_ == Place::kLastSoa) place_ = Place::kEnd;
    if (place_ == Place::kEnd) return;
    if (place_ == Place::kFirstSoa) {
      place_ = Place::kBody;
    } else {
      ++rdata_;
    }
    Settle();
  }

 private:
  enum class Place : uint8_t { kFirstSoa, kBody, kLastSoa, kEnd };

  // To the next record that is there, from where it stands.
  void Settle() {
    for (;;) {
      if (rrset_ < rrsets_.size() && rdata_ != rrsets_[rrset_].end()) return Show();
      if (rrset_ < rrsets_.size()) {
        if (++rrset_ < rrsets_.size()) rdata_ = rrsets_[rrset_].begin();
        continue;
      }
      if (++node_ >= nodes_.size()) break;
      EnterNode();
    }
    place_ = Place::kLastSoa;
    record_ = SoaOf(*zone_);
  }

  void EnterNode() {
    rrsets_.clear();
    rrset_ = 0;
    if (node_ >= nodes_.size()) return;
    nodes_[node_]->ForEach([&](const zone::RRsetView& rrset) {
      if (rrset.type != dns::RRType::kSOA) rrsets_.push_back(rrset);
    });
    if (!rrsets_.empty()) rdata_ = rrsets_.front().begin();
  }

  void Show() {
    const zone::RRsetView& rrset = rrsets_[rrset_];
    record_ = {rrset.owner, rrset.type, rrset.ttl, *rdata_};
    if (rrset.type != dns::RRType::kRRSIG) return;
    if (const zone::RRsetView covered = nodes_[node_]->Find(CoveredBy(record_.rdata)))
      record_.ttl = covered.ttl;
  }

  const zone::ZonePtr zone_;
  const std::vector<const zone::Node*> nodes_;
  FeedRecord record_;
  Place place_ = Place::kFirstSoa;
  size_t node_ = 0, rrset_ = 0;
  std::vector<zone::RRsetView> rrsets_;  // of the node, without the SOA
  zone::RRsetView::Iterator rdata_;
};

class Deltas final : public RecordFeed {
 public:
  Deltas(zone::ZonePtr zone, std::vector<Delta> deltas) : zone_(std::move(zone)), deltas_(std::move(deltas)) {
    record_ = SoaOf(*zone_);
  }

  const FeedRecord* Peek() override { return ended_ ? nullptr : &record_; }

  void Advance() override {
    if (ended_) return;
    ended_ = at_last_soa_;
    at_first_soa_ ? void(at_first_soa_ = false) : void(++record_at_);
    while (delta_ < deltas_.size()) {
      const auto& part = adding_ ? deltas_[delta_].added : deltas_[delta_].removed;
      if (record_at_ < part.size()) {
        const wire::Record& r = part[record_at_];
        record_ = {r.name.wire(), r.type, r.ttl, r.rdata};
        return;
      }
      record_at_ = 0;
      if (adding_) ++delta_;
      adding_ = !adding_;
    }
    at_last_soa_ = true;
    record_ = SoaOf(*zone_);
  }

 private:
  const zone::ZonePtr zone_;
  const std::vector<Delta> deltas_;
  FeedRecord record_;
  bool at_first_soa_ = true, at_last_soa_ = false, ended_ = false, adding_ = false;
  size_t delta_ = 0, record_at_ = 0;
};

class Soa final : public RecordFeed {
 public:
  explicit Soa(zone::ZonePtr zone) : zone_(std::move(zone)), record_(SoaOf(*zone_)) {}
  const FeedRecord* Peek() override { return ended_ ? nullptr : &record_; }
  void Advance() override { ended_ = true; }

 private:
  const zone::ZonePtr zone_;
  const FeedRecord record_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<RecordFeed> ZoneFeed(zone::ZonePtr zone) {
  return std::make_unique<WholeZone>(std::move(zone));
}

std::unique_ptr<RecordFeed> DeltaFeed(zone::ZonePtr zone, std::vector<Delta> deltas) {
  return std::make_unique<Deltas>(std::move(zone), std::move(deltas));
}

std::unique_ptr<RecordFeed> SoaFeed(zone::ZonePtr zone) { return std::make_unique<Soa>(std::move(zone)); }

size_t WireBytesOf(const zone::Zone& zone) {
  size_t bytes = 0;
  zone.ForEachNode([&](const zone::Node& node) {
    node.ForEach([&](const zone::RRsetView& rrset) {
      bytes += rrset.size() * (rrset.owner.size() + kRecordBytes) + rrset.packed.size();
    });
  });
  return bytes;
}

}  // namespace quorate::api::xfr
