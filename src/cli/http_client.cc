#include "cli/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "base/check.h"

namespace quorate::cli {
namespace {

constexpr size_t kReplyBytesMax = size_t{512} << 20;  // an exported zone

constexpr long kStallTimeoutS = 30;

// Between the parts that a BodyReader gives and the buffers that libcurl has.
struct Sending {
  const BodyReader& read;
  std::string part = {};
  size_t at = 0;
};

size_t OnRead(char* out, size_t, size_t room, void* user) {
  auto& sending = *static_cast<Sending*>(user);
  if (sending.at == sending.part.size()) {
    auto part = sending.read();
    if (!part) return CURL_READFUNC_ABORT;
    sending.part = *std::move(part);
    sending.at = 0;
  }
  const size_t n = std::min(room, sending.part.size() - sending.at);
  std::copy_n(sending.part.data() + sending.at, n, out);
  sending.at += n;
  return n;
}

struct Receiving {
  CURL* easy;
  const HttpCall& call;
  HttpReply& reply;
};

size_t OnBody(char* data, size_t, size_t size, void* user) {
  auto& receiving = *static_cast<Receiving*>(user);
  long status = 0;
  curl_easy_getinfo(receiving.easy, CURLINFO_RESPONSE_CODE, &status);
  if (receiving.call.on_body && status == 200)
    return receiving.call.on_body(std::string_view(data, size)) ? size : 0;
  std::string& body = receiving.reply.body;
  if (body.size() + size > kReplyBytesMax) return 0;
  body.append(data, size);
  return size;
}

size_t OnHeader(char* data, size_t, size_t size, void* user) {
  auto& reply = *static_cast<HttpReply*>(user);
  const std::string_view line(data, size);
  const size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    reply.headers.clear();  // of a 100 Continue before
  } else if (colon != std::string_view::npos) {
    std::string value(line.substr(colon + 1));
    absl::StripAsciiWhitespace(&value);
    reply.headers[absl::AsciiStrToLower(std::string(line.substr(0, colon)))] = value;
  }
  return size;
}

bool WasNotSent(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return true;
    default:
      return false;
  }
}

long Milliseconds(Duration d) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

Headers HeaderList(const HttpCall& call) {
  curl_slist* list = nullptr;
  for (const auto& [name, value] : call.headers)
    list = curl_slist_append(list, (name + ": " + value).c_str());
  return {list, &curl_slist_free_all};
}

void SetUp(CURL* easy, const HttpCall& call, const curl_slist* headers) {
  curl_easy_setopt(easy, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "localhost,127.0.0.0/8,::1");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  const bool bounded = call.timeout > Duration::zero();
  curl_easy_setopt(
      easy, CURLOPT_CONNECTTIMEOUT_MS,
      Milliseconds(bounded ? std::min(call.connect_timeout, call.timeout) : call.connect_timeout));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Milliseconds(call.timeout));
  if (!bounded) {
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, kStallTimeoutS);
  }
  if (!call.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, call.ca_file.c_str());
  if (!call.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
}

}  // namespace

std::string HttpReply::Header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? std::string() : found->second;
}

HttpReply Send(const HttpCall& call) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK_EQ(initialised, CURLE_OK);
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  CHECK(easy != nullptr);
  const Headers headers = HeaderList(call);
  HttpReply reply;
  SetUp(easy.get(), call, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &OnBody);
  Sending sending{call.read_body};
  if (call.read_body) {
    curl_easy_setopt(easy.get(), CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_CUSTOMREQUEST, call.method.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_READFUNCTION, &OnRead);
    curl_easy_setopt(easy.get(), CURLOPT_READDATA, &sending);
  }
  Receiving receiving{easy.get(), call, reply};
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &receiving);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERDATA, &reply);
  const CURLcode code = curl_easy_perform(easy.get());
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK) {
    reply.fate = HttpReply::Fate::kAnswered;
    reply.status = static_cast<int>(status);
    return reply;
  }
  // A time-out before the request left is a connection that never was.
  curl_off_t connected_us = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_PRETRANSFER_TIME_T, &connected_us);
  const bool timed_out_connecting = code == CURLE_OPERATION_TIMEDOUT && connected_us == 0;
  reply.fate = WasNotSent(code) || timed_out_connecting ? HttpReply::Fate::kNotSent : HttpReply::Fate::kLost;
  reply.error = curl_easy_strerror(code);
  return reply;
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
  }
  return out;
}

}  // namespace quorate::cli
