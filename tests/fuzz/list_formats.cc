// Any text as a list, in every format: what comes out is well formed, in lower case, and decided by its own table.
#include <array>

#include "base/dns_name.h"
#include "lists/adblock.h"
#include "lists/csv.h"
#include "lists/dnsmasq.h"
#include "lists/format.h"
#include "lists/hosts.h"
#include "lists/plain.h"
#include "lists/rpz.h"
#include "octets.h"

namespace {

using nslookout::fuzz::require;
namespace lists = nslookout::lists;

void check(const lists::Report& report, const lists::NameTable& table) {
  require((report.bad_lines == 0) == (report.first_bad_line == 0), "a bad line has a number");
  require((report.bad_lines == 0) == report.first_bad_reason.empty(), "a bad line has a reason");
  for (std::size_t i = 0; i < table.size(); ++i) {
    const lists::NameEntry entry = table.entry(i);
    require(nslookout::is_wire_name(entry.wire) && entry.wire.size() > 1, "a name is well formed and not the root");
    require(nslookout::ascii_lower(entry.wire) == entry.wire, "a name is in lower case");
    require(entry.listed() || entry.allow_exact || entry.allow_below, "a name stands for something");
    require(!entry.exact || table.covering(entry.wire).wire == entry.wire, "a listed name decides about itself");
    require(!entry.allow_exact || table.covering(entry.wire).wire.empty(), "an allowed name decides about itself");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(octets), size);
  (void)lists::detect_format(text);
  constexpr std::array parsers = {lists::parse_plain, lists::parse_hosts, lists::parse_rpz, lists::parse_adblock,
                                  lists::parse_dnsmasq};
  for (const lists::Scope scope : {lists::Scope::exact, lists::Scope::suffix}) {
    for (const auto parse : parsers) {
      lists::NameTable table;
      check(parse(text, scope, table), table);
    }
    lists::NameTable table;
    if (const auto report = lists::parse_csv(text, scope, "", table)) check(*report, table);
  }
  return 0;
}
