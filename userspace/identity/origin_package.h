// The package whose script or build started a program, one function for each kind of tool.
// Sources: the documentation of each tool, and real runs: tests/unit/identity_origin_package_test.cc has their facts.
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <optional>

#include "event/event.h"
#include "identity/origin_facts.h"

namespace nslookout::identity {

struct PackageEvidence {
  event::Package package;
  // The index in the chain of the program that was started for the package. A package that came in nearer to the
  // process is inside the others.
  std::size_t started = 0;
};

// Tools that say it in variables (origin_package.cc).
[[nodiscard]] std::optional<PackageEvidence> node_script(Chain chain);  // npm, pnpm, yarn, bun
[[nodiscard]] std::optional<PackageEvidence> cargo_program(Chain chain);
[[nodiscard]] std::optional<PackageEvidence> go_generate(Chain chain);
[[nodiscard]] std::optional<PackageEvidence> dpkg_script(Chain chain);
[[nodiscard]] std::optional<PackageEvidence> make_recipe(Chain chain);

// Builds that show in argv and cwd (origin_build.cc).
[[nodiscard]] std::optional<PackageEvidence> pip_build(Chain chain);  // and other front ends of PEP 517
[[nodiscard]] std::optional<PackageEvidence> uv_build(Chain chain);
[[nodiscard]] std::optional<PackageEvidence> gem_extension(Chain chain);

// The innermost of all. make names no package, so it counts only where nothing else does.
[[nodiscard]] std::optional<event::Package> package_of(Chain chain);

}  // namespace nslookout::identity
