#include "capture/capture_file.h"

#include <pcap/pcap.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>

#include "capture/pcapng.h"

namespace nslookout::capture {
namespace {

class PcapSource final : public PacketSource {
 public:
  explicit PcapSource(pcap_t* handle) : handle_(handle), link_type_(pcap_datalink(handle)) {}
  PcapSource(const PcapSource&) = delete;
  PcapSource& operator=(const PcapSource&) = delete;
  ~PcapSource() override { pcap_close(handle_); }

  Result<std::optional<Frame>> next() override {
    pcap_pkthdr* header = nullptr;
    const u_char* octets = nullptr;
    const int outcome = pcap_next_ex(handle_, &header, &octets);
    if (outcome == PCAP_ERROR_BREAK) return std::nullopt;
    if (outcome != 1) return fail(ErrorClass::invalid, "{}", pcap_geterr(handle_));
    Frame frame;
    frame.link_type = link_type_;
    // Opened with nanoseconds, which then stand in the field for microseconds.
    frame.time = WallTime{std::chrono::seconds{header->ts.tv_sec} + std::chrono::nanoseconds{header->ts.tv_usec}};
    frame.octets = Octets(octets, header->caplen);
    frame.original_length = std::max<std::size_t>(header->len, header->caplen);
    return frame;
  }

 private:
  pcap_t* handle_;
  int link_type_;
};

FilePointer open_file(const std::string& path) {
  if (path != "-") return FilePointer(std::fopen(path.c_str(), "rbe"));
  const int duplicate = ::dup(STDIN_FILENO);
  return FilePointer(duplicate < 0 ? nullptr : ::fdopen(duplicate, "rb"));
}

Result<std::unique_ptr<PacketSource>> open_pcap(FilePointer file) {
  char reason[PCAP_ERRBUF_SIZE] = {};
  pcap_t* handle = pcap_fopen_offline_with_tstamp_precision(file.get(), PCAP_TSTAMP_PRECISION_NANO, reason);
  if (handle == nullptr) return fail(ErrorClass::invalid, "this is no pcap or pcapng file ({})", reason);
  // pcap_close closes the file from here on.
  [[maybe_unused]] std::FILE* given_away = file.release();
  return std::make_unique<PcapSource>(handle);
}

}  // namespace

Result<CaptureFile> CaptureFile::open(const std::string& path) {
  FilePointer file = open_file(path);
  if (!file) return fail(ErrorClass::runtime, "the file cannot be opened: {}", errno_text(errno));
  // The first octet tells a pcapng file (its first block has a type for that purpose) from every variant of pcap.
  const int first = std::fgetc(file.get());
  if (first == EOF) {
    if (std::ferror(file.get()) != 0)
      return fail(ErrorClass::runtime, "the file cannot be read: {}", errno_text(errno));
    return fail(ErrorClass::invalid, "the file is empty, and no capture");
  }
  std::ungetc(first, file.get());
  auto source = first == pcapng_first_octet ? open_pcapng(std::move(file)) : open_pcap(std::move(file));
  if (!source) return fail(source.error());
  return CaptureFile(std::move(*source));
}

std::string link_type_name(int link_type) {
  const char* name = pcap_datalink_val_to_name(link_type);
  return name != nullptr ? fmt::format("{} ({})", name, link_type) : fmt::format("number {}", link_type);
}

}  // namespace nslookout::capture
