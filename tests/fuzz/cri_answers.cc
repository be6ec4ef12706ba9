// Any octets as a stream of gRPC messages that comes in pieces, and each message as an answer of CRI: read or refused, and
// bounded. However the stream is cut, the messages are the same.
//
// Input: an octet with the length of the pieces, then the stream.
#include <string>
#include <vector>

#include <google/protobuf/stubs/logging.h>

#include "base/grpc_call.h"
#include "container_facts.h"
#include "identity/cri_client.h"
#include "octets.h"

namespace nslookout::fuzz {
namespace {

constexpr std::size_t max_octets = 2048;

struct Messages {
  std::vector<std::string> all;
  bool broken = false;

  bool operator==(const Messages&) const = default;
};

// As grpc_stream does.
Messages taken(std::string_view stream, std::size_t piece) {
  Messages messages;
  std::string pending;
  while (!stream.empty() && !messages.broken) {
    pending.append(stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
    while (true) {
      auto message = take_grpc_message(pending, max_octets);
      messages.broken = !message;
      if (!message || !*message) break;
      require((*message)->size() <= max_octets, "a message is no longer than allowed");
      messages.all.push_back(std::move(**message));
    }
  }
  return messages;
}

void check(Octets octets) {
  const std::size_t piece = 1U + octets.octet();
  const Messages messages = taken(octets.rest(), piece);
  require(messages == taken(octets.rest(), octets.rest().size() + 1), "however a stream is cut, it says the same");
  std::string before;
  std::string again;
  for (const std::string& message : messages.all) {
    again += grpc_framed(message);
    if (const auto all = identity::parse_cri_event(message, "containerd")) {
      for (const auto& facts : *all) require_bounded(facts);
    }
    if (const auto all = identity::parse_cri_lists(before, message, "cri-o")) {
      for (const auto& facts : *all) {
        require(facts.pod.has_value() && identity::is_container_id(facts.id), "a container of a list is in a pod");
        require_bounded(facts);
      }
    }
    before = message;
  }
  require(octets.rest().starts_with(again), "framed again, the messages are the stream");
}

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  [[maybe_unused]] static const auto previous_handler = google::protobuf::SetLogHandler(nullptr);
  nslookout::fuzz::check({octets, size});
  return 0;
}
