#include "serve/edns.h"

#include "serve/cookies.h"

namespace quorate::serve {
namespace {

uint16_t U16At(std::string_view bytes) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[0]) << 8 | static_cast<uint8_t>(bytes[1]));
}

void ReadOption(uint16_t code, std::string_view data, Transport transport, OptionsAsked& asked) {
  switch (code) {
    case kOptionNsid:
      asked.nsid = true;
      break;
    case kOptionExpire:
      asked.expire = true;
      break;
    case kOptionCookie:
      if (!asked.cookie.empty()) break;  // RFC 7873 5.2: only the first
      asked.cookie = data;
      asked.malformed |= !IsCookie(data);
      break;
    case kOptionKeepalive:
      if (!IsStream(transport)) break;  // RFC 7828 3.2.1: ignored
      asked.keepalive = true;
      asked.malformed |= !data.empty();  // a timeout is the server's to say
      break;
    case kOptionPadding:
      asked.padding = true;
      break;
    case kOptionZoneVersion:
      asked.zone_version = true;
      asked.malformed |= !data.empty();  // RFC 9660 3.1
      break;
    default:
      break;
  }
}

}  // namespace

OptionsAsked ReadOptions(std::string_view options, Transport transport) {
  OptionsAsked asked;
  while (options.size() >= OptionWriter::kHeadBytes) {
    const uint16_t code = U16At(options), length = U16At(options.substr(2));
    options.remove_prefix(OptionWriter::kHeadBytes);
    ReadOption(code, options.substr(0, length), transport, asked);
    options.remove_prefix(length);
  }
  return asked;
}

void OptionWriter::Head(uint16_t code, size_t length) {
  for (const size_t value : {size_t{code}, length}) {
    bytes_[size_++] = static_cast<char>(value >> 8);
    bytes_[size_++] = static_cast<char>(value);
  }
}

void OptionWriter::Pad(size_t others, size_t room) {
  const size_t whole = others + size_ + kHeadBytes;
  const size_t zeros = (kPaddingBlock - whole % kPaddingBlock) % kPaddingBlock;
  if (kHeadBytes + zeros > room) return;
  Head(kOptionPadding, zeros);
  std::memset(bytes_ + size_, 0, zeros);
  size_ += zeros;
}

}  // namespace quorate::serve
