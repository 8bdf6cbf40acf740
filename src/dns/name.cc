#include "dns/name.h"

#include <algorithm>
#include <array>

namespace quorate::dns {
namespace {

constexpr size_t kNameBytesMax = 255;
constexpr size_t kLabelBytesMax = 63;
constexpr size_t kLabelsMax = 127;

uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

// Where each label begins, first to last.
struct Labels {
  std::array<uint8_t, kLabelsMax + 1> at;
  size_t count = 0;

  explicit Labels(NameView name) {
    for (size_t i = 0; name[i] != '\0'; i += 1 + Byte(name[i])) at[count++] = static_cast<uint8_t>(i);
  }
  std::string_view Get(NameView name, size_t i) const { return name.substr(at[i] + 1u, Byte(name[at[i]])); }
};

std::strong_ordering CompareFolded(std::string_view a, std::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    const auto order = Byte(FoldCase(a[i])) <=> Byte(FoldCase(b[i]));
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads one character of a label, \DDD and \X included (RFC 1035 5.1); `i` moves past it.
Result<char, std::string> ReadCharacter(std::string_view text, size_t& i) {
  if (text[i] != '\\') return text[i++];
  if (++i == text.size()) return std::string("name ends in the middle of an escape");
  if (!IsDigit(text[i])) return text[i++];
  if (i + 3 > text.size() || !IsDigit(text[i + 1]) || !IsDigit(text[i + 2])) {
    return std::string("\\ and a digit must be followed by two more digits");
  }
  const int value = (text[i] - '0') * 100 + (text[i + 1] - '0') * 10 + (text[i + 2] - '0');
  if (value > 255) return "\\" + std::string(text.substr(i, 3)) + " is not an octet: more than 255";
  i += 3;
  return static_cast<char>(value);
}

void AppendLabelText(std::string_view label, std::string& out) {
  for (const char c : label) {
    if (std::string_view(".\\\"();@$").find(c) != std::string_view::npos) {
      out += {'\\', c};
    } else if (c > ' ' && c < 0x7f) {
      out += c;
    } else {
      const int v = Byte(c);
      out += {'\\', static_cast<char>('0' + v / 100), static_cast<char>('0' + v / 10 % 10),
              static_cast<char>('0' + v % 10)};
    }
  }
}

}  // namespace

NameView ParentOf(NameView name) { return name.size() == 1 ? name : name.substr(1u + Byte(name[0])); }

size_t LabelCountOf(NameView name) {
  size_t count = 0;
  for (; name.size() > 1; name = ParentOf(name)) ++count;
  return count;
}

// Length octets are at most 63, below any letter: folding the whole wire form folds only labels.
bool SameName(NameView a, NameView b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return FoldCase(x) == FoldCase(y); });
}

bool IsAtOrBelow(NameView name, NameView ancestor) {
  while (name.size() > ancestor.size()) name = ParentOf(name);
  return SameName(name, ancestor);
}

size_t NameLengthAt(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size() && i < kNameBytesMax; i += 1 + Byte(bytes[i])) {
    if (bytes[i] == '\0') return i + 1;
    if (Byte(bytes[i]) > kLabelBytesMax) return 0;
  }
  return 0;
}

std::optional<Name> Name::FromWire(std::string_view wire) {
  if (wire.empty() || NameLengthAt(wire) != wire.size()) return std::nullopt;
  return Name(std::string(wire));
}

Result<Name, std::string> Name::FromText(std::string_view text, const Name& origin) {
  if (text.empty()) return std::string("empty name (write . for the root, @ for the origin)");
  if (text == "@") return origin;
  if (text == ".") return Name();
  std::string wire, label;
  bool absolute = false;
  for (size_t i = 0; i < text.size();) {
    absolute = text[i] == '.';
    if (absolute) {
      if (label.empty()) return "empty label in \"" + std::string(text) + "\"";
      wire.push_back(static_cast<char>(label.size()));
      wire += label;
      label.clear();
      ++i;
    } else {
      auto c = ReadCharacter(text, i);
      if (!c.ok()) return c.error();
      label.push_back(*c);
      if (label.size() > kLabelBytesMax) {
        return "label longer than 63 octets in \"" + std::string(text) + "\"";
      }
    }
  }
  if (!absolute) {
    wire.push_back(static_cast<char>(label.size()));
    wire += label;
  }
  auto name = Concatenate(wire, absolute ? Name() : origin);
  if (!name) return "name longer than 255 octets: \"" + std::string(text) + "\"";
  return *std::move(name);
}

std::string Name::ToText() const {
  if (IsRoot()) return ".";
  std::string out;
  const Labels labels(wire_);
  for (size_t i = 0; i < labels.count; ++i) {
    AppendLabelText(labels.Get(wire_, i), out);
    out += '.';
  }
  return out;
}

size_t Name::LabelCount() const { return LabelCountOf(wire_); }

Name Name::Parent() const { return Name(std::string(ParentOf(wire_))); }

bool Name::IsAtOrBelow(const Name& ancestor) const { return dns::IsAtOrBelow(wire_, ancestor.wire_); }

Name Name::Folded() const {
  std::string folded(wire_.size(), '\0');
  std::transform(wire_.begin(), wire_.end(), folded.begin(), FoldCase);
  return Name(std::move(folded));
}

std::optional<Name> Name::Concatenate(std::string_view leading_labels, const Name& suffix) {
  return FromWire(std::string(leading_labels) + suffix.wire_);
}

std::string Name::CanonicalKey() const {
  std::string key;
  key.reserve(wire_.size());
  const Labels labels(wire_);
  for (size_t i = labels.count; i-- > 0;) {
    for (const char c : labels.Get(wire_, i)) {
      if (Byte(c) <= 1) {
        key += {'\1', static_cast<char>(c + 1)};
      } else {
        key += FoldCase(c);
      }
    }
    key += '\0';
  }
  return key;
}

std::optional<Name> Name::FromCanonicalKey(std::string_view key) {
  std::string wire(1, '\0');
  std::string label;
  for (size_t i = 0; i < key.size(); ++i) {
    if (key[i] == '\0') {
      if (label.empty() || label.size() > kLabelBytesMax) return std::nullopt;
      wire = static_cast<char>(label.size()) + label + wire;
      label.clear();
    } else if (key[i] == '\1') {
      if (++i == key.size() || (key[i] != '\1' && key[i] != '\2')) return std::nullopt;
      label.push_back(static_cast<char>(key[i] - 1));
    } else {
      if (FoldCase(key[i]) != key[i]) return std::nullopt;
      label.push_back(key[i]);
    }
  }
  if (!label.empty()) return std::nullopt;
  return FromWire(wire);
}

bool operator==(const Name& a, const Name& b) { return SameName(a.wire_, b.wire_); }

std::strong_ordering operator<=>(const Name& a, const Name& b) {
  const Labels la(a.wire_), lb(b.wire_);
  const size_t common = std::min(la.count, lb.count);
  for (size_t i = 1; i <= common; ++i) {
    const auto order = CompareFolded(la.Get(a.wire_, la.count - i), lb.Get(b.wire_, lb.count - i));
    if (order != 0) return order;
  }
  return la.count <=> lb.count;
}

}  // namespace quorate::dns
