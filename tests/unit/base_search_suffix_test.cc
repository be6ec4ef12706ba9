#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/dns_name.h"
#include "base/search_suffix.h"

namespace nslookout {
namespace {

using Texts = std::vector<std::string>;

std::vector<SearchSuffix> suffixes_of(const Texts& texts) {
  std::vector<SearchSuffix> suffixes;
  for (const std::string& text : texts) suffixes.push_back(parse_search_suffix(text).value());
  return suffixes;
}

struct ReadingsCase {
  const char* name;
  Texts suffixes;
  std::string query;  // presentation form
  Texts readings;     // "name|suffix"
};

class Readings : public testing::TestWithParam<ReadingsCase> {};

TEST_P(Readings, AreWhatIsBeforeASuffix) {
  const std::string wire = presentation_to_wire(GetParam().query).value();
  Texts readings;
  for (const NameReading& reading : readings_of(wire, suffixes_of(GetParam().suffixes))) {
    readings.push_back(wire_to_presentation(reading.wire) + "|" + wire_to_presentation(reading.suffix));
  }
  EXPECT_EQ(readings, GetParam().readings);
}

const Texts pod = {"default.svc.cluster.local", "svc.cluster.local", "cluster.local"};
const Texts node = {"*.svc.cluster.local", "svc.cluster.local", "cluster.local"};

INSTANTIATE_TEST_SUITE_P(
    Cases, Readings,
    testing::Values(
        ReadingsCase{"no_suffix_known", {}, "evil.com.cluster.local", {}},
        ReadingsCase{"another_suffix", pod, "evil.com.example.test", {}},
        ReadingsCase{"the_shortest", pod, "evil.com.cluster.local", {"evil.com|cluster.local"}},
        ReadingsCase{"a_name_before_a_part_of_a_longer_suffix_comes_first",
                     pod,
                     "evil.com.default.svc.cluster.local",
                     {"evil.com|default.svc.cluster.local", "evil.com.default|svc.cluster.local",
                      "evil.com.default.svc|cluster.local"}},
        ReadingsCase{
            "any_namespace_comes_first_where_it_leaves_a_top_level_domain",
            node,
            "evil.com.blue.svc.cluster.local",
            {"evil.com|blue.svc.cluster.local", "evil.com.blue|svc.cluster.local", "evil.com.blue.svc|cluster.local"}},
        ReadingsCase{"a_top_level_domain_is_no_namespace",
                     node,
                     "evil.com.svc.cluster.local",
                     {"evil.com|svc.cluster.local", "evil|com.svc.cluster.local", "evil.com.svc|cluster.local"}},
        ReadingsCase{"nothing_left", pod, "cluster.local", {}},
        ReadingsCase{"nothing_left_before_any_label", {"*.svc.test"}, "blue.svc.test", {}},
        ReadingsCase{"no_label_boundary", pod, "evil.comcluster.local", {}},
        ReadingsCase{"an_escaped_dot_is_none", pod, R"(evil\.cluster.local)", {}},
        ReadingsCase{"a_backslash_before_the_dot", pod, R"(evil\\.cluster.local)", {R"(evil\\|cluster.local)"}},
        ReadingsCase{"one_suffix_twice", {"a.test", "A.test."}, "x.a.test", {"x|a.test"}},
        ReadingsCase{"the_root", pod, ".", {}}),
    [](const auto& info) { return info.param.name; });

struct SuffixText {
  std::string text;
  std::string read;  // as it is written, or "" where it is refused
};

class SearchSuffixText : public testing::TestWithParam<SuffixText> {};

TEST_P(SearchSuffixText, IsReadOrRefused) {
  const auto suffix = parse_search_suffix(GetParam().text);
  EXPECT_EQ(suffix ? search_suffix_text(*suffix) : "", GetParam().read)
      << (suffix ? std::string() : suffix.error().message);
}

INSTANTIATE_TEST_SUITE_P(Cases, SearchSuffixText,
                         testing::Values(SuffixText{"Cluster.Local.", "cluster.local"}, SuffixText{".lan", "lan"},
                                         SuffixText{"bücher.test", "xn--bcher-kva.test"},
                                         SuffixText{"*.svc.cluster.local", "*.svc.cluster.local"},
                                         SuffixText{"a.b.c.d.e.f.g", "a.b.c.d.e.f.g"},
                                         SuffixText{"*.b.c.d.e.f.g", "*.b.c.d.e.f.g"}, SuffixText{"", ""},
                                         SuffixText{".", ""}, SuffixText{"*.", ""}, SuffixText{"*", ""},
                                         SuffixText{"a..b", ""}, SuffixText{"svc.*.local", ""},
                                         SuffixText{"a.b.c.d.e.f.g.h", ""}, SuffixText{"*.a.b.c.d.e.f.g", ""}));

TEST(SearchSuffixesOf, TheLastLineOfAResolvConfCounts) {
  const auto read = [](std::string_view text) {
    Texts texts;
    for (const SearchSuffix& suffix : search_suffixes_of(text)) texts.push_back(search_suffix_text(suffix));
    return texts;
  };
  EXPECT_EQ(read("nameserver 10.0.0.10\nsearch a.test\nsearch NS.svc.Cluster.local. cluster.local\noptions ndots:5\n"),
            (Texts{"ns.svc.cluster.local", "cluster.local"}));
  EXPECT_EQ(read("domain corp.test"), Texts{"corp.test"});
  EXPECT_EQ(read("search corp.test\r\nnameserver ::1\r\n"), Texts{"corp.test"});
  EXPECT_EQ(read("# search no.test\nsearch . *.any.test a..b\n"), Texts{});
  EXPECT_EQ(read(""), Texts{});
}

}  // namespace
}  // namespace nslookout
