#include "agent/small_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <optional>
#include <utility>

#include "base/fd.h"
#include "base/read_up_to.h"

namespace nslookout::agent {
namespace {

constexpr std::size_t max_file_octets = 64U << 10;

std::string read_regular(const Fd& file) {
  struct stat status{};
  if (!file.valid() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  std::optional<std::string> text = read_up_to(file.get(), max_file_octets + 1);
  return text && text->size() <= max_file_octets ? std::move(*text) : std::string();
}

}  // namespace

std::string read_small_file(const std::string& path) {
  return read_regular(Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
}

std::string read_in_root(const std::string& root, const char* path) {
  const Fd folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return {};
  struct open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return read_regular(Fd(static_cast<int>(::syscall(SYS_openat2, folder.get(), path, &how, sizeof how))));
}

}  // namespace nslookout::agent
