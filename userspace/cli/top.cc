// `nslookout top`: lookups as they happen, on a terminal.
#include <langinfo.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "cli/agent_child.h"
#include "cli/as_root.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/run.h"
#include "top/feed.h"
#include "top/screen.h"
#include "top/terminal.h"

namespace nslookout::cli {
namespace {

constexpr int redraw_ms = 500;
constexpr std::size_t lines_besides_rows = 4;

struct TopArguments {
  std::string events;               // empty: live
  std::shared_ptr<const void> run;  // what the options of `run` were read into
};

// Signals as octets to read, so that each of them ends in the terminal being given back.
Result<Fd> take_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) ::sigaddset(&signals, signal);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before there are threads
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  Fd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return fail(ErrorClass::runtime, "signals cannot be read: {}", errno_text(errno));
  return fd;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nothing changes the environment
  return value != nullptr && *value != '\0';
}

class Top {
 public:
  Top(top::Terminal& terminal, top::Feed& feed, AgentChild* child, Fd signals)
      : terminal_(terminal), feed_(feed), child_(child), signals_(std::move(signals)) {
    look_.colour = !is_set("NO_COLOR");  // no-color.org
    // NOLINTBEGIN(concurrency-mt-unsafe): nothing else asks for a locale
    std::setlocale(LC_CTYPE, "");
    look_.utf8 = std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
    // NOLINTEND(concurrency-mt-unsafe)
  }

  Result<void> work(const std::string& source) {
    state_.source = source;
    bool more = false;
    while (!state_.quit) {
      wait(more ? 0 : redraw_ms);
      take_keys();
      take_signal();
      const auto read = feed_.read([this](const event::Event& event) { table_.add(event); });
      if (!read) return fail(read.error());
      more = *read;
      if (auto alive = look_after_child(); !alive) return alive;
      if (auto drawn = draw(); !drawn) return drawn;
    }
    return {};
  }

 private:
  // Until something is to be done; a file has nothing to wait for but time.
  void wait(int milliseconds) {
    const int feed = feed_.ended() ? -1 : feed_.descriptor();
    std::array<pollfd, 3> waiting = {
        {{terminal_.descriptor(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {more_often_ ? -1 : feed, POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), milliseconds);
    typed_ = (waiting[0].revents & POLLIN) != 0;
    if ((waiting[0].revents & (POLLHUP | POLLERR)) != 0) state_.quit = true;
  }

  void take_keys() {
    if (!std::exchange(typed_, false)) return;
    const std::string keys = terminal_.keys();
    if (keys.empty()) state_.quit = true;
    top::press(state_, keys, look_.height > lines_besides_rows ? look_.height - lines_besides_rows : 1);
    changed_ = true;
  }

  void take_signal() {
    signalfd_siginfo signal = {};
    while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
      changed_ = true;
      if (signal.ssi_signo == SIGTSTP) {
        terminal_.suspend();
      } else if (signal.ssi_signo != SIGWINCH) {
        state_.quit = true;
      }
    }
  }

  Result<void> look_after_child() {
    if (child_ == nullptr) {
      state_.message = feed_.waits() ? "The file is not there yet." : feed_.ended() ? "The events have ended." : "";
      return {};
    }
    state_.message = child_->last_message();
    const auto code = child_->exit_code();
    if (!code) return {};
    const auto kind = *code >= 1 && *code <= 4 ? static_cast<ErrorClass>(*code) : ErrorClass::runtime;
    return fail(kind, "the sensor has ended: {}", child_->last_message());
  }

  // Not more often than people see, unless they did something.
  Result<void> draw() {
    const auto now = std::chrono::steady_clock::now();
    const auto since = now - drawn_;
    more_often_ = since < std::chrono::milliseconds(redraw_ms / 2);
    if (!changed_ && (state_.paused || more_often_)) return {};
    drawn_ = now;
    changed_ = false;
    const auto size = terminal_.size();
    look_.width = size.width;
    look_.height = size.height;
    const auto second = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    return terminal_.draw(top::render(table_, state_, look_, second.count()));
  }

  top::Terminal& terminal_;
  top::Feed& feed_;
  AgentChild* child_;
  Fd signals_;
  top::Table table_;
  top::State state_;
  top::Look look_;
  std::chrono::steady_clock::time_point drawn_;
  bool changed_ = true;
  bool typed_ = false;
  bool more_often_ = false;
};

// The terminal is given back before anything is said.
Result<void> show(top::Feed& feed, AgentChild* child, Fd signals, const std::string& source) {
  auto terminal = top::Terminal::open();
  if (!terminal) return fail(terminal.error());
  return Top(*terminal, feed, child, std::move(signals)).work(source);
}

Result<void> top_of_events(const std::string& path, Fd signals) {
  if (path != "-") {
    auto feed = top::Feed::of_file(path);
    return show(feed, nullptr, std::move(signals), path);
  }
  auto feed = top::Feed::of_pipe(Fd(::dup(STDIN_FILENO)), "standard input");
  if (!feed) return fail(feed.error());
  return show(*feed, nullptr, std::move(signals), "standard input");
}

Result<void> top_live(const CLI::App& command, Fd signals) {
  if (!is_root()) {
    return fail(
        ErrorClass::unsupported,
        "watching this host needs root: `sudo nslookout top`; or `nslookout top --events FILE` for what an agent "
        "writes with --output jsonl:FILE");
  }
  auto child = AgentChild::start(options_given(command, {"events", "help"}));
  if (!child) return fail(child.error());
  auto feed = top::Feed::of_pipe(child->take_events(), "the sensor");
  if (!feed) return fail(feed.error());
  return show(*feed, &*child, std::move(signals), "live");
}

int run_top(const CLI::App& command, const TopArguments& arguments) {
  auto signals = take_signals();
  if (!signals) return report(signals.error());
  const auto shown = arguments.events.empty() ? top_live(command, std::move(*signals))
                                              : top_of_events(arguments.events, std::move(*signals));
  return shown ? exit_ok : report(shown.error());
}

}  // namespace

void add_top(CLI::App& app, Command& chosen) {
  auto* command =
      app.add_subcommand("top", "Show lookups as they happen, by process and by name; options are those of run");
  const auto arguments = std::make_shared<TopArguments>();
  arguments->run = add_options_of_run(*command);
  for (const char* settled : {"--observe", "--output", "--ready-file"}) {
    command->remove_option(command->get_option(settled));
  }
  command
      ->add_option("--events", arguments->events,
                   "Show these instead: a file of JSON lines, followed while it grows, or - for stdin")
      ->check(check_not_empty)
      ->type_name("FILE");
  command->footer(
      "q quits, ? shows the keys. NO_COLOR is respected.\n\nExample:\n  sudo nslookout top --rules rules/\n  nslookout "
      "top "
      "--events /var/log/nslookout.jsonl");
  command->callback(
      [&chosen, command, arguments] { chosen = [command, arguments] { return run_top(*command, *arguments); }; });
}

}  // namespace nslookout::cli
