#include "health/http_server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/escape.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/quiet_thread.h"
#include "health/metrics.h"

namespace nslookout::health {
namespace {

constexpr std::chrono::milliseconds snapshot_patience{2000};
// A request for metrics holds its thread while the reading thread is busy: others answer the probes meanwhile.
constexpr unsigned threads = 4;
constexpr unsigned most_connections = 64;
constexpr unsigned idle_seconds = 3;  // after which a connection on which nothing comes is closed
// After which any connection is closed, one that sends its request an octet at a time too. A probe has five seconds.
constexpr std::chrono::seconds longest_connection{3};

// The connections that there are, since when.
class Connections {
 public:
  void note(MHD_Connection* connection, MHD_ConnectionNotificationCode what) {
    const MHD_ConnectionInfo* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == nullptr) return;
    const std::lock_guard lock(mutex_);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
      since_[info->connect_fd] = Clock::now();
    } else {
      since_.erase(info->connect_fd);
    }
  }

  // The server closes the descriptor after it has said so, so that this one is still the connection's.
  void end_old() {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    for (const auto& [fd, since] : since_) {
      if (now - since > longest_connection) ::shutdown(fd, SHUT_RDWR);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::mutex mutex_;
  std::map<int, Clock::time_point> since_;
};

void note_connection(void* connections, MHD_Connection* connection, void** /*context*/,
                     MHD_ConnectionNotificationCode what) {
  static_cast<Connections*>(connections)->note(connection, what);
}

struct Answer {
  unsigned status = MHD_HTTP_OK;
  std::string body;
  const char* content_type = "text/plain; charset=utf-8";
};

Answer metrics(Vitals& vitals) {
  const Vitals::Shared snapshot = vitals.ask(snapshot_patience);
  if (!snapshot) return {MHD_HTTP_SERVICE_UNAVAILABLE, "the agent does not read the ring: it starts, or hangs\n"};
  return {MHD_HTTP_OK, metrics_text(*snapshot), metrics_content_type};
}

Answer healthz(Vitals& vitals) {
  const auto pause = std::chrono::duration_cast<std::chrono::seconds>(vitals.since_last_beat());
  // Before it is ready the agent reads rules and lists, which may be large.
  if (!vitals.ready() || pause <= longest_pause) return {MHD_HTTP_OK, "ok\n"};
  return {MHD_HTTP_SERVICE_UNAVAILABLE,
          fmt::format("the agent's reading of the ring has not moved for {} s\n", pause.count())};
}

Answer readyz(Vitals& vitals) {
  if (vitals.ready()) return {MHD_HTTP_OK, "ok\n"};
  return {MHD_HTTP_SERVICE_UNAVAILABLE, "the programs are not attached, or the tables not filled\n"};
}

Answer answer_to(std::string_view method, std::string_view path, Vitals& vitals) {
  const auto make = path == "/metrics" ? metrics : path == "/healthz" ? healthz : path == "/readyz" ? readyz : nullptr;
  if (make == nullptr) return {MHD_HTTP_NOT_FOUND, "here are /metrics, /healthz and /readyz\n"};
  if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
    return {MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD alone\n"};
  }
  return make(vitals);
}

struct ResponseDelete {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};

// What follows the headers of a request is not read: the connection ends with the answer.
MHD_Result queue(MHD_Connection* connection, const Answer& answer) {
  const std::unique_ptr<MHD_Response, ResponseDelete> response(MHD_create_response_from_buffer(
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): it is copied, and its type is C's
      answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY));
  if (!response) return MHD_NO;
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type);
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONNECTION, "close");
  if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  return MHD_queue_response(connection, answer.status, response.get());
}

MHD_Result handle(void* vitals, MHD_Connection* connection, const char* path, const char* method,
                  const char* /*version*/, const char* /*upload*/, std::size_t* /*upload_size*/, void** /*state*/) {
  // An exception must not cross the C library's frames.
  try {
    return queue(connection, answer_to(method, path, *static_cast<Vitals*>(vitals)));
  } catch (const std::exception& error) {
    log::error("answering {}: {}", escape_controls(path), error.what());
    return MHD_NO;
  }
}

void log_to_debug(void* /*unused*/, const char* format, va_list arguments) {
  char line[256];
  if (std::vsnprintf(line, sizeof line, format, arguments) > 0) log::debug("http: {}", escape_controls(line));
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress socket_address(const HttpAddress& address) {
  SocketAddress to;
  if (address.ip.v4) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(to.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::copy_n(address.ip.octets.begin(), sizeof v4.sin_addr, reinterpret_cast<std::uint8_t*>(&v4.sin_addr));
    to.size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(to.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::ranges::copy(address.ip.octets, v6.sin6_addr.s6_addr);
    to.size = sizeof v6;
  }
  return to;
}

Result<Fd> listen_at(const HttpAddress& address) {
  const SocketAddress to = socket_address(address);
  Fd socket(::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  const int off = 0;  // "::" is every address of the host, those of IPv4 too, whatever the host's default
  const bool works = socket.valid() && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                     (address.ip.v4 || ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
                     ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) == 0 &&
                     ::listen(socket.get(), most_connections) == 0;
  if (works) return socket;
  return fail(ErrorClass::runtime, "--metrics {}: cannot listen there: {}; name a free port on an address of this host",
              address.text(), errno_text(errno));
}

}  // namespace

std::string HttpAddress::text() const {
  return ip.v4 ? fmt::format("{}:{}", ip.text(), port) : fmt::format("[{}]:{}", ip.text(), port);
}

Result<HttpAddress> parse_http_address(std::string_view text) {
  const auto refuse = [&](std::string_view what) {
    return fail(ErrorClass::usage,
                "--metrics {}: {}; give ADDRESS:PORT, such as 127.0.0.1:9477 or [::1]:9477, or the port alone",
                escape_controls(text), what);
  };
  const std::size_t colon = text.rfind(':');
  const bool port_alone = colon == std::string_view::npos;
  std::string_view ip = port_alone ? "127.0.0.1" : text.substr(0, colon);
  const auto port = port_of(port_alone ? text : text.substr(colon + 1));
  if (!port) return refuse("the port is no number from 1 to 65535");
  const bool brackets = ip.starts_with('[') && ip.ends_with(']');
  if (brackets) ip = ip.substr(1, ip.size() - 2);
  const auto address = parse_ip_address(ip);
  const bool colons = ip.find(':') != std::string_view::npos;
  if (!address || (brackets && !colons)) return refuse("the address is none of IPv4 or IPv6");
  if (colons && !brackets) return refuse("an address of IPv6 stands in brackets");
  return HttpAddress{*address, *port};
}

struct HttpServer::State {
  Connections connections;
  MHD_Daemon* daemon = nullptr;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() { MHD_stop_daemon(state_->daemon); }

void HttpServer::end_old_connections() { state_->connections.end_old(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpAddress& address, Vitals& vitals) {
  auto listening = listen_at(address);
  if (!listening) return fail(listening.error());
  auto state = std::make_unique<State>();
  // Its threads inherit the mask of the thread that starts them. The socket is the server's from here on.
  start_quiet_thread([&, socket = listening->release()] {
    state->daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, nullptr, nullptr, handle, &vitals,
                         MHD_OPTION_EXTERNAL_LOGGER, log_to_debug, nullptr, MHD_OPTION_LISTEN_SOCKET, socket,
                         MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_CONNECTION_LIMIT, most_connections,
                         MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_NOTIFY_CONNECTION, note_connection,
                         &state->connections, MHD_OPTION_END);
  }).join();
  if (state->daemon == nullptr) {
    return fail(ErrorClass::runtime, "--metrics {}: the HTTP server does not start; name another address",
                address.text());
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

}  // namespace nslookout::health
