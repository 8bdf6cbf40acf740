// quorate-lincheck: says of recorded histories whether they are linearizable.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "testing/lincheck.h"

namespace quorate::testing {
namespace {

constexpr const char* kFooter = R"(Example:
  quorate-lincheck run1.jsonl run2.jsonl
  run1.jsonl: 4 operations on 1 key: linearizable

A file has one JSON object a line (null: absent; null in return_ns: outcome unknown):
  {"process":1,"op":"write","key":"k","value":"a","call_ns":10,"return_ns":20,"outcome":"ok"}
  {"process":2,"op":"read","key":"k","value":"a","call_ns":15,"return_ns":30,"outcome":"ok"}
  {"process":1,"op":"cas","key":"k","value":"b","expected":"a","call_ns":40,"return_ns":50,"outcome":"fail"}
  {"process":2,"op":"delete","key":"k","value":null,"call_ns":60,"return_ns":null,"outcome":"unknown"}

Exit code: 0 all are linearizable; 1 one is not; 2 a file cannot be read, or a bound was reached first.)";

FileReport CheckPath(const std::string& path, const CheckOptions& options) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) return Unreadable(path, std::strerror(errno));
  std::string content;
  char block[1 << 16];
  while (const size_t got = std::fread(block, 1, sizeof block, file.get())) content.append(block, got);
  if (std::ferror(file.get())) return Unreadable(path, std::strerror(errno));
  return CheckFile(path, content, options);
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Checks recorded histories of reads, writes, deletes and compare-and-sets for linearizability.");
  std::vector<std::string> files;
  std::string output = "text";
  CheckOptions options;
  app.add_option("FILE", files, "Histories as JSON lines")->required();
  app.add_option("-o,--output", output, "json: one object a file")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("--configurations", options.configurations_max, "Of each key, before giving up")
      ->capture_default_str();
  app.footer(kFooter);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(LincheckExit::kNoVerdict);
  }
  LincheckExit exit = LincheckExit::kLinearizable;
  for (const std::string& path : files) {
    const FileReport report = CheckPath(path, options);
    std::fputs((output == "json" ? report.json : report.text).c_str(), stdout);
    exit = Worse(exit, report.exit);
  }
  return static_cast<int>(exit);
}

}  // namespace
}  // namespace quorate::testing

int main(int argc, char** argv) { return quorate::testing::Main(argc, argv); }
