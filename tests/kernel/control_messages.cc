#include "control_messages.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>

#include "sender.h"

namespace nslookout::kernel_test {

ControlMessages& ControlMessages::add(int level, int type, const std::string& octets) {
  const auto at = octets_.size();
  octets_.resize(at + CMSG_SPACE(octets.size()));
  cmsghdr header{};
  header.cmsg_level = level;
  header.cmsg_type = type;
  header.cmsg_len = CMSG_LEN(octets.size());
  std::memcpy(octets_.data() + at, &header, sizeof(header));
  std::memcpy(octets_.data() + at + sizeof(header), octets.data(), octets.size());
  return *this;
}

ControlMessages& ControlMessages::add_int(int level, int type, int value) {
  return add(level, type, {reinterpret_cast<const char*>(&value), sizeof(value)});
}

ControlMessages& ControlMessages::add_segment(std::uint16_t size) {
  return add(IPPROTO_UDP, udp_segment_option, {reinterpret_cast<const char*>(&size), sizeof(size)});
}

Result<void> ControlMessages::send(int fd, const SocketAddress* server, std::string payload, const char* what) {
  iovec part{.iov_base = payload.data(), .iov_len = payload.size()};
  msghdr message{};
  if (server != nullptr) {
    message.msg_name = const_cast<sockaddr*>(server->get());
    message.msg_namelen = server->length();
  }
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = octets_.data();
  message.msg_controllen = octets_.size();
  return check_sent(::sendmsg(fd, &message, 0), payload.size(), what);
}

}  // namespace nslookout::kernel_test
