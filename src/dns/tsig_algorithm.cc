#include "dns/tsig_algorithm.h"

#include <algorithm>

#include "base/check.h"

namespace quorate::dns {
namespace {

using namespace std::string_view_literals;

struct Row {
  TsigAlgorithm algorithm;
  std::string_view text;
  NameView name;
  size_t mac_bytes;
};

constexpr Row kRows[] = {
    {TsigAlgorithm::kHmacMd5, "hmac-md5", "\x08hmac-md5\x07sig-alg\x03reg\x03int\0"sv, 16},
    {TsigAlgorithm::kHmacSha1, "hmac-sha1", "\x09hmac-sha1\0"sv, 20},
    {TsigAlgorithm::kHmacSha224, "hmac-sha224", "\x0bhmac-sha224\0"sv, 28},
    {TsigAlgorithm::kHmacSha256, "hmac-sha256", "\x0bhmac-sha256\0"sv, 32},
    {TsigAlgorithm::kHmacSha384, "hmac-sha384", "\x0bhmac-sha384\0"sv, 48},
    {TsigAlgorithm::kHmacSha512, "hmac-sha512", "\x0bhmac-sha512\0"sv, 64},
};
constexpr std::string_view kMd5Domain = ".sig-alg.reg.int";

const Row& RowOf(TsigAlgorithm algorithm) {
  for (const Row& row : kRows)
    if (row.algorithm == algorithm) return row;
  CHECK(false);  // every value has a row
  return kRows[0];
}

bool SameText(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return FoldCase(x) == FoldCase(y); });
}

}  // namespace

std::string_view TsigAlgorithmToText(TsigAlgorithm algorithm) { return RowOf(algorithm).text; }

std::optional<TsigAlgorithm> TsigAlgorithmFromText(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  const std::string_view md5 = kRows[0].text;
  if (text.size() == md5.size() + kMd5Domain.size() && SameText(text.substr(md5.size()), kMd5Domain))
    text = text.substr(0, md5.size());
  for (const Row& row : kRows)
    if (SameText(text, row.text)) return row.algorithm;
  return std::nullopt;
}

NameView TsigAlgorithmName(TsigAlgorithm algorithm) { return RowOf(algorithm).name; }

std::optional<TsigAlgorithm> TsigAlgorithmFromName(NameView name) {
  for (const Row& row : kRows)
    if (SameName(name, row.name)) return row.algorithm;
  return std::nullopt;
}

size_t TsigMacBytes(TsigAlgorithm algorithm) { return RowOf(algorithm).mac_bytes; }

std::optional<TsigAlgorithm> TsigAlgorithmFromNumber(uint8_t value) {
  for (const Row& row : kRows)
    if (static_cast<uint8_t>(row.algorithm) == value) return row.algorithm;
  return std::nullopt;
}

}  // namespace quorate::dns
