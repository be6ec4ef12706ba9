// Names to list, made up: as many as wanted, the same at each run, in shapes like those of a threat feed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compile/kernel_tables.h"

namespace nslookout::bench {

// Wire form, lower case, each once. Seven in ten have two labels, the rest three or four; they end in one of sixteen
// top-level domains, of which "com" is one.
[[nodiscard]] std::vector<std::string> made_up_names(std::size_t count);

// Views into the names: each stands for itself and what is below it.
[[nodiscard]] std::vector<compile::KernelName> to_list(const std::vector<std::string>& names);

}  // namespace nslookout::bench
