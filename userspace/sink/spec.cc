#include "sink/spec.h"

#include <sys/un.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace nslookout::sink {
namespace {

constexpr std::string_view known_kinds = "stdout, jsonl:FILE, protobuf:FILE, unix:SOCKET";
constexpr std::array<std::string_view, 4> later_kinds = {"otlp", "kafka", "syslog", "journald"};
constexpr std::array<std::string_view, 2> later_formats = {"ecs", "ocsf"};

template <typename Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Result<void> apply_option(Spec& spec, std::string_view key, std::string_view value, std::string_view text) {
  if (key == "format" && value == "native") return {};
  if (key == "format" && contains(later_formats, value)) {
    return fail(ErrorClass::usage, "output \"{}\": this version writes format=native only, not {}", text, value);
  }
  if (key == "encoding" && spec.place == Place::unix_socket && (value == "json" || value == "protobuf")) {
    spec.encoding = value == "json" ? Encoding::json_lines : Encoding::protobuf;
    return {};
  }
  return fail(ErrorClass::usage,
              R"(output "{}": unknown option "{}={}"; known are format=native and, for unix:, encoding=json|protobuf)",
              text, key, value);
}

Result<void> apply_kind(Spec& spec, std::string_view kind, std::string_view text) {
  if (kind == "stdout") {
    spec.place = Place::standard_output;
  } else if (kind == "jsonl" || kind == "protobuf") {
    spec.place = Place::file;
    spec.encoding = kind == "jsonl" ? Encoding::json_lines : Encoding::protobuf;
  } else if (kind == "unix") {
    spec.place = Place::unix_socket;
  } else if (contains(later_kinds, kind)) {
    return fail(ErrorClass::usage, "output \"{}\": this version has no {} output; use one of {}", text, kind,
                known_kinds);
  } else {
    return fail(ErrorClass::usage, "output \"{}\" is not known; use one of {}", text, known_kinds);
  }
  return {};
}

Result<void> apply_path(Spec& spec, std::string_view path, std::string_view text) {
  if (spec.place == Place::standard_output) {
    if (path.empty()) return {};
    return fail(ErrorClass::usage, "output \"{}\": stdout takes no path; use jsonl:FILE for a file", text);
  }
  if (path.empty()) return fail(ErrorClass::usage, "output \"{}\" lacks a path; use one of {}", text, known_kinds);
  if (spec.place == Place::file && path == "-") {
    spec.place = Place::standard_output;
    return {};
  }
  if (spec.place == Place::unix_socket && path.size() >= sizeof sockaddr_un{}.sun_path) {
    return fail(ErrorClass::usage, "output \"{}\": the path of a socket has at most {} octets", text,
                sizeof sockaddr_un{}.sun_path - 1);
  }
  spec.path = path;
  return {};
}

}  // namespace

Result<Spec> parse_spec(std::string_view text) {
  Spec spec;
  std::string_view options = text;
  std::string_view path = take_until(options, '?');
  const std::string_view kind = take_until(path, ':');
  if (auto applied = apply_kind(spec, kind, text); !applied) return fail(applied.error());
  if (auto applied = apply_path(spec, path, text); !applied) return fail(applied.error());
  while (!options.empty()) {
    std::string_view value = take_until(options, '&');
    const std::string_view key = take_until(value, '=');
    if (auto applied = apply_option(spec, key, value, text); !applied) return fail(applied.error());
  }
  return spec;
}

}  // namespace nslookout::sink
