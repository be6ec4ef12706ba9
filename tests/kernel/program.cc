#include "program.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <string_view>

#include "sink.h"

namespace nslookout::kernel_test {

namespace {

std::string path_of(std::string_view reversed) {
  std::string path;
  while (!reversed.empty()) {
    const auto slash = reversed.find('/');
    path.insert(0, "/" + std::string(reversed.substr(0, slash)));
    reversed.remove_prefix(slash == std::string_view::npos ? reversed.size() : slash + 1);
  }
  return path;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::string own_executable() {
  std::array<char, PATH_MAX> path{};
  const auto octets = ::readlink("/proc/self/exe", path.data(), path.size());
  return {path.data(), octets > 0 ? static_cast<std::size_t>(octets) : 0};
}

std::string own_comm() {
  const auto executable = own_executable();
  return executable.substr(executable.rfind('/') + 1).substr(0, NSL_COMM - 1);
}

std::string executable_of(const nsl_process& process) {
  return path_of({process.paths_reversed, process.executable_length});
}

std::string cwd_of(const nsl_process& process) {
  return path_of({process.paths_reversed + process.executable_length, process.cwd_length});
}

std::string argv_of(const nsl_process& process) { return {process.argv, process.argv_length}; }

std::string script_of(const nsl_process& process) {
  if (process.script_at == 0) return {};
  const auto rest = argv_of(process).substr(process.script_at);
  return rest.substr(0, rest.find('\0'));
}

std::string arguments_as_stored(const std::vector<std::string>& arguments) {
  std::string stored;
  for (const auto& argument : arguments) stored += argument + '\0';
  return stored;
}

Result<void> exec_and_wait(const SharedNumbers& numbers, Program program) {
  const auto pid = ::fork();
  if (pid == 0) {
    if (!program.cwd.empty() && ::chdir(program.cwd.c_str()) != 0) ::_exit(126);
    const auto arguments = pointers_to(program.arguments);
    const auto environment = pointers_to(program.environment);
    if (program.path.empty()) {
      ::fexecve(program.fd, arguments.data(), environment.data());
    } else {
      ::execve(program.path.c_str(), arguments.data(), environment.data());
    }
    ::_exit(127);
  }
  numbers[0] = static_cast<std::uint64_t>(pid);
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || status != 0) {
    return fail(ErrorClass::runtime, "the helper failed with wait status {:#x}", status);
  }
  return {};
}

}  // namespace nslookout::kernel_test
