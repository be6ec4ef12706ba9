// capture/capture_file: pcap and pcapng files of every kind, whole and damaged -> packets.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "capture/capture_file.h"
#include "capture_packets.h"

namespace nslookout::capture {
namespace {

class CaptureFileTest : public testing::Test {
 protected:
  CaptureFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nslookout-capture-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~CaptureFileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // "link type, octets/original, nanoseconds" of each packet, and the error that ends them.
  std::vector<std::string> packets(const Bytes& contents) {
    const std::string path = (folder_ / "capture").string();
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(contents.data()), static_cast<std::streamsize>(contents.size()));
    std::vector<std::string> found;
    auto file = CaptureFile::open(path);
    if (!file) return {file.error().message};
    for (;;) {
      const auto frame = file->next();
      if (!frame) found.push_back(frame.error().message);
      if (!frame || !*frame) return found;
      const Frame& packet = **frame;
      found.push_back(fmt::format("{}, {}/{}, {}", packet.link_type, packet.octets.size(), packet.original_length,
                                  packet.time ? packet.time->time_since_epoch().count() : -1));
    }
  }

  std::filesystem::path folder_;
};

const Bytes frame = ethernet(ipv4(udp(query("a.test"))));  // 66 octets

Bytes reversed_words(Bytes octets) {
  for (std::size_t at = 0; at + 4 <= octets.size(); at += 4) {
    std::reverse(octets.begin() + static_cast<std::ptrdiff_t>(at),
                 octets.begin() + static_cast<std::ptrdiff_t>(at + 4));
  }
  return octets;
}

TEST_F(CaptureFileTest, Pcap) {
  EXPECT_EQ(packets(pcap_header()), (std::vector<std::string>{}));
  EXPECT_EQ(packets(pcap_header() + pcap_packet(frame) + pcap_packet(part(frame, 0, 40), 1, 2)),
            (std::vector<std::string>{"1, 66/66, 1700000000000005000", "1, 40/40, 1000002000"}));
  EXPECT_EQ(packets(pcap_header(113, 0xA1B23C4D) + pcap_packet(frame)),
            (std::vector<std::string>{"113, 66/66, 1700000000000000005"}))
      << "the magic number of nanoseconds";
  EXPECT_EQ(packets(pcap_header() + little32(1) + little32(0) + little32(66) + little32(1500) + frame),
            (std::vector<std::string>{"1, 66/1500, 1000000000"}));

  const Bytes swapped = big32(0xA1B2C3D4) + big16(2) + big16(4) + Bytes(8, 0) + big32(65535) + big32(101) +
                        reversed_words(part(pcap_packet(frame), 0, 16)) + frame;
  EXPECT_EQ(packets(swapped), (std::vector<std::string>{"12, 66/66, 1700000000000005000"}));
}

TEST_F(CaptureFileTest, PcapThatIsCutOff) {
  const Bytes whole = pcap_header() + pcap_packet(frame) + pcap_packet(frame);
  for (const std::size_t missing : {1u, 66u, 70u}) {
    const auto found = packets(part(whole, 0, whole.size() - missing));
    ASSERT_EQ(found.size(), 2u) << missing;
    EXPECT_EQ(found[0], "1, 66/66, 1700000000000005000");
    EXPECT_NE(found[1].find("truncated"), std::string::npos) << found[1];
  }
}

TEST_F(CaptureFileTest, Pcapng) {
  const Bytes nanoseconds = little16(9) + little16(1) + Bytes{9, 0, 0, 0};
  const Bytes halves = little16(9) + little16(1) + Bytes{0x81, 0, 0, 0};
  const Bytes an_hour_later = little16(14) + little16(8) + little32(3600) + little32(0) + Bytes(4, 0);
  const Bytes far_future = little16(14) + little16(8) + Bytes(7, 0xFF) + Bytes{0x7F};
  const Bytes other_block = pcapng_block(0xBAD, Bytes(10, 0x42));
  EXPECT_EQ(packets(pcapng_section()), (std::vector<std::string>{}));
  EXPECT_EQ(packets(pcapng_section() + pcapng_interface(1) + pcapng_interface(101, nanoseconds) +
                    pcapng_packet(0, 5, frame) + other_block + pcapng_packet(1, 7, part(frame, 14))),
            (std::vector<std::string>{"1, 66/66, 5000", "101, 52/52, 7"}))
      << "interfaces differ in link type and resolution";
  EXPECT_EQ(packets(pcapng_section() + pcapng_interface(1, halves) + pcapng_packet(0, 5, frame)),
            (std::vector<std::string>{"1, 66/66, 2500000000"}));
  EXPECT_EQ(packets(pcapng_section() + pcapng_interface(1, an_hour_later) + pcapng_packet(0, 5, frame)),
            (std::vector<std::string>{"1, 66/66, 3600000005000"}));
  EXPECT_EQ(packets(pcapng_section() + pcapng_interface(1, far_future) + pcapng_packet(0, 5, frame)),
            (std::vector<std::string>{"1, 66/66, -1"}))
      << "a time that no clock shows";
  EXPECT_EQ(packets(pcapng_section() + pcapng_interface(1) + pcapng_simple_packet(frame)),
            (std::vector<std::string>{"1, 66/66, -1"}));
  EXPECT_EQ(packets(pcapng_section() + pcapng_interface(1) + pcapng_packet(0, 5, frame) + pcapng_section() +
                    pcapng_interface(113) + pcapng_packet(0, 5, frame)),
            (std::vector<std::string>{"1, 66/66, 5000", "113, 66/66, 5000"}))
      << "a second section has interfaces of its own";

  const Bytes big_endian = big32(0x0A0D0D0A) + big32(28) + big32(0x1A2B3C4D) + big16(1) + big16(0) + Bytes(8, 0xFF) +
                           big32(28) + big32(1) + big32(20) + big16(276) + big16(0) + big32(0) + big32(20) + big32(3) +
                           big32(20) + big32(4) + Bytes{1, 2, 3, 4} + big32(20);
  EXPECT_EQ(packets(pcapng_section() + big_endian), (std::vector<std::string>{"276, 4/4, -1"}));
}

TEST_F(CaptureFileTest, PcapngThatIsDamaged) {
  const Bytes good = pcapng_section() + pcapng_interface(1) + pcapng_packet(0, 5, frame);  // 28 + 20 + 100 octets
  Bytes other_end = good + pcapng_packet(0, 5, frame);
  other_end[other_end.size() - 4] ^= 4;
  struct Case {
    Bytes contents;
    std::string error;
  };
  const std::vector<Case> cases = {
      {part(good + good, 0, 149), "the block at octet 148 is cut off"},
      {good + part(pcapng_packet(0, 5, frame), 0, 99), "the block at octet 148 is cut off"},
      {good + pcapng_packet(1, 5, frame), "the block at octet 148 names interface 1, which the file does not describe"},
      {good + little32(6) + little32(13) + Bytes(8, 0), "the block at octet 148 has an impossible length, 13"},
      {good + little32(6) + little32(0xFFFFFFF0) + Bytes(8, 0),
       "the block at octet 148 has an impossible length, 4294967280"},
      {other_end, "the block at octet 148 ends with another length than it begins with"},
      {good + pcapng_block(6, Bytes(16, 0)), "the block at octet 148 holds a packet and is too short"},
      {good + pcapng_block(6, Bytes(12, 0) + little32(40) + little32(40)),
       "the block at octet 148 is shorter than the packet it holds"},
      {good + pcapng_block(0x0A0D0D0A, Bytes(16, 0)),
       "the block at octet 148 is a section header without its magic number"},
      {good + pcapng_section() + pcapng_simple_packet(frame),
       "the block at octet 176 holds a packet of an interface that the file does not describe"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(packets(test.contents), (std::vector<std::string>{"1, 66/66, 5000", test.error}));
  }
}

TEST_F(CaptureFileTest, PcapngOfLongBlocks) {
  const Bytes beginning = pcapng_section() + pcapng_interface(1);       // 28 + 20 octets
  for (const std::size_t length : {65504u, 65508u, 65512u, 200000u}) {  // bodies around 64 KiB, which are read at once
    EXPECT_EQ(packets(beginning + pcapng_packet(0, 5, Bytes(length, 0x42)) + pcapng_packet(0, 6, frame)),
              (std::vector<std::string>{fmt::format("1, {0}/{0}, 5000", length), "1, 66/66, 6000"}));
  }
  EXPECT_EQ(packets(beginning + little32(6) + little32(16 << 20) + Bytes(100000, 0)),
            (std::vector<std::string>{"the block at octet 48 is cut off"}))
      << "less than it claims";
}

TEST_F(CaptureFileTest, WhatIsNoCapture) {
  EXPECT_EQ(packets({}), (std::vector<std::string>{"the file is empty, and no capture"}));
  for (const Bytes& contents : {Bytes{'t', 'e', 'x', 't'}, Bytes(100, 'x'), Bytes{'\n'},
                                Bytes{'\n', '\n'} + Bytes(99, 'x'), little32(0x0A0D0D0A) + Bytes(40, 0)}) {
    const auto found = packets(contents);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_TRUE(found[0].starts_with("this is no pcap or pcapng file (")) << found[0];
  }
  const auto absent = CaptureFile::open((folder_ / "absent").string());
  EXPECT_EQ(absent.error().kind, ErrorClass::runtime);
  EXPECT_EQ(absent.error().message, "the file cannot be opened: No such file or directory");
  EXPECT_EQ(CaptureFile::open(folder_.string()).error().message, "the file cannot be read: Is a directory");
}

}  // namespace
}  // namespace nslookout::capture
