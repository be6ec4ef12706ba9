#include "cli/as_root.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "cli/argv.h"

namespace nslookout::cli {
namespace {

Result<int> run_program(const std::vector<std::string>& words) {
  const std::vector<char*> argv = argv_of(words);
  pid_t pid = 0;
  if (const int error = ::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ); error != 0) {
    return fail(ErrorClass::unsupported, "{} cannot be run: {}", words.front(), errno_text(error));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return fail(ErrorClass::runtime, "waiting for {}: {}", words.front(), errno_text(errno));
  }
  if (!WIFEXITED(status))
    return fail(ErrorClass::runtime, "{} was ended by signal {}", words.front(), WTERMSIG(status));
  return WEXITSTATUS(status);
}

}  // namespace

bool is_root() { return ::geteuid() == 0; }

Result<std::string> own_executable() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail(ErrorClass::runtime, "/proc/self/exe cannot be read: {}", error.message());
  return path.string();
}

Result<int> run_as_root(const std::vector<std::string>& arguments, const std::vector<std::string_view>& variables) {
  const auto executable = own_executable();
  if (!executable) return fail(executable.error());
  const auto asked = run_program({"sudo", "-n", "--", "true"});
  if (!asked || *asked != 0) {
    return fail(
        ErrorClass::unsupported,
        "the sensor needs root, and `sudo -n` does not give it here ({}): run this as root, or let this user use "
        "sudo without a password",
        asked ? fmt::format("exit code {}", *asked) : asked.error().message);
  }
  std::vector<std::string> words = {"sudo", "-n", "--", "env"};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view setting = *variable;
    const bool named = std::ranges::find(variables, setting.substr(0, setting.find('='))) != variables.end();
    if (setting.starts_with("NSLOOKOUT_") || (named && setting.find('@') == std::string_view::npos)) {
      words.emplace_back(setting);
    }
  }
  words.push_back(*executable);
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_program(words);
}

}  // namespace nslookout::cli
