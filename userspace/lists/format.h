// The formats of lists, and which of them a text is in.
#pragma once

#include <optional>
#include <string_view>

namespace nslookout::lists {

enum class Format { plain, hosts, rpz, adblock, dnsmasq, csv };

// As written in format=…; "wildcard" is another name of plain, which has wildcards.
[[nodiscard]] std::optional<Format> format_from_name(std::string_view name);
[[nodiscard]] std::string_view format_name(Format format);
inline constexpr std::string_view format_names = "plain, wildcard, hosts, rpz, adblock, dnsmasq, csv";

// The format that most of the first lines look like. Plain when none looks like anything; hosts rather than plain when
// any line has an address, since hosts files may have lone names too.
[[nodiscard]] Format detect_format(std::string_view text);

}  // namespace nslookout::lists
