#include "loopback.h"

#include <algorithm>
#include <thread>
#include <tuple>

#include "address.h"
#include "network_namespace.h"
#include "wire.h"

namespace nslookout::bench {
namespace {

using kernel_test::SocketAddress;
using Clock = std::chrono::steady_clock;

constexpr std::uint16_t dns_port = 53;
constexpr std::uint16_t some_other_port = 4433;
constexpr std::chrono::milliseconds pace{1};  // what is due is sent that often
constexpr std::uint64_t most_at_once = 64;    // between two looks at the clock

Result<Fd> server_on(const SocketAddress& address) {
  Result<Fd> server = kernel_test::open_socket(address, SOCK_DGRAM);
  if (!server) return server;
  const int smallest = 0;
  if (::setsockopt(server->get(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest) != 0) {
    return kernel_test::fail_errno("SO_RCVBUF");
  }
  if (::bind(server->get(), address.get(), address.length()) != 0) return kernel_test::fail_errno("bind");
  return server;
}

Result<void> send_one(int client, const std::string& payload) {
  if (::send(client, payload.data(), payload.size(), 0) == static_cast<ssize_t>(payload.size())) return {};
  return kernel_test::fail_errno("send");
}

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

}  // namespace

std::vector<std::string> queries_for(const std::vector<std::string>& wire_names) {
  std::vector<std::string> queries;
  queries.reserve(wire_names.size());
  for (const std::string& wire : wire_names) {
    queries.push_back(kernel_test::query(wire, kernel_test::type_a, static_cast<std::uint16_t>(queries.size())));
  }
  return queries;
}

Result<Loopback> Loopback::open() {
  if (const auto entered = kernel_test::enter_own_network_namespace(); !entered) return fail(entered.error());
  Loopback loopback;
  for (const auto& [port, server, client] :
       {std::tuple{dns_port, &loopback.dns_server_, &loopback.dns_client_},
        std::tuple{some_other_port, &loopback.other_server_, &loopback.other_client_}}) {
    const SocketAddress address = kernel_test::server_address(kernel_test::AddressKind::v4, port);
    Result<Fd> bound = server_on(address);
    if (!bound) return fail(bound.error());
    Result<Fd> connected = kernel_test::connect_socket(address, SOCK_DGRAM);
    if (!connected) return fail(connected.error());
    *server = std::move(*bound);
    *client = std::move(*connected);
  }
  return loopback;
}

Result<Loopback::Sent> Loopback::send(int client, const std::vector<std::string>& payloads, std::uint64_t count) {
  const Clock::time_point begin = Clock::now();
  for (std::uint64_t i = 0; i < count; ++i) {
    if (const auto sent = send_one(client, payloads[i % payloads.size()]); !sent) return fail(sent.error());
  }
  return Sent{count, since(begin)};
}

Result<Loopback::Sent> Loopback::send_paced(int client, const std::vector<std::string>& payloads,
                                            std::uint64_t per_second, std::chrono::duration<double> time) {
  const Clock::time_point begin = Clock::now();
  Sent sent;
  for (; sent.seconds < time.count(); sent.seconds = since(begin)) {
    const auto due = static_cast<std::uint64_t>(static_cast<double>(per_second) * sent.seconds);
    if (sent.count >= due) std::this_thread::sleep_for(pace);
    for (const std::uint64_t end = std::min(due, sent.count + most_at_once); sent.count < end; ++sent.count) {
      if (const auto one = send_one(client, payloads[sent.count % payloads.size()]); !one) return fail(one.error());
    }
  }
  return sent;
}

}  // namespace nslookout::bench
