#include "lists/name_list.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "lists/adblock.h"
#include "lists/csv.h"
#include "lists/dnsmasq.h"
#include "lists/hosts.h"
#include "lists/plain.h"
#include "lists/public_suffixes.h"
#include "lists/rpz.h"
#include "lists/spec.h"

namespace nslookout::lists {
namespace {

// The whole file by read(2): a list may be rewritten while it is loaded, which a mapping answers with SIGBUS.
Result<std::string> read_list(const std::string& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
    return fail(ErrorClass::invalid, "{}: the list cannot be read: {}", file, errno_text(errno));
  }
  if (!S_ISREG(status.st_mode)) return fail(ErrorClass::invalid, "{}: the list is not a regular file", file);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t filled = 0;
  while (true) {
    if (filled == text.size()) text.resize(text.size() + 4096);
    if (text.size() > max_list_octets) {
      return fail(ErrorClass::invalid, "{}: the list is larger than {} MiB; split it", file, max_list_octets >> 20);
    }
    const ssize_t got = ::read(fd.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorClass::invalid, "{}: the list cannot be read: {}", file, errno_text(errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

// What other encodings and packed files begin with; as names they would all be bad lines.
Result<void> check_text(std::string_view text) {
  if (text.starts_with("\x1F\x8B") ||
      text.starts_with("\xFD"
                       "7zXZ") ||
      text.starts_with("\x28\xB5\x2F\xFD") || text.starts_with("PK\x03\x04")) {
    return fail(ErrorClass::invalid, "the list is compressed; unpack it first");
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return fail(ErrorClass::invalid, "the list is in UTF-16; convert it to UTF-8");
  }
  return {};
}

Result<Report> parse(std::string_view text, const Spec& spec, Format format, NameTable& table) {
  switch (format) {
    case Format::plain:
      return parse_plain(text, spec.scope, table);
    case Format::hosts:
      return parse_hosts(text, spec.scope, table);
    case Format::rpz:
      return parse_rpz(text, spec.scope, table);
    case Format::adblock:
      return parse_adblock(text, spec.scope, table);
    case Format::dnsmasq:
      return parse_dnsmasq(text, spec.scope, table);
    case Format::csv:
      break;
  }
  return parse_csv(text, spec.scope, spec.column, table);
}

std::string_view plural(std::size_t count) { return count == 1 ? "" : "s"; }

void warn(NameList& list, const Report& report) {
  if (list.bad_lines > 0) {
    list.warnings.push_back(fmt::format("{} line{} left out of {} (read as {}); the first: {}", list.bad_lines,
                                        plural(list.bad_lines), list.file, format_name(list.format), list.first_bad));
  }
  if (report.other_lines > 0) {
    list.warnings.push_back(fmt::format("{}: {} line{} of the list passed over: not about lookups of whole names",
                                        list.file, report.other_lines, plural(report.other_lines)));
  }
  const PublicSuffixes suffixes = find_public_suffixes(list.table);
  if (suffixes.count > 0) {
    list.warnings.push_back(fmt::format(
        "{}: '{}'{} is a public suffix: the list hits every name that anybody registers below it", list.file,
        suffixes.first, suffixes.count == 1 ? "" : fmt::format(", like {} more of its names,", suffixes.count - 1)));
  }
}

bool holds_listed_name(const NameTable& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.entry(i).listed()) return true;
  }
  return false;
}

Result<void> fill(NameList& list, const Spec& spec) {
  const Result<std::string> octets = read_list(spec.file);
  if (!octets) return fail(octets.error());
  if (const auto checked = check_text(*octets); !checked) return fail(checked.error().context(list.file));
  std::string_view text = *octets;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  list.format = spec.format ? *spec.format : detect_format(text);
  // Lines are names in most lists; where they are empty there are fewer than octets of names.
  constexpr std::size_t shortest_line = 4;
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  list.table.reserve(std::min(lines, text.size() / shortest_line + 1), text.size());
  const Result<Report> report = parse(text, spec, list.format, list.table);
  if (!report) return fail(report.error().context(list.file));
  if (report->names_too_many > 0) {
    return fail(
        ErrorClass::invalid,
        "{}: {} names of the list do not fit: one list holds {} MiB of names, about 13 million; split it into several",
        list.file, report->names_too_many, NameTable::max_octets >> 20);
  }
  list.column = report->column;
  list.bad_lines = report->bad_lines;
  if (list.bad_lines > 0) {
    list.first_bad = fmt::format("{}:{}:{}: {}", list.file, report->first_bad_line, report->first_bad_column,
                                 report->first_bad_reason);
  }
  warn(list, *report);
  return {};
}

}  // namespace

Result<NameList> load_list(std::string_view text) {
  const Result<Spec> spec = parse_spec(text);
  if (!spec) return fail(spec.error());
  NameList list;
  list.file = spec->file;
  list.id = "list/" + list.file.substr(list.file.rfind('/') + 1);
  list.level = spec->level;
  list.scope = spec->scope;
  if (const auto filled = fill(list, *spec); !filled) return fail(filled.error());
  if (holds_listed_name(list.table)) return list;
  if (list.bad_lines > 0) {
    return fail(ErrorClass::invalid, "{}: no line of the list (read as {}) holds a name, the first: {}", list.file,
                format_name(list.format), list.first_bad);
  }
  return fail(ErrorClass::invalid, "{}: the list (read as {}) holds no name", list.file, format_name(list.format));
}

}  // namespace nslookout::lists
