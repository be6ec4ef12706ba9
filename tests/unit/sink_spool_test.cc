#include "sink/spool.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "sink_fixture.h"

namespace nslookout::sink {
namespace {

using Records = std::vector<std::string>;

constexpr std::uint64_t roomy = 16u << 20;
constexpr BatchLimits few{.records = 3};

class SinkSpool : public SinkTest {
 protected:
  [[nodiscard]] std::shared_ptr<Spool> open(std::uint64_t cap = roomy) const {
    auto spool = Spool::open(path("spool"), cap);
    EXPECT_TRUE(spool) << spool.error().message;
    return spool ? *spool : nullptr;
  }

  static void append(Spool& spool, int from, int to, std::size_t width = 100) {
    for (int i = from; i < to; ++i) ASSERT_TRUE(spool.append(record(i, width)));
  }

  static std::string record(int number, std::size_t width = 100) {
    std::string text = std::to_string(number);
    text.resize(std::max(width, text.size()), '.');
    return text;
  }

  // The numbers of what it holds, all delivered.
  static std::vector<int> drain(Spool& spool) {
    spool.close();
    std::vector<int> numbers;
    for (Records taken; !(taken = spool.take(few)).empty();) {
      for (const std::string& text : taken) numbers.push_back(std::stoi(text));
      spool.done(taken.size());
    }
    return numbers;
  }

  static std::vector<int> range(int from, int to) {
    std::vector<int> numbers;
    for (int i = from; i < to; ++i) numbers.push_back(i);
    return numbers;
  }

  [[nodiscard]] std::vector<std::filesystem::path> segments() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(path("spool"))) {
      if (entry.path().extension() == ".records") found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
  }
};

TEST_F(SinkSpool, GivesBackInOrderWhatItTook) {
  const auto spool = open();
  append(*spool, 0, 10);
  EXPECT_EQ(spool->waiting(), 10u);
  EXPECT_EQ(drain(*spool), range(0, 10));
  EXPECT_EQ(spool->waiting(), 0u);
  struct stat status{};
  ASSERT_EQ(::stat(path("spool").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
}

TEST_F(SinkSpool, CarriesAnyOctets) {
  const std::string octets("\0\n\xff{}", 5);
  const auto spool = open();
  ASSERT_TRUE(spool->append(octets));
  ASSERT_TRUE(spool->append(""));
  EXPECT_EQ(spool->take(few), (Records{octets, ""}));
}

TEST_F(SinkSpool, SurvivesARestartWithWhatWasNotDelivered) {
  {
    const auto spool = open();
    append(*spool, 0, 10);
    EXPECT_EQ(spool->take(few).size(), 3u);
    spool->done(2);
  }
  const auto spool = open();
  EXPECT_EQ(spool->waiting(), 8u);
  append(*spool, 10, 12);
  EXPECT_EQ(drain(*spool), range(2, 12));
}

TEST_F(SinkSpool, SpansSegmentsAndRemovesThoseThatWereDelivered) {
  const auto spool = open(65536);  // segments of 4096 octets
  append(*spool, 0, 300);
  EXPECT_GT(segments().size(), 5u);
  EXPECT_EQ(drain(*spool), range(0, 300));
  EXPECT_EQ(segments().size(), 1u);
  EXPECT_LT(spool->octets(), 8192u);
}

TEST_F(SinkSpool, RestartsInsideAnySegment) {
  for (int delivered = 0; delivered < 120; delivered += 7) {
    std::filesystem::remove_all(path("spool"));
    {
      const auto spool = open(65536);
      append(*spool, 0, 120);
      for (int done = 0; done < delivered; ++done) {
        ASSERT_EQ(spool->take({.records = 1}).size(), 1u);
        spool->done(1);
      }
    }
    const auto spool = open(65536);
    EXPECT_EQ(drain(*spool), range(delivered, 120)) << delivered;
  }
}

// The position is then the end of that segment, which is also the beginning of the next.
TEST_F(SinkSpool, RestartsAfterASegmentThatWasDeliveredToItsEnd) {
  int count = 0;
  {
    const auto spool = open(65536);
    for (; spool->octets() < 4096; ++count) append(*spool, count, count + 1);
    while (spool->waiting() > 0) spool->done(spool->take(few).size());
    append(*spool, count, count + 60);  // the next segment is as long, and there is one behind it
  }
  const auto spool = open(65536);
  EXPECT_EQ(drain(*spool), range(count, count + 60));
  EXPECT_EQ(spool->damaged(), 0u);
}

TEST_F(SinkSpool, RefusesWhatIsOverItsCapAndGoesOnWhenThereIsRoom) {
  const auto spool = open(65536);
  int held = 0;
  while (held < 2000 && spool->append(record(held))) ++held;
  EXPECT_GT(held, 550);  // 108 octets each
  EXPECT_LT(held, 610);
  EXPECT_LE(spool->octets(), 65536u);
  const auto full = spool->append(record(held));
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().message.find("full (65536 octets)"), std::string::npos) << full.error().message;
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(spool->take({.records = 1}).size(), 1u);
    spool->done(1);
  }
  EXPECT_TRUE(spool->append(record(held)));
  EXPECT_EQ(drain(*spool), range(200, held + 1));
}

TEST_F(SinkSpool, OnceFullStaysSoForSmallRecordsUntilASegmentHasGone) {
  const auto spool = open(65536);
  int held = 0;
  while (held < 200 && spool->append(record(held, 1000))) ++held;
  EXPECT_FALSE(spool->append(record(held, 1)));
  ASSERT_EQ(spool->take({.records = 1}).size(), 1u);
  spool->done(1);
  EXPECT_FALSE(spool->append(record(held, 1)));
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(spool->take({.records = 1}).size(), 1u);
    spool->done(1);
  }
  EXPECT_TRUE(spool->append(record(held, 1)));
  EXPECT_EQ(drain(*spool), range(11, held + 1));
}

TEST_F(SinkSpool, IsOfOneOutput) {
  const auto spool = open();
  const auto second = Spool::open(path("spool"), roomy);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("another output or process uses it; name another folder"), std::string::npos);
}

TEST_F(SinkSpool, SaysWhyAFolderCannotBeUsed) {
  const auto missing = Spool::open(path("no/such"), roomy);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("name a folder whose parent exists"), std::string::npos)
      << missing.error().message;
  std::ofstream(path("file")) << "x";
  EXPECT_FALSE(Spool::open(path("file"), roomy));
}

// What a crash or a bad disk can leave of ten records: the octets of the one segment are changed by `damage`.
struct Damage {
  const char* name;
  void (*damage)(std::string& octets);
  std::vector<int> left;
  bool counted;
};

TEST_F(SinkSpool, ADamagedTailCostsItselfAlone) {
  const Damage cases[] = {
      {"whole", [](std::string&) {}, range(0, 10), false},
      {"last octet cut", [](std::string& octets) { octets.pop_back(); }, range(0, 9), true},
      {"header cut", [](std::string& octets) { octets.resize(octets.size() - 105); }, range(0, 9), true},
      {"garbage behind", [](std::string& octets) { octets += "garbage"; }, range(0, 10), true},
      {"zeros behind", [](std::string& octets) { octets.append(4096, '\0'); }, range(0, 10), true},
      {"huge length behind", [](std::string& octets) { octets.append(16, '\xff'); }, range(0, 10), true},
      {"a bit of the last", [](std::string& octets) { octets[octets.size() - 50] ^= 1; }, range(0, 9), true},
      {"a bit of the first", [](std::string& octets) { octets[50] ^= 1; }, {}, true},
      {"empty", [](std::string& octets) { octets.clear(); }, {}, false},
  };
  for (const Damage& one : cases) {
    std::filesystem::remove_all(path("spool"));
    append(*open(), 0, 10);
    const std::string file = segments().at(0).string();
    std::string octets = contents(file);
    one.damage(octets);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << octets;

    const auto spool = open();
    EXPECT_EQ(spool->damaged() > 0, one.counted) << one.name;
    append(*spool, 100, 102);
    std::vector<int> expected = one.left;
    expected.insert(expected.end(), {100, 101});
    EXPECT_EQ(drain(*spool), expected) << one.name;
  }
}

TEST_F(SinkSpool, DamageInsideCostsTheRestOfItsSegmentAndIsCountedExactly) {
  append(*open(65536), 0, 120);
  const auto files = segments();
  ASSERT_GE(files.size(), 3u);
  const int second = std::stoi(files[1].stem().string());
  const int third = std::stoi(files[2].stem().string());
  std::string octets = contents(files[1].string());
  octets[108 + 50] ^= 1;  // its second record
  std::ofstream(files[1], std::ios::binary | std::ios::trunc) << octets;

  const auto spool = open(65536);
  std::vector<int> expected = range(0, second + 1);
  const std::vector<int> rest = range(third, 120);
  expected.insert(expected.end(), rest.begin(), rest.end());
  EXPECT_EQ(drain(*spool), expected);
  EXPECT_EQ(spool->damaged(), static_cast<std::uint64_t>(third - second - 1));
}

TEST_F(SinkSpool, WithoutAUsablePositionItBeginsWithTheOldest) {
  for (const char* position : {"", "x", "99999999999999999999 1\n", "00000000000000000003 99999999\n"}) {
    std::filesystem::remove_all(path("spool"));
    append(*open(), 0, 10);
    std::ofstream(path("spool/position"), std::ios::trunc) << position;
    const auto spool = open();
    EXPECT_EQ(drain(*spool), range(0, 10)) << position;
  }
}

}  // namespace
}  // namespace nslookout::sink
