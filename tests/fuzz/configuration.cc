// Any text as a configuration file: it is taken or refused with a reason, and what `nslookout config` shows of a
// configuration that was taken says the same when it is read as a file again.
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "agent/config.h"
#include "cli/configuration.h"
#include "memory_file.h"
#include "octets.h"

namespace {

namespace cli = nslookout::cli;
using nslookout::fuzz::MemoryFile;
using nslookout::fuzz::require;

// Options of every kind that `run` has.
class Command {
 public:
  Command() {
    app_.add_option("--rules", rules_, "Rules")->allow_extra_args(false);
    app_.add_option("--list", lists_, "Lists")->allow_extra_args(false);
    app_.add_option("--port", ports_, "Ports")->check(CLI::Range(1, 65535))->allow_extra_args(false);
    app_.add_option("--backend", backend_, "Backend")->check(CLI::IsMember({"auto", "fentry", "kprobe"}));
    app_.add_option("--ring-octets", ring_octets_, "Ring");
    app_.add_option("--name", name_, "Name");
    auto* unique = app_.add_flag("--unique", unique_, "Once");
    app_.add_flag("!--no-sandbox", sandbox_, "No sandbox")->excludes(unique);
  }

  // As if nothing had been given before: making the options anew takes longer than all else here.
  nslookout::Result<void> apply(const std::string& path) {
    app_.clear();
    return cli::apply_configuration(app_, {path, false});
  }
  [[nodiscard]] std::string effective() const { return cli::effective_configuration(app_); }
  [[nodiscard]] std::map<std::string, std::vector<std::string>> results() const {
    std::map<std::string, std::vector<std::string>> all;
    for (const CLI::Option* option : app_.get_options()) all[option->get_name()] = option->results();
    return all;
  }

 private:
  CLI::App app_;
  std::vector<std::string> rules_, lists_;
  std::vector<int> ports_;
  std::string backend_, name_;
  unsigned ring_octets_ = 0;
  bool unique_ = false, sandbox_ = true;
};

void check_settings(std::string_view text) {
  const auto settings = nslookout::agent::parse_config(text, "fuzzed.yaml");
  if (!settings) {
    require(settings.error().message.starts_with("fuzzed.yaml"), "a refusal says where");
    return;
  }
  for (const auto& setting : *settings) {
    require(setting.place.line >= 1 && setting.place.column >= 1, "a key has a place");
    require(setting.list || setting.values.size() == 1, "what is no list has one value");
    for (const auto& value : setting.values) require(value.place.line >= 1, "a value has a place");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(octets), size);
  check_settings(text);
  static Command command;
  const MemoryFile file(text);
  if (const auto applied = command.apply(file.path()); !applied) {
    require(!applied.error().message.empty(), "a refusal has a reason");
    return 0;
  }
  static Command again;
  const MemoryFile shown(command.effective());
  require(again.apply(shown.path()).has_value(), "what is shown of a configuration is one");
  require(again.results() == command.results(), "what is shown of a configuration says the same");
  return 0;
}
