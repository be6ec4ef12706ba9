#include "base/grpc_call.h"

#include <charconv>
#include <cstdint>
#include <utility>

namespace nslookout {
namespace {

constexpr std::size_t prefix_octets = 5;

HttpRequest http_request(const GrpcRequest& request) {
  HttpRequest http;
  http.url = "http://localhost" + request.method;
  http.unix_socket = request.unix_socket;
  http.headers = {"content-type: application/grpc", "te: trailers"};
  http.body = grpc_framed(request.message);
  http.http2 = true;
  http.timeout = request.timeout;
  http.max_octets = request.max_octets + prefix_octets;
  return http;
}

// The status stands in the trailers, or in the headers where there is no body.
Result<GrpcResponse> outcome_of(const GrpcRequest& request, const HttpResponse& http) {
  const auto header = [&](std::string_view name) {
    const auto found = http.headers.find(name);
    return found == http.headers.end() ? std::string_view() : std::string_view(found->second);
  };
  const std::string_view text = header("grpc-status");
  int status = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  if (http.status != 200 || error != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorClass::runtime, "{}: no gRPC answers there (HTTP status {})", request.unix_socket, http.status);
  }
  GrpcResponse response;
  response.status = static_cast<GrpcStatus>(status);
  response.status_text = header("grpc-message");
  return response;
}

}  // namespace

std::string grpc_framed(std::string_view message) {
  const auto length = static_cast<std::uint32_t>(message.size());
  std::string framed(1, '\0');
  for (const int shift : {24, 16, 8, 0}) framed += static_cast<char>((length >> shift) & 0xFF);
  return framed.append(message);
}

Result<std::optional<std::string>> take_grpc_message(std::string& octets, std::size_t max_octets) {
  if (octets.size() < prefix_octets) return std::nullopt;
  if (octets[0] != '\0') return fail(ErrorClass::runtime, "a message is compressed, which was not asked for");
  std::size_t length = 0;
  for (std::size_t i = 1; i < prefix_octets; ++i) length = length << 8 | static_cast<unsigned char>(octets[i]);
  if (length > max_octets) return fail(ErrorClass::runtime, "a message has more than {} octets", max_octets);
  if (octets.size() - prefix_octets < length) return std::nullopt;
  std::string message = octets.substr(prefix_octets, length);
  octets.erase(0, prefix_octets + length);
  return message;
}

Result<GrpcResponse> grpc_call(HttpClient& client, const GrpcRequest& request) {
  Result<HttpResponse> http = client.perform(http_request(request));
  if (!http) return fail(http.error());
  Result<GrpcResponse> response = outcome_of(request, *http);
  if (!response || response->status != GrpcStatus::ok) return response;
  Result<std::optional<std::string>> message = take_grpc_message(http->body, request.max_octets);
  if (!message) return fail(message.error().context(request.unix_socket));
  if (!*message || !http->body.empty()) {
    return fail(ErrorClass::runtime, "{}: the answer is not one whole message", request.unix_socket);
  }
  response->message = std::move(**message);
  return response;
}

Result<GrpcResponse> grpc_stream(HttpClient& client, const GrpcRequest& request,
                                 const std::function<bool(std::string_view message)>& receive) {
  std::string pending;
  std::optional<Error> broken;
  const Result<HttpResponse> http = client.stream(http_request(request), [&](std::string_view octets) {
    pending.append(octets);
    while (true) {
      const Result<std::optional<std::string>> message = take_grpc_message(pending, request.max_octets);
      if (!message) broken = message.error().context(request.unix_socket);
      if (!message) return false;
      if (!*message) return true;
      if (!receive(**message)) return false;
    }
  });
  if (broken) return fail(std::move(*broken));
  if (!http) return fail(http.error());
  return outcome_of(request, *http);
}

}  // namespace nslookout
