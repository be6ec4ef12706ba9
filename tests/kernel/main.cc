// kernel_test: see README.md. Runs every case in a network namespace of its own.
//
// The helpers that the identity tests exec:
//   kernel_test --send-one NAME [ignored…]   one query for NAME, then gone
//   kernel_test --wait-for PID               waits for a child that it has already
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include <gtest/gtest.h>

#include "network_namespace.h"
#include "sender.h"
#include "wire.h"

namespace {
constexpr int skipped = 77;  // SKIP_RETURN_CODE of the CTest tests
}  // namespace

int main(int argc, char** argv) {
  using namespace nslookout::kernel_test;
  if (argc >= 3 && std::string_view(argv[1]) == "--send-one") {
    return send_sendto(server_address(AddressKind::v4), {query(wire_name(argv[2]))}) ? 0 : 1;
  }
  if (argc == 3 && std::string_view(argv[1]) == "--wait-for") {
    int status = 0;
    return ::waitpid(std::atoi(argv[2]), &status, 0) > 0 && status == 0 ? 0 : 1;
  }
  ::testing::InitGoogleTest(&argc, argv);
  if (::geteuid() != 0) {
    std::cout << "kernel_test: skipped: it needs root, to load programs into the kernel and to make namespaces\n";
    return skipped;
  }
  if (!::testing::GTEST_FLAG(list_tests)) {
    if (const auto entered = enter_own_network_namespace(); !entered) {
      std::cerr << "kernel_test: " << entered.error().message << '\n';
      return 1;
    }
  }
  return RUN_ALL_TESTS();
}
