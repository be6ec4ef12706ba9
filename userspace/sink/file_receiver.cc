#include "sink/file_receiver.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "sink/frame.h"
#include "sink/write_all.h"

namespace nslookout::sink {
namespace {

// What is wrong with a path that open(2) refused, and what to do about it.
std::string open_problem(const std::string& path, int error) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  switch (error) {
    case EISDIR:
      return "it is a directory; name a file, such as " + (std::filesystem::path(path) / "events.jsonl").string();
    case ENOENT:
      return "its folder does not exist; create the folder or name another file";
    case ENOTDIR:
      return "a part of the path is not a folder; name another file";
    case EACCES:
    case EPERM:
    case EROFS:
      return errno_text(error) + "; name a file that this user may write";
    case ENXIO:
      return std::filesystem::is_socket(status) ? "it is a socket; use unix:" + path
                                                : "nobody reads this FIFO; start its reader first";
    default:
      return errno_text(error);
  }
}

Result<Fd> open_path(const Spec& spec) {
  // Non-blocking so that a FIFO without a reader is an error now, not an agent that never starts.
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  Fd fd(::open(spec.path.c_str(), flags | O_EXCL, spec.mode));
  if (fd.valid()) {
    ::fchmod(fd.get(), spec.mode);  // whatever the umask
    return fd;
  }
  if (errno == EEXIST) fd = Fd(::open(spec.path.c_str(), flags, spec.mode));
  if (!fd.valid()) {
    return fail(ErrorClass::runtime, "cannot write events to {}: {}", escape_controls(spec.path),
                escape_controls(open_problem(spec.path, errno)));
  }
  return fd;
}

bool is_regular(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

std::int64_t size_of(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 ? status.st_size : -1;
}

// Frames are mended by cutting the file (keep_cut), which a second writer would not survive.
Result<Fd> open_for_writing(const Spec& spec) {
  auto fd = open_path(spec);
  if (!fd) return fd;
  const bool exclusive = spec.encoding == Encoding::protobuf && is_regular(fd->get());
  if (exclusive && ::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorClass::runtime, "cannot write events to {}: another process is writing it; name another file",
                escape_controls(spec.path));
  }
  return fd;
}

std::string aside(const std::string& path, unsigned number) { return fmt::format("{}.{}", path, number); }

}  // namespace

FileReceiver::FileReceiver(Fd fd, const Spec& spec, std::chrono::milliseconds patience)
    : spec_(spec),
      patience_(patience),
      name_(spec.place == Place::standard_output ? "standard output" : escape_controls(spec.path)) {
  adopt(std::move(fd));
}

Result<std::unique_ptr<Receiver>> FileReceiver::open(const Spec& spec) {
  if (spec.place == Place::standard_output) {
    Fd fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd.valid()) return fail(ErrorClass::runtime, "cannot write events to standard output: {}", errno_text(errno));
    return std::make_unique<FileReceiver>(std::move(fd), spec);
  }
  auto fd = open_for_writing(spec);
  if (!fd) return fail(fd.error());
  return std::make_unique<FileReceiver>(std::move(*fd), spec);
}

void FileReceiver::adopt(Fd fd) {
  fd_ = std::move(fd);
  regular_file_ = is_regular(fd_.get());
  cut_.reset();
  line_open_ = false;
  if (spec_.place == Place::file) adopt_tail();
}

// A crash or a full disk may have left the file with a cut line.
void FileReceiver::adopt_tail() {
  if (!regular_file_ || spec_.encoding != Encoding::json_lines) return;
  const Fd reading(::open(spec_.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!reading.valid()) return;
  const off_t size = ::lseek(reading.get(), 0, SEEK_END);
  char last = '\n';
  if (size > 0 && ::pread(reading.get(), &last, 1, size - 1) == 1) line_open_ = last != '\n';
}

bool FileReceiver::was_moved() const {
  if (spec_.place != Place::file || !regular_file_) return false;
  struct stat ours{};
  struct stat named{};
  if (::fstat(fd_.get(), &ours) != 0) return false;
  return ::stat(spec_.path.c_str(), &named) != 0 || ours.st_dev != named.st_dev || ours.st_ino != named.st_ino;
}

// The old file stays in use where a new one cannot be had.
Result<void> FileReceiver::open_anew() {
  auto fd = open_for_writing(spec_);
  if (!fd) return fail(fd.error());
  adopt(std::move(*fd));
  return {};
}

void FileReceiver::idle() {
  if (!reopen_asked_.exchange(false) || !was_moved()) return;
  if (const auto opened = open_anew(); !opened) log::warning("{}; the old file stays in use", opened.error().message);
}

Result<void> FileReceiver::rotate_for(std::size_t octets) {
  struct stat status{};
  if (spec_.rotate == 0 || !regular_file_ || ::fstat(fd_.get(), &status) != 0 || status.st_size == 0 ||
      static_cast<std::uint64_t>(status.st_size) + octets <= spec_.rotate) {
    return {};
  }
  for (unsigned number = spec_.keep; number > 1; --number) {
    ::rename(aside(spec_.path, number - 1).c_str(), aside(spec_.path, number).c_str());
  }
  if (::rename(spec_.path.c_str(), aside(spec_.path, 1).c_str()) != 0) {
    // Events are worth more than the size of their file.
    log::warning("{} cannot be set aside and grows on: {}", name_, errno_text(errno));
    spec_.rotate = 0;
    return {};
  }
  return open_anew();
}

bool FileReceiver::goes_on(const std::string& record) const {
  return cut_ && cut_->record == record && (!regular_file_ || size_of(fd_.get()) == cut_->size);
}

// A JSON line is closed by the next write; nothing may follow the beginning of a frame.
void FileReceiver::give_up_cut() {
  if (cut_ && spec_.encoding != Encoding::json_lines) finished_ = true;
  cut_.reset();
}

// A frame is taken back from a file: whoever reads it meanwhile would take it for damage.
void FileReceiver::keep_cut(const std::string& record, std::string_view octets, const WriteOutcome& outcome) {
  const std::int64_t size = regular_file_ ? size_of(fd_.get()) : 0;
  if (regular_file_ && spec_.encoding != Encoding::json_lines) {
    if (outcome.written == 0) return;
    finished_ = ::ftruncate(fd_.get(), size - static_cast<off_t>(outcome.written)) != 0;
    return;
  }
  if (outcome.written > 0 && spec_.encoding == Encoding::json_lines) line_open_ = octets[outcome.written - 1] != '\n';
  cut_ = Cut{record, std::string(octets.substr(outcome.written)), size};
  // What another reader of a FIFO gets begins with a whole record.
  if (outcome.error == EPIPE) give_up_cut();
}

Result<void> FileReceiver::write(const std::string& record) {
  const bool continued = goes_on(record);
  if (!continued) give_up_cut();
  if (finished_) return fail(ErrorClass::runtime, "writing an event to {}: it takes no more", name_);
  std::string other;  // octets than those of the record
  if (continued) {
    other = std::move(cut_->rest);
  } else {
    if (const auto rotated = rotate_for(record.size()); !rotated) return rotated;
    if (line_open_) other = "\n" + record;
  }
  const std::string& octets = other.empty() ? record : other;
  const auto patience = stalled_ ? std::chrono::milliseconds{0} : patience_;
  const WriteOutcome outcome = write_all(fd_.get(), octets, regular_file_, patience);
  stalled_ = outcome.error == ETIMEDOUT;
  cut_.reset();
  if (outcome.complete()) {
    line_open_ = false;
    return {};
  }
  if (continued || outcome.written > 0) keep_cut(record, octets, outcome);
  // A FIFO may get another reader; a pipe on standard output may not.
  if (outcome.error == EPIPE && spec_.place == Place::standard_output) finished_ = true;
  return fail(ErrorClass::runtime, "writing an event to {}: {}", name_, outcome.reason());
}

Result<std::string> FileReceiver::encode(const event::Event& event) const {
  return encode_record(event, spec_.encoding, spec_.format);
}

Delivery FileReceiver::deliver(std::span<const std::string> records) {
  reopen_asked_ = false;
  if (was_moved()) {
    if (const auto opened = open_anew(); !opened) {
      return {.error = opened.error(), .wait = local_pause};
    }
  }
  return deliver_each(records, [this](const std::string& record) { return write(record); });
}

}  // namespace nslookout::sink
