#include "cli/progress.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/own_thread.h"

namespace nslookout::cli {
namespace {

constexpr std::chrono::seconds interval{1};
constexpr std::size_t longest_name = 40;  // so that the line does not wrap
constexpr std::string_view erase_line = "\x1b[2K";

bool can_draw() {
  const char* terminal = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nothing changes the environment
  return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

void write_to_terminal(std::string_view text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

std::string shown_name(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename();
  const bool plain = std::ranges::all_of(name, [](unsigned char c) { return std::isgraph(c) != 0; });
  return plain && name.size() <= longest_name ? name : "the file";
}

struct Reading {
  off_t position = 0;
  off_t size = 0;
};

// Of the descriptor that is the furthest, should there be several. Nothing: it is no file with a size, or not open.
std::optional<Reading> reading_of(const std::string& path) {
  struct stat file{};
  struct stat open{};
  if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode) || file.st_size <= 0) return std::nullopt;
  std::optional<Reading> reading;
  std::error_code failed;
  std::filesystem::directory_iterator entry("/proc/self/fd", failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    const int fd = std::atoi(entry->path().filename().c_str());
    if (::fstat(fd, &open) != 0 || open.st_ino != file.st_ino || open.st_dev != file.st_dev) continue;
    const off_t position = ::lseek(fd, 0, SEEK_CUR);
    if (position > (reading ? reading->position : -1)) reading = {position, file.st_size};
  }
  return reading;
}

}  // namespace

Progress::Progress(const std::string& file)
    : path_(file == "-" ? "/proc/self/fd/0" : file), name_(file == "-" ? "stdin" : shown_name(file)) {
  if (!can_draw()) return;
  if (auto started = thread_without_signals([this] { draw_until_told(); })) thread_ = std::move(*started);
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  told_.notify_one();
  thread_.join();
}

void Progress::draw_until_told() {
  bool drawn = false;
  std::unique_lock lock(mutex_);
  while (!told_.wait_for(lock, interval, [this] { return ended_; })) {
    const auto reading = reading_of(path_);
    if (!reading) continue;
    // Back at the start, so that a line of events on the same terminal takes its place.
    write_to_terminal(fmt::format("{}{:3} % of {}\r", erase_line,
                                  std::min<off_t>(reading->position * 100 / reading->size, 100), name_));
    drawn = true;
  }
  if (drawn) write_to_terminal(erase_line);
}

}  // namespace nslookout::cli
