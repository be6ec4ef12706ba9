#include "agent/reload.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <new>
#include <set>
#include <thread>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/fd.h"
#include "base/quiet_thread.h"
#include "base/walk_folder.h"

namespace nslookout::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds quiet_time{200};     // without a change, before the files are read
constexpr std::chrono::milliseconds longest_wait{2000};  // for that, where they never rest

constexpr std::uint32_t changes = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                                  IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR;

// What tells one state of a file from another.
using Stamp = std::tuple<std::string, std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t>;
using Stamps = std::set<Stamp>;

void add_stamp(Stamps& stamps, const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return;
  stamps.emplace(path, status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

struct Seen {
  Stamps files;
  std::set<std::string> folders;  // to watch
};

void look_below(Seen& seen, const std::string& folder) {
  seen.folders.insert(folder);
  walk_folder(folder, [&](const fs::path& path, bool is_folder) {
    if (is_folder) {
      seen.folders.insert(path.native());
    } else {
      add_stamp(seen.files, path.native());
    }
    return true;
  });
}

Seen look(const std::vector<std::string>& paths) {
  Seen seen;
  for (const std::string& path : paths) {
    std::error_code unknown;
    const std::string above = fs::path(path).parent_path().native();
    seen.folders.insert(above.empty() ? "." : above);
    if (fs::is_directory(path, unknown)) {
      look_below(seen, path);
    } else {
      add_stamp(seen.files, path);
    }
  }
  return seen;
}

void drain(int fd) {
  std::array<char, 4096> buffer{};
  while (::read(fd, buffer.data(), buffer.size()) > 0) {
  }
}

void ring(const Fd& bell) {
  const std::uint64_t one = 1;
  // The counter is full at 2^64 - 2 and the bell has rung then anyway.
  [[maybe_unused]] const ssize_t written = ::write(bell.get(), &one, sizeof one);
}

}  // namespace

class Reloader::Worker {
 public:
  Worker(std::vector<std::string> paths, Load load)
      : paths_(std::move(paths)),
        load_(std::move(load)),
        bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (!inotify_.valid()) not_watched_ = fmt::format("inotify: {}", errno_text(errno));
    Seen seen = look(paths_);
    const std::string refusal = watch(seen);
    if (not_watched_.empty()) not_watched_ = refusal;
    loaded_ = std::move(seen.files);
    thread_ = start_quiet_thread([this] { work(); });
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    stop_ = true;
    ring(bell_);
    thread_.join();
  }

  void request() {
    asked_ = true;
    ring(bell_);
  }

  std::optional<Result<Loaded>> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(outcome_, std::nullopt);
  }

  [[nodiscard]] const std::string& not_watched() const { return not_watched_; }

 private:
  // Watches every folder that is there now; what hinders it. A folder that is watched already stays so.
  std::string watch(const Seen& seen) {
    std::string refusal;
    if (!inotify_.valid()) return refusal;
    for (const std::string& folder : seen.folders) {
      if (::inotify_add_watch(inotify_.get(), folder.c_str(), changes) < 0 && refusal.empty()) {
        refusal = fmt::format("{}: {}", folder, errno_text(errno));
      }
    }
    return refusal;
  }

  // Waits for the bell or a change; whether one came before the time was over.
  bool wait(int milliseconds) {
    std::array<pollfd, 2> fds = {{{bell_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), inotify_.valid() ? 2 : 1, milliseconds);
    if (ready <= 0) return ready < 0 && errno == EINTR;
    drain(bell_.get());
    if (inotify_.valid()) drain(inotify_.get());
    return true;
  }

  void wait_for_quiet() {
    const auto end = std::chrono::steady_clock::now() + longest_wait;
    while (!stop_ && std::chrono::steady_clock::now() < end && wait(static_cast<int>(quiet_time.count()))) {
    }
  }

  // Without memory for the new rules, those in use stay.
  Result<Loaded> load() {
    try {
      return load_();
    } catch (const std::bad_alloc&) {
      return fail(ErrorClass::runtime, "there is no memory for the new ones");
    }
  }

  void work() {
    while (!stop_) {
      if (!wait(-1) || stop_) continue;
      wait_for_quiet();
      if (stop_) return;
      const bool asked = asked_.exchange(false);
      Seen seen = look(paths_);
      watch(seen);  // a folder that is new; one that cannot be watched was said at the start
      if (!asked && seen.files == loaded_) continue;
      loaded_ = std::move(seen.files);
      Result<Loaded> outcome = load();
      const std::lock_guard lock(mutex_);
      outcome_ = std::move(outcome);
    }
  }

  std::vector<std::string> paths_;
  Load load_;
  Fd bell_;
  Fd inotify_;
  std::string not_watched_;  // set before the thread starts
  Stamps loaded_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> asked_ = false;
  std::mutex mutex_;
  std::optional<Result<Loaded>> outcome_;  // guarded by mutex_
  std::thread thread_;
};

Reloader::Reloader(std::vector<std::string> paths, Load load)
    : worker_(std::make_unique<Worker>(std::move(paths), std::move(load))) {}
Reloader::~Reloader() = default;

void Reloader::request() { worker_->request(); }
std::optional<Result<Loaded>> Reloader::take() { return worker_->take(); }
const std::string& Reloader::not_watched() const { return worker_->not_watched(); }

}  // namespace nslookout::agent
