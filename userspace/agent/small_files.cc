#include "agent/small_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/fd.h"
#include "base/log.h"
#include "base/own_thread.h"
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

std::optional<std::string> read_below(const std::string& root, const std::string& path) {
  const Fd folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return std::nullopt;
  struct open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return read_regular(Fd(static_cast<int>(::syscall(SYS_openat2, folder.get(), path.c_str(), &how, sizeof how))));
}

// One reading, shared with the thread that does it: it may outlive the wait for it.
struct Reading {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  bool given_up = false;
  std::optional<std::string> text;
};

constexpr std::chrono::milliseconds patience{500};
constexpr int most_given_up = 4;  // that may hang at a time; then nothing is read

std::atomic<int> hanging = 0;

void read_for(Reading& reading, const std::string& root, const std::string& path) {
  std::optional<std::string> text = read_below(root, path);
  const std::lock_guard lock(reading.mutex);
  reading.text = std::move(text);
  reading.done = true;
  if (reading.given_up) --hanging;
  reading.changed.notify_all();
}

}  // namespace

std::string read_small_file(const std::string& path) {
  return read_regular(Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
}

bool can_open_roots(const std::string& proc_root) {
  const Fd folder(::open((proc_root + "/1/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  return folder.valid();
}

// A thread of its own each time, which keeps the capability to look into other processes; what is read is kept for long.
std::optional<std::string> read_in_root(const std::string& root, const char* path) {
  if (hanging >= most_given_up) return std::nullopt;
  const auto reading = std::make_shared<Reading>();
  auto started = thread_without_signals([reading, root, path = std::string(path)] { read_for(*reading, root, path); });
  if (!started) return std::nullopt;
  started->detach();
  std::unique_lock lock(reading->mutex);
  if (reading->changed.wait_for(lock, patience, [&] { return reading->done; })) return std::move(reading->text);
  reading->given_up = true;
  if (++hanging == 1) {
    log::warning(
        "{}/{} cannot be read, its file system does not answer; while several do not, search lists of containers are "
        "not read",
        root, path);
  }
  return std::nullopt;
}

}  // namespace nslookout::agent
