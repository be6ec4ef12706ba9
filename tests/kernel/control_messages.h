// What goes with a datagram beside its octets (cmsg(3)).
#pragma once

#include <cstdint>
#include <string>

#include "address.h"
#include "base/result.h"

namespace nslookout::kernel_test {

// Control messages one behind the other, as sendmsg takes them.
class ControlMessages {
 public:
  ControlMessages& add(int level, int type, const std::string& octets);
  ControlMessages& add_int(int level, int type, int value);
  ControlMessages& add_segment(std::uint16_t size);  // UDP_SEGMENT

  // One sendmsg of the payload with them; server: nullptr where the socket is connected. what: for the error.
  [[nodiscard]] Result<void> send(int fd, const SocketAddress* server, std::string payload, const char* what);

 private:
  std::string octets_;
};

}  // namespace nslookout::kernel_test
