// kernel/ring_records.h: what records of any size are taken for.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "kernel/ring_records.h"

namespace nslookout::kernel {
namespace {

// Aligned as the ring's records are.
class Record {
 public:
  template <typename Structure>
  explicit Record(const Structure& structure, std::size_t size = sizeof(Structure))
      : words_((size + 7) / 8), size_(size) {
    std::memcpy(words_.data(), &structure, std::min(size, sizeof structure));
  }
  Record& append(std::string_view octets) {
    words_.resize((size_ + octets.size() + 7) / 8);
    std::memcpy(reinterpret_cast<char*>(words_.data()) + size_, octets.data(), octets.size());
    size_ += octets.size();
    return *this;
  }
  operator std::string_view() const { return {reinterpret_cast<const char*>(words_.data()), size_}; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_;
};

TEST(RingRecords, ACandidateIsTakenWholeOrNotAtAll) {
  nsl_candidate candidate{};
  candidate.id = 7;
  std::vector<int> ids;
  const auto handler = [&](const nsl_candidate& taken) { ids.push_back(taken.id); };
  EXPECT_EQ(take_candidates(Record(candidate), handler), 0u);
  EXPECT_EQ(take_candidates(Record(candidate).append("        "), handler), 0u);
  EXPECT_EQ(take_candidates(Record(candidate, sizeof candidate - 1), handler), 0u);
  EXPECT_EQ(take_candidates({}, handler), 0u);
  EXPECT_EQ(ids, (std::vector{7, 7}));
}

TEST(RingRecords, ARequestIsAsManyCandidatesAsItAsks) {
  nsl_unix_request request{};
  request.candidate.transport = NSL_NSCD;
  const std::string call = std::string("\x02\0\0\0\x04\0\0\0\x07\0\0\0", 12) + std::string("a.test\0", 7);
  std::memcpy(request.octets, call.data(), call.size());
  request.length = static_cast<nsl_u32>(call.size());
  std::size_t taken = 0;
  const auto handler = [&](const nsl_candidate&) { ++taken; };
  EXPECT_EQ(take_candidates(Record(request), handler), 0u);
  EXPECT_EQ(taken, 1u);
  request.length = 5;
  EXPECT_EQ(take_candidates(Record(request), handler), 1u) << "it is counted as not read";
  EXPECT_EQ(taken, 1u);
}

TEST(RingRecords, AResponseHasNoMoreThanItsRecord) {
  nsl_response response{};
  std::vector<std::string> messages;
  const auto handler = [&](const nsl_response&, std::string_view message) { messages.emplace_back(message); };
  for (const nsl_u32 length : {0U, 3U, 4U, 0xFFFFFFFFU}) {
    response.length = length;
    take_response(Record(response).append("abcd"), handler);
  }
  take_response(Record(response, sizeof response - 1), handler);
  EXPECT_EQ(messages, (std::vector<std::string>{"", "abc", "abcd", "abcd"}));
}

TEST(RingRecords, AWayAroundIsTakenWholeOrNotAtAll) {
  nsl_bypass bypass{};
  std::size_t taken = 0;
  const auto handler = [&](const nsl_bypass&) { ++taken; };
  take_bypass(Record(bypass), handler);
  take_bypass(Record(bypass, sizeof bypass - 1), handler);
  EXPECT_EQ(taken, 1u);
}

}  // namespace
}  // namespace nslookout::kernel
