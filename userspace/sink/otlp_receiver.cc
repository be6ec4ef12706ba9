#include "sink/otlp_receiver.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <utility>

#include <zlib.h>

#include "base/escape.h"
#include "base/host_name.h"
#include "base/text.h"
#include "encode/format.h"
#include "sink/otlp_record.h"
#include "sink/tls_context.h"

namespace nslookout::sink {
namespace {

constexpr std::chrono::milliseconds timeout{10'000};

// RFC 1952. Nothing where zlib has no memory.
std::optional<std::string> gzipped(const std::string& octets) {
  constexpr int gzip_window = 15 + 16;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) return std::nullopt;
  std::string out(deflateBound(&stream, octets.size()), '\0');
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): zlib only reads it
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(octets.data()));
  stream.avail_in = static_cast<uInt>(octets.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return whole ? std::optional(std::move(out)) : std::nullopt;
}

// One "Name: value" a line; empty lines and those that begin with # say nothing.
Result<std::vector<std::string>> read_headers(const std::string& file) {
  std::vector<std::string> headers;
  if (file.empty()) return headers;
  std::ifstream lines(file);
  if (!lines) {
    return fail(ErrorClass::runtime, "{}: {}; headers= names a file that this user may read", escape_controls(file),
                errno_text(errno));
  }
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const std::size_t colon = line.find(':');
    const bool plain =
        std::ranges::all_of(line, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7F; });
    if (colon == std::string::npos || colon == 0 || !plain) {
      return fail(ErrorClass::usage, "{}:{}: no header of HTTP; write one as \"Name: value\"", escape_controls(file),
                  number);
    }
    headers.push_back(std::move(line));
  }
  return headers;
}

// Seconds; a date is not read, and the courier's own pause applies.
std::chrono::milliseconds retry_after(const HttpResponse& response) {
  const auto found = response.headers.find("retry-after");
  std::uint32_t seconds = 0;
  if (found == response.headers.end()) return {};
  const char* end = found->second.data() + found->second.size();
  const auto [at, error] = std::from_chars(found->second.data(), end, seconds);
  if (error != std::errc{} || at != end) return {};
  return std::chrono::seconds{seconds};
}

// The token in the headers may have run out, and a new one be in their file.
bool asks_for_credentials(int status) { return status == 401 || status == 403 || status == 407; }

bool is_temporary(int status) { return status == 429 || status == 502 || status == 503 || status == 504; }

// Some answer 202, or 204 without a body (Grafana Loki).
bool is_success(int status) { return status >= 200 && status <= 299; }

}  // namespace

Delivery otlp_delivery(const std::string& url, const HttpResponse& response, std::size_t records) {
  if (asks_for_credentials(response.status) || is_temporary(response.status)) {
    return {.error = Error{ErrorClass::runtime, fmt::format("{} answers {}", url, response.status)},
            .wait = retry_after(response)};
  }
  Delivery delivery{.done = records};
  if (!is_success(response.status)) {
    delivery.refused = records;
    delivery.error =
        Error{ErrorClass::runtime, fmt::format("{} answers {}: {}", url, response.status,
                                               escape_controls(std::string_view(response.body).substr(0, 200)))};
    return delivery;
  }
  if (response.body.empty()) return delivery;
  const OtlpAnswer answer = otlp_answer(response.body);
  delivery.refused = std::min<std::uint64_t>(answer.rejected, records);
  if (delivery.refused > 0) {
    delivery.error = Error{ErrorClass::runtime, fmt::format("{}: {}", url, escape_controls(answer.message))};
  }
  return delivery;
}

Result<std::unique_ptr<Receiver>> OtlpReceiver::open(const Spec& spec) {
  // libcurl would say what is wrong with them when the first event comes.
  if (spec.url.starts_with("https")) {
    if (auto usable = TlsContext::create(spec.ca, spec.certificate, spec.key); !usable) return fail(usable.error());
  }
  auto headers = read_headers(spec.headers_file);
  if (!headers) return fail(headers.error());
  return std::make_unique<OtlpReceiver>(spec, std::move(*headers));
}

OtlpReceiver::OtlpReceiver(Spec spec, std::vector<std::string> headers)
    : spec_(std::move(spec)), headers_(std::move(headers)), host_name_(host_name()) {}

// Whoever renews a token writes it into the file.
Result<void> OtlpReceiver::renew_headers() {
  if (!std::exchange(renew_, false)) return {};
  auto headers = read_headers(spec_.headers_file);
  if (!headers) {
    renew_ = true;
    return fail(headers.error());
  }
  headers_ = std::move(*headers);
  return {};
}

Result<std::string> OtlpReceiver::encode(const event::Event& event) const {
  const auto line = encode::to_line(event, spec_.format);
  if (!line) return fail(line.error());
  return otlp_record(event, *line);
}

Delivery OtlpReceiver::deliver(std::span<const std::string> records) {
  if (auto renewed = renew_headers(); !renewed) return {.error = renewed.error()};
  HttpRequest request{.url = spec_.url, .headers = headers_, .timeout = timeout, .ca_file = spec_.ca};
  request.headers.emplace_back("Content-Type: application/x-protobuf");
  request.headers.emplace_back("User-Agent: nslookout/" NSLOOKOUT_VERSION);
  request.headers.emplace_back("Expect:");  // without it libcurl asks for leave before a large body
  request.client_certificate = spec_.certificate;
  request.client_key = spec_.key;
  request.body = otlp_request(records, host_name_);
  if (spec_.gzip) {
    if (auto small = gzipped(*request.body)) {
      request.body = std::move(*small);
      request.headers.emplace_back("Content-Encoding: gzip");
    }
  }
  const auto response = http_.perform(request);
  if (!response) return {.error = response.error()};
  renew_ = asks_for_credentials(response->status);
  return otlp_delivery(spec_.url, *response, records.size());
}

}  // namespace nslookout::sink
