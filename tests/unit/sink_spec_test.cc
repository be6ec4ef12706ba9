#include <gtest/gtest.h>

#include <string>

#include "sink/sink.h"
#include "sink/spec.h"

namespace nslookout::sink {
namespace {

struct GoodSpec {
  const char* text;
  Spec expected;
};

TEST(SinkSpec, IsRead) {
  const GoodSpec cases[] = {
      {"stdout", {Place::standard_output, Encoding::json_lines, ""}},
      {"stdout?format=native", {Place::standard_output, Encoding::json_lines, ""}},
      {"jsonl:/var/log/e.jsonl", {Place::file, Encoding::json_lines, "/var/log/e.jsonl"}},
      {"jsonl:relative:with:colons", {Place::file, Encoding::json_lines, "relative:with:colons"}},
      {"jsonl:-", {Place::standard_output, Encoding::json_lines, ""}},
      {"protobuf:/tmp/e.pb?format=native", {Place::file, Encoding::protobuf, "/tmp/e.pb"}},
      {"protobuf:-", {Place::standard_output, Encoding::protobuf, ""}},
      {"unix:/run/reader.sock", {Place::unix_socket, Encoding::json_lines, "/run/reader.sock"}},
      {"unix:/run/r?encoding=protobuf", {Place::unix_socket, Encoding::protobuf, "/run/r"}},
      {"unix:/run/r?encoding=json&format=native", {Place::unix_socket, Encoding::json_lines, "/run/r"}},
  };
  for (const GoodSpec& good : cases) {
    const auto spec = parse_spec(good.text);
    ASSERT_TRUE(spec) << good.text << ": " << spec.error().message;
    EXPECT_TRUE(*spec == good.expected) << good.text;
  }
}

struct BadSpec {
  std::string text;
  const char* says;
};

TEST(SinkSpec, IsRefusedWithWhatToDo) {
  const BadSpec cases[] = {
      {"", "use one of stdout, jsonl:FILE, protobuf:FILE, unix:SOCKET"},
      {"file:/tmp/x", "use one of stdout"},
      {"/tmp/x", "use one of stdout"},
      {"jsonl", "lacks a path"},
      {"jsonl:", "lacks a path"},
      {"unix:?encoding=json", "lacks a path"},
      {"stdout:/tmp/x", "use jsonl:FILE for a file"},
      {"otlp:http://localhost:4317", "no otlp output"},
      {"kafka:broker:9092/topic", "no kafka output"},
      {"syslog:udp://10.0.0.1", "no syslog output"},
      {"journald", "no journald output"},
      {"jsonl:/tmp/x?format=ecs", "format=native only, not ecs"},
      {"stdout?format=ocsf", "format=native only, not ocsf"},
      {"stdout?format=xml", "unknown option \"format=xml\""},
      {"jsonl:/tmp/x?encoding=protobuf", "unknown option"},
      {"unix:" + std::string(108, 'x'), "at most 107 octets"},
  };
  for (const BadSpec& bad : cases) {
    const auto opened = open_sink(bad.text);
    ASSERT_FALSE(opened) << bad.text;
    EXPECT_EQ(opened.error().kind, ErrorClass::usage) << bad.text;
    EXPECT_NE(opened.error().message.find(bad.says), std::string::npos) << bad.text << " -> " << opened.error().message;
    EXPECT_EQ(opened.error().message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace nslookout::sink
