#include "sink/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include <zlib.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/text.h"

namespace nslookout::sink {
namespace {

constexpr std::string_view suffix = ".records";
constexpr std::size_t header_octets = 8;
constexpr std::uint64_t max_record_octets = 16u << 20;
constexpr std::uint64_t smallest_segment = 4096;
constexpr std::uint64_t largest_segment = 16u << 20;
constexpr std::uint64_t parts_of_cap = 16;

using Header = std::array<unsigned char, header_octets>;

void put32(unsigned char* at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<unsigned char>(value >> (8 * i));
}

std::uint32_t get32(const unsigned char* at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(at[i]) << (8 * i);
  return value;
}

std::uint32_t checksum(const unsigned char* length, std::string_view octets) {
  uLong crc = ::crc32(0, length, 4);
  crc = ::crc32(crc, reinterpret_cast<const Bytef*>(octets.data()), static_cast<uInt>(octets.size()));
  return static_cast<std::uint32_t>(crc);
}

std::string framed(const std::string& record) {
  Header header{};
  put32(header.data(), static_cast<std::uint32_t>(record.size()));
  put32(header.data() + 4, checksum(header.data(), record));
  return std::string(reinterpret_cast<const char*>(header.data()), header.size()) + record;
}

bool read_exactly(int fd, void* to, std::size_t count, std::uint64_t offset) {
  std::size_t got = 0;
  while (got < count) {
    const ssize_t part = ::pread(fd, static_cast<char*>(to) + got, count - got, static_cast<off_t>(offset + got));
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) return false;
    got += static_cast<std::size_t>(part);
  }
  return true;
}

// The record at the offset, if a whole and sound one ends by `end`.
bool read_framed(int fd, std::uint64_t offset, std::uint64_t end, std::string& record) {
  Header header{};
  if (offset + header_octets > end || !read_exactly(fd, header.data(), header.size(), offset)) return false;
  const std::uint32_t length = get32(header.data());
  if (length > max_record_octets || offset + header_octets + length > end) return false;
  record.resize(length);
  return read_exactly(fd, record.data(), length, offset + header_octets) &&
         checksum(header.data(), record) == get32(header.data() + 4);
}

std::optional<std::uint64_t> number_of_segment(const std::string& name) {
  if (!name.ends_with(suffix)) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = name.data() + name.size() - suffix.size();
  const auto [at, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc{} || at != end) return std::nullopt;
  return number;
}

}  // namespace

Spool::Spool(std::string folder, std::uint64_t cap_octets)
    : folder_(std::move(folder)),
      cap_(cap_octets),
      segment_octets_(std::clamp(cap_octets / parts_of_cap, smallest_segment, largest_segment)) {}

std::string Spool::segment_path(std::uint64_t first) const {
  return fmt::format("{}/{:020}{}", folder_, first, suffix);
}

Result<Fd> Spool::open_file(const std::string& path, int flags) const {
  Fd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return fail(ErrorClass::runtime, "spool {}: cannot open {}: {}; name a folder that this user may write",
                escape_controls(folder_), escape_controls(path.substr(folder_.size() + 1)), errno_text(errno));
  }
  return fd;
}

Result<std::shared_ptr<Spool>> Spool::open(const std::string& folder, std::uint64_t cap_octets) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(ErrorClass::runtime, "spool {}: {}; name a folder whose parent exists and can be written",
                escape_controls(folder), errno_text(errno));
  }
  std::shared_ptr<Spool> spool(new Spool(folder, cap_octets));
  if (auto locked = spool->lock(); !locked) return fail(locked.error());
  if (auto found = spool->find_segments(); !found) return fail(found.error());
  if (auto adopted = spool->adopt_last_segment(); !adopted) return fail(adopted.error());
  auto position = spool->open_file(folder + "/position", O_RDWR | O_CREAT);
  if (!position) return fail(position.error());
  spool->position_ = std::move(*position);
  spool->read_position();
  spool->write_position();  // it has its place on the disk, also when that is full later
  spool->tell_sizes();
  return spool;
}

Result<void> Spool::lock() {
  auto fd = open_file(folder_ + "/lock", O_RDWR | O_CREAT);
  if (!fd) return fail(fd.error());
  lock_ = std::move(*fd);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorClass::runtime, "spool {}: another output or process uses it; name another folder",
                escape_controls(folder_));
  }
  return {};
}

Result<void> Spool::find_segments() {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    const auto first = number_of_segment(at->path().filename().string());
    std::error_code no_size;
    if (first) segments_.push_back({*first, std::filesystem::file_size(at->path(), no_size)});
  }
  if (error) return fail(ErrorClass::runtime, "spool {}: {}", escape_controls(folder_), error.message());
  std::ranges::sort(segments_, {}, &Segment::first);
  return {};
}

// The last segment may end in a record that a crash cut.
Result<void> Spool::adopt_last_segment() {
  if (segments_.empty()) return start_segment(0);
  Segment& last = segments_.back();
  auto fd = open_file(segment_path(last.first), O_RDWR | O_APPEND);
  if (!fd) return fail(fd.error());
  written_ = std::move(*fd);
  std::uint64_t offset = 0;
  next_to_write_ = last.first;
  std::string record;
  while (read_framed(written_.get(), offset, last.size, record)) {
    offset += header_octets + record.size();
    ++next_to_write_;
  }
  if (offset < last.size) {
    ++damaged_;
    log::warning("spool {}: the last {} are damaged and were cut off; at least one event is lost",
                 escape_controls(folder_), counted(last.size - offset, "octet"));
    if (::ftruncate(written_.get(), static_cast<off_t>(offset)) != 0) {
      return fail(ErrorClass::runtime, "spool {}: {}", escape_controls(folder_), errno_text(errno));
    }
    last.size = offset;
  }
  return {};
}

Result<void> Spool::start_segment(std::uint64_t first) {
  auto fd = open_file(segment_path(first), O_RDWR | O_APPEND | O_CREAT | O_EXCL);
  if (!fd) return fail(fd.error());
  full_segment_ = std::move(written_);
  written_ = std::move(*fd);
  segments_.push_back({first, 0});
  next_to_write_ = first;
  return {};
}

// A position that is missing or not one of these segments': from the oldest record on, which may repeat some.
void Spool::read_position() {
  std::array<char, 64> text{};
  std::uint64_t number = 0;
  std::uint64_t offset = 0;
  const ssize_t got = ::pread(position_.get(), text.data(), text.size() - 1, 0);
  if (got > 0 && std::sscanf(text.data(), "%" SCNu64 " %" SCNu64, &number, &offset) == 2) {
    std::size_t i = segments_.size() - 1;
    while (i > 0 && segments_[i].first > number) --i;
    // It was written as the end of the segment before, if this one was not there yet.
    if (segments_[i].first == number) offset = 0;
    if (segments_[i].first <= number && number <= next_to_write_ && offset <= segments_[i].size) {
      reading_ = i;
      next_to_take_ = next_to_deliver_ = number;
      read_offset_ = delivered_offset_ = offset;
      remove_delivered();
      return;
    }
  }
  next_to_take_ = next_to_deliver_ = segments_.front().first;
}

bool Spool::put_position() {
  const std::string text = fmt::format("{:020} {:020}\n", next_to_deliver_, delivered_offset_);
  return ::pwrite(position_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

void Spool::write_position() {
  const bool before = std::exchange(position_written_, put_position());
  if (before && !position_written_) {
    log::warning("spool {}: its position cannot be written ({}); a restart would deliver events twice",
                 escape_controls(folder_), errno_text(errno));
  }
}

// A full one stays so until there is room for a segment: it would else take the small records and refuse the large ones.
bool Spool::is_full_for(std::uint64_t octets) {
  std::uint64_t used = octets;
  for (const Segment& segment : segments_) used += segment.size;
  full_ = used + (full_ ? segment_octets_ : 0) > cap_;
  return full_;
}

int Spool::write_frame(const std::string& frame) {
  Segment& last = segments_.back();
  const ssize_t wrote = ::write(written_.get(), frame.data(), frame.size());
  if (wrote == static_cast<ssize_t>(frame.size())) {
    last.size += frame.size();
    return 0;
  }
  const int error = wrote < 0 ? errno : ENOSPC;
  if (wrote > 0 && ::ftruncate(written_.get(), static_cast<off_t>(last.size)) != 0) {
    // Nothing may follow a cut record.
    last.size += static_cast<std::uint64_t>(wrote);
    static_cast<void>(start_segment(next_to_write_));
  }
  return error;
}

// Gives the disk back what delivered records take, where no others are left: whether there was something. Else a disk that is
// full before the first segment is would stay so for ever.
bool Spool::empty_last_segment() {
  Segment& last = segments_.back();
  if (segments_.size() > 1 || next_to_deliver_ != next_to_write_ || last.size == 0) return false;
  if (::ftruncate(written_.get(), 0) != 0) return false;
  // Without its new name the numbers begin anew after a restart, which costs nothing: there is no record.
  if (::rename(segment_path(last.first).c_str(), segment_path(next_to_write_).c_str()) == 0)
    last.first = next_to_write_;
  last.size = 0;
  read_.reset();
  read_offset_ = delivered_offset_ = 0;
  write_position();
  return true;
}

Result<void> Spool::append(const std::string& record) {
  const std::string frame = framed(record);
  const auto appended = append_frame(frame);
  // Without the lock: a disk may take its time.
  if (full_segment_.valid()) ::fdatasync(full_segment_.get());
  full_segment_.reset();
  return appended;
}

Result<void> Spool::append_frame(const std::string& frame) {
  const std::lock_guard lock(mutex_);
  if (frame.size() > header_octets + max_record_octets || is_full_for(frame.size())) {
    return fail(ErrorClass::runtime, "spool {}: full ({} octets)", escape_controls(folder_), cap_);
  }
  if (segments_.back().size >= segment_octets_) {
    if (auto started = start_segment(next_to_write_); !started) return started;
  }
  int error = write_frame(frame);
  if (error == ENOSPC && empty_last_segment()) error = write_frame(frame);
  if (error == 0) ++next_to_write_;
  unsynced_ = true;
  tell_sizes();
  if (error != 0) return fail(ErrorClass::runtime, "spool {}: {}", escape_controls(folder_), errno_text(error));
  changed_.notify_all();
  return {};
}

bool Spool::open_for_reading() {
  if (read_.valid()) return true;
  auto fd = open_file(segment_path(segments_[reading_].first), O_RDONLY);
  if (fd) read_ = std::move(*fd);
  return read_.valid();
}

// Moves on over the ends of segments. False: nothing more, or damage (which is not the end of the segment).
bool Spool::read_record(std::string& record) {
  while (reading_ + 1 < segments_.size() && next_to_take_ >= segments_[reading_ + 1].first) next_segment_to_read();
  if (next_to_take_ >= next_to_write_ || !open_for_reading()) return false;
  if (!read_framed(read_.get(), read_offset_, segments_[reading_].size, record)) return false;
  read_offset_ += header_octets + record.size();
  ++next_to_take_;
  taken_.push_back({next_to_take_, read_offset_});
  return true;
}

void Spool::next_segment_to_read() {
  ++reading_;
  read_.reset();
  read_offset_ = 0;
  next_to_take_ = segments_[reading_].first;
}

// The rest of a segment that cannot be read is lost; what is written after it is not.
void Spool::skip_damage() {
  const bool last = reading_ + 1 == segments_.size();
  const std::uint64_t next = last ? next_to_write_ : segments_[reading_ + 1].first;
  damaged_ += next - next_to_take_;
  log::error("spool {}: {} cannot be read back and are lost", escape_controls(folder_),
             counted(next - next_to_take_, "event"));
  next_to_take_ = next;
  read_offset_ = segments_[reading_].size;
  if (taken_.empty()) {
    next_to_deliver_ = next_to_take_;
    delivered_offset_ = read_offset_;
  } else {
    taken_.back().next_number = next_to_take_;
    taken_.back().next_offset = read_offset_;
  }
}

std::vector<std::string> Spool::take(const BatchLimits& limits) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || woken_ || next_to_take_ < next_to_write_; });
  woken_ = false;
  std::vector<std::string> records;
  std::size_t octets = 0;
  while (records.size() < limits.records && octets < limits.octets && next_to_take_ < next_to_write_) {
    std::string record;
    if (read_record(record)) {
      octets += record.size();
      records.push_back(std::move(record));
    } else if (next_to_take_ < next_to_write_) {
      skip_damage();
    }
  }
  tell_sizes();
  return records;
}

void Spool::done(std::size_t count) {
  const std::lock_guard lock(mutex_);
  for (; count > 0 && !taken_.empty(); --count) {
    next_to_deliver_ = taken_.front().next_number;
    delivered_offset_ = taken_.front().next_offset;
    taken_.pop_front();
  }
  remove_delivered();
  write_position();
  tell_sizes();
}

// Segments before the one that holds the next record to deliver; the last one is kept.
void Spool::remove_delivered() {
  while (segments_.size() > 1 && segments_[1].first <= next_to_deliver_) {
    ::unlink(segment_path(segments_.front().first).c_str());
    segments_.pop_front();
    if (reading_ > 0) {
      --reading_;
    } else {
      read_.reset();
      read_offset_ = 0;
      next_to_take_ = std::max(next_to_take_, segments_.front().first);
    }
    if (segments_.front().first == next_to_deliver_) delivered_offset_ = 0;
  }
}

void Spool::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void Spool::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool Spool::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Spool::tell_sizes() {
  std::uint64_t octets = 0;
  for (const Segment& segment : segments_) octets += segment.size;
  octets_ = octets;
  waiting_ = next_to_write_ - next_to_deliver_;
}

// Nobody else replaces the file that is written.
void Spool::sync() {
  if (std::exchange(unsynced_, false)) ::fdatasync(written_.get());
}

}  // namespace nslookout::sink
