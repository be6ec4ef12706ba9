// A gRPC call over a Unix socket: messages in, messages out, as octets.
//
// gRPC is HTTP/2 POST with length-prefixed messages and a status in the trailers (gRPC over HTTP2, "Requests" and
// "Responses"), and that is all of it that is needed here. libgrpc++ would double the memory that libcurl takes
// (docs/containers.md has the measurement) and brings threads of its own.
//
// Errors: those of base/http_client.h; runtime also for a response that is no gRPC. A status other than OK is no error.
// Thread rule: that of the HttpClient.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/http_client.h"
#include "base/result.h"

namespace nslookout {

enum class GrpcStatus : int { ok = 0, not_found = 5, unimplemented = 12 };  // those that a caller tells apart

struct GrpcRequest {
  std::string unix_socket;
  std::string method;                       // "/package.Service/Method"
  std::string message = {};                 // serialised
  std::chrono::milliseconds timeout{1500};  // 0: none
  std::size_t max_octets = 1u << 20;        // of the response; of one message, for a stream
};

struct GrpcResponse {
  GrpcStatus status = GrpcStatus::ok;
  std::string status_text;
  std::string message;  // only with ok
};

[[nodiscard]] Result<GrpcResponse> grpc_call(HttpClient& client, const GrpcRequest& request);

// A call that is answered with a stream of messages. receive returns whether it wants more.
[[nodiscard]] Result<GrpcResponse> grpc_stream(HttpClient& client, const GrpcRequest& request,
                                               const std::function<bool(std::string_view message)>& receive);

// A message with its prefix: an octet 0 (not compressed), the length in four octets, the message.
[[nodiscard]] std::string grpc_framed(std::string_view message);

// Takes the first whole message off the octets; nothing while it is incomplete. Errors: runtime, for a compressed
// message and for one longer than max_octets.
[[nodiscard]] Result<std::optional<std::string>> take_grpc_message(std::string& octets, std::size_t max_octets);

}  // namespace nslookout
