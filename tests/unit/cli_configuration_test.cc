// cli/configuration.h: files, environment and command line of `run`, and which of them counts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/run.h"
#include "tests/support/source_dir.h"

namespace nslookout::cli {
namespace {

namespace fs = std::filesystem;

class Configuration : public ::testing::Test {
 protected:
  Configuration() {
    std::string name = (fs::temp_directory_path() / "nslookout-configuration-XXXXXX").native();
    folder_ = ::mkdtemp(name.data());
    fs::create_directory(folder_ / "conf.d");
  }
  ~Configuration() override { fs::remove_all(folder_); }
  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).native();
  }

  // What holds with this command line, or the error's text with the folder left out.
  std::string outcome(std::vector<std::string> command_line = {}) {
    Command chosen;
    const auto app = make_app(chosen);
    command_line.insert(command_line.begin(), "run");
    std::ranges::reverse(command_line);  // the order in which CLI11 takes a vector
    app->parse(command_line);
    CLI::App* run = app->get_subcommand("run");
    const auto applied = apply_configuration(*run, {(folder_ / "config.yaml").native(), false});
    std::string text = applied ? effective_configuration(*run) : applied.error().message;
    for (std::size_t at = 0; (at = text.find(folder_.native() + "/")) != std::string::npos;) {
      text.erase(at, folder_.native().size() + 1);
    }
    return text;
  }

  bool holds(const std::string& line, const std::vector<std::string>& command_line = {}) {
    const std::string text = outcome(command_line);
    return text.find("\n" + line + "\n") != std::string::npos || ::testing::AssertionFailure()
                                                                     << "no line '" << line << "' in:\n"
                                                                     << text;
  }

  fs::path folder_;
};

TEST_F(Configuration, TheLastFileCountsAndListsAreAdded) {
  write("config.yaml", "backend: kprobe\nrules: [a, b]\noutputs: stdout\nkeep_going: yes\n");
  write("conf.d/20.yaml", "backend: cgroup\nrules: c\n");
  write("conf.d/10.yml", "backend: fentry\nkeep_going: false\nports: [53, 5353]\n");
  write("conf.d/README", "this is not read: [");
  EXPECT_TRUE(holds("backend: \"cgroup\""));
  EXPECT_TRUE(holds("rules: [\"a\", \"b\", \"c\"]"));
  EXPECT_TRUE(holds("outputs: [\"stdout\"]"));
  EXPECT_TRUE(holds("ports: [\"53\", \"5353\"]"));
  EXPECT_TRUE(holds("#keep_going: false"));
  EXPECT_TRUE(holds("#observe: matches"));
}

TEST_F(Configuration, TheCommandLineBeforeTheEnvironmentBeforeTheFile) {
  write("config.yaml", "backend: kprobe\nrules: [a]\nobserve: all\n");
  ::setenv("NSLOOKOUT_BACKEND", "fentry", 1);
  ::setenv("NSLOOKOUT_RULES", "e", 1);
  EXPECT_TRUE(holds("backend: \"fentry\""));
  EXPECT_TRUE(holds("rules: [\"e\"]"));
  EXPECT_TRUE(holds("backend: \"cgroup\"", {"--backend", "cgroup"}));
  EXPECT_TRUE(holds("rules: [\"x\", \"y\"]", {"--rules", "x", "--rules", "y"}));
  EXPECT_TRUE(holds("observe: \"all\""));
  ::setenv("NSLOOKOUT_BACKEND", "none", 1);
  EXPECT_EQ(outcome(), "NSLOOKOUT_BACKEND: backend: none not in {auto,fentry,cgroup,kprobe}");
  ::unsetenv("NSLOOKOUT_BACKEND");
  ::unsetenv("NSLOOKOUT_RULES");
}

TEST_F(Configuration, AValueIsRefusedInItsOwnFile) {
  write("config.yaml", "ports: [53, 0]\n");
  write("conf.d/10.yaml", "ports: [54]\n");
  EXPECT_EQ(outcome(), "config.yaml:1:13: ports: '0' is no port (1 to 65535)");
  write("config.yaml", "ports: [53]\n");
  write("conf.d/10.yaml", "ports: [0]\n");
  EXPECT_EQ(outcome(), "conf.d/10.yaml:1:9: ports: '0' is no port (1 to 65535)");
}

TEST_F(Configuration, WhatItShowsSaysTheSame) {
  write("config.yaml",
        "rules: ['a\"b\\c: #d', \"\\u00fc\", \"\\U0001f600\\\\ud83d\"]\nno_runtime_sockets: on\nprocess_entries: "
        "20000\n");
  const std::string shown = outcome();
  EXPECT_NE(shown.find("no_runtime_sockets: true"), std::string::npos) << shown;
  write("config.yaml", shown);
  EXPECT_EQ(outcome(), shown);
}

TEST_F(Configuration, Refusals) {
  const struct {
    std::string file;
    std::string message;
  } cases[] = {
      {"rule: x", "config.yaml:1:1: there is no setting 'rule'; is 'rules' meant?"},
      {"list: [x]", "config.yaml:1:1: there is no setting 'list'; it is called 'lists' here"},
      {"log-level: debug", "config.yaml:1:1: there is no setting 'log-level'; it is called 'log_level' here"},
      {"backend: cgroup\nzebra: 1",
       "config.yaml:2:1: there is no setting 'zebra'; `nslookout config schema` has all of them"},
      {"backend: [cgroup]", "config.yaml:1:1: 'backend' has one value, not a list"},
      {"ports: [53,\n  99999]", "config.yaml:2:3: ports: '99999' is no port (1 to 65535)"},
      {"rules: {a: b}", "config.yaml:1:8: 'rules' is a map; write a value or a list of values"},
      {"rules:", "config.yaml:1:1: 'rules' is null; write a value or a list of values"},
      {"rules: [[a]]", "config.yaml:1:9: a value of 'rules' is a list instead of a text"},
      {"[x]", "config.yaml:1:1: a configuration is a map of keys and values, not a list"},
      {"a: b\n---\nc: d", "config.yaml:3:1: a configuration is one document; take the '---' away"},
      {"keep_going: maybe", "config.yaml:1:1: 'keep_going' is true or false, not 'maybe'"},
      {"config: x", "config.yaml:1:1: there is no setting 'config'; `nslookout config schema` has all of them"},
      {"mode: audit\nmode: audit",
       "config.yaml:2:1: the key 'mode' occurs twice in one map; only one of the two could count"},
      {"kubelet: https://n\nkubelet_ca: f\nkubelet_insecure: true",
       "kubelet_ca excludes kubelet_insecure: set one of them"},
  };
  for (const auto& row : cases) {
    write("config.yaml", row.file);
    EXPECT_EQ(outcome(), row.message) << row.file;
  }
  fs::remove(folder_ / "config.yaml");
  EXPECT_EQ(outcome(), "config.yaml: No such file or directory");
}

// `config check` says what `run` would.
TEST_F(Configuration, CheckRefusesWhatRunRefusesBeforeItReadsRules) {
  const struct {
    std::string file;
    std::string message;  // its beginning; empty: accepted
  } cases[] = {
      {"observe: all", ""},
      {"rules: not-there\nmode: enforce\nfail: closed\nhistory: f\nhunt_on_reload: 24h", ""},
      {"backend: auto", "there is nothing to look out for"},
      {"observe: all\nfail: closed", "--fail closed is about what blocks: add --mode enforce"},
      {"observe: all\nhidden_clients: deny", "--hidden-clients deny changes what programs do: add --mode enforce"},
      {"observe: all\nblock_rules: [x]", "--block-rule, --block-list, --allow and --allow-only change nothing"},
      {"observe: all\nhunt_on_reload: 24h", "--hunt-on-reload needs a history to hunt in: give --history FILE"},
      {"observe: all\nmetrics: bogus", "--metrics bogus: "},
      {"observe: all\nown_resolvers: [notanaddress]", "--own-resolver notanaddress: that is no address"},
      {"observe: all\nbypass: 'off'\nown_resolvers: [notanaddress]", ""},
      {"observe: all\nbackend: none", (folder_ / "config.yaml").native() + ":2:10: backend: none not in"},
  };
  for (const auto& row : cases) {
    const auto checked = check_run({write("config.yaml", row.file), false});
    const std::string said = checked ? "" : checked.error().message;
    EXPECT_EQ(said.substr(0, row.message.size()), row.message) << row.file;
    EXPECT_EQ(said.empty(), row.message.empty()) << row.file << ": " << said;
  }
}

TEST_F(Configuration, CheckRefusesFilesThatAnyUserMayWrite) {
  const auto said = [&] {
    const auto checked = check_run({(folder_ / "config.yaml").native(), false});
    return checked ? "" : checked.error().message;
  };
  const std::string list = write("names", "a.test\n");
  const std::string config = write("config.yaml", "lists: ['exact:" + list + "']\n");
  EXPECT_EQ(said(), "");
  for (const std::string& file : {config, list}) {
    fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
    EXPECT_NE(said().find(file), std::string::npos) << said();
    fs::permissions(file, fs::perms::others_write, fs::perm_options::remove);
  }
}

TEST(ConfigurationSchema, HasEveryOptionOfRun) {
  Command chosen;
  const auto app = make_app(chosen);
  const auto schema = nlohmann::json::parse(configuration_schema(*app->get_subcommand("run")));
  EXPECT_FALSE(schema.at("additionalProperties").get<bool>());
  const auto& properties = schema.at("properties");
  EXPECT_EQ(properties.at("backend").at("enum"), (nlohmann::json{"auto", "fentry", "cgroup", "kprobe"}));
  EXPECT_EQ(properties.at("keep_going").at("type"), "boolean");
  EXPECT_EQ(properties.at("rules").at("anyOf").at(0).at("type"), "array");
  EXPECT_FALSE(properties.contains("help"));
  EXPECT_FALSE(properties.contains("config"));
}

}  // namespace
}  // namespace nslookout::cli
