// A file that a command writes: whole and durable under its name, or not there.
#pragma once

#include <string>
#include <string_view>

namespace quorate::cli {

// "-": stdout, as it comes. One thread; blocks.
class OutputFile {
 public:
  explicit OutputFile(std::string path) : path_(std::move(path)) {}
  ~OutputFile();  // what was not finished is removed
  OutputFile(const OutputFile&) = delete;

  // Begins, or begins again from nothing. False: error() says why, here and below.
  bool Begin();
  bool Write(std::string_view bytes);
  // Syncs it and gives it its name.
  bool Finish();

  bool is_stdout() const { return path_ == "-"; }
  const std::string& error() const { return error_; }

 private:
  bool Failed(const std::string& what);
  void Close();
  std::string part() const { return path_ + ".part"; }

  const std::string path_;
  int fd_ = -1;
  bool part_exists_ = false;
  std::string error_;
};

}  // namespace quorate::cli
