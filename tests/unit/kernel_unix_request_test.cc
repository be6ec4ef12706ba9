#include "kernel/unix_request.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/dns_name.h"

namespace nslookout::kernel {
namespace {

using std::string_literals::operator""s;

nsl_unix_request request_of(nsl_transport resolver, const std::string& octets) {
  nsl_unix_request request{};
  request.candidate.transport = static_cast<nsl_u8>(resolver);
  request.candidate.listener = 77;
  request.candidate.sender.process.tgid = 4711;
  request.length = static_cast<nsl_u32>(octets.size());
  std::memcpy(request.octets, octets.data(), std::min<std::size_t>(octets.size(), NSL_REQUEST_MAX));
  return request;
}

// "name/type", joined by blanks, then "unread N" if there are any.
std::string read_as(nsl_transport resolver, const std::string& octets) {
  const UnixLookups found = lookups_of(request_of(resolver, octets));
  std::string text;
  for (const nsl_candidate& lookup : found.lookups) {
    const std::string_view wire(reinterpret_cast<const char*>(lookup.name), lookup.name_length);
    EXPECT_TRUE(is_wire_name(wire));
    EXPECT_EQ(lookup.sender.process.tgid, 4711U);
    EXPECT_EQ(lookup.listener, 77U);
    text += fmt::format("{}{}/{}", text.empty() ? "" : " ", wire_to_presentation(wire), lookup.record_type);
  }
  if (found.unread > 0) text += fmt::format("{}unread {}", text.empty() ? "" : " ", found.unread);
  return text;
}

std::string call(const std::string& method, const std::string& parameters) {
  return fmt::format(R"({{"method":"io.systemd.Resolve.{}","parameters":{}}})", method, parameters) + '\0';
}

std::string nscd(std::uint32_t type, const std::string& key, std::uint32_t version = 2) {
  const std::uint32_t header[] = {version, type, static_cast<std::uint32_t>(key.size())};
  return std::string(reinterpret_cast<const char*>(header), sizeof header) + key;
}

struct Case {
  std::string octets;
  std::string read;
};

TEST(UnixRequest, Varlink) {
  const std::string long_label(64, 'a');
  const std::vector<Case> cases = {
      {call("ResolveHostname", R"({"name":"Foo.test","flags":0})"), "Foo.test/0"},
      {call("ResolveHostname", R"({"name":"foo.test.","family":2})"), "foo.test/1"},
      {call("ResolveHostname", R"({"name":"foo.test","family":10})"), "foo.test/28"},
      {call("ResolveHostname", R"({"name":"foo.test","family":0})"), "foo.test/0"},
      {call("ResolveHostname", R"({"name":"foo\u002etest"})"), "foo.test/0"},
      {call("ResolveHostname", R"({"name":"bücher.test"})"), "xn--bcher-kva.test/0"},
      {call("ResolveAddress", R"({"address":[127,0,0,1],"family":2})"), "1.0.0.127.in-addr.arpa/12"},
      {call("ResolveAddress", R"({"address":[32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1],"family":10})"),
       "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa/12"},
      {call("ResolveRecord", R"({"name":"foo.test","type":16})"), "foo.test/16"},
      {call("ResolveService", R"({"name":null,"type":"_ldap._tcp","domain":"foo.test"})"), "_ldap._tcp.foo.test/33"},
      {call("ResolveHostname", R"({"name":"a.test"})") + call("ResolveHostname", R"({"name":"b.test","family":2})"),
       "a.test/0 b.test/1"},
      {R"({"parameters":{"name":"foo.test"},"more":true,"method":"io.systemd.Resolve.ResolveHostname"})"s + '\0',
       "foo.test/0"},
      // No lookups.
      {call("FlushCaches", "{}"), ""},
      {"", ""},
      // Lookups that cannot be read.
      {call("ResolveHostname", R"({"name":7})"), "unread 1"},
      {call("ResolveHostname", R"({})"), "unread 1"},
      {call("ResolveHostname", R"([])"), "unread 1"},
      {call("ResolveHostname", R"({"name":"a..b"})"), "unread 1"},
      {call("ResolveHostname", R"({"name":")" + long_label + R"("})"), "unread 1"},
      {call("ResolveAddress", R"({"address":[1,2,3]})"), "unread 1"},
      {call("ResolveAddress", R"({"address":[1,2,3,256]})"), "unread 1"},
      {call("ResolveRecord", R"({"name":"foo.test","type":70000})"), "unread 1"},
      {R"({"method":"io.systemd.Resolve.ResolveHostname","parame)", "unread 1"},
      {R"(ters":{"name":"foo.test"}})"s + '\0', "unread 1"},
      {std::string(40, '[') + '\0', "unread 1"},
      {std::string(2000, 'x'), "unread 1"},
      {"\xff\xfe\0"s, "unread 1"},
      {"\0\0"s, "unread 2"},
  };
  for (const Case& example : cases) EXPECT_EQ(read_as(NSL_VARLINK, example.octets), example.read) << example.octets;
}

TEST(UnixRequest, Nscd) {
  const std::vector<Case> cases = {
      {nscd(4, "foo.test\0"s), "foo.test/1"},
      {nscd(5, "foo.test\0"s), "foo.test/28"},
      {nscd(14, "foo.test\0"s), "foo.test/0"},
      {nscd(14, "foo.test"s), "foo.test/0"},
      {nscd(6, "\x7f\0\0\1"s), "1.0.0.127.in-addr.arpa/12"},
      {nscd(14, "foo.test\0"s) + "more", "foo.test/0"},
      {nscd(14, ""), "unread 1"},
      {nscd(6, "\x7f\0\1"s), "unread 1"},
      {nscd(0, "root\0"s), "unread 1"},
      {nscd(14, "foo.test\0"s).substr(0, 15), "unread 1"},
      {"\2\0\0\0"s, "unread 1"},
      {nscd(14, "a..b\0"s), "unread 1"},
  };
  for (const Case& example : cases) EXPECT_EQ(read_as(NSL_NSCD, example.octets), example.read) << example.octets;
}

}  // namespace
}  // namespace nslookout::kernel
