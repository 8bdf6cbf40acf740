// Zone files of this machine: $INCLUDE's confinement, all that `zone check` tells, differences.
#include "cli/zone_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/zone_check.h"
#include "cli/zone_diff.h"

namespace quorate::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const dns::Name kZone = *dns::Name::FromText("example.");
constexpr const char* kHead = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n";

class ZoneFiles : public testing::Test {
 protected:
  ZoneFiles() {
    fs::remove_all(root);
    fs::create_directories(root / "zones/sub");
  }
  ~ZoneFiles() override { fs::remove_all(root); }

  void Write(const std::string& path, const std::string& text) { std::ofstream(root / path) << text; }
  std::vector<std::string> Errors(const std::string& text) {
    Write("zones/example.zone", text);
    std::vector<std::string> out;
    for (const dns::TextError& error : Check().errors) out.push_back(Short(error));
    return out;
  }
  std::vector<std::string> Warnings(const std::string& text) {
    Write("zones/example.zone", kHead + text);
    const ZoneFaults faults = Check();
    EXPECT_THAT(faults.errors, IsEmpty()) << Short(faults.errors.front());
    std::vector<std::string> out;
    for (const dns::TextError& warning : faults.warnings) out.push_back(Short(warning));
    return out;
  }
  ZoneFaults Check() {
    const auto file = ZoneFile::Open((root / "zones/example.zone").string());
    EXPECT_TRUE(file.ok());
    return CheckZone(*file, kZone, 3600);
  }
  std::string Short(const dns::TextError& error) const {
    std::string text = ToText(error);
    const std::string prefix = (root / "zones/").string();
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
  }

  const fs::path root = fs::path(testing::TempDir()) / "quorate-zone-files";
};

TEST_F(ZoneFiles, IncludedFilesAreReadFromTheirOwnPlace) {
  Write("zones/sub/a.zone", "a A 192.0.2.2\n$INCLUDE b.zone\n");
  Write("zones/sub/b.zone", "b A 192.0.2.3\n");
  EXPECT_THAT(Errors(std::string(kHead) + "$INCLUDE sub/a.zone\n"), IsEmpty());
  EXPECT_EQ(Check().records, 5u);
}

TEST_F(ZoneFiles, IncludeStaysInTheDirectoryOfTheFile) {
  Write("secret", "s A 192.0.2.9\n");
  fs::create_symlink(root / "secret", root / "zones/link");
  fs::create_directory_symlink(root, root / "zones/up");
  fs::create_symlink("sub/a.zone", root / "zones/inside");
  Write("zones/sub/a.zone", "a A 192.0.2.2\n");
  const std::string absolute = (root / "zones/sub/a.zone").string();
  EXPECT_THAT(
      Errors(std::string(kHead) + "$INCLUDE " + absolute + "\n$INCLUDE ../secret\n$INCLUDE link\n" +
             "$INCLUDE up/secret\n$INCLUDE sub/../../secret\n$INCLUDE sub\n$INCLUDE none\n$INCLUDE inside\n"),
      ElementsAre(HasSubstr("example.zone:5:1: $INCLUDE " + absolute + " refused: an absolute path"),
                  HasSubstr(":6:1: $INCLUDE ../secret refused: a path with `..`"),
                  HasSubstr(":7:1: $INCLUDE link refused: it is a link out of the directory"),
                  HasSubstr(":8:1: $INCLUDE up/secret refused: it is a link out"),
                  HasSubstr(":9:1: $INCLUDE sub/../../secret refused: a path with `..`"),
                  HasSubstr(":10:1: $INCLUDE sub refused: it is no regular file"),
                  HasSubstr(":11:1: $INCLUDE none refused: No such file")));
}

TEST_F(ZoneFiles, AFileThatIsNotThereIsAnError) {
  EXPECT_THAT(ZoneFile::Open((root / "none").string()).error().message, HasSubstr("No such file"));
  EXPECT_THAT(ZoneFile::Open(root.string()).error().message, HasSubstr("Is a directory"));
}

TEST_F(ZoneFiles, AllThatIsWrongIsToldWithItsPlace) {
  Write("zones/sub/bad.zone", "x A 192.0.2.300\ny CNAME z\n");
  EXPECT_THAT(Errors(std::string(kHead) + "w.other. A 192.0.2.1\n"        // 5
                                          "$INCLUDE sub/bad.zone\n"       // 6
                                          "y TXT beside\n"                // 7
                                          "d DS 1 8 2 AABB\n"             // 8
                                          "c CDS 0 0 0 00\n"              // 9
                                          "c CH TXT x\n"                  // 10
                                          "two CNAME a\ntwo CNAME b\n"),  // 12
              ElementsAre(HasSubstr("example.zone:5:1: "), HasSubstr("sub/bad.zone:1:5: invalid IPv4"),
                          HasSubstr("example.zone:9:1: CDS stands only at the apex"),
                          HasSubstr("example.zone:10:3: class CH is not served"),
                          HasSubstr("example.zone:8:1: d.example. DS"),
                          HasSubstr("example.zone:12:1: two.example. CNAME"),
                          HasSubstr("example.zone:7:1: y.example. CNAME")));
}

TEST_F(ZoneFiles, TheApexNeedsSoaAndNs) {
  EXPECT_THAT(Errors("@ 60 NS ns\n"), ElementsAre(HasSubstr("there is no SOA record at the apex example.")));
  EXPECT_THAT(Errors("@ 60 SOA ns h 1 2 3 4 5\n"), ElementsAre(HasSubstr("example. NS")));
}

TEST_F(ZoneFiles, ErrorsAreToldUpToABound) {
  std::string text = kHead;
  for (int i = 0; i < 500; ++i) text += "a A x\n";
  EXPECT_EQ(Errors(text).size(), kFaultsMax);
  EXPECT_TRUE(Check().more);
}

TEST_F(ZoneFiles, WhatIsSeldomMeantIsAWarning) {
  EXPECT_THAT(Warnings("@ MX 10 mail\nmail CNAME ns1\n"),
              ElementsAre(HasSubstr("example. MX mail.example.: it is an alias (RFC 2181 10.3)")));
  EXPECT_THAT(Warnings("_x._tcp SRV 1 2 3 gone\n"),
              ElementsAre(HasSubstr(":5:1: _x._tcp.example. SRV gone.example.: it has no address")));
  EXPECT_THAT(Warnings("sub NS ns.sub\n"), ElementsAre(HasSubstr("there is no glue for it")));
  EXPECT_THAT(
      Warnings("sub NS ns.sub\nns.sub A 192.0.2.1\n@ MX 1 a.sub\n@ MX 0 .\n* A 192.0.2.1\n@ MX 2 any\n"
               "s2 NS ns.sub\ns3 NS ns.elsewhere.\n"),
      IsEmpty());
}

ZoneLines Lines(const std::string& text) {
  const auto lines = LinesOfText(text, kZone);
  EXPECT_TRUE(lines.ok());
  return *lines;
}

TEST(ZoneDifference, OrderCaseOfTypesAndRepeatedRecordsDoNotMatter) {
  EXPECT_THAT(Difference(Lines("a 60 A 192.0.2.1\nb 60 TXT x\n"),
                         Lines("b 60 txt \"x\"\na 60 IN A 192.0.2.1\na 60 A 192.0.2.1\n"))
                  .lines,
              IsEmpty());
}

TEST(ZoneDifference, RecordsThatGoAndCome) {
  const ZoneDifference difference = Difference(Lines("a 60 A 192.0.2.1\nb 60 A 192.0.2.2\n@ 60 NS ns\n"),
                                               Lines("a 61 A 192.0.2.1\n@ 60 NS ns\nc.b 60 A 192.0.2.3\n"));
  EXPECT_THAT(difference.lines,
              ElementsAre("- a.example. 60 IN A 192.0.2.1", "+ a.example. 61 IN A 192.0.2.1",
                          "- b.example. 60 IN A 192.0.2.2", "+ c.b.example. 60 IN A 192.0.2.3"));
  EXPECT_EQ(difference.removed, 2u);
  EXPECT_EQ(difference.added, 2u);
}

}  // namespace
}  // namespace quorate::cli
