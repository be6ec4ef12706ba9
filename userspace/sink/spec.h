// The specification of an output, as given to --output. Grammar: KIND[:TARGET][?KEY=VALUE[&KEY=VALUE]…].
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace nslookout::sink {

enum class Place { standard_output, file, unix_socket };
enum class Encoding { json_lines, protobuf };

struct Spec {
  Place place = Place::standard_output;
  Encoding encoding = Encoding::json_lines;
  std::string path;  // of a file or a socket

  friend bool operator==(const Spec&, const Spec&) = default;
};

// Errors are of class usage.
[[nodiscard]] Result<Spec> parse_spec(std::string_view text);

}  // namespace nslookout::sink
