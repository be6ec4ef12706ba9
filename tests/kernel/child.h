// Processes of the tests: each case sends from a forked child, so that the sender's thread-group id is known and is not
// the test's own. A child that outlives the test is killed with it (PR_SET_PDEATHSIG).
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace nslookout::kernel_test {

// What a child does. An error of class unsupported means that this kernel or machine lacks something: the case is
// skipped, with the error's text as the reason.
using ChildBody = std::function<Result<void>()>;

class Child {
 public:
  // comm: the child's own name, at most 15 octets.
  [[nodiscard]] static Result<Child> start(const std::string& comm, const ChildBody& body);

  Child(Child&&) = default;
  Child& operator=(Child&&) = default;
  ~Child();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Waits for its end and returns what the body returned.
  [[nodiscard]] Result<void> wait();
  void kill();

 private:
  Child(pid_t pid, Fd outcome) : pid_(pid), outcome_(std::move(outcome)) {}
  pid_t pid_ = -1;
  Fd outcome_;
  bool reaped_ = false;
};

struct ChildRun {
  pid_t pid = -1;
  Result<void> result;
};

[[nodiscard]] ChildRun run_child(const std::string& comm, const ChildBody& body);

// Numbers that a child tells the test (pids of its own children, namespaces): a page shared across fork.
class SharedNumbers {
 public:
  SharedNumbers();
  ~SharedNumbers();
  SharedNumbers(const SharedNumbers&) = delete;
  SharedNumbers& operator=(const SharedNumbers&) = delete;

  [[nodiscard]] std::atomic<std::uint64_t>& operator[](std::size_t index) const { return numbers_->at(index); }
  [[nodiscard]] pid_t pid(std::size_t index) const { return static_cast<pid_t>((*this)[index].load()); }

 private:
  using Numbers = std::array<std::atomic<std::uint64_t>, 64>;
  Numbers* numbers_ = nullptr;
};

// A gate: wait() in one process returns once open() was called in another.
class Gate {
 public:
  Gate();
  void open();
  [[nodiscard]] Result<void> wait() const;

 private:
  Fd event_;
};

}  // namespace nslookout::kernel_test
