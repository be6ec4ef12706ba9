#include "base/quiet_thread.h"

#include <sys/capability.h>

#include <array>
#include <memory>
#include <type_traits>

namespace nslookout {

void keep_capabilities_for_files() {
  constexpr std::array<cap_value_t, 2> wanted = {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH};
  struct Freed {
    void operator()(cap_t capabilities) const { cap_free(capabilities); }
  };
  using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, Freed>;
  const Capabilities before(cap_get_proc());
  const Capabilities after(cap_init());
  if (!before || !after) return;
  for (const cap_value_t number : wanted) {
    cap_flag_value_t there = CAP_CLEAR;
    if (cap_get_flag(before.get(), number, CAP_PERMITTED, &there) != 0 || there != CAP_SET) continue;
    cap_set_flag(after.get(), CAP_PERMITTED, 1, &number, CAP_SET);
    cap_set_flag(after.get(), CAP_EFFECTIVE, 1, &number, CAP_SET);
  }
  cap_set_proc(after.get());  // giving up is never refused
}

}  // namespace nslookout
