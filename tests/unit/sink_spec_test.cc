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
      {"stdout?format=ecs", {Place::standard_output, Encoding::json_lines, "", encode::Format::ecs}},
      {"jsonl:/tmp/e?format=ocsf", {Place::file, Encoding::json_lines, "/tmp/e", encode::Format::ocsf}},
      {"unix:/run/r?encoding=json&format=native", {Place::unix_socket, Encoding::json_lines, "/run/r"}},
  };
  for (const GoodSpec& good : cases) {
    const auto spec = parse_spec(good.text);
    ASSERT_TRUE(spec) << good.text << ": " << spec.error().message;
    EXPECT_TRUE(*spec == good.expected) << good.text;
  }
}

Spec with(Place place, void (*set)(Spec& spec)) {
  Spec spec;
  spec.place = place;
  set(spec);
  return spec;
}

struct GoodNetworkSpec {
  const char* text;
  Place place;
  void (*expected)(Spec& spec);
};

TEST(SinkSpec, OfTheNetworkIsRead) {
  const GoodNetworkSpec cases[] = {
      {"syslog:udp://192.0.2.1", Place::syslog, [](Spec& s) { s.host = "192.0.2.1", s.port = 514; }},
      {"syslog:tcp://log.example:1514/", Place::syslog,
       [](Spec& s) { s.transport = Transport::tcp, s.host = "log.example", s.port = 1514; }},
      {"syslog:tls://[2001:db8::1]:6514?ca=/ca.pem&cert=/c&key=/k&facility=authpriv", Place::syslog,
       [](Spec& s) {
         s.transport = Transport::tls, s.host = "2001:db8::1", s.port = 6514, s.ca = "/ca.pem", s.certificate = "/c",
         s.key = "/k", s.facility = 10;
       }},
      {"syslog:tls://[::1]", Place::syslog,
       [](Spec& s) { s.transport = Transport::tls, s.host = "::1", s.port = 6514; }},
      {"syslog:udp://h?facility=local7", Place::syslog, [](Spec& s) { s.host = "h", s.port = 514, s.facility = 23; }},
      {"journald", Place::journald, [](Spec&) {}},
      {"journald:/tmp/j?format=ecs", Place::journald,
       [](Spec& s) { s.path = "/tmp/j", s.format = encode::Format::ecs; }},
      {"otlp:http://localhost:4318", Place::otlp, [](Spec& s) { s.url = "http://localhost:4318/v1/logs"; }},
      {"otlp:https://c/?gzip=off", Place::otlp, [](Spec& s) { s.url = "https://c/v1/logs", s.gzip = false; }},
      {"otlp:https://c/otlp/v1/logs?headers=/h", Place::otlp,
       [](Spec& s) { s.url = "https://c/otlp/v1/logs", s.headers_file = "/h"; }},
      {"kafka:a:9092,b:9092/dns?spool=/s&spool_cap=1G&queue=1M&tls=on&properties=/p", Place::kafka,
       [](Spec& s) {
         s.brokers = "a:9092,b:9092", s.topic = "dns", s.spool = "/s", s.spool_cap = 1u << 30,
         s.queue_octets = 1u << 20, s.tls = true, s.properties_file = "/p";
       }},
      {"jsonl:/e?rotate=10M&keep=3&mode=0640", Place::file,
       [](Spec& s) { s.path = "/e", s.rotate = 10u << 20, s.keep = 3, s.mode = 0640; }},
  };
  for (const GoodNetworkSpec& good : cases) {
    const auto spec = parse_spec(good.text);
    ASSERT_TRUE(spec) << good.text << ": " << spec.error().message;
    EXPECT_TRUE(*spec == with(good.place, good.expected)) << good.text;
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
      {"otlp:", "name the collector's URL"},
      {"otlp:localhost:4318", "name the collector's URL"},
      {"otlp:ftp://localhost", "name the collector's URL"},
      {"otlp:https://user:secret@host", "headers=FILE"},
      {"kafka:broker:9092", "name brokers and a topic"},
      {"kafka:/topic", "name brokers and a topic"},
      {"kafka:broker/", "name brokers and a topic"},
      {"kafka:broker/a topic", "name brokers and a topic"},
      {"syslog:", "name the way and the receiver"},
      {"syslog:10.0.0.1", "name the way and the receiver"},
      {"syslog:dtls://10.0.0.1", "name the way and the receiver"},
      {"syslog:udp://", "lacks the receiver's host"},
      {"syslog:udp://:514", "lacks the receiver's host"},
      {"syslog:tcp://host:port", "\"port\" is no port"},
      {"syslog:tcp://host:0", "no port"},
      {"syslog:tcp://host:65536", "no port"},
      {"syslog:tcp://host?ca=/ca.pem", "use syslog:tls://"},
      {"syslog:tls://host?cert=/c.pem", "cert and key go together"},
      {"otlp:http://host?ca=/ca.pem", "use otlp:https://"},
      {"otlp:https://host?key=/k.pem", "cert and key go together"},
      {"kafka:broker/t?cert=/c.pem", "cert and key go together"},
      {"syslog:udp://host?facility=local8", "a facility of syslog"},
      {"journald:" + std::string(108, 'x'), "at most 107 octets"},
      {"jsonl:/tmp/x?rotate=1", "a size of at least 4096 octets"},
      {"jsonl:/tmp/x?rotate=10MB", "such as 64K, 10M or 1G"},
      {"jsonl:/tmp/x?rotate=99999999999G", "such as 64K, 10M or 1G"},
      {"jsonl:/tmp/x?keep=0", "from 1 to 1000"},
      {"jsonl:/tmp/x?mode=0999", "a file mode in octal"},
      {"jsonl:/tmp/x?mode=0444", "its owner can write"},
      {"jsonl:/tmp/x?spool=/tmp/s", "it has no option \"spool\"; it has format, queue, mode, rotate, keep"},
      {"stdout?rotate=10M", "it has no option \"rotate\"; it has format, queue"},
      {"kafka:b/t?tls=yes", "tls is on or off, not \"yes\""},
      {"otlp:http://h?gzip=1", "gzip is on or off"},
      {"otlp:http://h?spool=", "spool is a path"},
      {"otlp:http://h?spool_cap=1K", "at least 65536 octets"},
      {"otlp:http://h?spool_cap=1G", "add spool=FOLDER"},
      {"jsonl:/tmp/x?keep=3", "add rotate=10M"},
      {"kafka:b/t?tls=off&ca=/ca.pem", "tls is off"},
      {"stdout?queue=1M&queue=2M", "queue is given twice"},
      {"stdout?queue=1K", "at least 65536 octets"},
      {"protobuf:/tmp/x?format=ecs", "protobuf has format=native alone"},
      {"unix:/tmp/x?format=ocsf&encoding=protobuf", "protobuf has format=native alone"},
      {"stdout?format=xml", "format is native, ecs or ocsf, not \"xml\""},
      {"jsonl:/tmp/x?encoding=protobuf", "it has no option \"encoding\""},
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
