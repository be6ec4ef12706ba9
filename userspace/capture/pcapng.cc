#include "capture/pcapng.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace nslookout::capture {
namespace {

constexpr std::uint32_t section_header = 0x0A0D0D0A;
constexpr std::uint32_t interface_description = 1;
constexpr std::uint32_t obsolete_packet = 2;
constexpr std::uint32_t simple_packet = 3;
constexpr std::uint32_t enhanced_packet = 6;

constexpr std::uint32_t byte_order_magic = 0x1A2B3C4D;
constexpr std::size_t block_frame = 12;  // type and length before the body, the length again behind it
constexpr std::size_t largest_block = std::size_t{16} << 20;
constexpr std::size_t read_step = std::size_t{64} << 10;
constexpr std::uint16_t option_time_resolution = 9;
constexpr std::uint16_t option_time_offset = 14;

struct Interface {
  int link_type = 0;
  std::uint32_t snapshot_length = 0;  // 0: none
  std::uint8_t time_resolution = 6;   // 10^-n s, or 2^-n s with the highest bit set
  std::int64_t time_offset = 0;       // seconds
};

std::optional<WallTime> time_of(const Interface& interface, std::uint64_t units) {
  __extension__ using Wide = __int128;
  constexpr Wide second = 1'000'000'000;
  Wide nanoseconds = units;
  const unsigned exponent = interface.time_resolution & 0x7Fu;
  if ((interface.time_resolution & 0x80) != 0) {
    nanoseconds = exponent < 96 ? (nanoseconds * second) >> exponent : 0;
  } else {
    for (unsigned i = exponent; i < 9; ++i) nanoseconds *= 10;
    for (unsigned i = 9; i < exponent && nanoseconds != 0; ++i) nanoseconds /= 10;
  }
  nanoseconds += static_cast<Wide>(interface.time_offset) * second;
  if (nanoseconds < 0 || nanoseconds > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return WallTime{std::chrono::nanoseconds{static_cast<std::int64_t>(nanoseconds)}};
}

class PcapngSource final : public PacketSource {
 public:
  explicit PcapngSource(FilePointer file) : file_(std::move(file)) {}

  // The file is positioned at its first block.
  Result<void> begin() {
    auto more = read_block();
    if (!more) return fail(more.error());
    return {};
  }

  Result<std::optional<Frame>> next() override {
    for (;;) {
      const Result<bool> more = read_block();
      if (!more) return fail(more.error());
      if (!*more) return std::nullopt;
      Result<std::optional<Frame>> frame = take_block();
      if (!frame || *frame) return frame;
    }
  }

 private:
  // In the byte order of the section.
  [[nodiscard]] std::uint32_t number32(const std::uint8_t* at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return swapped_ ? __builtin_bswap32(value) : value;
  }
  [[nodiscard]] std::uint16_t number16(const std::uint8_t* at) const {
    std::uint16_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return swapped_ ? __builtin_bswap16(value) : value;
  }

  template <typename... Args>
  [[nodiscard]] auto damaged(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorClass::invalid, "the block at octet {} {}", block_at_,
                fmt::format(format, std::forward<Args>(args)...));
  }

  [[nodiscard]] bool read(std::uint8_t* to, std::size_t length) {
    const std::size_t got = std::fread(to, 1, length, file_.get());
    offset_ += got;
    return got == length;
  }

  [[nodiscard]] bool read_body(const std::uint8_t* first, std::size_t length);
  [[nodiscard]] Result<bool> read_block();
  [[nodiscard]] Result<void> read_section_header(std::uint8_t (&start)[block_frame]);
  [[nodiscard]] Result<std::optional<Frame>> take_block();
  [[nodiscard]] Result<void> add_interface();
  void read_interface_options(Interface& interface) const;
  [[nodiscard]] Result<std::optional<Frame>> stamped_packet();
  [[nodiscard]] Result<std::optional<Frame>> unstamped_packet();
  [[nodiscard]] Result<std::optional<Frame>> packet(const Interface& interface, std::size_t at, std::size_t length,
                                                    std::size_t original_length);

  FilePointer file_;
  bool in_section_ = false;
  bool swapped_ = false;
  std::vector<Interface> interfaces_;
  std::uint32_t type_ = 0;
  std::vector<std::uint8_t> body_;  // of the block
  std::uint64_t offset_ = 0;
  std::uint64_t block_at_ = 0;
};

// The body, its first four octets at hand. Memory is taken as octets come: a short file may claim a great deal.
bool PcapngSource::read_body(const std::uint8_t* first, std::size_t length) {
  body_.assign(first, first + 4);
  while (body_.size() < length) {
    const std::size_t before = body_.size();
    body_.resize(std::min(length, before + read_step));
    if (!read(body_.data() + before, body_.size() - before)) return false;
  }
  return true;
}

// Whether there is a block; then its type and body are set.
Result<bool> PcapngSource::read_block() {
  block_at_ = offset_;
  const int first = std::fgetc(file_.get());
  if (first == EOF && in_section_) return false;
  std::ungetc(first, file_.get());
  std::uint8_t start[block_frame] = {};
  const bool whole = read(start, sizeof start);
  if (!whole && in_section_) return damaged("is cut off");
  std::memcpy(&type_, start, sizeof type_);
  if (whole && type_ == section_header) {
    if (const auto header = read_section_header(start); !header) return fail(header.error());
  } else if (!in_section_) {
    return fail(ErrorClass::invalid, "this is no pcap or pcapng file (no section header)");
  }
  type_ = number32(start);
  const std::size_t length = number32(start + 4);
  if (length < block_frame || length % 4 != 0 || length > largest_block) {
    return damaged("has an impossible length, {}", length);
  }
  // Of the start, four octets belong to the body, or to the length behind an empty one.
  if (!read_body(start + 8, length - 8)) return damaged("is cut off");
  if (number32(body_.data() + body_.size() - 4) != length)
    return damaged("ends with another length than it begins with");
  body_.resize(length - block_frame);
  return true;
}

Result<void> PcapngSource::read_section_header(std::uint8_t (&start)[block_frame]) {
  std::uint32_t magic = 0;
  std::memcpy(&magic, start + 8, sizeof magic);
  if (magic != byte_order_magic && magic != __builtin_bswap32(byte_order_magic)) {
    return in_section_ ? damaged("is a section header without its magic number")
                       : fail(ErrorClass::invalid, "this is no pcap or pcapng file (no magic number)");
  }
  swapped_ = magic != byte_order_magic;
  interfaces_.clear();
  in_section_ = true;
  return {};
}

Result<std::optional<Frame>> PcapngSource::take_block() {
  switch (type_) {
    case interface_description:
      if (const auto added = add_interface(); !added) return fail(added.error());
      return std::nullopt;
    case enhanced_packet:
    case obsolete_packet:
      return stamped_packet();
    case simple_packet:
      return unstamped_packet();
    default:
      return std::nullopt;
  }
}

Result<void> PcapngSource::add_interface() {
  if (body_.size() < 8) return damaged("describes an interface and is too short");
  Interface interface;
  interface.link_type = number16(body_.data());
  interface.snapshot_length = number32(body_.data() + 4);
  read_interface_options(interface);
  interfaces_.push_back(interface);
  return {};
}

void PcapngSource::read_interface_options(Interface& interface) const {
  for (std::size_t at = 8; at + 4 <= body_.size();) {
    const std::uint16_t code = number16(body_.data() + at);
    const std::size_t length = number16(body_.data() + at + 2);
    const std::uint8_t* value = body_.data() + at + 4;
    at += 4 + (length + 3) / 4 * 4;
    if (code == 0 || at > body_.size()) return;
    if (code == option_time_resolution && length == 1) interface.time_resolution = *value;
    if (code == option_time_offset && length == 8) {
      const std::uint64_t low = number32(value + (swapped_ ? 4 : 0));
      const std::uint64_t high = number32(value + (swapped_ ? 0 : 4));
      interface.time_offset = static_cast<std::int64_t>(high << 32 | low);
    }
  }
}

// The enhanced packet block and its forerunner, which has a narrower interface number and the same places.
Result<std::optional<Frame>> PcapngSource::stamped_packet() {
  constexpr std::size_t header = 20;
  if (body_.size() < header) return damaged("holds a packet and is too short");
  const std::size_t number = type_ == enhanced_packet ? number32(body_.data()) : number16(body_.data());
  if (number >= interfaces_.size()) return damaged("names interface {}, which the file does not describe", number);
  const Interface& interface = interfaces_[number];
  const std::uint64_t units = static_cast<std::uint64_t>(number32(body_.data() + 4)) << 32 | number32(body_.data() + 8);
  auto frame = packet(interface, header, number32(body_.data() + 12), number32(body_.data() + 16));
  if (frame && *frame) (*frame)->time = time_of(interface, units);
  return frame;
}

Result<std::optional<Frame>> PcapngSource::unstamped_packet() {
  constexpr std::size_t header = 4;
  if (body_.size() < header) return damaged("holds a packet and is too short");
  if (interfaces_.empty()) return damaged("holds a packet of an interface that the file does not describe");
  const Interface& interface = interfaces_.front();
  const std::size_t original = number32(body_.data());
  std::size_t length = std::min(original, body_.size() - header);
  if (interface.snapshot_length != 0) length = std::min<std::size_t>(length, interface.snapshot_length);
  return packet(interface, header, length, original);
}

Result<std::optional<Frame>> PcapngSource::packet(const Interface& interface, std::size_t at, std::size_t length,
                                                  std::size_t original_length) {
  if (length > body_.size() - at) return damaged("is shorter than the packet it holds");
  Frame frame;
  frame.link_type = interface.link_type;
  frame.octets = Octets(body_).subspan(at, length);
  frame.original_length = std::max(original_length, length);
  return frame;
}

}  // namespace

Result<std::unique_ptr<PacketSource>> open_pcapng(FilePointer file) {
  auto source = std::make_unique<PcapngSource>(std::move(file));
  if (const auto begun = source->begin(); !begun) return fail(begun.error());
  return source;
}

}  // namespace nslookout::capture
