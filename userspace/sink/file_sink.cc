#include "sink/file_sink.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/escape.h"
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

Result<Fd> open_path(const std::string& path) {
  // Non-blocking so that a FIFO without a reader is an error now, not an agent that never starts.
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  Fd fd(::open(path.c_str(), flags, 0600));
  if (!fd.valid()) {
    return fail(ErrorClass::runtime, "cannot write events to {}: {}", escape_controls(path),
                escape_controls(open_problem(path, errno)));
  }
  return fd;
}

bool is_regular(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

FileSink::FileSink(Fd fd, const Spec& spec)
    : fd_(std::move(fd)),
      spec_(spec),
      name_(spec.place == Place::standard_output ? "standard output" : escape_controls(spec.path)),
      regular_file_(is_regular(fd_.get())) {}

Result<std::unique_ptr<Sink>> FileSink::open(const Spec& spec) {
  if (spec.place == Place::standard_output) {
    Fd fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd.valid()) return fail(ErrorClass::runtime, "cannot write events to standard output: {}", errno_text(errno));
    return std::make_unique<FileSink>(std::move(fd), spec);
  }
  auto fd = open_path(spec.path);
  if (!fd) return fail(fd.error());
  // Frames are mended by cutting the file (mend), which a second writer would not survive.
  const bool exclusive = spec.encoding == Encoding::protobuf && is_regular(fd->get());
  if (exclusive && ::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorClass::runtime, "cannot write events to {}: another process is writing it; name another file",
                escape_controls(spec.path));
  }
  auto sink = std::make_unique<FileSink>(std::move(*fd), spec);
  sink->adopt_tail();
  return sink;
}

// A crash or a full disk may have left the file with a cut line.
void FileSink::adopt_tail() {
  if (!regular_file_ || spec_.encoding != Encoding::json_lines) return;
  const Fd reading(::open(spec_.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!reading.valid()) return;
  const off_t size = ::lseek(reading.get(), 0, SEEK_END);
  char last = '\n';
  if (size > 0 && ::pread(reading.get(), &last, 1, size - 1) == 1) line_open_ = last != '\n';
}

// After a cut write: a JSON line is closed by the next write; a frame is cut off again, or, where it cannot be, nothing
// may follow it.
void FileSink::mend(std::string_view record, std::size_t written) {
  if (written == 0) return;
  if (spec_.encoding == Encoding::json_lines) {
    line_open_ = record[written - 1] != '\n';
    return;
  }
  struct stat status{};
  const bool cut = regular_file_ && ::fstat(fd_.get(), &status) == 0 &&
                   ::ftruncate(fd_.get(), status.st_size - static_cast<off_t>(written)) == 0;
  if (!cut) finished_ = true;
}

Result<void> FileSink::write(const event::Event& event) {
  if (finished_) return fail(ErrorClass::runtime, "writing an event to {}: it takes no more", name_);
  auto record = encode_record(event, spec_.encoding);
  if (!record) return fail(record.error());
  if (line_open_) record->insert(0, "\n");
  const auto patience = stalled_ ? std::chrono::milliseconds{0} : reader_patience;
  const WriteOutcome outcome = write_all(fd_.get(), *record, regular_file_, patience);
  stalled_ = outcome.error == ETIMEDOUT;
  if (outcome.complete()) {
    line_open_ = false;
    return {};
  }
  mend(*record, outcome.written);
  // A FIFO may get another reader; a pipe on standard output may not.
  if (outcome.error == EPIPE && spec_.place == Place::standard_output) finished_ = true;
  return fail(ErrorClass::runtime, "writing an event to {}: {}", name_, outcome.reason());
}

}  // namespace nslookout::sink
