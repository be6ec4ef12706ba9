// One of the embedded BPF objects, from its bytes to loaded programs: a thin layer over libbpf that turns its answers
// into Result and sentences.
//
// Thread rule: one thread at a time per object. Maps and programs live as long as the object (nothing is pinned).
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/sensor.h"

namespace nslookout::kernel {

// An attached program; detaches when it goes.
struct DestroyLink {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, DestroyLink>;

// An object of bpf/objects.h.
[[nodiscard]] inline std::string_view embedded(const unsigned char* begin, const unsigned char* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin)};
}

class BpfObject {
 public:
  // bytes must outlive the object (they are the embedded ones). name is for messages.
  [[nodiscard]] static Result<BpfObject> open(std::string name, std::string_view bytes);

  // Before load().
  [[nodiscard]] Result<void> set_entries(const char* map, std::uint32_t entries);
  [[nodiscard]] Result<void> share_map(const char* map, const BpfObject& owner);
  // Every map that the owner has too, but for the globals.
  [[nodiscard]] Result<void> share_maps(const BpfObject& owner);
  [[nodiscard]] Result<void> leave_out(const char* program);
  // The hook of a program whose section cannot name it: a number of enum bpf_attach_type.
  [[nodiscard]] Result<void> expect_attach_type(const char* program, int type);

  // Errors: unsupported, with what the kernel said and, where it is clear, the cause.
  [[nodiscard]] Result<void> load();

  // After load().
  [[nodiscard]] int map_fd(const char* map) const;
  [[nodiscard]] bpf_program* program(const char* name) const;
  // Attaches every program that was loaded, where its section says; none stays attached on an error (unsupported).
  [[nodiscard]] Result<std::vector<Link>> attach() const;
  // A global variable of the programs, in memory that both sides see. Its type and name must be those of the object.
  template <typename T>
  [[nodiscard]] Result<T*> global(const char* variable) const {
    auto address = global_address(variable, sizeof(T));
    if (!address) return fail(address.error());
    return static_cast<T*>(*address);
  }
  [[nodiscard]] std::vector<ProgramReport> report() const;
  [[nodiscard]] std::vector<ProgramRuns> runs() const;
  // Sends of which the programs missed, because one was already running on the same CPU (kernel 5.12 and later).
  [[nodiscard]] std::uint64_t recursion_misses() const;

 private:
  struct Close {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
  };

  // Makes the globals' memory the map's own.
  [[nodiscard]] Result<void> share_globals();
  [[nodiscard]] Result<void*> global_address(const char* variable, std::size_t size) const;

  std::string name_;
  std::unique_ptr<bpf_object, Close> object_;
  // Verifier's logs, one per program: the kernel writes its statistics there.
  std::vector<std::unique_ptr<std::string>> logs_;
};

// Sends libbpf's messages to the log's debug level. Call before anything else of libbpf.
void route_libbpf_messages();

}  // namespace nslookout::kernel
