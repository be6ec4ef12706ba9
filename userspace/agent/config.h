// The configuration as it is written: one YAML file, and what lies in the folder conf.d beside it.
//
// A file is one map from keys to a value or to a list of values; what the keys mean is the reader's business. Files of conf.d
// (*.yaml, *.yml) come after the main file, in the order of their names.
// Thread rule: any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sigma/findings.h"

namespace nslookout::agent {

inline constexpr const char* default_config_file = "/etc/nslookout/config.yaml";

struct ConfigValue {
  std::string text;
  std::string file;
  sigma::Place place;
};

struct ConfigSetting {
  std::string file;
  sigma::Place place;  // of the key
  std::string key;
  bool list = false;  // written as one
  std::vector<ConfigValue> values;
};

// "file:line:column"
[[nodiscard]] std::string place_text(const std::string& file, sigma::Place place);

// The settings in the order in which they count. Errors: invalid, with the place; the first of them, and how many more.
[[nodiscard]] Result<std::vector<ConfigSetting>> read_config(const std::string& path);

// One file's text; what read_config does with each.
[[nodiscard]] Result<std::vector<ConfigSetting>> parse_config(std::string_view text, const std::string& file);

}  // namespace nslookout::agent
