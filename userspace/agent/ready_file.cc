#include "agent/ready_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/fd.h"

namespace nslookout::agent {

ReadyFile::ReadyFile(std::string path) : path_(std::move(path)) { remove(); }

ReadyFile::~ReadyFile() { remove(); }

void ReadyFile::remove() const {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path_, ignored)) std::filesystem::remove(path_, ignored);
}

Result<void> ReadyFile::check() const {
  if (path_.empty()) return {};
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) return cannot_write(EISDIR);
  const std::filesystem::path path(path_);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const bool there = std::filesystem::exists(path, ignored);
  if (::access(there ? path.c_str() : folder.c_str(), W_OK) != 0) return cannot_write(errno);
  return {};
}

Result<void> ReadyFile::write() const {
  if (path_.empty()) return {};
  const Fd file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.valid() || ::write(file.get(), "ready\n", 6) != 6) return cannot_write(errno);
  return {};
}

Result<void> ReadyFile::cannot_write(int error) const {
  return fail(ErrorClass::runtime, "the ready file {} cannot be written: {}; name another with --ready-file", path_,
              errno_text(error));
}

}  // namespace nslookout::agent
