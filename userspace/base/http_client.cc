#include "base/http_client.h"

#include <array>
#include <atomic>
#include <cctype>
#include <mutex>
#include <utility>

#include <curl/curl.h>

#include "base/escape.h"
#include "base/system_authorities.h"

namespace nslookout {
namespace {

struct EasyDelete {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDelete {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, ListDelete>;

// What libcurl calls back with: where the octets of one exchange go.
struct Exchange {
  std::array<char, CURL_ERROR_SIZE> reason{};  // in more words than its code has
  const HttpClient::Receive* receive = nullptr;
  std::size_t max_octets = 0;
  std::size_t header_octets = 0;
  bool too_large = false;
  bool enough = false;
  HttpResponse response;
};

std::size_t take_body(const char* octets, std::size_t /*one*/, std::size_t size, void* context) {
  Exchange& exchange = *static_cast<Exchange*>(context);
  if (exchange.receive != nullptr) {
    exchange.enough = !(*exchange.receive)({octets, size});
    return exchange.enough ? 0 : size;
  }
  exchange.too_large = exchange.response.body.size() + size > exchange.max_octets;
  if (exchange.too_large) return 0;
  exchange.response.body.append(octets, size);
  return size;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

std::size_t take_header(const char* octets, std::size_t /*one*/, std::size_t size, void* context) {
  Exchange& exchange = *static_cast<Exchange*>(context);
  exchange.header_octets += size;
  exchange.too_large = exchange.header_octets > exchange.max_octets;
  if (exchange.too_large) return 0;
  const std::string_view line(octets, size);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  exchange.response.headers[std::move(name)] = trimmed(line.substr(colon + 1));
  return size;
}

void initialise_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::string place_of(const HttpRequest& request) {
  return request.unix_socket.empty() ? request.url : request.unix_socket;
}

// The words of OpenSSL out of those around them: "SSL certificate problem: …", "… SSL routines::…, errno 0".
std::string reason_of(const Exchange& exchange, CURLcode code) {
  std::string_view reason(exchange.reason.data());
  const bool of_tls = reason.find("SSL") != std::string_view::npos;
  if (!of_tls && code != CURLE_COULDNT_RESOLVE_HOST) return curl_easy_strerror(code);
  for (const std::string_view before : {"SSL routines::", "SSL certificate problem: ", "SSL: "}) {
    if (const std::size_t at = reason.find(before); at != std::string_view::npos)
      reason.remove_prefix(at + before.size());
  }
  return escape_controls(reason.substr(0, reason.rfind(", errno ")));
}

// In TLS 1.3 a client's certificate is refused when the client is sending already (RFC 8446 section 4.4.2.4). The alert that says so
// is lost where the end of the connection is read before it.
std::string_view hint(const HttpRequest& request, CURLcode code) {
  const bool cut = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
  if (!cut || !request.url.starts_with("https:")) return "";
  return request.client_certificate.empty() ? " (it may ask for a certificate)"
                                            : " (it may not take this client's certificate)";
}

Error failure(const HttpRequest& request, const Exchange& exchange, CURLcode code) {
  const std::string place = place_of(request);
  if (exchange.too_large) {
    return {ErrorClass::runtime, fmt::format("{}: the answer has more than {} octets", place, exchange.max_octets)};
  }
  if (code == CURLE_COULDNT_CONNECT) return {ErrorClass::unsupported, fmt::format("{}: nobody listens there", place)};
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return {ErrorClass::runtime, fmt::format("{}: no answer within {} ms", place, request.timeout.count())};
  }
  const std::string reason = reason_of(exchange, code);
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    return {ErrorClass::runtime, fmt::format("{}: its certificate is refused: {}", place, reason)};
  }
  return {ErrorClass::runtime, fmt::format("{}: {}{}", place, reason, hint(request, code))};
}

}  // namespace

struct HttpClient::State {
  std::unique_ptr<CURL, EasyDelete> easy;
  std::unique_ptr<CURLM, MultiDelete> multi;  // for curl_multi_wakeup: a blocked curl_easy_perform cannot be woken
  std::atomic<bool> cancelled = false;

  void prepare(const HttpRequest& request, Exchange& exchange, const Headers& headers) const;
  [[nodiscard]] std::optional<CURLcode> exchange_all() const;
};

HttpClient::HttpClient() {
  initialise_once();
  state_ = std::make_unique<State>();
  state_->easy.reset(curl_easy_init());
  state_->multi.reset(curl_multi_init());
}

HttpClient::~HttpClient() = default;

void HttpClient::State::prepare(const HttpRequest& request, Exchange& exchange, const Headers& headers) const {
  CURL* handle = easy.get();
  curl_easy_reset(handle);  // keeps the connection
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, request.timeout.count() > 0 ? request.timeout.count() : 2000L);
  if (!request.unix_socket.empty()) curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
  if (request.http2) {
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
    // libcurl 7.88, which Debian 12 has, fails on the second request of such a connection (curl issue 10634).
    curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
  }
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, exchange.reason.data());
  if (!request.ca_file.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, request.ca_file.c_str());
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);       // Debian's libcurl would trust the system's beside it
    curl_easy_setopt(handle, CURLOPT_CA_CACHE_TIMEOUT, 0L);  // and would not read a renewed file for a day
  } else if (request.url.starts_with("https:")) {
    const std::string authorities = system_authorities();
    if (!authorities.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, authorities.c_str());
  }
  if (!request.client_certificate.empty()) {
    curl_easy_setopt(handle, CURLOPT_SSLCERT, request.client_certificate.c_str());
    curl_easy_setopt(handle, CURLOPT_SSLKEY, request.client_key.c_str());
  }
  if (!request.verify_peer) {
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (request.body) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body->data());
  }
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
}

// Nothing: cancelled.
std::optional<CURLcode> HttpClient::State::exchange_all() const {
  constexpr int longest_wait_ms = 60'000;
  // libcurl 7.88 may hold what it has read of an HTTP/2 answer of more than its buffer's 16 KiB, and wait for the socket.
  constexpr int wait_while_it_comes_ms = 5;
  int running = 1;
  curl_off_t received = 0;
  while (true) {
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    if (cancelled) return std::nullopt;
    const curl_off_t before = received;
    curl_easy_getinfo(easy.get(), CURLINFO_SIZE_DOWNLOAD_T, &received);
    const int wait = received > before ? wait_while_it_comes_ms : longest_wait_ms;
    if (curl_multi_poll(multi.get(), nullptr, 0, wait, nullptr) != CURLM_OK) return CURLE_FAILED_INIT;
  }
}

Result<HttpResponse> HttpClient::perform(const HttpRequest& request) { return stream(request, nullptr); }

Result<HttpResponse> HttpClient::stream(const HttpRequest& request, const Receive& receive) {
  if (!state_->easy || !state_->multi) return fail(ErrorClass::runtime, "libcurl cannot be used: out of memory");
  Headers headers;
  for (const std::string& header : request.headers) {
    curl_slist* longer = curl_slist_append(headers.get(), header.c_str());
    if (longer == nullptr) return fail(ErrorClass::runtime, "libcurl cannot be used: out of memory");
    if (longer != headers.get()) headers.reset(longer);  // the first: it stays the list's head
  }
  Exchange exchange;
  exchange.receive = receive ? &receive : nullptr;
  exchange.max_octets = request.max_octets;
  state_->prepare(request, exchange, headers);
  if (curl_multi_add_handle(state_->multi.get(), state_->easy.get()) != CURLM_OK) {
    return fail(ErrorClass::runtime, "{}: libcurl takes no request", place_of(request));
  }
  const std::optional<CURLcode> code = state_->exchange_all();
  curl_multi_remove_handle(state_->multi.get(), state_->easy.get());
  if (!code) return fail(ErrorClass::runtime, "{}: given up", place_of(request));
  if (*code != CURLE_OK && !exchange.enough) return fail(failure(request, exchange, *code));
  long status = 0;
  curl_easy_getinfo(state_->easy.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

void HttpClient::cancel() {
  state_->cancelled = true;
  curl_multi_wakeup(state_->multi.get());
}

}  // namespace nslookout
