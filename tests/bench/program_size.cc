// program_size: how many instructions the verifier of this kernel walks through in each program of the sensor, by backend; what is
// left to its limit of a million decides whether a change still loads on all kernels. Needs root. There is no bound;
// baseline.py holds the counts against those of before.
#include <sys/utsname.h>

#include <string>

#include <fmt/format.h>

#include "kernel/sensor.h"
#include "report.h"

namespace nslookout::bench {
namespace {

using kernel::Backend;

// "6.18.1-amd64"
std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "";
}

Result<void> measure_all() {
  auto programs = nlohmann::ordered_json::object();
  fmt::print("{:<8} {:<32} {:>22} {:>20}\n", "backend", "program", "verified instructions", "loaded instructions");
  for (const Backend backend : {Backend::cgroup, Backend::fentry, Backend::kprobe}) {
    // With everything that a run can ask for.
    const auto sensor =
        kernel::Sensor::start({.backend = backend, .responses = kernel::Responses::all, .bypasses = true});
    if (!sensor) {
      if (backend == Backend::cgroup) return fail(sensor.error());
      fmt::print("{:<8} not measured: {}\n", kernel::backend_name(backend), sensor.error().message);
      continue;
    }
    auto& of_backend = programs[std::string(kernel::backend_name(backend))] = nlohmann::ordered_json::object();
    for (const kernel::ProgramReport& program : sensor->choice().programs) {
      fmt::print("{:<8} {:<32} {:>22} {:>20}\n", kernel::backend_name(backend), program.name,
                 program.verified_instructions, program.loaded_instructions);
      of_backend[program.name] = program.verified_instructions;
    }
  }
  return report("verified_instructions", {{"kernel", kernel_release()}, {"programs", programs}});
}

}  // namespace
}  // namespace nslookout::bench

int main() {
  const auto measured = nslookout::bench::measure_all();
  if (!measured) fmt::print(stderr, "program_size: {}\n", measured.error().message);
  return measured ? 0 : 1;
}
