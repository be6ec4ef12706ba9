#include <algorithm>

#include "base/dns_name.h"
#include "harness.h"
#include "wire.h"
#include "wire_shapes.h"

namespace nslookout::kernel_test {

namespace {

// labels, then the zone of this run.
std::string in_zone(std::vector<std::string> labels) {
  auto wire = wire_labels(labels);
  wire.pop_back();
  return wire + wire_name(zone());
}

ListedName exact(const std::string& wire) { return {.wire = ascii_lower(wire), .exact = true}; }
ListedName below(const std::string& wire) { return {.wire = ascii_lower(wire), .below = true}; }

// One query for name, which is to come out as sent.
WireShape comes(std::string shape, const std::string& name, std::vector<ListedName> listed = {}) {
  return {
      .name = std::move(shape), .datagrams = {query(name)}, .wanted = {{.name = name}}, .listed = std::move(listed)};
}

WireShape stays(std::string shape, const std::string& name, std::vector<ListedName> listed = {}) {
  return {.name = std::move(shape), .datagrams = {query(name)}, .listed = std::move(listed)};
}

std::string longest_name() {
  std::vector<std::string> labels(3, std::string(63, 'x'));
  labels.emplace_back(61, 'y');
  return wire_labels(labels);  // 3 * 64 + 62 + 1 = 255
}

std::string most_labels() { return wire_labels(std::vector<std::string>(NSL_LABELS_MAX, "z")); }

std::string reverse_v6() {
  std::vector<std::string> labels;
  for (int i = 0; i < 32; ++i) labels.emplace_back(1, "0123456789abcdef"[(i * 7) % 16]);
  labels.insert(labels.end(), {"ip6", "arpa"});
  return wire_labels(labels);
}

std::string mixed_case(std::string name) {
  // Length octets are below 'A' for every label here, so folding never touches them.
  for (std::size_t i = 0; i < name.size(); i += 2) {
    if (name[i] >= 'a' && name[i] <= 'z') name[i] = static_cast<char>(name[i] - 'a' + 'A');
  }
  return name;
}

std::vector<WireShape> label_length_shapes() {
  std::vector<WireShape> shapes;
  for (const std::size_t length : {1, 2, 7, 8, 9, 13, 14, 15, 16, 17, 31, 32, 33, 46, 47, 62, 63}) {
    shapes.push_back(comes(fmt::format("label_length_{}", length), in_zone({std::string(length, 'l')})));
  }
  const auto all = in_zone({std::string(13, 'a'), std::string(14, 'b'), std::string(33, 'c'), std::string(46, 'd')});
  shapes.push_back(comes("label_lengths_that_look_like_text", all));
  return shapes;
}

std::vector<WireShape> depth_shapes() {
  std::vector<WireShape> shapes;
  for (const std::size_t depth : {6, 7, 8, 9, 10, 16, 64}) {
    const auto name = wire_labels(std::vector<std::string>(depth, fmt::format("d{}", depth % 10)));
    shapes.push_back(comes(fmt::format("exact_depth_{}", depth), name, {exact(name)}));
    shapes.push_back(comes(fmt::format("below_depth_{}", depth), "\1w" + name, {below(name)}));
  }
  return shapes;
}

}  // namespace

std::vector<WireShape> name_shapes() {
  using std::string_literals::operator""s;
  const auto evil = wire_name("evil." + zone());
  std::vector<WireShape> shapes = {
      comes("name_of_255_octets", longest_name(), {exact(longest_name())}),
      comes("name_of_255_octets_below", longest_name(), {below(wire_labels({std::string(61, 'y')}))}),
      comes("labels_127", most_labels(), {exact(most_labels())}),
      comes("labels_127_below", most_labels(), {below(wire_labels({"z", "z"}))}),
      comes("reverse_v6_34_labels", reverse_v6(), {exact(reverse_v6())}),
      comes("label_with_nul", in_zone({"q\0enhk-dnsotls-ds"s})),
      comes("label_with_dot", in_zone({"a.b"})),
      comes("label_with_backslash", in_zone({"a\\b"})),
      comes("label_with_0xff", in_zone({"\xff\xfe\x80"})),
      comes("label_with_newline_and_escape", in_zone({"a\n\x1b[31m\""})),
      comes("label_of_nuls", in_zone({std::string(8, '\0')})),
      comes("label_with_space_and_utf8", in_zone({"My Printer \xc3\xa9", "_ipp", "_tcp"})),
      comes("underscore_labels", in_zone({"_acme-challenge"})),
      comes("punycode_label", in_zone({"xn--bcher-kva"})),
      comes("mixed_case", mixed_case(in_zone({"sfrclak", "mixedcaselabel"}))),
      comes("upper_case_reverse_v4", wire_name("8.193.93.128.IN-ADDR.ARPA"), {below(wire_name("93.128.in-addr.arpa"))}),
      comes("exact_entry_hits_its_name", evil, {exact(evil)}),
      stays("exact_entry_misses_below", "\1a" + evil, {exact(evil)}),
      stays("exact_entry_misses_above", wire_name(zone()), {exact(evil)}),
      comes("below_entry_hits_below", "\1a" + evil, {below(evil)}),
      comes("below_entry_hits_far_below", "\1a\1b\1c\1d\1e\1f" + evil, {below(evil)}),
      stays("below_entry_misses_its_name", evil, {below(evil)}),
      stays("below_entry_wants_a_label_boundary", wire_name("notevil." + zone()), {below(evil)}),
      stays("longer_name_with_listed_prefix", wire_name("evil." + zone() + ".example"), {exact(evil), below(evil)}),
      stays("name_not_listed", wire_name("www.example.com")),
      stays("root_query", wire_name(".")),
      stays("single_label", wire_name("localhost")),
      stays("the_dot_is_not_a_boundary", wire_labels({"evil." + zone()}), {exact(evil), below(evil)}),
  };
  for (auto& more : {label_length_shapes(), depth_shapes()}) shapes.insert(shapes.end(), more.begin(), more.end());
  return shapes;
}

}  // namespace nslookout::kernel_test
