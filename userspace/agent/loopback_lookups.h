// Lookups that this process sends to itself: a sink for DNS on loopback and a socket that is connected to it.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace nslookout::agent {

class LoopbackLookups {
 public:
  // Of the sink: one that nobody else uses, so that events tell by it what came from here.
  static constexpr const char* address = "127.78.83.76";

  // In a network namespace of their own; in this one where the privilege for that is missing. Error: runtime.
  [[nodiscard]] static Result<LoopbackLookups> open();

  // One query, recursion desired. wire: well formed. The sink takes it and answers nothing. Error: runtime.
  [[nodiscard]] Result<void> send(std::uint16_t id, std::string_view wire, std::uint16_t record_type) const;

 private:
  LoopbackLookups(Fd sink, Fd sender) : sink_(std::move(sink)), sender_(std::move(sender)) {}

  Fd sink_;
  Fd sender_;
};

}  // namespace nslookout::agent
