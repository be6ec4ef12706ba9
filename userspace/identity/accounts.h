// Names of users and groups, from /etc/passwd and /etc/group alone.
//
// Not getpwuid_r: behind it nsswitch.conf may put LDAP or another service, and a sensor of name lookups must not make
// one (nor wait for one) for each event. Accounts of such services keep their number and have no name here.
// The names are the host's: a container may call the same number otherwise.
// Thread rule: one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <unordered_map>

namespace nslookout::identity {

// One file of lines "name:…:number:…" (passwd(5), group(5)), read again when it changes. An unreadable file has no
// names.
class AccountFile {
 public:
  explicit AccountFile(std::string path) : path_(std::move(path)) {}

  // The first name with that number, as getpwuid(3) would answer; empty where there is none.
  [[nodiscard]] std::string name_of(std::uint32_t number);

 private:
  struct Stamp {
    std::int64_t seconds = 0, nanos = 0;  // of the last modification
    off_t size = -1;
    ino_t inode = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  void refresh();

  std::string path_;
  Stamp stamp_;
  std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace nslookout::identity
