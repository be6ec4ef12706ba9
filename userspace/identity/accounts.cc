#include "identity/accounts.h"

#include <sys/stat.h>

#include <charconv>
#include <cstddef>
#include <fstream>
#include <optional>
#include <string_view>

namespace nslookout::identity {
namespace {

// Bounds what a strange file can cost; a host has a few dozen local accounts.
constexpr std::size_t max_names = 100'000;

struct Account {
  std::string_view name;
  std::uint32_t number = 0;
};

// The number is the third field in both files.
std::optional<Account> parse_line(std::string_view line) {
  const std::size_t name_end = line.find(':');
  if (name_end == std::string_view::npos || name_end == 0) return std::nullopt;
  const std::size_t password_end = line.find(':', name_end + 1);
  if (password_end == std::string_view::npos) return std::nullopt;
  Account account{.name = line.substr(0, name_end)};
  const char* begin = line.data() + password_end + 1;
  const char* end = line.data() + line.size();
  const auto parsed = std::from_chars(begin, end, account.number);
  if (parsed.ec != std::errc{} || (parsed.ptr != end && *parsed.ptr != ':')) return std::nullopt;
  return account;
}

}  // namespace

void AccountFile::refresh() {
  struct stat status{};
  Stamp now;
  if (::stat(path_.c_str(), &status) == 0) {
    now = {.seconds = status.st_mtim.tv_sec,
           .nanos = status.st_mtim.tv_nsec,
           .size = status.st_size,
           .inode = status.st_ino};
  }
  if (now == stamp_) return;
  stamp_ = now;
  names_.clear();
  std::ifstream file(path_);
  for (std::string line; names_.size() < max_names && std::getline(file, line);) {
    if (const auto account = parse_line(line)) names_.try_emplace(account->number, account->name);
  }
}

std::string AccountFile::name_of(std::uint32_t number) {
  refresh();
  const auto found = names_.find(number);
  return found == names_.end() ? std::string() : found->second;
}

}  // namespace nslookout::identity
