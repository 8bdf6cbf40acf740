// Asks several servers the same questions over UDP and prints those that they answer differently.
//
//   differential_ask NAME=IP:PORT... < questions > differences
//
// A question is one line, the message in hex without its id. A difference is one line: the question's number,
// then for each different answer `NAME[,NAME...]=HEX`, `-` for silence. Answers are the same if flags, rcode,
// question, and each section as a set are: names without compression and case, additional without the content
// of OPT. The last line is `asked N differ N`. This reads messages by itself, so that it does not share the
// mistakes of the product.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr size_t kWindow = 128;  // questions in flight at each server
constexpr int kTries = 5;
constexpr auto kPatience = std::chrono::milliseconds(1500);  // for each try

using Bytes = std::string;

[[noreturn]] void Die(const std::string& why) {
  std::cerr << "differential_ask: " << why << "\n";
  std::exit(2);
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

class Reader {
 public:
  Reader(const Bytes& message, size_t at, size_t end) : message_(message), at_(at), end_(end) {}
  size_t at() const { return at_; }
  unsigned U8() {
    if (at_ >= end_) throw std::runtime_error("short");
    return static_cast<uint8_t>(message_[at_++]);
  }
  unsigned U16() {
    const unsigned high = U8();
    return high << 8 | U8();
  }
  Bytes Raw(size_t size) {
    if (size > end_ - at_) throw std::runtime_error("short");
    at_ += size;
    return message_.substr(at_ - size, size);
  }
  Bytes Rest() { return Raw(end_ - at_); }
  Bytes Name() {
    Bytes out;
    size_t resume = 0, limit = message_.size();
    for (;;) {
      const size_t here = at_;
      const unsigned size = resume == 0 ? U8() : Jumped();
      if (size >= 0xc0) {
        const size_t to = (size & 0x3f) << 8 | (resume == 0 ? U8() : Jumped());
        if (to >= std::min(here, limit)) throw std::runtime_error("a pointer that is not backwards");
        if (resume == 0) resume = at_;
        limit = here;
        at_ = to;
        continue;
      }
      if (size > 63) throw std::runtime_error("label type");
      out += static_cast<char>(size);
      if (size == 0) break;
      for (unsigned i = 0; i < size; ++i) out += Lower(static_cast<char>(resume == 0 ? U8() : Jumped()));
      if (out.size() > 254) throw std::runtime_error("long name");
    }
    if (resume != 0) at_ = resume;
    return out;
  }

 private:
  unsigned Jumped() {
    if (at_ >= message_.size()) throw std::runtime_error("short");
    return static_cast<uint8_t>(message_[at_++]);
  }
  const Bytes& message_;
  size_t at_, end_;
};

// Rdata with the names in it expanded and folded (the types of RFC 4034 6.2 that occur).
Bytes Rdata(const Bytes& message, unsigned type, size_t at, size_t size) {
  Reader in(message, at, at + size);
  Bytes out;
  switch (type) {
    case 2:
    case 5:
    case 12:
    case 39:
      out = in.Name();
      break;
    case 6:
    case 17:
      out = in.Name();
      out += in.Name();
      break;
    case 15:
    case 18:
      out = in.Raw(2);
      out += in.Name();
      break;
    case 33:
      out = in.Raw(6);
      out += in.Name();
      break;
    case 35:  // NAPTR: three strings after two numbers
      out = in.Raw(4);
      for (int i = 0; i < 3; ++i) {
        const unsigned length = in.U8();
        out += static_cast<char>(length);
        out += in.Raw(length);
      }
      out += in.Name();
      break;
    case 46:
      out = in.Raw(18);
      out += in.Name();
      break;
    case 47:
      out = in.Name();
      break;
    default:
      break;
  }
  return out + in.Rest();
}

// What is compared.
Bytes Normal(const Bytes& message) {
  try {
    Reader in(message, 0, message.size());
    in.U16();
    Bytes out = in.Raw(2);
    unsigned counts[4];
    for (unsigned& count : counts) count = in.U16();
    for (unsigned i = 0; i < counts[0]; ++i) {
      const size_t from = in.at();
      in.Name();
      in.U16(), in.U16();
      out += message.substr(from, in.at() - from);  // as it was asked, case included
    }
    for (int section = 1; section < 4; ++section) {
      std::multiset<Bytes> records;
      for (unsigned i = 0; i < counts[section]; ++i) {
        Bytes record = in.Name();
        const unsigned type = in.U16();
        Bytes rest = in.Raw(6);
        const size_t size = in.U16(), at = in.at();
        in.Raw(size);
        if (type == 41) rest.erase(0, 2);  // what size it takes is its own business
        record += static_cast<char>(type >> 8);
        record += static_cast<char>(type);
        records.insert(record + rest + (type == 41 ? Bytes() : Rdata(message, type, at, size)));
      }
      out += '\n';
      for (const Bytes& record : records) out += std::to_string(record.size()) + ':' + record;
    }
    if (in.at() != message.size()) return "trailing bytes: " + message;
    return out;
  } catch (const std::runtime_error& error) {
    return Bytes("malformed: ") + error.what() + message;
  }
}

struct Server {
  std::string name;
  int fd = -1;
  std::vector<Bytes> answers;  // of this window; empty: none yet
};

Server Connect(const std::string& text) {
  const size_t equals = text.find('='), colon = text.rfind(':');
  if (equals == Bytes::npos || colon == Bytes::npos || colon < equals) Die("not NAME=IP:PORT: " + text);
  Server server;
  server.name = text.substr(0, equals);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(text.substr(colon + 1))));
  if (inet_pton(AF_INET, text.substr(equals + 1, colon - equals - 1).c_str(), &to.sin_addr) != 1 ||
      (ntohl(to.sin_addr.s_addr) >> 24) != 127)
    Die("not a loopback address: " + text);
  server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connect(server.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) Die("connect: " + text);
  return server;
}

Bytes FromHex(const std::string& hex) {
  Bytes out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

void PrintHex(const Bytes& bytes) {
  for (const char c : bytes) std::printf("%02x", static_cast<uint8_t>(c));
}

class Window {
 public:
  Window(std::vector<Server>& servers, const std::vector<Bytes>& questions, size_t first, size_t end)
      : servers_(servers), questions_(questions), first_(first), size_(end - first) {
    for (Server& server : servers_) server.answers.assign(size_, Bytes());
  }

  void Ask() {
    for (int i = 0; i < kTries && Missing() > 0; ++i) {
      for (Server& server : servers_) Send(server);
      Receive();
    }
  }

 private:
  size_t Missing() const {
    size_t missing = 0;
    for (const Server& server : servers_)
      missing += static_cast<size_t>(std::count(server.answers.begin(), server.answers.end(), Bytes()));
    return missing;
  }

  void Send(Server& server) {
    for (size_t i = 0; i < size_; ++i) {
      if (!server.answers[i].empty()) continue;
      const auto id = static_cast<uint16_t>(first_ + i);
      const Bytes message = Bytes{static_cast<char>(id >> 8), static_cast<char>(id)} + questions_[first_ + i];
      (void)!send(server.fd, message.data(), message.size(), 0);  // asked again if it was lost
    }
  }

  void Receive() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::vector<pollfd> polled;
    for (const Server& server : servers_) polled.push_back({.fd = server.fd, .events = POLLIN, .revents = 0});
    size_t missing = Missing();
    while (missing > 0 && std::chrono::steady_clock::now() < deadline) {
      poll(polled.data(), polled.size(), 20);
      for (Server& server : servers_) {
        char buffer[65536];
        for (ssize_t n = 0; (n = recv(server.fd, buffer, sizeof buffer, 0)) >= 12;) {
          const uint16_t id =
              static_cast<uint16_t>(static_cast<uint8_t>(buffer[0]) << 8 | static_cast<uint8_t>(buffer[1]));
          const auto at = static_cast<uint16_t>(id - static_cast<uint16_t>(first_));
          if (at >= size_ || !server.answers[at].empty()) continue;
          server.answers[at].assign(buffer, static_cast<size_t>(n));
          --missing;
        }
      }
    }
  }

  std::vector<Server>& servers_;
  const std::vector<Bytes>& questions_;
  const size_t first_, size_;
};

bool PrintIfDifferent(const std::vector<Server>& servers, size_t number, size_t at) {
  std::map<Bytes, std::vector<const Server*>> groups;
  for (const Server& server : servers) {
    const Bytes& answer = server.answers[at];
    groups[answer.empty() ? Bytes() : Normal(answer)].push_back(&server);
  }
  if (groups.size() == 1 && !groups.begin()->first.empty()) return false;
  std::printf("%zu", number);
  for (const auto& [normal, group] : groups) {
    for (size_t i = 0; i < group.size(); ++i) std::printf("%c%s", i == 0 ? ' ' : ',', group[i]->name.c_str());
    std::printf("=");
    if (normal.empty()) std::printf("-");
    PrintHex(group[0]->answers[at]);
  }
  std::printf("\n");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Server> servers;
  for (int i = 1; i < argc; ++i) servers.push_back(Connect(argv[i]));
  if (servers.empty()) Die("usage: differential_ask NAME=IP:PORT... < questions");
  std::vector<Bytes> questions;
  for (std::string line; std::getline(std::cin, line);) questions.push_back(FromHex(line));
  size_t differ = 0;
  for (size_t first = 0; first < questions.size(); first += kWindow) {
    const size_t end = std::min(first + kWindow, questions.size());
    Window(servers, questions, first, end).Ask();
    for (size_t i = first; i < end; ++i) differ += PrintIfDifferent(servers, i, i - first);
  }
  std::printf("asked %zu differ %zu\n", questions.size(), differ);
}
