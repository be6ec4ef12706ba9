#include "top/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace nslookout::top {
namespace {

constexpr std::string_view take = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J";
constexpr std::string_view give_back = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::array<int, 6> deadly = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};

// For the handler alone, which can have no argument of its own.
int terminal_of_handler = -1;
termios before_of_handler = {};

// write(2) and tcsetattr(3) may be called in a handler (signal-safety(7)). SA_RESETHAND: the signal comes again, and kills.
void restore_and_die(int signal) {
  [[maybe_unused]] const auto written = ::write(terminal_of_handler, give_back.data(), give_back.size());
  ::tcsetattr(terminal_of_handler, TCSANOW, &before_of_handler);
  ::raise(signal);
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void handle_deadly_signals(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = handler == SIG_DFL ? 0 : static_cast<int>(SA_RESETHAND);
  for (const int signal : deadly) ::sigaction(signal, &action, nullptr);
}

}  // namespace

Result<Terminal> Terminal::open() {
  Fd fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  termios before = {};
  if (!fd.valid() || ::tcgetattr(fd.get(), &before) != 0) {
    return fail(ErrorClass::usage,
                "top needs a terminal, and there is none: events in a file are summed up by `nslookout report`");
  }
  const char* kind = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nothing changes the environment
  if (kind == nullptr || *kind == '\0' || std::strcmp(kind, "dumb") == 0) {
    return fail(ErrorClass::usage, "top needs a terminal that can show a screen, and TERM says that this one cannot");
  }
  Terminal terminal(std::move(fd), before);
  terminal_of_handler = terminal.descriptor();
  before_of_handler = before;
  handle_deadly_signals(restore_and_die);
  terminal.enter();
  return terminal;
}

Terminal::Terminal(Terminal&& other) noexcept : fd_(std::move(other.fd_)), before_(other.before_) {}

Terminal::~Terminal() {
  if (!fd_.valid()) return;
  handle_deadly_signals(SIG_DFL);
  leave();
}

void Terminal::enter() {
  termios raw = before_;
  ::cfmakeraw(&raw);
  ::tcsetattr(fd_.get(), TCSADRAIN, &raw);
  write_all(fd_.get(), take);
}

void Terminal::leave() {
  write_all(fd_.get(), give_back);
  ::tcsetattr(fd_.get(), TCSADRAIN, &before_);
}

Terminal::Size Terminal::size() const {
  winsize window = {};
  const bool known = ::ioctl(fd_.get(), TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0;
  if (!known) return {80, 24};
  return {std::clamp<std::size_t>(window.ws_col, 1, 1000), std::clamp<std::size_t>(window.ws_row, 1, 1000)};
}

Result<void> Terminal::draw(const std::vector<std::string>& lines) {
  std::string frame = "\x1b[H";
  for (std::size_t at = 0; at < lines.size(); ++at) frame += (at > 0 ? "\r\n" : "") + lines[at];
  std::string_view rest = frame;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(ErrorClass::runtime, "the terminal cannot be written: {}", errno_text(errno));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::string Terminal::keys() const {
  std::array<char, 256> octets = {};
  const ssize_t got = ::read(fd_.get(), octets.data(), octets.size());
  return got > 0 ? std::string(octets.data(), static_cast<std::size_t>(got)) : "";
}

void Terminal::suspend() {
  leave();
  ::raise(SIGSTOP);
  enter();
}

}  // namespace nslookout::top
