#include "serve/cookies.h"

#include <gtest/gtest.h>

#include "wire/test_util.h"
#include "zone/address.h"

namespace quorate::serve {
namespace {

zone::CookieSecret Secret(const std::string& hex) {
  zone::CookieSecret out{};
  const auto bytes = wire::Hex(hex);
  std::copy_n(bytes.begin(), out.size(), out.begin());
  return out;
}
std::string Octets(const std::string& hex) {
  const auto bytes = wire::Hex(hex);
  return {bytes.begin(), bytes.end()};
}
std::string Text(const ServerCookie& cookie) { return {cookie.begin(), cookie.end()}; }

const char kSecret[] = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const char kOldSecret[] = "dd3bdf9344b678b185a6f5cb60fca715",
           kNewSecret[] = "445536bcd2513298075a5d379663c962";

CookieCheck Check(const zone::CookieSecrets& secrets, const std::string& option, const char* address,
                  uint32_t now) {
  return CheckCookie(secrets, option, *zone::AddressFromText(address), now);
}

TEST(Cookies, Rfc9018AppendixA1LearningANewServerCookie) {
  EXPECT_EQ(Text(MakeServerCookie(Secret(kSecret), Octets("2464c4abcf10c957"),
                                  *zone::AddressFromText("198.51.100.100"), 1559731985)),
            Octets("010000005cf79f111f8130c3eee29480"));
}

TEST(Cookies, Rfc9018AppendixA2AnotherClientsCookieIsRenewedAfterHalfAnHour) {
  const zone::CookieSecrets secrets{.current = Secret(kSecret)};
  const std::string option = Octets("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
  const CookieCheck young = Check(secrets, option, "198.51.100.100", 1559731985 + 1800);
  EXPECT_TRUE(young.valid);
  EXPECT_EQ(Text(young.next), option.substr(8));
  const CookieCheck older = Check(secrets, option, "198.51.100.100", 1559734385);
  EXPECT_TRUE(older.valid);
  EXPECT_EQ(Text(older.next), Octets("010000005cf7a871d4a564a1442aca77"));
}

TEST(Cookies, Rfc9018AppendixA3ReservedOctetsAreHashedAndThereforeKept) {
  const zone::CookieSecrets secrets{.current = Secret(kSecret)};
  const CookieCheck check =
      Check(secrets, Octets("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5"), "203.0.113.203", 1559727985);
  EXPECT_TRUE(check.valid);
  EXPECT_FALSE(
      Check(secrets, Octets("fc93fc62807ddb8601abcdee5cf78f71a314227b6679ebf5"), "203.0.113.203", 1559727985)
          .valid);
}

TEST(Cookies, Rfc9018AppendixA4ACookieOfTheSecretBeforeIsRenewed) {
  const zone::CookieSecrets secrets{.previous = Secret(kOldSecret), .current = Secret(kNewSecret)};
  const CookieCheck check = Check(secrets, Octets("22681ab97d52c298010000005cf7c57926556bd0934c72f8"),
                                  "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961);
  EXPECT_TRUE(check.valid);
  EXPECT_EQ(Text(check.next), Octets("010000005cf7c609a6bb79d16625507a"));
}

TEST(Cookies, Rfc9018Section43TimesOutsideTheWindowAreNotValid) {
  const zone::CookieSecrets secrets{.current = Secret(kSecret)};
  const std::string client = Octets("2464c4abcf10c957");
  const zone::Address address = *zone::AddressFromText("192.0.2.1");
  const auto valid = [&](uint32_t made, uint32_t now) {
    return CheckCookie(secrets, client + Text(MakeServerCookie(secrets.current, client, address, made)),
                       address, now)
        .valid;
  };
  EXPECT_TRUE(valid(1000000, 1003600));
  EXPECT_FALSE(valid(1000000, 1003601));
  EXPECT_TRUE(valid(1000300, 1000000));
  EXPECT_FALSE(valid(1000301, 1000000));
  EXPECT_TRUE(valid(0xfffffff0, 0x10)) << "RFC 1982";
}

TEST(Cookies, AnotherAddressSecretVersionOrLengthIsNotValidAndGetsANewOne) {
  const zone::CookieSecrets secrets{.current = Secret(kSecret)};
  const std::string good = Octets("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
  const std::string fresh = Text(MakeServerCookie(secrets.current, good.substr(0, 8),
                                                  *zone::AddressFromText("198.51.100.100"), 1559731985));
  EXPECT_FALSE(Check(secrets, good, "198.51.100.101", 1559731985).valid);
  EXPECT_FALSE(Check({.current = Secret(kOldSecret)}, good, "198.51.100.100", 1559731985).valid);
  std::string version = good;
  version[8] = 2;
  for (const std::string& bad : {version, good.substr(0, 8), good.substr(0, 16), good + "12345678"}) {
    const CookieCheck check = Check(secrets, bad, "198.51.100.100", 1559731985);
    EXPECT_FALSE(check.valid);
    EXPECT_EQ(Text(check.next), fresh);
  }
}

}  // namespace
}  // namespace quorate::serve
