// kernel/name_service.h: what a program does when it cannot ask systemd-resolved over its socket.
#include <gtest/gtest.h>

#include "kernel/name_service.h"
#include "tests/unit/host_fake_tree.h"

namespace nslookout::kernel {
namespace {

TEST(NameService, WhetherDnsStandsInForResolve) {
  const struct {
    const char* hosts;
    bool stands_in;
  } rows[] = {
      {"", false},
      {"hosts: files dns", false},  // nothing to stand in for
      {"hosts: resolve dns", true},
      {"hosts: files resolve [!UNAVAIL=return] dns", true},
      {"hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns", true},
      {"hosts: resolve[!unavail=RETURN]dns", true},
      {"hosts: resolve [NOTFOUND=return] dns", true},
      {"hosts: resolve [UNAVAIL=return] dns", false},
      {"hosts: resolve [!SUCCESS=return] dns", false},
      {"hosts: resolve [!SUCCESS=return UNAVAIL=continue] dns", true},
      {"hosts: files dns resolve", false},  // asked before, not instead
      {"hosts: resolve files", false},
      {"hosts: resolve myhostname [NOTFOUND=return] dns", false},
      {"# hosts: resolve dns\nhosts: resolve", false},
      {"hosts: resolve # dns", false},
  };
  for (const auto& row : rows) {
    tests::FakeTree tree;
    tree.write("/etc/nsswitch.conf", std::string(row.hosts) + "\n");
    EXPECT_EQ(dns_stands_in_for_resolve(Host(tree.root())), row.stands_in) << row.hosts;
  }
}

}  // namespace
}  // namespace nslookout::kernel
