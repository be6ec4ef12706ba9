#include <gtest/gtest.h>

#include <string>

#include "base/grpc_call.h"

namespace nslookout {
namespace {

using std::string_literals::operator""s;

TEST(GrpcCall, AMessageIsPrefixedByItsLength) {
  EXPECT_EQ(grpc_framed(""), "\0\0\0\0\0"s);
  EXPECT_EQ(grpc_framed("abc"), "\0\0\0\0\3abc"s);
  EXPECT_EQ(grpc_framed(std::string(0x10203, 'x')).substr(0, 5), "\0\0\1\2\3"s);
}

TEST(GrpcCall, MessagesAreTakenOffAStreamOneByOne) {
  std::string octets = grpc_framed("one") + grpc_framed("") + grpc_framed("three");
  const std::string last = octets.substr(octets.size() - 2);
  octets.resize(octets.size() - 2);
  for (const char* wanted : {"one", ""}) {
    const auto message = take_grpc_message(octets, 10);
    ASSERT_TRUE(message && *message);
    EXPECT_EQ(**message, wanted);
  }
  auto message = take_grpc_message(octets, 10);
  ASSERT_TRUE(message);
  EXPECT_FALSE(*message) << "not there yet";
  octets += last;
  message = take_grpc_message(octets, 10);
  ASSERT_TRUE(message && *message);
  EXPECT_EQ(**message, "three");
  EXPECT_TRUE(octets.empty());
}

TEST(GrpcCall, WhatCannotBeReadIsAnError) {
  std::string compressed = "\1\0\0\0\1x"s;
  EXPECT_FALSE(take_grpc_message(compressed, 10));
  std::string too_long = "\0\xff\xff\xff\xff"s;
  EXPECT_FALSE(take_grpc_message(too_long, 10));
  std::string short_prefix = "\0\0\0\0"s;
  EXPECT_TRUE(take_grpc_message(short_prefix, 10));
}

}  // namespace
}  // namespace nslookout
