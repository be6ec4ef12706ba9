// An event as a record of OpenTelemetry's logs, and batches of them as one request. Names of attributes are those of
// OpenTelemetry's semantic conventions where it has one, else nslookout.*; the body is the event's line of JSON.
// Source: opentelemetry-proto 1.x, logs/v1; proto/otlp/v1/logs.proto. Thread rule: any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/event.h"

namespace nslookout::sink {

// A LogRecord.
[[nodiscard]] std::string otlp_record(const event::Event& event, std::string_view line);

// An ExportLogsServiceRequest of such records.
[[nodiscard]] std::string otlp_request(std::span<const std::string> records, const std::string& host_name);

struct OtlpAnswer {
  std::uint64_t rejected = 0;  // records
  std::string message;
};
// Of an ExportLogsServiceResponse; octets that are none say nothing.
[[nodiscard]] OtlpAnswer otlp_answer(std::string_view octets);

}  // namespace nslookout::sink
