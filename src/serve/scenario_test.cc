// Plays tests/conformance/rfc*/*.txt: zones, questions, and what must come back. The format is described in
// tests/conformance/README.md. QUORATE_REWRITE=1 writes what came back into the files: read the diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "dns/presentation.h"
#include "serve/respond.h"
#include "wire/message.h"
#include "wire/test_util.h"
#include "wire/writer.h"
#include "zone/builder.h"

namespace quorate::serve {
namespace {

using Lines = std::vector<std::string>;

const std::string kFolder = QUORATE_SOURCE_DIR "/tests/conformance";

Lines Words(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

std::string RcodeText(dns::Rcode rcode) {
  switch (rcode) {
    case dns::Rcode::kNoError:
      return "NOERROR";
    case dns::Rcode::kFormErr:
      return "FORMERR";
    case dns::Rcode::kServFail:
      return "SERVFAIL";
    case dns::Rcode::kNXDomain:
      return "NXDOMAIN";
    case dns::Rcode::kNotImp:
      return "NOTIMP";
    case dns::Rcode::kRefused:
      return "REFUSED";
    case dns::Rcode::kBadCookie:
      return "BADCOOKIE";
    case dns::Rcode::kYXDomain:
      return "YXDOMAIN";
    case dns::Rcode::kBadVers:
      return "BADVERS";
    default:
      return "RCODE" + std::to_string(static_cast<int>(rcode));
  }
}

std::string HexText(std::string_view octets) {
  static const char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : octets) out += {kDigits[(c >> 4) & 0xf], kDigits[c & 0xf]};
  return out.empty() ? "-" : out;
}

class Scenario {
 public:
  explicit Scenario(std::filesystem::path file) : file_(std::move(file)) {
    std::ifstream in(file_);
    for (std::string line; std::getline(in, line);) lines_.push_back(line);
  }

  void Run() {
    for (at_ = 0; at_ < lines_.size();) {
      const std::string line = lines_[at_++];
      out_.push_back(line);
      const Lines words = Words(line);
      if (words.empty() || words[0][0] == '#') continue;
      if (words[0] == "zone") {
        ReadZone(words);
      } else if (words[0] == "settings") {
        Set(words);
      } else if (words[0] == "config") {
        Configure(words);
      } else if (words[0] == "query" || words[0] == "raw") {
        Ask(words);
      } else {
        ADD_FAILURE() << file_.filename() << ":" << at_ << ": what is '" << line << "'?";
      }
    }
    if (std::getenv("QUORATE_REWRITE") != nullptr && out_ != lines_) {
      std::ofstream rewritten(file_);
      for (const std::string& line : out_) rewritten << line << "\n";
    }
  }

 private:
  // zone NAME, then its text up to `end`; or: zone NAME file PATH, below tests/conformance.
  void ReadZone(const Lines& words) {
    const dns::Name apex = *dns::Name::FromText(words.at(1));
    std::string text = "$TTL 300\n";
    if (words.size() > 2) {
      std::ifstream in(kFolder + "/" + words.at(3));
      ASSERT_TRUE(in.good()) << words.at(3);
      text.append(std::istreambuf_iterator<char>(in), {});
    } else {
      for (; at_ < lines_.size() && lines_[at_] != "end"; ++at_) {
        text += lines_[at_] + "\n";
        out_.push_back(lines_[at_]);
      }
      if (at_ < lines_.size()) out_.push_back(lines_[at_++]);  // `end`
    }
    zone::ZoneBuilder builder(apex);
    const auto error = dns::ParseZoneText(text, {.origin = apex}, [&](dns::TextRecord&& r) {
      builder.Add(r.owner, r.type, r.ttl, r.rdata);
      return std::string();
    });
    ASSERT_FALSE(error.has_value()) << file_ << " zone " << words[1] << " line " << error->line << ": "
                                    << error->what;
    auto built = std::move(builder).Build();
    ASSERT_TRUE(std::holds_alternative<zone::ZonePtr>(built)) << words[1];
    zones_.Put(std::get<zone::ZonePtr>(built));
  }

  // settings NAME name=value...
  void Set(const Lines& words) {
    std::string text;
    for (size_t i = 2; i < words.size(); ++i) text += words[i] + "\n";
    const auto settings = zone::SettingsFromText(text);
    ASSERT_TRUE(settings.has_value()) << text;
    zones_ = zones_.WithSettings(dns::Name::FromText(words.at(1))->wire(), *settings);
  }

  void Configure(const Lines& words) {
    if (words.at(1) == "chaos") {
      config_.chaos = true;
      config_.version = "quorate test";
      config_.id = "replica-1";
    } else if (words.at(1) == "nsid") {
      config_.nsid = words.at(2);
    } else if (words.at(1) == "now") {
      config_.wall_seconds = static_cast<uint32_t>(std::stoul(words.at(2)));
    } else if (words.at(1) == "keepalive") {
      config_.keepalive = static_cast<uint16_t>(std::stoi(words.at(2)));
    } else if (words.at(1) == "require-cookies") {
      config_.require_cookies = true;
    } else if (words.at(1) == "cookies") {
      zone::Keyring keyring;
      keyring.cookies = {
          .previous = Secret(words.at(2)), .current = Secret(words.at(3)), .next = Secret(words.at(4))};
      zones_ = zones_.WithKeyring(std::make_shared<const zone::Keyring>(std::move(keyring)));
    } else {
      config_.health = words.at(2) == "leader"     ? LeaderHealth::kLeader
                       : words.at(2) == "follower" ? LeaderHealth::kFollower
                                                   : LeaderHealth::kNoLeader;
    }
  }

  static zone::CookieSecret Secret(const std::string& hex) {
    zone::CookieSecret out{};
    const std::vector<uint8_t> bytes = wire::Hex(hex);
    std::copy_n(bytes.begin(), std::min(bytes.size(), out.size()), out.begin());
    return out;
  }

  void Ask(const Lines& words) {
    std::vector<uint8_t> request;
    transport_ = Transport::kUdp;
    from_ = *zone::AddressFromText("192.0.2.99");
    if (words[0] == "raw") {
      const bool tcp = words.at(1) == "tcp";
      if (tcp) transport_ = Transport::kTcp;
      std::string hex;
      for (size_t i = tcp ? 2 : 1; i < words.size(); ++i) hex += words[i];
      request = wire::Hex(hex);
    } else {
      request = MakeRequest(words);
    }
    const size_t line = at_;
    const Lines actual = Send(request);
    Lines expected;
    while (at_ < lines_.size() && lines_[at_].starts_with("  ")) expected.push_back(lines_[at_++]);
    out_.insert(out_.end(), actual.begin(), actual.end());
    EXPECT_EQ(actual, expected) << file_.filename() << ":" << line << ": " << lines_[line - 1];
  }

  std::vector<uint8_t> MakeRequest(const Lines& words) {
    wire::Message query;
    query.id = 0x4d2;
    query.questions.push_back({*dns::Name::FromText(words.at(1)), *dns::TypeFromText(words.at(2))});
    for (size_t i = 3; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (word == "tcp") transport_ = Transport::kTcp;
      if (word == "tls") transport_ = Transport::kTls;
      if (word == "from") from_ = *zone::AddressFromText(words.at(++i));
      if (word == "class")
        query.questions[0].rr_class = words.at(++i) == "CH" ? dns::RRClass::kCH : dns::RRClass::kHS;
      if (word == "edns") query.edns.emplace().udp_size = static_cast<uint16_t>(std::stoi(words.at(++i)));
      if (word == "do") query.edns->dnssec_ok = true;
      if (word == "version") query.edns->version = static_cast<uint8_t>(std::stoi(words.at(++i)));
      if (word == "unknown-option") query.edns->options.push_back({65001, "abc"});
      if (word == "option") {
        const auto code = static_cast<uint16_t>(std::stoi(words.at(++i)));
        const std::string& hex = words.at(++i);
        const std::vector<uint8_t> data = wire::Hex(hex == "-" ? "" : hex);
        query.edns->options.push_back({code, {data.begin(), data.end()}});
      }
      if (word == "rd") query.rd = true;
      if (word == "cd") query.cd = true;
      if (word == "ad") query.ad = true;
      if (word == "z") query.z = true;
      if (word == "aa") query.aa = query.tc = query.ra = true;
    }
    const auto bytes = wire::EncodeMessage(query);
    return {bytes->begin(), bytes->end()};
  }

  Lines Send(const std::vector<uint8_t>& request) {
    std::vector<uint8_t> buffer(65535);
    const size_t size = Respond(request, zones_, Asker(transport_, from_), config_, buffer);
    if (size == 0) return {"  -> silence"};
    const wire::Bytes response(buffer.data(), size);
    const auto parsed = wire::ParseMessage(response);
    EXPECT_TRUE(parsed.ok());
    if (!parsed.ok()) return {};
    EXPECT_EQ(response[0], request[0]);
    EXPECT_EQ(response[1], request[1]);
    EXPECT_TRUE(parsed->response);
    CheckQuestion(request, response, *parsed);
    return Describe(*parsed);
  }

  // Where the question comes back, it is octet for octet what was asked (RFC 1035 4.1.2, 0x20).
  static void CheckQuestion(const std::vector<uint8_t>& request, wire::Bytes response,
                            const wire::Message& parsed) {
    if (parsed.questions.empty()) return;
    const size_t bytes = parsed.questions[0].name.wire().size() + 4;
    ASSERT_GE(request.size(), 12 + bytes);
    EXPECT_TRUE(std::equal(response.begin() + 12, response.begin() + 12 + static_cast<long>(bytes),
                           request.begin() + 12));
  }

  Lines Describe(const wire::Message& m) const {
    std::string head = "  -> " + RcodeText(m.rcode);
    const std::pair<bool, const char*> flags[] = {{m.aa, " aa"}, {m.tc, " tc"}, {m.rd, " rd"}, {m.ra, " ra"},
                                                  {m.z, " z"},   {m.ad, " ad"}, {m.cd, " cd"}};
    for (const auto& [set, text] : flags)
      if (set) head += text;
    if (m.opcode != dns::Opcode::kQuery) head += " opcode" + std::to_string(static_cast<int>(m.opcode));
    if (m.questions.empty()) head += " no-question";
    if (m.edns) {
      head += " opt" + std::to_string(m.edns->version) + (m.edns->dnssec_ok ? " do" : "");
      EXPECT_EQ(m.edns->udp_size, 1232);
    }
    Lines out{head};
    if (m.edns) {
      for (const auto& [code, data] : m.edns->options)
        out.push_back("     option " + std::to_string(code) + " " + HexText(data));
    }
    AddSection("answer", m.answer, out);
    AddSection("authority", m.authority, out);
    AddSection("additional", m.additional, out);
    return out;
  }

  void AddSection(const std::string& section, const std::vector<wire::Record>& records, Lines& out) const {
    for (const wire::Record& r : records)
      out.push_back("     " + section + " " + r.name.ToText() + " " + std::to_string(r.ttl) +
                    (r.rr_class == dns::RRClass::kIN ? " " : " CH ") + dns::TypeToText(r.type) + " " +
                    (r.type == dns::RRType::kRRSIG ? SignatureText(r) : dns::RdataToText(r.type, r.rdata)));
  }

  // The type covered, algorithm, labels, original TTL and signer. The rest need not be read by people: that
  // it is a signature of this zone, by this owner or the wildcard that covers it, is checked here.
  std::string SignatureText(const wire::Record& r) const {
    const std::string text = dns::RdataToText(r.type, r.rdata);
    const Lines fields = Words(text);
    EXPECT_TRUE(IsInAZone(r.name, r.rdata)) << r.name.ToText() << " RRSIG " << text;
    return fields.at(0) + " " + fields.at(1) + " " + fields.at(2) + " " + fields.at(3) + " by " +
           fields.at(7);
  }
  bool IsInAZone(const dns::Name& owner, std::string_view rdata) const {
    const auto labels = static_cast<uint8_t>(rdata.at(3));
    dns::Name source = owner;
    while (source.LabelCount() > labels) source = source.Parent();
    if (labels < owner.LabelCount() && !owner.IsWildcard()) source = *dns::Name::Concatenate("\1*", source);
    if (owner.IsWildcard() && labels + 1u == owner.LabelCount()) source = owner;
    for (const zone::ZonePtr& zone : zones_.All()) {
      const zone::Node* node = zone->Find(source.wire());
      if (node == nullptr) continue;
      const zone::RRsetView found = node->Find(dns::RRType::kRRSIG);
      if (std::find(found.begin(), found.end(), rdata) != found.end()) return true;
    }
    return false;
  }

  const std::filesystem::path file_;
  Lines lines_, out_;
  size_t at_ = 0;
  zone::ZoneSet zones_;
  RespondConfig config_;
  Transport transport_ = Transport::kUdp;
  zone::Address from_{};  // of who asks
};

std::vector<std::filesystem::path> Files() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kFolder))
    if (entry.path().extension() == ".txt" && entry.path().parent_path().filename() != "rfc2136")
      out.push_back(entry.path());  // rfc2136 is src/zone/scenario_test.cc's
  std::sort(out.begin(), out.end());
  return out;
}

class ConformanceScenario : public testing::TestWithParam<std::filesystem::path> {};
TEST_P(ConformanceScenario, Holds) { Scenario(GetParam()).Run(); }
INSTANTIATE_TEST_SUITE_P(All, ConformanceScenario, testing::ValuesIn(Files()), [](const auto& info) {
  std::string name = info.param.parent_path().stem().string() + "_" + info.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace quorate::serve
