#include "cli/zone_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/limits.h"

namespace quorate::cli {
namespace {

namespace fs = std::filesystem;
using Part = Result<std::string, dns::TextError>;

constexpr size_t kPartBytes = size_t{64} << 10;

// Closed with the last copy.
using Descriptor = std::shared_ptr<const int>;

Result<Descriptor, dns::TextError> OpenFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return dns::TextError{.what = fmt::format("cannot read {}: {}", path, std::strerror(errno))};
  return Descriptor(new int(fd), [](const int* held) {
    close(*held);
    delete held;
  });
}

// `left` is what all files of a zone may still have.
Part ReadPart(const Descriptor& fd, const std::string& path, uint64_t& left) {
  std::string part(kPartBytes, '\0');
  const ssize_t n = read(*fd, part.data(), part.size());
  if (n < 0) return dns::TextError{.what = fmt::format("cannot read {}: {}", path, std::strerror(errno))};
  part.resize(static_cast<size_t>(n));
  if (part.size() > left)
    return dns::TextError{
        .what = fmt::format("all files together have more than {} MiB", limits::kZoneTextBytesMax >> 20)};
  left -= part.size();
  return part;
}

std::string WhyNotIncluded(const fs::path& named) {
  if (named.is_absolute()) return "an absolute path";
  for (const fs::path& step : named) {
    if (step == "..") return "a path with `..`";
  }
  return {};
}

bool IsWithin(const fs::path& path, const fs::path& directory) {
  auto at = path.begin();
  for (const fs::path& step : directory) {
    if (at == path.end() || *at++ != step) return false;
  }
  return at != path.end();
}

// The file that `from` names, relative to its own place as in other servers, if it is in `directory`.
Result<std::string, dns::TextError> FindIncluded(const std::string& named, const std::string& from,
                                                 const std::string& directory) {
  const auto refuse = [&](const std::string& why) {
    return dns::TextError{.what = fmt::format("$INCLUDE {} refused: {}", named, why)};
  };
  if (const std::string why = WhyNotIncluded(named); !why.empty())
    return refuse(why + "; it stays in the directory of the zone file");
  const fs::path path = fs::path(from).parent_path() / named;
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return refuse(error.message());
  if (!IsWithin(real, directory)) return refuse("it is a link out of the directory of the zone file");
  if (!fs::is_regular_file(real, error)) return refuse("it is no regular file");
  return path.string();
}

// What comes in by stdin, on disk.
Result<std::shared_ptr<void>, dns::TextError> Spool(uint64_t& bytes) {
  std::FILE* const file = std::tmpfile();
  if (file == nullptr)
    return dns::TextError{.what = fmt::format("no room for a copy of stdin: {}", std::strerror(errno))};
  std::shared_ptr<void> spool(file, [](void* held) { std::fclose(static_cast<std::FILE*>(held)); });
  std::string part(kPartBytes, '\0');
  for (ssize_t n = 0; (n = read(STDIN_FILENO, part.data(), part.size())) != 0;) {
    const auto size = static_cast<size_t>(std::max<ssize_t>(n, 0));
    if (n < 0 || std::fwrite(part.data(), 1, size, file) != size)
      return dns::TextError{.what = fmt::format("cannot copy stdin: {}", std::strerror(errno))};
    bytes += size;
  }
  if (std::fflush(file) != 0)
    return dns::TextError{.what = fmt::format("cannot copy stdin: {}", std::strerror(errno))};
  return spool;
}

}  // namespace

CliResult<ZoneFile> ZoneFile::Open(const std::string& file) {
  ZoneFile out;
  if (file == "-") {
    auto spool = Spool(out.bytes_);
    if (!spool.ok()) return CliError{ExitCode::kFailed, spool.error().what};
    out.spool_ = *std::move(spool);
    out.name_ = "stdin";
    out.path_ = fmt::format("/proc/self/fd/{}", fileno(static_cast<std::FILE*>(out.spool_.get())));
    out.directory_ = fs::current_path().string();
    return out;
  }
  struct stat info {};
  const int fault = stat(file.c_str(), &info) != 0 ? errno : S_ISDIR(info.st_mode) ? EISDIR : 0;
  if (fault != 0)
    return CliError{ExitCode::kFailed, fmt::format("cannot read {}: {}", file, std::strerror(fault))};
  out.name_ = out.path_ = file;
  out.bytes_ = static_cast<uint64_t>(info.st_size);
  std::error_code error;
  out.directory_ = fs::canonical(file, error).parent_path().string();
  if (error) return CliError{ExitCode::kFailed, fmt::format("cannot read {}: {}", file, error.message())};
  return out;
}

std::unique_ptr<ZoneFile::Reader> ZoneFile::Read(const dns::Name& origin, uint32_t default_ttl,
                                                 dns::ZoneTextParser::OnRecord on_record,
                                                 dns::ZoneTextParser::OnError on_error) const {
  return std::make_unique<Reader>(*this, origin, default_ttl, std::move(on_record), std::move(on_error));
}

class ZoneFile::Reader::Impl {
 public:
  Impl(const ZoneFile& file, const dns::Name& origin, uint32_t default_ttl,
       dns::ZoneTextParser::OnRecord on_record, const dns::ZoneTextParser::OnError& on_error)
      : name_(file.name_),
        path_(file.path_),
        directory_(file.directory_),
        on_error_(on_error),
        parser_(Options(origin, default_ttl), std::move(on_record), on_error) {}

  bool Step() {
    if (!fd_) {
      auto opened = OpenFile(path_);
      if (!opened.ok()) return Fail(opened.error());
      fd_ = *std::move(opened);
    }
    const Part part = ReadPart(fd_, name_, left_);
    if (!part.ok()) return Fail(part.error());
    if (!part->empty()) return parser_.Feed(*part);
    parser_.Finish();
    return false;
  }

 private:
  dns::ZoneTextOptions Options(const dns::Name& origin, uint32_t default_ttl) {
    dns::ZoneTextOptions options{.origin = origin, .default_ttl = default_ttl, .name = name_};
    options.include = [this](const std::string& named,
                             const std::string& from) -> Result<dns::ZoneTextSource, dns::TextError> {
      auto path = FindIncluded(named, from, directory_);
      if (!path.ok()) return path.error();
      auto opened = OpenFile(*path);
      if (!opened.ok()) return opened.error();
      return dns::ZoneTextSource{
          *path, [this, fd = *std::move(opened), path = *path] { return ReadPart(fd, path, left_); }};
    };
    return options;
  }

  bool Fail(dns::TextError error) {
    error.file = name_;
    on_error_(std::move(error));
    return false;
  }

  const std::string name_, path_, directory_;
  const dns::ZoneTextParser::OnError on_error_;
  uint64_t left_ = limits::kZoneTextBytesMax;
  Descriptor fd_;
  dns::ZoneTextParser parser_;
};

ZoneFile::Reader::Reader(const ZoneFile& file, const dns::Name& origin, uint32_t default_ttl,
                         dns::ZoneTextParser::OnRecord on_record, dns::ZoneTextParser::OnError on_error)
    : impl_(std::make_unique<Impl>(file, origin, default_ttl, std::move(on_record), on_error)) {}
ZoneFile::Reader::~Reader() = default;
bool ZoneFile::Reader::Step() { return impl_->Step(); }

std::string ToText(const dns::TextError& error) {
  return fmt::format("{}:{}:{}: {}", error.file, error.line, error.column, error.what);
}

}  // namespace quorate::cli
