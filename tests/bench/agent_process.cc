#include "agent_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>
#include <thread>

namespace nslookout::bench {
namespace {

constexpr std::chrono::seconds longest_start{60};
constexpr std::chrono::milliseconds look_again{2};

// Octets in the line of a /proc file that begins with the word ("VmHWM:  123 kB").
Result<std::uint64_t> kilobytes_of(const std::string& path, std::string_view word) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(word)) continue;
    std::istringstream rest(line.substr(word.size()));
    std::uint64_t kilobytes = 0;
    if (rest >> kilobytes) return kilobytes * 1024;
  }
  return fail(ErrorClass::runtime, "{}: no line {}", path, word);
}

// Of the one agent that this process has at a time.
std::string status_socket() {
  return std::filesystem::temp_directory_path() / ("nslookout-bench-" + std::to_string(getpid()) + ".sock");
}

struct ClosePipe {
  void operator()(FILE* pipe) const { pclose(pipe); }
};

// Or 0 when it cannot be started.
pid_t spawn(const std::string& binary, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {binary, "run"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  }
  pid_t pid = 0;
  const int error = posix_spawn(&pid, binary.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : 0;
}

}  // namespace

Result<AgentProcess> AgentProcess::start(const std::string& binary, const std::vector<std::string>& arguments) {
  const std::filesystem::path ready =
      std::filesystem::temp_directory_path() / ("nslookout-bench-" + std::to_string(getpid()) + ".ready");
  std::filesystem::remove(ready);
  std::vector<std::string> all = arguments;
  all.insert(all.end(), {"--no-config", "--ready-file", ready.native(), "--status-socket", status_socket()});
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = spawn(binary, all);
  if (pid == 0) return fail(ErrorClass::runtime, "{} cannot be started", binary);
  AgentProcess agent(binary, pid);
  while (!std::filesystem::exists(ready)) {
    if (waitpid(pid, nullptr, WNOHANG) == pid) {
      agent.pid_ = 0;
      return fail(ErrorClass::runtime, "{} run ended before it was ready; try it by hand", binary);
    }
    if (std::chrono::steady_clock::now() - begin > longest_start) {
      return fail(ErrorClass::runtime, "{} run was not ready within a minute", binary);
    }
    std::this_thread::sleep_for(look_again);
  }
  agent.seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::filesystem::remove(ready);
  return agent;
}

AgentProcess::~AgentProcess() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

Result<AgentProcess::Memory> AgentProcess::memory() const {
  const std::string folder = "/proc/" + std::to_string(pid_);
  const auto own = kilobytes_of(folder + "/smaps_rollup", "Anonymous:");
  const auto peak = kilobytes_of(folder + "/status", "VmHWM:");
  if (!own) return fail(own.error());
  if (!peak) return fail(peak.error());
  return Memory{*own, *peak};
}

Result<double> AgentProcess::cpu_seconds() const {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return fail(ErrorClass::runtime, "the agent's CPU time: {}", errno_text(errno));
  }
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Result<nlohmann::json> AgentProcess::status() const {
  const std::string command = "'" + binary_ + "' status --format json --status-socket '" + status_socket() + "'";
  const std::unique_ptr<FILE, ClosePipe> pipe(popen(command.c_str(), "re"));
  std::string text;
  std::array<char, 4096> piece{};
  while (pipe) {
    const std::size_t got = std::fread(piece.data(), 1, piece.size(), pipe.get());
    if (got == 0) break;
    text.append(piece.data(), got);
  }
  nlohmann::json status = nlohmann::json::parse(text, nullptr, false);
  if (!status.is_object()) return fail(ErrorClass::runtime, "{} says nothing; try it by hand", command);
  return status;
}

Result<void> AgentProcess::stop() {
  kill(pid_, SIGTERM);
  int status = 0;
  const pid_t waited = waitpid(pid_, &status, 0);
  pid_ = 0;
  if (waited > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(ErrorClass::runtime, "the agent did not end as it should");
}

}  // namespace nslookout::bench
