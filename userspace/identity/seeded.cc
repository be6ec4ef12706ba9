#include "identity/seeded.h"

#include "identity/kernel_process.h"
#include "identity/proc_process.h"

namespace nslookout::identity {

std::optional<SeededFacts> read_seeded(const std::string& proc_root, const nsl_process_key& key,
                                       const nsl_process& entry) {
  if ((entry.flags & NSL_PROCESS_KERNEL_THREAD) != 0) return std::nullopt;
  const auto live = ProcProcess::open(proc_root, key);
  if (!live) return std::nullopt;
  auto arguments = live->command_line(NSL_ARGV_MAX + 1);
  if (!arguments) return std::nullopt;
  SeededFacts facts{.arguments = std::move(*arguments), .variables = live->allowed_variables()};
  // Read after the rest: the program was this one until then.
  const auto stat = live->stat();
  if (!stat || stat->comm != text_of(entry.comm)) return std::nullopt;
  return facts;
}

}  // namespace nslookout::identity
