#include "health/http_server.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "base/fd.h"
#include "base/log.h"
#include "base/quiet_thread.h"
#include "health/metrics.h"

namespace nslookout::health {
namespace {

constexpr std::chrono::milliseconds snapshot_patience{2000};

struct Answer {
  int status = 200;
  std::string body;
  const char* content_type = "text/plain; charset=utf-8";
};

const char* reason_of(int status) {
  if (status == 200) return "OK";
  return status == 405 ? "Method Not Allowed" : "Service Unavailable";
}

void send(mg_connection* connection, const Answer& answer, bool with_body) {
  mg_printf(connection,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
            "Connection: close\r\n\r\n",
            answer.status, reason_of(answer.status), answer.content_type, answer.body.size());
  if (with_body) mg_write(connection, answer.body.data(), answer.body.size());
}

Answer metrics(Vitals& vitals) {
  const Vitals::Shared snapshot = vitals.ask(snapshot_patience);
  if (!snapshot) return {503, "the agent does not read the ring: it starts, or hangs\n"};
  return {200, metrics_text(*snapshot), metrics_content_type};
}

Answer healthz(Vitals& vitals) {
  const auto pause = std::chrono::duration_cast<std::chrono::seconds>(vitals.since_last_beat());
  // Before it is ready the agent reads rules and lists, which may be large.
  if (!vitals.ready() || pause <= longest_pause) return {200, "ok\n"};
  return {503, fmt::format("the agent's reading of the ring has not moved for {} s\n", pause.count())};
}

Answer readyz(Vitals& vitals) {
  if (vitals.ready()) return {200, "ok\n"};
  return {503, "the programs are not attached, or the tables not filled\n"};
}

template <Answer (*Make)(Vitals&)>
int handle(mg_connection* connection, void* vitals) {
  const std::string_view method = mg_get_request_info(connection)->request_method;
  if (method != "GET" && method != "HEAD") {
    send(connection, {405, "GET and HEAD alone\n"}, true);
    return 405;
  }
  // An exception must not cross the C library's frames.
  try {
    const Answer answer = Make(*static_cast<Vitals*>(vitals));
    send(connection, answer, method == "GET");
    return answer.status;
  } catch (const std::exception& error) {
    log::error("answering {}: {}", mg_get_request_info(connection)->local_uri, error.what());
    return 500;
  }
}

int log_to_debug(const mg_connection* /*connection*/, const char* message) {
  log::debug("http: {}", message);
  return 1;  // not to civetweb's own file
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// civetweb says that it could not start, and not always why: so the address is tried first.
Result<void> try_address(const HttpAddress& address) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address.port);
  ::inet_pton(AF_INET, address.ip.c_str(), &to.sin_addr);
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  const bool works = socket.valid() && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                     ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
                     ::listen(socket.get(), 1) == 0;
  if (works) return {};
  return fail(ErrorClass::runtime, "--metrics {}: cannot listen there: {}; name a free port on an address of this host",
              address.text(), errno_text(errno));
}

}  // namespace

std::string HttpAddress::text() const { return fmt::format("{}:{}", ip, port); }

Result<HttpAddress> parse_http_address(std::string_view text) {
  const auto refuse = [&](std::string_view what) {
    return fail(ErrorClass::usage, "--metrics {}: {}; give ADDRESS:PORT, such as 127.0.0.1:9477, or the port alone",
                text, what);
  };
  const std::size_t colon = text.rfind(':');
  const bool port_alone = colon == std::string_view::npos;
  const std::string ip(port_alone ? "127.0.0.1" : text.substr(0, colon));
  const auto port = port_of(port_alone ? text : text.substr(colon + 1));
  if (!port) return refuse("the port is no number from 1 to 65535");
  in_addr octets{};
  if (::inet_pton(AF_INET, ip.c_str(), &octets) != 1) return refuse("the address is no IPv4 address");
  return HttpAddress{ip, *port};
}

struct HttpServer::State {
  mg_context* context = nullptr;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  mg_stop(state_->context);
  mg_exit_library();
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpAddress& address, Vitals& vitals) {
  if (const auto works = try_address(address); !works) return fail(works.error());
  const std::string where = address.text();
  // A client that sends nothing holds a thread until the time-out: more than one, so that probes still come through.
  const std::array<const char*, 9> options = {
      "listening_ports",   where.c_str(), "num_threads", "4", "request_timeout_ms", "3000",
      "enable_keep_alive", "no",          nullptr};
  mg_callbacks callbacks{};
  callbacks.log_message = log_to_debug;
  mg_init_library(0);
  mg_context* context = nullptr;
  // Its threads inherit the mask of the thread that starts them.
  start_quiet_thread([&] { context = mg_start(&callbacks, nullptr, const_cast<const char**>(options.data())); }).join();
  if (context == nullptr) {
    mg_exit_library();
    return fail(ErrorClass::runtime, "--metrics {}: the HTTP server does not start; name another address", where);
  }
  auto state = std::make_unique<State>();
  state->context = context;
  mg_set_request_handler(context, "/metrics$", handle<metrics>, &vitals);
  mg_set_request_handler(context, "/healthz$", handle<healthz>, &vitals);
  mg_set_request_handler(context, "/readyz$", handle<readyz>, &vitals);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

}  // namespace nslookout::health
