// base/record_type.h: names and numbers of record types.
#include "base/record_type.h"

#include <gtest/gtest.h>

namespace nslookout {
namespace {

TEST(RecordType, NamesAndNumbers) {
  const struct {
    std::uint16_t number;
    const char* name;
  } cases[] = {{1, "A"},     {2, "NS"},    {5, "CNAME"},   {10, "NULL"},         {12, "PTR"},         {16, "TXT"},
               {28, "AAAA"}, {33, "SRV"},  {64, "SVCB"},   {65, "HTTPS"},        {255, "ANY"},        {256, "URI"},
               {257, "CAA"}, {0, "TYPE0"}, {54, "TYPE54"}, {65280, "TYPE65280"}, {65535, "TYPE65535"}};
  for (const auto& c : cases) {
    EXPECT_EQ(record_type_name(c.number), c.name);
    EXPECT_EQ(record_type_number(c.name), c.number) << c.name;
  }
}

TEST(RecordType, EveryNumberComesBack) {
  for (unsigned number = 0; number <= 65535; ++number) {
    const auto type = static_cast<std::uint16_t>(number);
    ASSERT_EQ(record_type_number(record_type_name(type)), type);
  }
}

TEST(RecordType, AnyCaseAndTheGenericForm) {
  EXPECT_EQ(record_type_number("https"), 65);
  EXPECT_EQ(record_type_number("TYPE28"), 28);
  EXPECT_EQ(record_type_number("type65280"), 65280);
  EXPECT_EQ(record_type_number("28"), 28) << "as Zeek's rules quote it";
  for (const char* wrong : {"", "TYPE", "TYPE65536", "TYPE1x", "TYPE-1", "BOGUS", "65536", "1x"}) {
    EXPECT_EQ(record_type_number(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace nslookout
