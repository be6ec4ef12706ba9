// The messages of syslog and the journal, and the records of OTLP, as octets.
#include <gtest/gtest.h>
#include <unistd.h>

#include <regex>
#include <string>

#include "event_samples.h"
#include "sink/journald_entry.h"
#include "sink/otlp_receiver.h"
#include "sink/otlp_record.h"
#include "sink/syslog_message.h"

namespace nslookout::sink {
namespace {

using event::Event;
using event::full_event;

Event hostile() {
  Event event = full_event();
  const std::string bad = "x\nPRIORITY=0\n<0>1 - forged\x1b[2J\xff\"\\]";
  event.process->comm = bad;
  event.process->command_line = {bad};
  event.rules[0].title = bad;
  event.host->name = bad;
  event.sensor->version = bad;
  event.container->name = bad;
  event.dns->query = bad;
  return event;
}

struct Severity {
  const char* level;
  int syslog;
};

TEST(SinkMessages, HaveTheSeverityOfTheGravestRule) {
  const Severity cases[] = {{"critical", 2}, {"high", 3}, {"medium", 4}, {"low", 5}, {"informational", 6}};
  for (const Severity& one : cases) {
    Event event = full_event();
    event.rules.push_back(event.rules[0]);
    event.rules[0].level = "informational";
    event.rules[1].level = one.level;
    EXPECT_EQ(syslog_severity(event), one.syslog) << one.level;
  }
  EXPECT_EQ(syslog_severity(Event{}), 6);
  Event loss;
  loss.kind = event::Kind::loss;
  EXPECT_EQ(syslog_severity(loss), 4);
}

TEST(SinkMessages, OfSyslogAreThoseOfRfc5424) {
  Event event = full_event();
  event.sequence = 2'147'483'648;  // one more than sequenceId can be
  EXPECT_EQ(syslog_message(event, "{}", 3, "other"),
            "<27>1 2026-03-31T00:00:00.123456Z box nslookout " + std::to_string(::getpid()) +
                " match [origin software=\"nslookout\" swVersion=\"0.1.0\"][meta sequenceId=\"1\"] {}");
  EXPECT_EQ(syslog_message(Event{}, "{}", 16, "a host"),
            "<134>1 - a?host nslookout " + std::to_string(::getpid()) + " event [origin software=\"nslookout\"] {}");
}

TEST(SinkMessages, OfSyslogStayOneMessageWhateverTheEventHolds) {
  const std::string message = syslog_message(hostile(), "{}", 3, "h");
  const std::regex form(
      R"(<27>1 \S+ \S+ nslookout \d+ match \[origin software="nslookout" swVersion="([^"\\\]]|\\.)*"\])"
      R"(\[meta sequenceId="\d+"\] \{\})");
  EXPECT_TRUE(std::regex_match(message, form)) << message;
}

TEST(SinkMessages, OfTheJournalAreFields) {
  const std::string entry = journald_entry(full_event(), "{}");
  for (const char* field :
       {"MESSAGE=curl (4711) asked for sfrclak.com: Title\n", "\nPRIORITY=3\n", "\nSYSLOG_IDENTIFIER=nslookout\n",
        "\nNSLOOKOUT_QUERY=sfrclak.com\n", "\nNSLOOKOUT_PID=4711\n", "\nNSLOOKOUT_RULE_ID=id-1\n",
        "\nNSLOOKOUT_LEVEL=high\n", "\nNSLOOKOUT_ACTION=would_block\n", "\nNSLOOKOUT_POD=web-0\n",
        "\nNSLOOKOUT_COMMAND_LINE=curl \"\" https://sfrclak.com\n", "\nNSLOOKOUT_EVENT={}\n"}) {
    EXPECT_NE(entry.find(field), std::string::npos) << field << " in\n" << entry;
  }
}

TEST(SinkMessages, OfTheJournalHaveNoForgedField) {
  std::string entry = journald_entry(hostile(), "{}");
  int priorities = 0;
  while (!entry.empty()) {
    const std::size_t end = entry.find('\n');
    ASSERT_NE(end, std::string::npos);
    const std::string line = entry.substr(0, end);
    EXPECT_TRUE(std::regex_match(line, std::regex("(MESSAGE|PRIORITY|SYSLOG_IDENTIFIER|NSLOOKOUT_[A-Z_]+)=[ -~]*")))
        << line;
    priorities += line.starts_with("PRIORITY=") ? 1 : 0;
    entry.erase(0, end + 1);
  }
  EXPECT_EQ(priorities, 1);
}

// What the e2e tests read with protobuf's own parser; here that no octet can make a record unreadable to it.
TEST(SinkMessages, OfOtlpHoldUtf8Alone) {
  const std::string record = otlp_record(hostile(), "{}");
  EXPECT_NE(record.find("forged\x1b[2J\\xff"), std::string::npos);
  EXPECT_EQ(record.find("forged\x1b[2J\xff"), std::string::npos);
}

TEST(SinkMessages, OfOtlpTellWhatWasRejected) {
  const OtlpAnswer answer = otlp_answer("\x0a\x0b\x08\x03\x12\x07too old");
  EXPECT_EQ(answer.rejected, 3u);
  EXPECT_EQ(answer.message, "too old");
  EXPECT_EQ(otlp_answer("").rejected, 0u);
  EXPECT_EQ(otlp_answer("no protobuf").rejected, 0u);
}

struct Answer {
  int status;
  const char* body;
  std::size_t done, refused;
};

TEST(SinkMessages, AnOtlpBatchIsDeliveredRefusedOrTriedAgain) {
  const Answer cases[] = {
      {200, "", 4, 0},         {200, "\x0a\x0b\x08\x03\x12\x07too old", 4, 3},
      {202, "accepted", 4, 0}, {204, "", 4, 0},  // Grafana Loki
      {299, "", 4, 0},         {301, "", 4, 4},
      {400, "no", 4, 4},       {500, "", 4, 4},
      {401, "", 0, 0},         {403, "", 0, 0},
      {407, "", 0, 0},         {429, "", 0, 0},
      {502, "", 0, 0},         {503, "", 0, 0},
      {504, "", 0, 0},
  };
  for (const Answer& one : cases) {
    HttpResponse response;
    response.status = one.status;
    response.body = one.body;
    const Delivery delivery = otlp_delivery("http://host:4318/v1/logs", response, 4);
    EXPECT_EQ(delivery.done, one.done) << one.status;
    EXPECT_EQ(delivery.refused, one.refused) << one.status;
    EXPECT_EQ(delivery.error.has_value(), one.done == 0 || one.refused > 0) << one.status;
  }
}

}  // namespace
}  // namespace nslookout::sink
