// cli/: what the command line accepts, and that the man page and the completion know all of it and nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "cli/commands.h"
#include "tests/support/source_dir.h"

namespace nslookout::cli {
namespace {

// CLI11's error for a command line, empty when it is accepted.
std::string refusal(std::vector<std::string> arguments) {
  Command chosen;
  const auto app = make_app(chosen);
  std::reverse(arguments.begin(), arguments.end());  // the order in which CLI11 takes a vector
  try {
    app->parse(arguments);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return chosen ? "" : "no command";
}

TEST(CliCommandLine, AcceptedAndRefused) {
  struct Case {
    std::vector<std::string> arguments;
    std::string refusal;  // a part of the text; empty: accepted
  };
  const std::vector<Case> cases = {
      {{"version"}, ""},
      {{"doctor", "--format", "json"}, ""},
      {{"doctor", "--format=text"}, ""},
      {{"doctor", "--format", "xml"}, "xml not in {text,json}"},
      {{"decode", "-"}, ""},
      {{"decode"}, "FILE is required"},
      {{"decode", "a", "b"}, "b"},
      {{"diff", "a", "b", "--fail-on", "new", "--format", "json"}, ""},
      {{"diff", "a"}, "B is required"},
      {{"diff", "a", "b", "--fail-on", "old"}, "old not in"},
      {{"hunt", "--rules", "a", "--since", "24h", "--history", "h.db"}, ""},
      {{"hunt", "--rules", "a", "events.jsonl", "more.pb"}, ""},
      {{"hunt", "--rules", "a", "events.jsonl", "--history", "h.db"}, "excludes"},
      {{"hunt", "--rules", "a", "--since", "yesterday"}, "no time span"},
      {{"run", "--observe", "all", "--history", "h.db", "--history-max", "1000"}, ""},
      {{"run", "--observe", "all", "--history-max", "5"}, "not in range"},
      {{"check", "a", "b"}, ""},
      {{"check"}, "PATH is required"},
      {{"explain", "a"}, ""},
      {{"explain"}, "PATH is required"},
      {{"match", "--rules", "a", "--field", "record_type=A", "x.test", "y.test"}, ""},
      {{"match", "--rules", "a", "--events", "e.jsonl", "--keep-going", "--product-windows"}, ""},
      {{"match", "--rules", "a", "--events", ""}, "empty"},
      {{"check", "a", "--format", "sarif", "--expand", "x=y", "--expand", "x=z"}, ""},
      {{"check", "a", "--expand", "x"}, "not FIELD=VALUE"},
      {{"match", "--field", "record_type", "x.test"}, "not FIELD=VALUE"},
      {{"match", "--field", "=A", "x.test"}, "not FIELD=VALUE"},
      {{"run", "--rules", "a", "--rules", "b", "--list", "exact:x", "--list", "suffix:y"}, ""},
      {{"run", "--rules", "a", "b"}, "b"},
      {{"run", "--rules", ""}, "empty"},
      {{"run", "--list", "x"}, "neither exact:FILE nor suffix:FILE"},
      {{"run", "--backend", "ebpf"}, "ebpf not in"},
      {{"run", "--mode", "enforce", "--block-level", "low", "--allow", "exact:x", "--answer", "none"}, ""},
      {{"run", "--mode", "block"}, "block not in"},
      {{"run", "--allow-only", "x"}, "neither exact:FILE nor suffix:FILE"},
      {{"run", "--observe", "some"}, "some not in"},
      {{"run", "--port", "53", "--port", "5353"}, ""},
      {{"run", "--port", "0"}, "no port"},
      {{"run", "--log-level", "loud"}, "loud not in"},
      {{"run", "version"}, "version"},
      {{}, "no command"},
      {{"replay", "a.pcap", "--rules", "a", "--list", "exact:x", "--observe", "unique", "--output", "stdout"}, ""},
      {{"replay", "-", "--port", "5353"}, ""},
      {{"replay"}, "FILE is required"},
      {{"replay", "a.pcap", "b.pcap"}, "b.pcap"},
      {{"replay", "a.pcap", "--observe", "some"}, "some not in"},
      {{"selftest", "--rules", "a"}, ""},
      {{"selftests"}, "selftests"},
      {{"ci", "start", "--rules", "a", "--work-dir", "w", "--mode", "enforce", "--timeout", "5"}, ""},
      {{"ci", "start", "--observe", "matches"}, "--observe"},
      {{"ci", "start", "--ready-file", "f"}, "--ready-file"},
      {{"ci", "stop", "--work-dir", "w"}, ""},
      {{"ci", "summary", "--format", "markdown", "--fail-on", "high", "--annotations", "github", "--sarif", "f"}, ""},
      {{"ci", "summary", "--fail-on", "loud"}, "loud not in"},
      {{"ci"}, "subcommand is required"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(testing::PrintToString(test.arguments));
    const auto text = refusal(test.arguments);
    if (test.refusal.empty()) {
      EXPECT_EQ(text, "");
    } else {
      EXPECT_NE(text.find(test.refusal), std::string::npos) << "'" << text << "'";
    }
  }
}

TEST(CliCommandLine, EveryCommandHasHelpWithAnExample) {
  Command chosen;
  const auto app = make_app(chosen);
  for (const auto* command : app->get_subcommands([](const CLI::App*) { return true; })) {
    EXPECT_NE(command->help().find("\nExample:\n"), std::string::npos) << command->get_name();
    EXPECT_FALSE(command->get_description().empty()) << command->get_name();
  }
}

std::string source_file(const std::string& path) {
  std::ifstream file(source_dir() / path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

auto parts_of(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App*) { return true; });
}

// "--rules" of the command, without its parts.
std::set<std::string> options_of(const CLI::App& command) {
  std::set<std::string> words;
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) words.insert("--" + name);
  }
  return words;
}

void add_options(const CLI::App& command, std::set<std::string>& words) {
  words.merge(options_of(command));
  for (const auto* part : parts_of(command)) add_options(*part, words);
}

// "--rules" of every command, with the commands' names.
std::set<std::string> words_of_the_command_line() {
  Command chosen;
  const auto app = make_app(chosen);
  std::set<std::string> words = {"--help", "--version"};
  for (const auto* command : parts_of(*app)) {
    words.insert(command->get_name());
    add_options(*command, words);
  }
  return words;
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match) {
    found.insert((*match)[1].str());
  }
  return found;
}

TEST(CliDocumentation, TheManPageNamesEveryCommandAndOptionAndNoOther) {
  const auto page = source_file("docs/man/nslookout.8");
  ASSERT_FALSE(page.empty());
  auto words = matches(page, R"(\n\.Ss nslookout ([a-z]+))");
  for (const auto& option : matches(page, R"((?:Fl|\|) (-[a-z-]+))")) words.insert("-" + option);
  EXPECT_EQ(words, words_of_the_command_line());
}

std::set<std::string> offered(const std::string& words, const std::string& beginning) {
  const std::filesystem::path tree = source_dir();
  const std::string command = fmt::format("'{}' '{}' {} '{}'", (tree / "tests/unit/offered_words.sh").native(),
                                          (tree / "deploy/completions/nslookout.bash").native(), words, beginning);
  std::set<std::string> found;
  FILE* script = ::popen(command.c_str(), "r");
  std::array<char, 256> line{};
  while (std::fgets(line.data(), line.size(), script) != nullptr) {
    const std::string_view word(line.data());
    if (word.size() > 1) found.emplace(word.substr(0, word.size() - 1));
  }
  EXPECT_EQ(::pclose(script), 0) << command;
  return found;
}

void expect_offered(const CLI::App& command, const std::string& words) {
  std::set<std::string> options = options_of(command);
  EXPECT_EQ(offered(words, "--"), options) << words;
  const auto parts = parts_of(command);
  if (parts.empty()) return;
  for (const auto* part : parts) {
    options.insert(part->get_name());
    expect_offered(*part, words + " " + part->get_name());
  }
  EXPECT_EQ(offered(words, ""), options) << words;
}

TEST(CliDocumentation, TheCompletionOffersOfEachCommandWhatItTakesAndNothingElse) {
  Command chosen;
  expect_offered(*make_app(chosen), "");
}

}  // namespace
}  // namespace nslookout::cli
