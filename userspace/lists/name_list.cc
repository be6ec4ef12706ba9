#include "lists/name_list.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

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

}  // namespace

Result<NameList> load_list(std::string_view spec) {
  NameList list;
  constexpr std::string_view exact = "exact:";
  constexpr std::string_view suffix = "suffix:";
  if (spec.starts_with(exact)) {
    list.file = spec.substr(exact.size());
  } else if (spec.starts_with(suffix)) {
    list.file = spec.substr(suffix.size());
    list.scope = Scope::suffix;
  }
  if (list.file.empty()) {
    return fail(ErrorClass::usage, "'{}' is no list; write exact:FILE or suffix:FILE", spec);
  }
  list.id = "list/" + list.file.substr(list.file.rfind('/') + 1);

  const Result<std::string> text = read_list(list.file);
  if (!text) return fail(text.error());
  const PlainReport report = parse_plain(*text, list.scope, list.table);
  list.bad_lines = report.bad_lines;
  if (report.bad_lines > 0) {
    list.first_bad = fmt::format("{}:{}: {}", list.file, report.first_bad_line, report.first_bad_reason);
  }
  if (list.table.size() > 0) return list;
  if (list.bad_lines == 0) return fail(ErrorClass::invalid, "{}: the list holds no name", list.file);
  return fail(ErrorClass::invalid, "{}: no line of the list holds a name, the first: {}", list.file, list.first_bad);
}

}  // namespace nslookout::lists
