// cli/progress.h: how far the file is, on a terminal and nowhere else.
#include "cli/progress.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string>

#include "base/fd.h"

namespace nslookout::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr std::chrono::seconds patience{30};

// Stderr is the given descriptor while this lives, and the terminal's kind is known.
class StderrAt {
 public:
  explicit StderrAt(int fd) : before_(::dup(STDERR_FILENO)) {
    ::dup2(fd, STDERR_FILENO);
    ::setenv("TERM", "xterm", 1);
  }
  ~StderrAt() { ::dup2(before_.get(), STDERR_FILENO); }
  StderrAt(const StderrAt&) = delete;
  StderrAt& operator=(const StderrAt&) = delete;

 private:
  Fd before_;
};

class ProgressOf : public ::testing::Test {
 protected:
  ProgressOf() {
    std::string name = "/tmp/nslookout-progress-XXXXXX";
    file_ = Fd(::mkstemp(name.data()));
    path_ = name;
    EXPECT_EQ(::write(file_.get(), std::string(1000, 'x').data(), 1000), 1000);
    int master = -1;
    int terminal = -1;
    EXPECT_EQ(::openpty(&master, &terminal, nullptr, nullptr, nullptr), 0);
    master_ = Fd(master);
    terminal_ = Fd(terminal);
  }
  ~ProgressOf() override { ::unlink(path_.c_str()); }
  ProgressOf(const ProgressOf&) = delete;
  ProgressOf& operator=(const ProgressOf&) = delete;

  void read_up_to(off_t octets) { ::lseek(file_.get(), octets, SEEK_SET); }

  // What has been drawn, up to the text; all of it when the text does not come in time.
  std::string drawn_until(const std::string& text) {
    std::string drawn;
    const auto end = std::chrono::steady_clock::now() + patience;
    while (drawn.find(text) == std::string::npos && std::chrono::steady_clock::now() < end) {
      pollfd ready{master_.get(), POLLIN, 0};
      if (::poll(&ready, 1, 100) != 1) continue;
      drawn += read_some();
    }
    return drawn;
  }

  [[nodiscard]] bool is_anything_drawn() const {
    pollfd ready{master_.get(), POLLIN, 0};
    return ::poll(&ready, 1, 0) == 1;
  }

  std::string drawn_so_far() {
    std::string drawn;
    while (is_anything_drawn()) drawn += read_some();
    return drawn;
  }

  std::string read_some() {
    std::array<char, 256> octets{};
    const ssize_t length = ::read(master_.get(), octets.data(), octets.size());
    return {octets.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
  }

  Fd file_;
  std::string path_;
  Fd master_;
  Fd terminal_;
};

TEST_F(ProgressOf, AFileThatIsReadOnIsDrawnAndTakenAway) {
  const StderrAt at(terminal_.get());
  read_up_to(437);
  {
    const Progress progress(path_);
    EXPECT_THAT(drawn_until(" 43 % of nslookout-progress-"), HasSubstr(" 43 % of nslookout-progress-"));
    read_up_to(1000);
    EXPECT_THAT(drawn_until("100 % of"), HasSubstr("100 % of"));
  }
  EXPECT_THAT(drawn_so_far(), EndsWith("\x1b[2K"));
}

TEST_F(ProgressOf, AShortWorkIsNotDrawn) {
  const StderrAt at(terminal_.get());
  EXPECT_EQ(with_progress(path_, [] { return 7; }), 7);
  EXPECT_FALSE(is_anything_drawn());
}

TEST_F(ProgressOf, ANameThatCouldMoveTheCursorIsNotShown) {
  const std::string hostile = path_ + "\x1b[1m";
  ASSERT_EQ(::rename(path_.c_str(), hostile.c_str()), 0);
  path_ = hostile;
  const StderrAt at(terminal_.get());
  const Progress progress(path_);
  EXPECT_THAT(drawn_until("of the file"), HasSubstr("% of the file"));
}

TEST_F(ProgressOf, OnADumbTerminalAndOnNoneNothingIsDrawn) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const Fd read_end(pipe[0]);
  Fd write_end(pipe[1]);
  const auto wait_past_the_first_drawing = [this] {
    const Progress progress(path_);
    ::poll(nullptr, 0, 1500);
  };
  {
    const StderrAt at(write_end.get());
    wait_past_the_first_drawing();
  }
  write_end.reset();
  char octet = 0;
  EXPECT_EQ(::read(read_end.get(), &octet, 1), 0);
  {
    const StderrAt at(terminal_.get());
    ::setenv("TERM", "dumb", 1);
    wait_past_the_first_drawing();
  }
  EXPECT_FALSE(is_anything_drawn());
}

}  // namespace
}  // namespace nslookout::cli
