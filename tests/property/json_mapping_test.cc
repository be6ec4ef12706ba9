// The writer of an event's JSON against protobuf's own, on random messages of the schema: the same octets.
// NSLOOKOUT_PROPERTY_SEED and NSLOOKOUT_PROPERTY_ROUNDS repeat or extend a run.
#include <gtest/gtest.h>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <random>
#include <set>
#include <string>

#include <unistr.h>

#include "event/json_mapping.h"
#include "event/proto.h"
#include "tests/property/environment.h"
#include "tests/unit/event_samples.h"

namespace nslookout::event {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::TimeUtil;
using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t limit) {
  return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random);
}

std::string by_protobuf(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &text, options).ok());
  return text;
}

std::string by_us(const Message& message) {
  std::string text;
  append_json(message, text);
  return text;
}

std::string character(std::uint32_t number) {
  std::uint8_t octets[6];
  const int length = u8_uctomb(octets, number, sizeof octets);
  return length <= 0 ? "" : std::string(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(length));
}

std::string random_text(Random& random) {
  static constexpr std::uint64_t ends[] = {0x20, 0x80, 0xA0, 0x700, 0x2100, 0x10000, 0x110000};
  std::string text;
  for (std::uint64_t left = below(random, 12); left > 0; --left) {
    text += character(static_cast<std::uint32_t>(below(random, ends[below(random, std::size(ends))])));
  }
  return text;
}

// Whole, in thousandths and in millionths now and then.
std::int64_t random_nanoseconds(Random& random, std::int64_t most) {
  static constexpr std::int64_t units[] = {1, 1000, 1'000'000, 1'000'000'000};
  const std::int64_t unit = units[below(random, std::size(units))];
  const auto any = static_cast<std::int64_t>(below(random, static_cast<std::uint64_t>(most)));
  return (below(random, 2) == 0 ? any : -any) / unit * unit;
}

void fill_randomly(Random& random, Message& message, int depth);

void fill_field(Random& random, Message& message, const FieldDescriptor& field, int depth) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.is_repeated()) return reflection.AddString(&message, &field, random_text(random));
      return reflection.SetString(&message, &field, random_text(random));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth == 0) return;
      if (field.is_repeated()) return fill_randomly(random, *reflection.AddMessage(&message, &field), depth - 1);
      return fill_randomly(random, *reflection.MutableMessage(&message, &field), depth - 1);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(&message, &field, below(random, 2) == 0);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnumValue(&message, &field, static_cast<int>(below(random, 12)));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(&message, &field, static_cast<std::uint32_t>(random() >> below(random, 64)));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(&message, &field, random() >> below(random, 64));
    default:
      FAIL() << field.full_name() << " is of a type that the writer does not have";
  }
}

void fill_randomly(Random& random, Message& message, int depth) {
  constexpr std::int64_t century = std::int64_t{100} * 366 * 86400 * 1'000'000'000;
  if (auto* time = dynamic_cast<google::protobuf::Timestamp*>(&message)) {
    *time = TimeUtil::NanosecondsToTimestamp(random_nanoseconds(random, 2 * century));
    return;
  }
  if (auto* duration = dynamic_cast<google::protobuf::Duration*>(&message)) {
    *duration = TimeUtil::NanosecondsToDuration(random_nanoseconds(random, century));
    return;
  }
  const Descriptor& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    // one entry of a map: the order of more is nobody's
    const std::uint64_t most = field.is_repeated() && !field.is_map() ? 3 : 1;
    for (std::uint64_t left = below(random, most + 1); left > 0; --left) fill_field(random, message, field, depth);
  }
}

TEST(JsonMapping, IsThatOfProtobufOctetByOctet) {
  const std::uint64_t seed = from_environment("NSLOOKOUT_PROPERTY_SEED", 20261130);
  const std::uint64_t rounds = from_environment("NSLOOKOUT_PROPERTY_ROUNDS", 2000);
  Random random(seed);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    v1::Event event;
    fill_randomly(random, event, 4);
    ASSERT_EQ(by_us(event), by_protobuf(event)) << "seed " << seed << ", round " << round;
  }
}

TEST(JsonMapping, AnEventOfEverythingAndOneOfNothing) {
  v1::Event event;
  EXPECT_EQ(by_us(event), "{}");
  fill(event, full_event());
  EXPECT_EQ(by_us(event), by_protobuf(event));
}

TEST(JsonMapping, EveryCharacterOfUnicode) {
  v1::Event event;
  for (std::uint32_t number = 0; number < 0x110000; number += 64) {
    std::string text;
    for (std::uint32_t i = 0; i < 64; ++i) text += character(number + i);
    event.set_event_id(text);
    ASSERT_EQ(by_us(event), by_protobuf(event)) << "from U+" << std::hex << number;
  }
}

}  // namespace
}  // namespace nslookout::event
