#include "api/http/listener.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <charconv>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"

namespace quorate::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using beast::error_code;

// Lets replies come from any thread for as long as the io_context lives, and go nowhere afterwards.
class Gate {
 public:
  explicit Gate(asio::io_context& io) : io_(&io) {}
  template <class F>
  void Post(F work) {
    std::lock_guard lock(mu_);
    if (io_) asio::post(*io_, std::move(work));
  }
  void Close() {
    std::lock_guard lock(mu_);
    io_ = nullptr;
  }

 private:
  std::mutex mu_;
  asio::io_context* io_;
};

class SessionBase {
 public:
  virtual ~SessionBase() = default;
  virtual void Close() = 0;
};

// What all sessions share; lives as long as the io_context.
struct Shared {
  explicit Shared(ListenerOptions o) : options(std::move(o)) {}
  const ListenerOptions options;
  std::set<SessionBase*> sessions;
  size_t large_bodies = 0;
  std::atomic<uint64_t> requests{0}, connections{0}, refused{0}, open{0};
  // Last: its destructor destroys the sessions that wait in it, and they use the members above.
  asio::io_context io{1};
  std::shared_ptr<Gate> gate = std::make_shared<Gate>(io);
};

tcp::socket& SocketOf(beast::tcp_stream& stream) { return stream.socket(); }
tcp::socket& SocketOf(beast::ssl_stream<beast::tcp_stream>& stream) { return stream.next_layer().socket(); }
beast::tcp_stream& Timed(beast::tcp_stream& stream) { return stream; }
beast::tcp_stream& Timed(beast::ssl_stream<beast::tcp_stream>& stream) { return stream.next_layer(); }

HttpResponse ErrorReply(int status, const std::string& error) {
  return {.status = status, .body = fmt::format("{{\"error\":\"{}\"}}", error)};
}

// One connection: header, admission, body, handler, reply; and again.
template <class Stream>
class Session final : public SessionBase, public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <class... Args>
  Session(Shared& shared, std::string client, Args&&... args)
      : shared_(shared), client_(std::move(client)), stream_(std::forward<Args>(args)...) {
    shared_.sessions.insert(this);
    shared_.open.fetch_add(1, std::memory_order_relaxed);
  }
  ~Session() override {
    ReleaseLargeBody();
    shared_.sessions.erase(this);
    shared_.open.fetch_sub(1, std::memory_order_relaxed);
  }

  void Start() {
    if constexpr (std::is_same_v<Stream, beast::tcp_stream>) {
      ReadHeader();
    } else {
      Timed(stream_).expires_after(shared_.options.limits.idle);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code error) {
                                if (!error) self->ReadHeader();
                              });
    }
  }

  void Close() override {
    const auto last = std::move(held_);
    error_code ignored;
    SocketOf(stream_).close(ignored);
  }

 private:
  void ReadHeader() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(shared_.options.limits.header_bytes));
    parser_->body_limit(boost::none);  // set once the header is known
    Timed(stream_).expires_after(shared_.options.limits.idle);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](error_code error, size_t) { self->OnHeader(error); });
  }

  void OnHeader(error_code error) {
    if (error == http::error::header_limit) return Reject(ErrorReply(431, "the header is too large"));
    if (error.category() == http::make_error_code(http::error::end_of_stream).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return Reject(ErrorReply(400, "this is not an HTTP/1.1 request"));
    }
    if (error) return Shutdown();
    shared_.requests.fetch_add(1, std::memory_order_relaxed);
    const auto& message = parser_->get();
    request_ = {};
    request_.method = std::string(message.method_string());
    request_.client = client_;
    head_only_ = message.method() == http::verb::head;
    for (const auto& field : message) {
      std::string& value = request_.headers[absl::AsciiStrToLower(std::string(field.name_string()))];
      value += (value.empty() ? "" : ", ") + std::string(field.value());
    }
    if (!ParseTarget({message.target().data(), message.target().size()}, request_)) {
      return Reject(ErrorReply(400, "the request target is malformed"));
    }
    std::variant<size_t, HttpResponse> admitted = shared_.options.admit(request_);
    if (auto* refusal = std::get_if<HttpResponse>(&admitted)) return Reject(std::move(*refusal));
    AdmitBody(std::get<size_t>(admitted));
  }

  void AdmitBody(size_t bytes_max) {
    const ListenerLimits& limits = shared_.options.limits;
    if (bytes_max == 0) bytes_max = limits.body_bytes;
    const auto length = parser_->content_length();
    if (length && *length > bytes_max) {
      return Reject(ErrorReply(413, fmt::format("the body may have {} bytes at most", bytes_max)));
    }
    const bool may_be_large =
        length ? *length > limits.body_bytes : parser_->chunked() && bytes_max > limits.body_bytes;
    if (may_be_large && !TakeLargeBody()) {
      HttpResponse busy = ErrorReply(503, "too many large requests are under way; try again");
      busy.headers.emplace_back("Retry-After", "1");
      return Reject(std::move(busy));
    }
    parser_->body_limit(bytes_max);
    in_parts_ = shared_.options.in_parts && shared_.options.in_parts(request_);
    Timed(stream_).expires_after(limits.transfer);
    if (absl::AsciiStrToLower(request_.Header("expect")) == "100-continue") return SayContinue();
    ReadBody();
  }

  void SayContinue() {
    continue_.emplace(http::status::continue_, 11);
    continue_->content_length(boost::none);
    http::async_write(stream_, *continue_, [self = this->shared_from_this()](error_code error, size_t) {
      if (!error) self->ReadBody();
    });
  }

  void ReadBody() {
    if (in_parts_) return HandleInParts();
    http::async_read(stream_, buffer_, *parser_, [self = this->shared_from_this()](error_code error, size_t) {
      if (error == http::error::body_limit) return self->Reject(ErrorReply(413, "the body is too large"));
      if (error) return self->Shutdown();
      self->Handle();
    });
  }

  void Handle() {
    keep_alive_ = parser_->get().keep_alive();
    request_.body = std::move(parser_->get().body());
    parser_.reset();
    CallHandler();
  }

  void CallHandler() {
    Timed(stream_).expires_never();  // a handler has a deadline of its own
    shared_.options.handler(std::move(request_),
                            [self = std::weak_ptr(Hold()), gate = shared_.gate](HttpResponse r) {
                              gate->Post([self, r = std::move(r)]() mutable {
                                if (auto session = self.lock()) session->Reply(std::move(r));
                              });
                            });
  }

  // The handler asks for the body from whatever thread; it is read when it asks, and not before.
  void HandleInParts() {
    request_.parts = [self = std::weak_ptr<Session>(this->shared_from_this()),
                      gate = shared_.gate](GivePart give) {
      gate->Post([self, give = std::move(give)]() mutable {
        if (auto session = self.lock()) return session->GiveNextPart(std::move(give));
        give(absl::CancelledError("the connection is gone"));
      });
    };
    keep_alive_ = parser_->get().keep_alive();
    CallHandler();
  }

  void GiveNextPart(GivePart give) {
    if (!parser_) return give(absl::CancelledError("the request was answered"));
    std::string part = std::move(parser_->get().body());
    parser_->get().body().clear();
    if (!part.empty() || parser_->is_done()) {
      Timed(stream_).expires_never();
      return give(std::move(part));
    }
    Timed(stream_).expires_after(shared_.options.limits.transfer);
    http::async_read_some(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this(), give = std::move(give)](error_code error, size_t) {
          if (error == http::error::body_limit) return give(absl::OutOfRangeError("the body is too large"));
          if (error) return give(absl::DataLossError("the body did not come whole"));
          self->GiveNextPart(give);
        });
  }

  // A session with a handler under way has no operation of its own that keeps it alive.
  std::shared_ptr<Session> Hold() { return held_ = this->shared_from_this(); }

  void Reject(HttpResponse response) {
    keep_alive_ = false;
    Reply(std::move(response));
  }

  void Reply(HttpResponse response) {
    const auto self = this->shared_from_this();
    held_.reset();
    ReleaseLargeBody();
    if (in_parts_ && parser_ && !parser_->is_done()) keep_alive_ = false;
    if (std::exchange(in_parts_, false)) parser_.reset();
    if (response.parts && !head_only_) return ReplyInParts(std::move(response));
    reply_.emplace(static_cast<http::status>(response.status), 11);
    reply_->set(http::field::server, "quorate");
    if (!response.content_type.empty() && response.status != 204) {
      reply_->set(http::field::content_type, response.content_type);
    }
    for (const auto& [name, value] : response.headers) reply_->set(name, value);
    reply_->keep_alive(keep_alive_);
    reply_->body() = std::move(response.body);
    if (response.status != 204) reply_->content_length(reply_->body().size());
    if (head_only_) reply_->body().clear();
    Timed(stream_).expires_after(shared_.options.limits.transfer);
    http::async_write(stream_, *reply_, [self](error_code error, size_t) {
      self->reply_.reset();
      if (error || !self->keep_alive_) return self->Shutdown();
      self->ReadHeader();
    });
  }

  void ReplyInParts(HttpResponse response) {
    parts_ = std::move(response.parts);
    parts_header_.emplace(static_cast<http::status>(response.status), 11);
    parts_header_->set(http::field::server, "quorate");
    parts_header_->set(http::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) parts_header_->set(name, value);
    parts_header_->keep_alive(keep_alive_);
    parts_header_->chunked(true);
    parts_serializer_.emplace(*parts_header_);
    Timed(stream_).expires_after(shared_.options.limits.transfer);
    http::async_write_header(stream_, *parts_serializer_,
                             [self = this->shared_from_this()](error_code error, size_t) {
                               if (error) return self->EndParts(/*whole=*/false);
                               self->AskForPart();
                             });
  }

  void AskForPart() {
    Timed(stream_).expires_never();  // the disk has the time it takes
    parts_([self = std::weak_ptr(Hold()), gate = shared_.gate](absl::StatusOr<std::string> part) {
      gate->Post([self, part = std::move(part)]() mutable {
        if (auto session = self.lock()) session->WritePart(std::move(part));
      });
    });
  }

  void WritePart(absl::StatusOr<std::string> part) {
    const auto self = this->shared_from_this();
    held_.reset();
    if (!part.ok()) return EndParts(/*whole=*/false);
    part_ = *std::move(part);
    Timed(stream_).expires_after(shared_.options.limits.transfer);
    const auto written = [self](error_code error, size_t) {
      if (error || self->part_.empty()) return self->EndParts(!error);
      self->AskForPart();
    };
    if (part_.empty()) return asio::async_write(stream_, http::make_chunk_last(), written);
    asio::async_write(stream_, http::make_chunk(asio::buffer(part_)), written);
  }

  // A body that is not whole lacks its last chunk.
  void EndParts(bool whole) {
    parts_ = nullptr;
    parts_serializer_.reset();
    parts_header_.reset();
    if (!whole || !keep_alive_) return Shutdown();
    ReadHeader();
  }

  // What the client still sends after a rejection is read away for a moment, so that it sees the reply and
  // not a reset.
  void Shutdown() {
    Timed(stream_).expires_after(std::chrono::seconds(1));
    if constexpr (std::is_same_v<Stream, beast::tcp_stream>) {
      error_code ignored;
      SocketOf(stream_).shutdown(tcp::socket::shutdown_send, ignored);
      Drain();
    } else {
      stream_.async_shutdown([self = this->shared_from_this()](error_code) { self->Drain(); });
    }
  }
  void Drain() {
    scratch_.resize(16 << 10);
    Timed(stream_).async_read_some(asio::buffer(scratch_),
                                   [self = this->shared_from_this()](error_code error, size_t n) {
                                     self->drained_ += n;
                                     if (!error && self->drained_ < kDrainBytesMax) return self->Drain();
                                     self->Close();
                                   });
  }

  bool TakeLargeBody() {
    if (shared_.large_bodies >= shared_.options.limits.large_bodies) return false;
    ++shared_.large_bodies;
    return has_large_body_ = true;
  }
  void ReleaseLargeBody() {
    if (std::exchange(has_large_body_, false)) --shared_.large_bodies;
  }

  static constexpr size_t kDrainBytesMax = 1 << 20;

  Shared& shared_;
  const std::string client_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::empty_body>> continue_;
  std::optional<http::response<http::string_body>> reply_;
  BodyParts parts_;  // of a body in parts, as the next three
  std::optional<http::response<http::empty_body>> parts_header_;
  std::optional<http::response_serializer<http::empty_body>> parts_serializer_;
  std::string part_;  // being written
  HttpRequest request_;
  std::shared_ptr<Session> held_;
  std::string scratch_;
  size_t drained_ = 0;
  bool keep_alive_ = true, head_only_ = false, has_large_body_ = false, in_parts_ = false;
};

absl::StatusOr<tcp::endpoint> ParseEndpoint(const std::string& address) {
  const size_t colon = address.rfind(':');
  uint16_t port = 0;
  if (colon != std::string::npos) {
    const char* const end = address.data() + address.size();
    const auto parsed = std::from_chars(address.data() + colon + 1, end, port);
    std::string host = address.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    error_code error;
    const auto ip = asio::ip::make_address(host, error);
    if (!error && parsed.ec == std::errc() && parsed.ptr == end) return tcp::endpoint(ip, port);
  }
  return absl::InvalidArgumentError(fmt::format("`{}` is not a numeric ip:port or [ip6]:port", address));
}

}  // namespace

class Listener::Impl {
 public:
  explicit Impl(ListenerOptions options)
      : shared_(std::move(options)), acceptor_(shared_.io), pause_(shared_.io) {}

  ~Impl() { Stop(); }

  absl::Status Open() {
    const auto endpoint = ParseEndpoint(shared_.options.address);
    if (!endpoint.ok()) return endpoint.status();
    if (absl::Status status = LoadTls(); !status.ok()) return status;
    error_code error;
    const auto step = [&](auto&& action) {
      if (!error) action();
    };
    step([&] { acceptor_.open(endpoint->protocol(), error); });
    step([&] { acceptor_.set_option(asio::socket_base::reuse_address(true), error); });
    step([&] {
      if (endpoint->address().is_v6()) acceptor_.set_option(asio::ip::v6_only(true), error);
    });
    step([&] { acceptor_.bind(*endpoint, error); });
    step([&] { acceptor_.listen(asio::socket_base::max_listen_connections, error); });
    step([&] { port_ = acceptor_.local_endpoint(error).port(); });
    if (error) {
      return absl::UnavailableError(
          fmt::format("cannot listen on {}: {}; is another process using this address?",
                      shared_.options.address, error.message()));
    }
    Accept();
    thread_ = std::thread([this] { shared_.io.run(); });
    return absl::OkStatus();
  }

  void Stop() {
    if (!thread_.joinable()) return;
    shared_.gate->Close();
    asio::post(shared_.io, [this] {
      error_code ignored;
      acceptor_.close(ignored);
      const std::vector<SessionBase*> sessions(shared_.sessions.begin(), shared_.sessions.end());
      for (SessionBase* session : sessions) session->Close();  // may destroy it, and no other
      shared_.io.stop();
    });
    thread_.join();
  }

  uint16_t port() const { return port_; }
  Counters counters() const {
    return {.requests = shared_.requests.load(std::memory_order_relaxed),
            .connections = shared_.connections.load(std::memory_order_relaxed),
            .refused_connections = shared_.refused.load(std::memory_order_relaxed),
            .open_connections = shared_.open.load(std::memory_order_relaxed)};
  }

 private:
  absl::Status LoadTls() {
    const ListenerOptions& o = shared_.options;
    if (o.tls_cert.empty()) return absl::OkStatus();
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                      asio::ssl::context::no_tlsv1_1);
    error_code error;
    tls_->use_certificate_chain_file(o.tls_cert, error);
    if (error) {
      return absl::InvalidArgumentError(
          fmt::format("cannot use the TLS certificate {}: {}", o.tls_cert, error.message()));
    }
    tls_->use_private_key_file(o.tls_key, asio::ssl::context::pem, error);
    if (error) {
      return absl::InvalidArgumentError(
          fmt::format("cannot use the TLS key {}: {}", o.tls_key, error.message()));
    }
    return absl::OkStatus();
  }

  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return AcceptLater();  // out of descriptors: others must close first
      Begin(std::move(socket));
      Accept();
    });
  }
  void AcceptLater() {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](error_code error) {
      if (!error) Accept();
    });
  }

  void Begin(tcp::socket socket) {
    if (shared_.sessions.size() >= shared_.options.limits.connections) {
      shared_.refused.fetch_add(1, std::memory_order_relaxed);
      return;  // closes it
    }
    shared_.connections.fetch_add(1, std::memory_order_relaxed);
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto remote = socket.remote_endpoint(ignored);
    std::string client = ignored ? std::string() : remote.address().to_string();
    if (tls_) {
      std::make_shared<Session<beast::ssl_stream<beast::tcp_stream>>>(shared_, std::move(client),
                                                                      std::move(socket), *tls_)
          ->Start();
    } else {
      std::make_shared<Session<beast::tcp_stream>>(shared_, std::move(client), std::move(socket))->Start();
    }
  }

  std::optional<asio::ssl::context> tls_;
  Shared shared_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  uint16_t port_ = 0;
  std::thread thread_;
};

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() = default;

absl::StatusOr<std::unique_ptr<Listener>> Listener::Start(ListenerOptions options) {
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return absl::InvalidArgumentError("TLS needs both a certificate and a key");
  }
  auto impl = std::make_unique<Impl>(std::move(options));
  if (absl::Status status = impl->Open(); !status.ok()) return status;
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

void Listener::Stop() { impl_->Stop(); }
uint16_t Listener::port() const { return impl_->port(); }
Listener::Counters Listener::counters() const { return impl_->counters(); }

}  // namespace quorate::api
