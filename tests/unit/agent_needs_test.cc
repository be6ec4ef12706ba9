// What a host behind an allow list needs for itself.
#include "agent/needs.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lists/name_list.h"

namespace nslookout::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

std::vector<std::string> names(const std::vector<Need>& needs) {
  std::vector<std::string> out;
  for (const Need& need : needs) out.push_back(need.name);
  return out;
}

const Environment nothing = [](const char*) { return nullptr; };

TEST(Needs, ServersOfTheOutputs) {
  const auto needs =
      needs_of({"stdout", "jsonl:/tmp/events", "syslog:tls://Logs.Example.org:6514", "syslog:udp://192.0.2.1",
                "otlp:https://collector.example.net/v1/logs", "otlp:http://[::1]:4318",
                "kafka:one.example.com:9092,two.example.com/dns", "syslog:udp://loghost"},
               "https://node.example.com:10250", nothing);
  EXPECT_THAT(names(needs), ElementsAre("logs.example.org", "collector.example.net", "one.example.com",
                                        "two.example.com", "node.example.com"));
  EXPECT_EQ(needs[0].whose, "the output syslog:tls://Logs.Example.org:6514");
}

TEST(Needs, TheServiceOfTheJob) {
  const std::map<std::string, std::string> github = {{"GITHUB_SERVER_URL", "https://github.com"},
                                                     {"GITHUB_API_URL", "https://api.github.com"},
                                                     {"ACTIONS_RESULTS_URL", "https://results.example.com/"},
                                                     {"CIRCLE_REPOSITORY_URL", "git@git.example.com:a/b.git"},
                                                     {"CI_REGISTRY", "registry.example.com:5050"},
                                                     {"JENKINS_URL", "http://localhost:8080/"}};
  const auto needs = needs_of({}, "", [&](const char* name) {
    const auto found = github.find(name);
    return found == github.end() ? nullptr : found->second.c_str();
  });
  EXPECT_THAT(names(needs), ElementsAre("github.com", "api.github.com", "results.example.com", "registry.example.com",
                                        "git.example.com"));
}

TEST(Needs, ResolversThatAskNameServersThemselves) {
  const fs::path proc = fs::path(::testing::TempDir()) / ("needs-proc-" + std::to_string(::getpid()));
  const std::vector<std::pair<std::string, std::string>> processes = {
      {"12", "unbound"}, {"7", "named"}, {"30", "namedropper"}, {"31", "bash"}, {"self", "unbound"}, {"4x", "named"}};
  for (const auto& [folder, comm] : processes) {
    fs::create_directories(proc / folder);
    std::ofstream(proc / folder / "comm") << comm << '\n';
  }
  fs::create_directories(proc / "99");  // it went meanwhile
  EXPECT_THAT(recursing_resolvers(proc.string()),
              ElementsAre(RunningResolver{"named", 7}, RunningResolver{"unbound", 12}));
  fs::remove_all(proc);
  EXPECT_THAT(recursing_resolvers(proc.string()), IsEmpty());
}

TEST(Needs, WhatTheListForgets) {
  const fs::path file = fs::path(::testing::TempDir()) / ("needs-" + std::to_string(::getpid()));
  std::ofstream(file) << "github.com\n";
  compile::Blocking blocking;
  auto list = lists::load_list("suffix:" + file.string());
  fs::remove(file);
  ASSERT_TRUE(list) << list.error().message;
  blocking.allowed.push_back(std::move(*list));
  const std::vector<Need> needs = {{"github.com", "a"}, {"api.github.com", "b"}, {"logs.example.org", "c"}};
  EXPECT_THAT(names(not_allowed(blocking, needs)), IsEmpty());
  blocking.only_allowed = true;
  EXPECT_THAT(names(not_allowed(blocking, needs)), ElementsAre("logs.example.org"));
}

}  // namespace
}  // namespace nslookout::agent
