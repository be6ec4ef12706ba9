#include "agent/config.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>

#include "base/fd.h"
#include "base/read_up_to.h"
#include "base/text.h"
#include "sigma/yaml_tree.h"

namespace nslookout::agent {
namespace {

namespace fs = std::filesystem;
using sigma::YamlNode;

constexpr std::size_t max_config_octets = 1u << 20;

Result<std::string> read_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return fail(ErrorClass::invalid, "{}: {}", path, errno_text(errno));
  std::optional<std::string> text = read_up_to(fd.get(), max_config_octets + 1);
  if (!text) return fail(ErrorClass::invalid, "{}: {}", path, errno_text(errno));
  if (text->size() > max_config_octets) {
    return fail(ErrorClass::invalid, "{}: a configuration is at most {} octets; rules and lists are files of their own",
                path, max_config_octets);
  }
  return std::move(*text);
}

void add_value(ConfigSetting& setting, const YamlNode& value, sigma::Findings& findings) {
  if (value.kind != YamlNode::Kind::scalar) {
    findings.broken(value.place, "a value of '{}' is {} instead of a text", setting.key, sigma::describe(value.kind));
    return;
  }
  setting.values.push_back({value.text, setting.file, value.place});
}

ConfigSetting setting_of(const YamlNode& key, const YamlNode& value, sigma::Findings& findings) {
  ConfigSetting setting{findings.file(), key.place, key.text, false, {}};
  switch (value.kind) {
    case YamlNode::Kind::sequence:
      setting.list = true;
      for (const YamlNode& item : value.items) add_value(setting, item, findings);
      break;
    case YamlNode::Kind::scalar:
      add_value(setting, value, findings);
      break;
    default:
      findings.broken(value.place, "'{}' is {}; write a value or a list of values", key.text,
                      sigma::describe(value.kind));
  }
  return setting;
}

Result<void> refuse(const sigma::Findings& findings) {
  if (findings.error_count() == 0) return {};
  const auto& all = findings.all();
  const auto first =
      std::ranges::find_if(all, [](const auto& finding) { return finding.kind != sigma::FindingKind::warning; });
  const std::size_t more = findings.error_count() - 1;
  return fail(ErrorClass::invalid, "{}{}", first->text(), more > 0 ? fmt::format(" (and {} more)", more) : "");
}

// Sorted; none where the folder is not there.
Result<std::vector<std::string>> further_files(const std::string& path) {
  std::vector<std::string> files;
  const fs::path folder = fs::path(path).parent_path() / "conf.d";
  std::error_code error;
  if (!fs::exists(folder, error)) return files;
  fs::directory_iterator at(folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string extension = at->path().extension().native();
    const bool hidden = at->path().filename().native().starts_with('.');
    if (!hidden && (extension == ".yaml" || extension == ".yml")) files.push_back(at->path().native());
  }
  if (error) return fail(ErrorClass::invalid, "{}: {}", folder.native(), error.message());
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::string place_text(const std::string& file, sigma::Place place) {
  return place.line == 0 ? file : fmt::format("{}:{}:{}", file, place.line, place.column);
}

Result<std::vector<ConfigSetting>> parse_config(std::string_view text, const std::string& file) {
  sigma::Findings findings(file);
  std::vector<ConfigSetting> settings;
  const std::vector<YamlNode> documents = sigma::parse_yaml(text, findings);
  if (documents.size() > 1) {
    findings.broken(documents[1].place, "a configuration is one document; take the '---' away");
  } else if (!documents.empty() && !documents.front().refused && documents.front().kind != YamlNode::Kind::map) {
    findings.broken(documents.front().place, "a configuration is a map of keys and values, not {}",
                    sigma::describe(documents.front().kind));
  } else if (!documents.empty() && !documents.front().refused) {
    const YamlNode& map = documents.front();
    for (std::size_t i = 0; i < map.keys.size(); ++i) {
      settings.push_back(setting_of(map.keys[i], map.items[i], findings));
    }
  }
  if (const auto usable = refuse(findings); !usable) return fail(usable.error());
  return settings;
}

Result<std::vector<ConfigSetting>> read_config(const std::string& path) {
  const Result<std::vector<std::string>> further = further_files(path);
  if (!further) return fail(further.error());
  std::vector<std::string> files = {path};
  std::ranges::copy(*further, std::back_inserter(files));
  std::vector<ConfigSetting> settings;
  for (const std::string& file : files) {
    const Result<std::string> text = read_file(file);
    if (!text) return fail(text.error());
    Result<std::vector<ConfigSetting>> parsed = parse_config(*text, file);
    if (!parsed) return fail(parsed.error());
    std::ranges::move(*parsed, std::back_inserter(settings));
  }
  return settings;
}

}  // namespace nslookout::agent
