// A pcap or pcapng file, packet by packet.
//
// pcap (also its variants with nanoseconds, of either byte order) is read by libpcap. pcapng is read here (pcapng.h),
// since libpcap refuses files whose interfaces differ in link type, as those of `tcpdump -i any` beside an Ethernet
// interface do, and whose sections differ in byte order.
//
//   auto file = CaptureFile::open("lookups.pcap");
//   for (;;) { auto frame = file->next(); if (!frame) …damaged…; if (!*frame) break; … }
//
// Thread rule: one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "capture/frame.h"

namespace nslookout::capture {

// What reads one format.
class PacketSource {
 public:
  PacketSource() = default;
  PacketSource(const PacketSource&) = delete;
  PacketSource& operator=(const PacketSource&) = delete;
  PacketSource(PacketSource&&) = delete;
  PacketSource& operator=(PacketSource&&) = delete;
  virtual ~PacketSource() = default;

  [[nodiscard]] virtual Result<std::optional<Frame>> next() = 0;
};

class CaptureFile {
 public:
  // "-" is standard input. Errors: runtime (cannot be opened or read), invalid (not a capture).
  [[nodiscard]] static Result<CaptureFile> open(const std::string& path);

  // Nothing at the end. Error (invalid): the file ends within a packet, or is damaged; the packets so far are good, and
  // there are no more.
  [[nodiscard]] Result<std::optional<Frame>> next() { return source_->next(); }

 private:
  explicit CaptureFile(std::unique_ptr<PacketSource> source) : source_(std::move(source)) {}

  std::unique_ptr<PacketSource> source_;
};

// The name of a link type, "IEEE802_11", or its number where it has none.
[[nodiscard]] std::string link_type_name(int link_type);

}  // namespace nslookout::capture
