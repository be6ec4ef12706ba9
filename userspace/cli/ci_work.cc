#include "cli/ci_work.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/read_up_to.h"
#include "identity/proc_process.h"
#include "sink/write_all.h"

namespace nslookout::cli {
namespace {

constexpr std::size_t small_file = 64U << 10;

tl::unexpected<Error> cannot(const char* what, const std::string& path) {
  return fail(ErrorClass::runtime, "{} cannot be {}: {}", path, what, errno_text(errno));
}

Result<void> make_empty(const std::string& path) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return cannot("emptied", path);
  return {};
}

std::optional<std::string> content(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.valid() ? read_up_to(file.get(), small_file) : std::nullopt;
}

// Whole lines: the last of the file that fit.
std::string end_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) return {};
  const bool cut = status.st_size > static_cast<off_t>(small_file);
  if (cut && ::lseek(file.get(), -static_cast<off_t>(small_file), SEEK_END) < 0) return {};
  std::string text = read_up_to(file.get(), small_file).value_or("");
  if (cut) text.erase(0, text.find('\n') + 1);
  return text;
}

}  // namespace

Result<WorkFolder> WorkFolder::find(const std::string& named) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
  const char* temporary = std::getenv("RUNNER_TEMP");
  if (named.empty() && (temporary == nullptr || *temporary == '\0')) {
    return fail(ErrorClass::usage, "there is no $RUNNER_TEMP here: say with --work-dir where the events go");
  }
  std::error_code error;
  const auto path = std::filesystem::absolute(named.empty() ? std::string(temporary) + "/nslookout" : named, error);
  if (error) return fail(ErrorClass::runtime, "{}: {}", named, error.message());
  if (path.string().find_first_of("\r\n") != std::string::npos) {
    return fail(ErrorClass::usage, "--work-dir: a line break in the path");
  }
  return WorkFolder{path.lexically_normal().string()};
}

Result<void> WorkFolder::prepare() const {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return cannot("made", path);
  for (const std::string& file : {events(), log()}) {
    if (auto made = make_empty(file); !made) return made;
  }
  for (const std::string& file : {ready(), state()}) {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return cannot("removed", file);
  }
  return {};
}

Result<void> write_state(const WorkFolder& folder, const AgentState& state) {
  const nlohmann::ordered_json json = {
      {"pid", state.pid}, {"start_ticks", state.start_ticks}, {"end", state.end}, {"events", folder.events()}};
  const Fd file(::open(folder.state().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.valid()) return cannot("written", folder.state());
  const std::string text = ascii_json(json) + "\n";
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return cannot("written", folder.state());
  }
  return {};
}

Result<AgentState> read_state(const WorkFolder& folder) {
  const auto text = content(folder.state());
  if (!text) {
    return fail(ErrorClass::invalid,
                "{} cannot be read: no agent was started with `nslookout ci start` and this folder", folder.state());
  }
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const bool whole = json.is_object() && json.contains("pid") && json["pid"].is_number_unsigned() &&
                     json.contains("start_ticks") && json["start_ticks"].is_number_unsigned() && json.contains("end") &&
                     json["end"].is_string();
  if (!whole || json["pid"].get<std::uint64_t>() < 2 || json["pid"].get<std::uint64_t>() > (1U << 22)) {
    return fail(ErrorClass::invalid, "{} is damaged: it does not name a process", folder.state());
  }
  return AgentState{json["pid"].get<pid_t>(), json["start_ticks"].get<std::uint64_t>(), json["end"].get<std::string>()};
}

std::optional<std::uint64_t> start_ticks_of(pid_t pid) {
  const auto text = content(fmt::format("/proc/{}/stat", pid));
  const auto stat = text ? identity::parse_stat(*text) : std::nullopt;
  return stat ? std::optional(stat->start_ticks) : std::nullopt;
}

std::optional<Fd> open_process(const AgentState& state) {
  // The descriptor first: what it names cannot become another process between the look at /proc and a signal.
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, state.pid, 0)));
  if (!process.valid() || start_ticks_of(state.pid) != state.start_ticks) return std::nullopt;
  // One that nobody has waited for yet (in a container without an init, nobody ever does) has a number, and has ended.
  pollfd ended = {process.get(), POLLIN, 0};
  if (::poll(&ended, 1, 0) > 0) return std::nullopt;
  return process;
}

std::string last_words(const WorkFolder& folder) {
  std::istringstream lines(end_of(folder.log()));
  constexpr std::string_view prefix = "nslookout: ";
  std::string last;
  std::string last_error;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    last = line.starts_with(prefix) ? line.substr(prefix.size()) : line;
    if (last.starts_with("error: ")) last_error = last.substr(7);
  }
  return last_error.empty() ? (last.empty() ? "it said nothing" : last) : last_error;
}

std::vector<std::string> warnings_said(const WorkFolder& folder) {
  std::istringstream lines(content(folder.log()).value_or(""));
  constexpr std::string_view prefix = "nslookout: warning: ";
  std::vector<std::string> warnings;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(prefix)) warnings.push_back(line.substr(prefix.size()));
  }
  return warnings;
}

Result<void> append_to(const std::string& path, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!file.valid()) return cannot("opened", path);
  if (const auto written = sink::write_all(file.get(), text, true, {}); !written.complete()) {
    return fail(ErrorClass::runtime, "{} cannot be written: {}", path, written.reason());
  }
  return {};
}

Result<void> output_to_github(const std::string& name, const std::string& value) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
  const char* path = std::getenv("GITHUB_OUTPUT");
  if (path == nullptr || *path == '\0') return {};
  return append_to(path, name + "=" + value + "\n");
}

}  // namespace nslookout::cli
