#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/describe.h"
#include "cli/checks.h"
#include "cli/hunt_report.h"
#include "event_samples.h"

namespace nslookout::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

inventory::Lookup kept() {
  event::Event event = event::full_event();
  return {.event = event,
          .first = event.time,
          .last = event.time + 90s,
          .count = 3,
          .rules = event.rules,
          .action = event::Action::unspecified};
}

TEST(Hunt, ALineHasNameTypeTimesCountProcessPackageContainerAndRule) {
  const std::string text = hunt_text(kept());
  EXPECT_EQ(
      text,
      "sfrclak.com A: high: Title (id-1), 3 times, 2026-03-31T00:00:00Z to 2026-03-31T00:01:30Z, by /usr/bin/curl "
      "./postinstall.sh of npm plain-crypto-js 4.2.1 postinstall in nginx:1 in the pod default/web-0, axios.yml\n");
  inventory::Lookup of_nobody = kept();
  of_nobody.event.process.reset();
  of_nobody.event.origin.reset();
  of_nobody.event.container.reset();
  EXPECT_THAT(hunt_text(of_nobody), HasSubstr("T00:01:30Z, in the pod default/web-0, axios.yml\n"));
  of_nobody.event.pod.reset();
  EXPECT_THAT(hunt_text(of_nobody), HasSubstr("T00:01:30Z, axios.yml\n"));
  const auto json = nlohmann::json::parse(hunt_json(kept()));
  EXPECT_EQ(json["name"], "sfrclak.com");
  EXPECT_EQ(json["count"], 3);
  EXPECT_EQ(json["process"], "/usr/bin/curl ./postinstall.sh");
  EXPECT_EQ(json["command_line"], "curl  https://sfrclak.com");
  EXPECT_EQ(json["rules"][0]["id"], "id-1");
}

TEST(Hunt, HostileTextsForgeNoLine) {
  inventory::Lookup lookup = kept();
  lookup.event.dns->query = "a\nb";
  lookup.event.process->executable = "/bin/\x1b[2J\u202e\u200b\u009b";
  lookup.rules[0].title = "x\ny";
  const std::string text = hunt_text(lookup);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  const auto ascii = testing::Each(testing::AllOf(testing::Ge('\n'), testing::Le('~')));
  EXPECT_THAT(text, ascii);
  EXPECT_THAT(hunt_json(lookup), ascii);
}

// What a rule sees of a lookup that is kept as an event.
TEST(Hunt, AQueryOfAnEventHasItsFields) {
  const event::Event event = event::full_event();
  const auto query = agent::query_of(event);
  ASSERT_TRUE(query) << query.error().message;
  struct Case {
    sigma::Field field;
    std::string value;
  };
  for (const Case& c : std::vector<Case>{{sigma::Field::image, "/usr/bin/curl"},
                                         {sigma::Field::command_line, "curl  https://sfrclak.com"},
                                         {sigma::Field::container_image, "nginx:1"},
                                         {sigma::Field::pod_namespace, "default"},
                                         {sigma::Field::server_address, "127.0.0.77"},
                                         {sigma::Field::answer, "203.0.113.7"}}) {
    ASSERT_NE(query->value(c.field), nullptr) << c.value;
    EXPECT_EQ(query->value(c.field)->text, c.value);
  }
  EXPECT_EQ(query->record_type(), 1);
  EXPECT_FALSE(query->flags());

  event::Event by_socket = event;
  by_socket.dns->record_type = "A+AAAA";
  by_socket.dns->record_type_id.reset();
  by_socket.dns->query_wire.clear();
  const auto both = agent::query_of(by_socket);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->wire(), std::string_view("\7sfrclak\3com\0", 13));

  event::Event none;
  EXPECT_FALSE(agent::query_of(none));
  none.dns.emplace().query = "a..b";
  EXPECT_FALSE(agent::query_of(none));
}

TEST(Hunt, TimeSpans) {
  struct Case {
    const char* text;
    std::chrono::seconds span;
  };
  for (const Case& c : {Case{"90s", 90s}, Case{"30m", 1800s}, Case{"24h", 86400s}, Case{"7d", 604800s},
                        Case{"2w", 1209600s}, Case{"0s", 0s}}) {
    EXPECT_EQ(check_duration(c.text), "") << c.text;
    EXPECT_EQ(duration_of(c.text), c.span) << c.text;
  }
  for (const char* text : {"", "24", "h", "-1h", "1.5h", "24 h", "24hh", "1y", "99999999999s", "4294967295w"}) {
    EXPECT_NE(check_duration(text), "") << text;
  }
}

}  // namespace
}  // namespace nslookout::cli
