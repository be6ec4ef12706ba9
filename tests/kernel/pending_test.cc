// Sends that stand still in the kernel: the sendmsg hooks keep their candidates until they return, in a table that they
// fill. (On kprobe they also hold every return probe that there is, so that later returns are missed.)
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "child.h"
#include "harness.h"
#include "sender.h"
#include "sink.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

constexpr std::size_t questions_of_message = 3;  // NSL_MESSAGES_MAX of these are more than the 64 kept of one send
constexpr int stalled_sends = 17;                // of 64 each: more than the 1,024 of the table

Fd open_userfaultfd() {
  Fd faults(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK)));
  uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
  if (faults.valid() && ::ioctl(faults.get(), UFFDIO_API, &api) != 0) faults.reset();
  return faults;
}

// Memory that ends with these octets and one more, in a page that nobody ever provides: whoever reads it waits.
Result<const char*> memory_before_fault(int faults, const std::string& octets) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto size = (octets.size() + page - 1) / page * page;
  void* mapped = ::mmap(nullptr, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return fail_errno("mmap");
  auto* fault = static_cast<char*>(mapped) + size;
  std::copy(octets.begin(), octets.end(), fault - octets.size());
  uffdio_register range{.range = {.start = reinterpret_cast<std::uintptr_t>(fault), .len = page},
                        .mode = UFFDIO_REGISTER_MODE_MISSING,
                        .ioctls = 0};
  if (::ioctl(faults, UFFDIO_REGISTER, &range) != 0) return fail_errno("UFFDIO_REGISTER");
  return fault - octets.size();
}

// A send of many messages that begins and does not end; opens the gate once the kernel waits for the last octet.
Result<void> send_and_stall(const Payloads& payloads, Gate& stalled) {
  const auto faults = open_userfaultfd();
  const auto fd = connect_socket(server_address(AddressKind::v4), SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  const int size = static_cast<int>(payloads.front().size());
  if (::setsockopt(fd->get(), IPPROTO_UDP, udp_segment_option, &size, sizeof(size)) != 0) {
    return fail_errno("UDP_SEGMENT");
  }
  const auto octets = joined(payloads);
  const auto memory = memory_before_fault(faults.get(), octets);
  if (!memory) return fail(memory.error());
  std::thread sender([&] { ::send(fd->get(), *memory, octets.size() + 1, 0); });
  if (wait_readable(faults.get())) stalled.open();
  sender.join();  // never: the test kills the process
  return {};
}

Payloads many_questions() {
  Payloads payloads;
  for (int i = 0; i < NSL_MESSAGES_MAX; ++i) {
    Message message;
    for (std::size_t j = 0; j < questions_of_message; ++j) {
      message.questions.push_back({wire_name(fmt::format("m{:02}q{}.stalled.{}", i, j, zone()))});
    }
    payloads.push_back(message.octets());
  }
  return payloads;
}

TEST(PendingTable, LookupsAreSeenWhileItIsFull) {
  if (!open_userfaultfd().valid()) {
    report_case("seen_while_many_sends_stall", "skipped(userfaultfd)");
    GTEST_SKIP() << "userfaultfd: " << errno_text(errno);
  }
  auto harness = Harness::start();
  NSL_ASSERT_OK(harness);
  const auto payloads = many_questions();
  std::vector<Child> stalled;
  for (int i = 0; i < stalled_sends; ++i) {
    Gate gate;
    auto child = Child::start("stalled", [&] { return send_and_stall(payloads, gate); });
    NSL_ASSERT_OK(child);
    stalled.push_back(std::move(*child));
    NSL_ASSERT_OK(gate.wait());
  }
  const auto wire = unique_name("during");
  const auto before = harness->counters();
  const auto run = run_child("sender", [&] { return send_sendto(server_address(AddressKind::v4), {query(wire)}); });
  NSL_ASSERT_OK(run.result);
  auto candidates = harness->collect();
  NSL_ASSERT_OK(candidates);
  // Of the sends that stall, those that found it full were handed over too: they do not matter here.
  std::erase_if(*candidates, [&](const auto& one) { return static_cast<pid_t>(one.sender.process.tgid) != run.pid; });
  check_case("seen_while_many_sends_stall", seen_everywhere, {{.name = wire, .pid = run.pid, .tid = run.pid}},
             *candidates, before, harness->counters());
}

}  // namespace
}  // namespace nslookout::kernel_test
