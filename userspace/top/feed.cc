#include "top/feed.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "event/codec.h"
#include "inventory/read_events.h"

namespace nslookout::top {
namespace {

constexpr std::size_t block = 65536;
constexpr int blocks_at_once = 4;

}  // namespace

Result<Feed> Feed::of_pipe(Fd pipe, const std::string& name) {
  const int flags = ::fcntl(pipe.get(), F_GETFL);
  if (flags < 0 || ::fcntl(pipe.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
    return fail(ErrorClass::runtime, "{} cannot be read: {}", name, errno_text(errno));
  }
  return Feed(std::move(pipe), name, false);
}

// At the end of what is there: whether the path is another file by now, or the file has become shorter.
void Feed::find_file() {
  struct stat now = {};
  struct stat open = {};
  const bool there = ::stat(name_.c_str(), &now) == 0;
  if (fd_.valid() && (!there || ::fstat(fd_.get(), &open) != 0)) return;
  if (fd_.valid() && now.st_ino == open.st_ino && now.st_dev == open.st_dev && now.st_size >= offset_) return;
  Fd fresh(::open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fresh.valid()) return;
  fd_ = std::move(fresh);
  offset_ = 0;
  buffer_.clear();
  in_long_line_ = false;
}

Result<bool> Feed::read(const Handler& handler) {
  if (follows_ && !fd_.valid()) find_file();
  if (!fd_.valid() || ended_) return false;
  for (int blocks = 0; blocks < blocks_at_once; ++blocks) {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + block);
    const ssize_t got = ::read(fd_.get(), buffer_.data() + before, block);
    const int error = errno;
    buffer_.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && (error == EAGAIN || error == EINTR)) return false;
    if (got < 0) return fail(ErrorClass::runtime, "{} cannot be read: {}", name_, errno_text(error));
    if (got == 0) {
      ended_ = !follows_;
      if (follows_) find_file();
      return false;
    }
    offset_ += got;
    if (auto taken = take_lines(handler); !taken) return fail(taken.error());
  }
  return true;
}

Result<void> Feed::take_lines(const Handler& handler) {
  std::string_view rest = buffer_;
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (std::exchange(in_long_line_, false) || line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (const auto event = event::from_json_line(line); event) {
      ++good_;
      handler(*event);
    } else if (++bad_ == 1 && good_ == 0) {
      return fail(ErrorClass::invalid,
                  "{} has no events as JSON lines: {} (`nslookout decode` makes lines of protobuf)", name_,
                  event.error().message);
    }
  }
  buffer_.erase(0, buffer_.size() - rest.size());
  if (buffer_.size() > inventory::max_line_octets) {
    bad_ += in_long_line_ ? 0 : 1;
    in_long_line_ = true;
    buffer_.clear();
  }
  return {};
}

}  // namespace nslookout::top
