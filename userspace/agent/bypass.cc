#include "agent/bypass.h"

#include <algorithm>

#include "agent/small_files.h"
#include "base/nameservers.h"
#include "identity/proc_process.h"
#include "kernel/bypasses.h"

namespace nslookout::agent {
namespace {

static_assert(static_cast<int>(event::Technique::dns_over_tls) == NSL_DNS_OVER_TLS &&
              static_cast<int>(event::Technique::dns_over_https) == NSL_DNS_OVER_HTTPS &&
              static_cast<int>(event::Technique::dns_over_quic) == NSL_DNS_OVER_QUIC &&
              static_cast<int>(event::Technique::other_resolver) == NSL_OTHER_RESOLVER &&
              static_cast<int>(event::Technique::raw_socket) == NSL_RAW_SOCKET &&
              static_cast<int>(event::Technique::packet_socket) == NSL_PACKET_SOCKET &&
              static_cast<int>(event::Technique::detached) == NSL_DETACHED);

}  // namespace

event::Bypass describe_bypass(const nsl_bypass& bypass) {
  event::Bypass out;
  out.technique = static_cast<event::Technique>(bypass.technique);
  if (bypass.address.family != 0) {
    out.address = event::Endpoint{kernel::ip_address_of(bypass.address).text(), bypass.port};
    out.transport = bypass.transport == NSL_TCP ? "tcp" : "udp";
  } else {
    out.protocol = bypass.port;
  }
  return out;
}

bool may_be_configured_to_ask(const nsl_bypass& bypass, const std::string& proc_root) {
  const std::string root = proc_root + "/" + std::to_string(bypass.sender.process.tgid) + "/root";
  const auto file = read_in_root(root, "etc/resolv.conf");
  if (!file) return true;
  if (!identity::ProcProcess::open(proc_root, bypass.sender.process)) return true;  // that file may have been another's
  const std::vector<IpAddress> servers = nameservers_of(*file);
  return std::ranges::find(servers, kernel::ip_address_of(bypass.address)) != servers.end();
}

}  // namespace nslookout::agent
