#include "child.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <new>

#include "address.h"
#include "sink.h"

namespace nslookout::kernel_test {

namespace {

constexpr char ok_mark = 'o';
constexpr char unsupported_mark = 'u';
constexpr char failed_mark = 'f';

[[noreturn]] void run_body(const std::string& comm, const ChildBody& body, int outcome) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, comm.c_str());
  const auto result = body();
  std::string text(1, ok_mark);
  if (!result) {
    text.assign(1, result.error().kind == ErrorClass::unsupported ? unsupported_mark : failed_mark);
    text += result.error().message;
  }
  const auto written = ::write(outcome, text.data(), text.size());
  ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
}

}  // namespace

Result<Child> Child::start(const std::string& comm, const ChildBody& body) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("pipe2");
  Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  const auto pid = ::fork();
  if (pid < 0) return fail_errno("fork");
  if (pid == 0) run_body(comm, body, write_end.get());
  return Child(pid, std::move(read_end));
}

Child::~Child() {
  if (!outcome_.valid() || reaped_) return;
  kill();
  ::waitpid(pid_, nullptr, 0);
}

void Child::kill() { ::kill(pid_, SIGKILL); }

Result<void> Child::wait() {
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) return fail_errno("waitpid");
  reaped_ = true;
  std::array<char, 1024> text{};
  const auto octets = ::read(outcome_.get(), text.data(), text.size());
  if (octets < 1) return fail(ErrorClass::runtime, "the child died with wait status {:#x}", status);
  if (text[0] == ok_mark) return {};
  return fail(text[0] == unsupported_mark ? ErrorClass::unsupported : ErrorClass::runtime, "{}",
              std::string_view(text.data() + 1, static_cast<std::size_t>(octets) - 1));
}

ChildRun run_child(const std::string& comm, const ChildBody& body) {
  auto child = Child::start(comm, body);
  if (!child) return {.pid = -1, .result = fail(child.error())};
  const auto pid = child->pid();
  return {.pid = pid, .result = child->wait()};
}

SharedNumbers::SharedNumbers() {
  void* page = ::mmap(nullptr, sizeof(Numbers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  numbers_ = new (page) Numbers{};
}

SharedNumbers::~SharedNumbers() { ::munmap(numbers_, sizeof(Numbers)); }

Gate::Gate() : event_(::eventfd(0, EFD_CLOEXEC)) {}

void Gate::open() {
  const std::uint64_t many = 1000;
  if (::write(event_.get(), &many, sizeof(many)) != sizeof(many)) ::abort();
}

Result<void> Gate::wait() const {
  if (!wait_readable(event_.get())) return fail(ErrorClass::runtime, "nobody opened the gate");
  return {};
}

}  // namespace nslookout::kernel_test
