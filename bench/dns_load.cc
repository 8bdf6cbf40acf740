// A batched DNS query generator: keeps a window of questions in flight on one UDP socket, checks every
// answer's id, question and rcode, and prints one JSON line. Bounded in time; sends to loopback only.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int kBatch = 64;
constexpr int kIds = 65536;
constexpr uint64_t kLostAfterNs = 2'000'000'000;

struct Options {
  std::string server = "127.0.0.1";
  uint16_t port = 5300;
  std::string queries;  // a line: name type
  double seconds = 5;
  int window = 512;  // questions in flight
  int cpu = -1;
  bool edns = false;
};

struct Question {
  std::vector<uint8_t> wire;  // the whole message; the id is patched in
};

struct Counts {
  uint64_t sent = 0, answered = 0, lost = 0, wrong = 0;
  std::array<uint64_t, 16> rcodes{};
};

uint64_t NowNs() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return uint64_t(t.tv_sec) * 1'000'000'000 + uint64_t(t.tv_nsec);
}

[[noreturn]] void Die(const std::string& why) {
  std::cerr << "dns_load: " << why << "\n";
  std::exit(1);
}

uint16_t TypeNumber(const std::string& type) {
  static const std::vector<std::pair<std::string, uint16_t>> types = {
      {"A", 1}, {"NS", 2}, {"SOA", 6}, {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"DS", 43}};
  for (const auto& [name, number] : types) {
    if (name == type) return number;
  }
  Die("unknown type " + type);
}

void PutU16(std::vector<uint8_t>& out, unsigned v) {
  out.push_back(static_cast<uint8_t>(v >> 8));
  out.push_back(static_cast<uint8_t>(v));
}

Question MakeQuestion(const std::string& name, uint16_t type, bool edns) {
  Question q;
  q.wire = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, static_cast<uint8_t>(edns)};
  std::stringstream labels(name);
  for (std::string label; std::getline(labels, label, '.');) {
    if (label.empty()) continue;
    if (label.size() > 63) Die("label too long in " + name);
    q.wire.push_back(static_cast<uint8_t>(label.size()));
    q.wire.insert(q.wire.end(), label.begin(), label.end());
  }
  q.wire.push_back(0);
  PutU16(q.wire, type);
  PutU16(q.wire, 1);
  if (edns) q.wire.insert(q.wire.end(), {0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0});
  return q;
}

std::vector<Question> LoadQuestions(const Options& options) {
  std::ifstream in(options.queries);
  if (!in) Die("cannot read " + options.queries);
  std::vector<Question> questions;
  for (std::string name, type; in >> name >> type;) {
    questions.push_back(MakeQuestion(name, TypeNumber(type), options.edns));
  }
  if (questions.empty()) Die(options.queries + " has no questions");
  return questions;
}

class Load {
 public:
  Load(const Options& options, std::vector<Question> questions)
      : options_(options), questions_(std::move(questions)), sent_at_(kIds, 0), asked_(kIds, 0) {
    latencies_.reserve(1 << 22);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(options_.port);
    if (inet_pton(AF_INET, options_.server.c_str(), &to.sin_addr) != 1) Die("bad address " + options_.server);
    if ((ntohl(to.sin_addr.s_addr) >> 24) != 127) Die("only loopback addresses are loaded");
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const int buffer = 8 << 20;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) Die("connect failed");
  }
  ~Load() { close(fd_); }

  void Run() {
    const uint64_t start = NowNs(), end = start + static_cast<uint64_t>(options_.seconds * 1e9);
    uint64_t now = start;
    while (now < end) {
      SendSome(now);
      ReceiveSome();
      now = NowNs();
      if (in_flight_ >= options_.window) ExpireOldest(now);
    }
    Print(static_cast<double>(now - start) / 1e9);
  }

 private:
  void SendSome(uint64_t now) {
    mmsghdr messages[kBatch];
    iovec pieces[kBatch];
    std::array<std::vector<uint8_t>, kBatch>& buffers = buffers_;
    int n = 0;
    while (n < kBatch && in_flight_ + n < options_.window) {
      const uint16_t id = next_id_++;
      if (sent_at_[id] != 0) Forget(id);
      const size_t which = next_question_++ % questions_.size();
      buffers[n] = questions_[which].wire;
      buffers[n][0] = static_cast<uint8_t>(id >> 8);
      buffers[n][1] = static_cast<uint8_t>(id);
      sent_at_[id] = now;
      asked_[id] = which;
      pieces[n] = {buffers[n].data(), buffers[n].size()};
      messages[n] = {};
      messages[n].msg_hdr.msg_iov = &pieces[n];
      messages[n].msg_hdr.msg_iovlen = 1;
      ++n;
    }
    if (n == 0) return;
    const int done = std::max(0, sendmmsg(fd_, messages, static_cast<unsigned>(n), 0));
    for (int i = done; i < n; ++i) sent_at_[uint16_t(next_id_ - n + i)] = 0;  // the socket was full: not sent
    in_flight_ += done;
    counts_.sent += static_cast<uint64_t>(done);
  }

  void ReceiveSome() {
    mmsghdr messages[kBatch];
    iovec pieces[kBatch];
    for (int i = 0; i < kBatch; ++i) {
      pieces[i] = {received_[i].data(), received_[i].size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int n = recvmmsg(fd_, messages, kBatch, MSG_DONTWAIT, nullptr);
    if (n <= 0) {
      pollfd wait{fd_, POLLIN, 0};
      poll(&wait, 1, 1);
      return;
    }
    const uint64_t now = NowNs();
    for (int i = 0; i < n; ++i) Check(received_[i].data(), messages[i].msg_len, now);
  }

  void Check(const uint8_t* answer, size_t size, uint64_t now) {
    if (size < 12) return void(++counts_.wrong);
    const uint16_t id = static_cast<uint16_t>(answer[0] << 8 | answer[1]);
    if (sent_at_[id] == 0) return;  // late: already counted as lost
    const std::vector<uint8_t>& question = questions_[asked_[id]].wire;
    const size_t question_end = question.size() - (options_.edns ? 11 : 0);
    const bool echoes =
        size >= question_end && std::memcmp(answer + 12, &question[12], question_end - 12) == 0;
    if (!(answer[2] & 0x80) || !echoes) ++counts_.wrong;
    ++counts_.rcodes[answer[3] & 15];
    ++counts_.answered;
    latencies_.push_back(static_cast<uint32_t>((now - sent_at_[id]) / 1000));
    sent_at_[id] = 0;
    --in_flight_;
  }

  void Forget(uint16_t id) {
    sent_at_[id] = 0;
    --in_flight_;
    ++counts_.lost;
  }
  void ExpireOldest(uint64_t now) {
    for (; oldest_ != next_id_; ++oldest_) {
      if (sent_at_[oldest_] == 0) continue;
      if (now - sent_at_[oldest_] < kLostAfterNs) return;
      Forget(oldest_);
    }
  }

  uint32_t Percentile(double p) {
    if (latencies_.empty()) return 0;
    return latencies_[std::min(latencies_.size() - 1,
                               static_cast<size_t>(p * static_cast<double>(latencies_.size())))];
  }

  void Print(double seconds) {
    std::sort(latencies_.begin(), latencies_.end());
    std::cout << "{\"seconds\":" << seconds << ",\"sent\":" << counts_.sent
              << ",\"answered\":" << counts_.answered << ",\"lost\":" << counts_.lost
              << ",\"wrong\":" << counts_.wrong
              << ",\"qps\":" << static_cast<uint64_t>(static_cast<double>(counts_.answered) / seconds)
              << ",\"p50_us\":" << Percentile(0.5) << ",\"p99_us\":" << Percentile(0.99)
              << ",\"p999_us\":" << Percentile(0.999) << ",\"rcodes\":{";
    const char* comma = "";
    for (size_t rcode = 0; rcode < counts_.rcodes.size(); ++rcode) {
      if (counts_.rcodes[rcode] == 0) continue;
      std::cout << comma << "\"" << rcode << "\":" << counts_.rcodes[rcode];
      comma = ",";
    }
    std::cout << "}}\n";
  }

  const Options options_;
  const std::vector<Question> questions_;
  std::vector<uint64_t> sent_at_;
  std::vector<size_t> asked_;
  std::array<std::vector<uint8_t>, kBatch> buffers_;
  std::array<std::array<uint8_t, 4096>, kBatch> received_;
  std::vector<uint32_t> latencies_;
  Counts counts_;
  int fd_ = -1;
  int in_flight_ = 0;
  uint16_t next_id_ = 1, oldest_ = 1;
  size_t next_question_ = 0;
};

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--edns") {
      options.edns = true;
      continue;
    }
    if (i + 1 == argc) Die(flag + " needs a value");
    const std::string value = argv[++i];
    if (flag == "--server")
      options.server = value;
    else if (flag == "--port")
      options.port = static_cast<uint16_t>(std::stoi(value));
    else if (flag == "--queries")
      options.queries = value;
    else if (flag == "--seconds")
      options.seconds = std::min(120.0, std::stod(value));
    else if (flag == "--window")
      options.window = std::clamp(std::stoi(value), 1, 8192);
    else if (flag == "--cpu")
      options.cpu = std::stoi(value);
    else
      Die("unknown flag " + flag);
  }
  if (options.queries.empty()) Die("--queries FILE is needed");
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  if (options.cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(options.cpu), &set);
    sched_setaffinity(0, sizeof set, &set);
  }
  Load(options, LoadQuestions(options)).Run();
}
