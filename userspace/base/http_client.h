// HTTP over TCP or a Unix socket, with a bound on everything: the time, the octets, and a way to give up from another
// thread. The one user of libcurl. HTTP/2 without TLS (prior knowledge, RFC 9113 section 3.3) is what gRPC needs; its
// trailers are among the response's headers.
//
// No redirect is followed, no proxy and no file of the user's is read. A client keeps its connection of
// HTTP/1.1 for the next request to the same place.
// Errors: unsupported (nobody listens there: no such socket, connection refused); runtime (all else: time-out, too many
// octets, broken off, cancelled). A response of any status is no error.
// Thread rule: one thread, but for cancel().
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nslookout {

struct HttpRequest {
  std::string url;                          // http: or https:
  std::string unix_socket = {};             // the path; empty: TCP
  std::vector<std::string> headers = {};    // "Name: value"
  std::optional<std::string> body = {};     // a POST
  bool http2 = false;                       // prior knowledge
  std::chrono::milliseconds timeout{1500};  // of the whole exchange; 0: none
  std::size_t max_octets = 1u << 20;        // of the response's body, and of its headers
  std::string ca_file = {};                 // empty: the system's
  bool verify_peer = true;
  std::string client_certificate = {};  // PEM files; both or none
  std::string client_key = {};
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string, std::less<>> headers;  // names in lower case; the last of a name counts
  std::string body;
};

class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  [[nodiscard]] Result<HttpResponse> perform(const HttpRequest& request);

  // The body as it comes, instead of in the response; max_octets does not apply to it. receive returns whether it wants more.
  using Receive = std::function<bool(std::string_view octets)>;
  [[nodiscard]] Result<HttpResponse> stream(const HttpRequest& request, const Receive& receive);

  // From any thread: the request under way and all later ones fail at once.
  void cancel();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nslookout
