#include "cli/configuration.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "agent/config.h"
#include "base/ascii_json.h"
#include "base/text.h"
#include "cli/checks.h"

namespace nslookout::cli {
namespace {

using agent::ConfigSetting;
using agent::ConfigValue;
using agent::place_text;

bool is_flag(const CLI::Option& option) { return option.get_expected_min() == 0; }
bool is_repeated(const CLI::Option& option) { return option.get_items_expected_max() > 1; }

std::string plural(const std::string& name) {
  if (name.ends_with('x')) return name + "es";
  return name.ends_with('s') ? name : name + "s";
}

std::string key_of(const CLI::Option& option) {
  std::string name = option.get_lnames().front();
  if (is_repeated(option)) name = plural(name);
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string variable_of(const std::string& key) {
  std::string name = "NSLOOKOUT_" + key;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name;
}

bool is_setting(const CLI::Option& option) {
  if (option.get_lnames().empty()) return false;
  const std::string& name = option.get_lnames().front();
  return name != "help" && name != "config" && name != "no-config";
}

std::map<std::string, CLI::Option*> options_by_key(CLI::App& command) {
  std::map<std::string, CLI::Option*> options;
  for (CLI::Option* option : command.get_options()) {
    if (is_setting(*option)) options.emplace(key_of(*option), option);
  }
  return options;
}

// The value that stands for "given" of a flag: "true", or "false" for one that turns something off.
std::string flag_result(const CLI::Option& option) {
  for (const std::string& name : option.get_fnames()) {
    if (name == option.get_lnames().front()) return option.get_flag_value(name, "");
  }
  return "true";
}

// How far two words are from each other, as far as it matters for "did you mean".
bool resembles(std::string_view written, std::string_view known) {
  const std::size_t common = std::ranges::mismatch(written, known).in1 - written.begin();
  return common >= 3 && 2 * common >= std::min(written.size(), known.size());
}

std::string advice(const std::string& key, const std::map<std::string, CLI::Option*>& options) {
  for (const auto& [known, option] : options) {
    std::string name = option->get_lnames().front();
    std::ranges::replace(name, '-', '_');
    if (key == name || key == option->get_lnames().front()) return fmt::format("; it is called '{}' here", known);
  }
  for (const auto& [known, option] : options) {
    if (resembles(key, known)) return fmt::format("; is '{}' meant?", known);
  }
  return "; `nslookout config schema` has all of them";
}

using Chosen = std::map<CLI::Option*, ConfigSetting>;

Result<void> choose(Chosen& chosen, const std::map<std::string, CLI::Option*>& options, ConfigSetting setting) {
  const auto found = options.find(setting.key);
  if (found == options.end()) {
    return fail(ErrorClass::invalid, "{}: there is no setting '{}'{}", place_text(setting.file, setting.place),
                setting.key, advice(setting.key, options));
  }
  CLI::Option* option = found->second;
  if (setting.list && !is_repeated(*option)) {
    return fail(ErrorClass::invalid, "{}: '{}' has one value, not a list", place_text(setting.file, setting.place),
                setting.key);
  }
  const auto [at, fresh] = chosen.try_emplace(option, setting);
  if (fresh) return {};
  if (!is_repeated(*option)) {
    at->second = std::move(setting);
    return {};
  }
  for (ConfigValue& value : setting.values) at->second.values.push_back(std::move(value));
  return {};
}

Result<std::string> flag_text(const ConfigSetting& setting) {
  const std::string text = setting.values.empty() ? "" : setting.values.front().text;
  if (text == "true" || text == "yes" || text == "on" || text == "1") return "true";
  if (text == "false" || text == "no" || text == "off" || text == "0") return "false";
  return fail(ErrorClass::invalid, "{}: '{}' is true or false, not '{}'", place_text(setting.file, setting.place),
              setting.key, text);
}

// CLI11's message without the option's name in front.
std::string without_option(const std::string& message) {
  const std::size_t colon = message.find(": ");
  return message.starts_with("--") && colon != std::string::npos ? message.substr(colon + 2) : message;
}

Result<void> give(CLI::Option& option, const ConfigSetting& setting) {
  if (is_flag(option)) {
    const Result<std::string> text = flag_text(setting);
    if (!text) return fail(text.error());
    if (*text == "false") return {};
    option.add_result(flag_result(option));
    option.run_callback();
    return {};
  }
  for (const ConfigValue& value : setting.values) {
    try {
      option.add_result(value.text);
      option.run_callback();
    } catch (const CLI::Error& error) {
      return fail(ErrorClass::invalid, "{}: {}: {}", place_text(value.file, value.place), setting.key,
                  without_option(error.what()));
    }
  }
  return {};
}

Result<void> check_exclusions(CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0) continue;
    for (const CLI::Option* other : option->get_excludes()) {
      if (other->count() == 0) continue;
      return fail(ErrorClass::usage, "{} excludes {}: set one of them", key_of(*option), key_of(*other));
    }
  }
  return {};
}

Result<std::vector<ConfigSetting>> settings_of_files(const ConfigurationArguments& arguments) {
  if (arguments.none) return std::vector<ConfigSetting>{};
  if (!arguments.file.empty()) return agent::read_config(arguments.file);
  if (::access(agent::default_config_file, F_OK) != 0) return std::vector<ConfigSetting>{};
  return agent::read_config(agent::default_config_file);
}

void add_environment(Chosen& chosen, const std::map<std::string, CLI::Option*>& options) {
  for (const auto& [key, option] : options) {
    const std::string variable = variable_of(key);
    const char* value = std::getenv(variable.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
    if (value == nullptr || *value == '\0') continue;
    chosen.insert_or_assign(option, ConfigSetting{variable, {}, key, false, {{value, variable, {}}}});
  }
}

// A double-quoted YAML scalar in ASCII: JSON's, but for what is beyond U+FFFF, which JSON writes as two halves and YAML does
// not take as such.
std::string quoted(const std::string& text) {
  const std::string json = ascii_json(nlohmann::json(text));
  const auto unit = [&](std::size_t at) { return std::stoul(json.substr(at + 2, 4), nullptr, 16); };
  std::string yaml;
  for (std::size_t at = 0; at < json.size();) {
    std::size_t octets = 1;
    if (json[at] == '\\') octets = json[at + 1] == 'u' ? 6 : 2;
    const bool half = octets == 6 && unit(at) >= 0xD800 && unit(at) <= 0xDBFF;
    if (half) {
      yaml += fmt::format("\\U{:08x}", 0x10000 + ((unit(at) - 0xD800) << 10) + (unit(at + 6) - 0xDC00));
    } else {
      yaml += json.substr(at, octets);
    }
    at += half ? 12 : octets;
  }
  return yaml;
}

std::string value_text(const CLI::Option& option) {
  if (is_flag(option)) return "true";
  const std::vector<std::string>& results = option.results();
  if (!is_repeated(option)) return quoted(results.empty() ? "" : results.back());
  std::vector<std::string> texts;
  for (const std::string& result : results) texts.push_back(quoted(result));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

// "LEVEL:{a,b}" -> a, b.
std::vector<std::string> choices(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  if (open == std::string::npos || !type.ends_with('}')) return {};
  std::vector<std::string> words;
  std::string_view rest = std::string_view(type).substr(open + 1, type.size() - open - 2);
  while (!rest.empty()) words.emplace_back(take_until(rest, ','));
  return words;
}

nlohmann::ordered_json schema_of(const CLI::Option& option) {
  nlohmann::ordered_json value;
  if (is_flag(option)) {
    value["type"] = "boolean";
  } else if (const auto words = choices(option); !words.empty()) {
    value["enum"] = words;
  } else {
    value["type"] = {"string", "number"};
  }
  nlohmann::ordered_json schema;
  if (is_repeated(option)) {
    nlohmann::ordered_json list;
    list["type"] = "array";
    list["items"] = value;
    schema["anyOf"] = {list, value};
  } else {
    schema = value;
  }
  schema["description"] = option.get_description();
  if (!option.get_default_str().empty() && !is_flag(option) && !is_repeated(option)) {
    schema["default"] = option.get_default_str();
  }
  return schema;
}

}  // namespace

void add_configuration(CLI::App& command, ConfigurationArguments& arguments) {
  auto* file = command.add_option("--config", arguments.file,
                                  fmt::format("Configuration file, read with the files of conf.d beside it; {} where "
                                              "that is there",
                                              agent::default_config_file));
  file->check(check_not_empty)->type_name("FILE");
  command.add_flag("--no-config", arguments.none, "Read no configuration file")->excludes(file);
}

Result<void> apply_configuration(CLI::App& command, const ConfigurationArguments& arguments) {
  Result<std::vector<ConfigSetting>> settings = settings_of_files(arguments);
  if (!settings) return fail(settings.error());
  const auto options = options_by_key(command);
  Chosen chosen;
  for (ConfigSetting& setting : *settings) {
    if (const auto known = choose(chosen, options, std::move(setting)); !known) return known;
  }
  add_environment(chosen, options);
  for (const auto& [key, option] : options) {
    const auto found = chosen.find(option);
    if (found == chosen.end() || option->count() > 0) continue;  // the command line has the last word
    if (const auto given = give(*option, found->second); !given) return given;
  }
  return check_exclusions(command);
}

std::string effective_configuration(const CLI::App& command) {
  std::string text;
  for (const CLI::Option* option : command.get_options()) {
    if (!is_setting(*option)) continue;
    const std::string& description = option->get_description();
    const std::string key = key_of(*option);
    text += fmt::format("# {}\n", description);
    if (option->count() > 0) {
      text += fmt::format("{}: {}\n", key, value_text(*option));
    } else {
      const std::string by_default = is_flag(*option) ? "false" : option->get_default_str();
      text += fmt::format("#{}:{}{}\n", key, by_default.empty() ? "" : " ", by_default);
    }
  }
  return text;
}

std::string configuration_schema(const CLI::App& command) {
  nlohmann::ordered_json schema;
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "The configuration of nslookout";
  schema["type"] = "object";
  schema["additionalProperties"] = false;
  schema["properties"] = nlohmann::ordered_json::object();
  for (const CLI::Option* option : command.get_options()) {
    if (is_setting(*option)) schema["properties"][key_of(*option)] = schema_of(*option);
  }
  return ascii_json(schema, 2) + "\n";
}

}  // namespace nslookout::cli
