// OpenTelemetry logs over HTTP: one POST a batch, protobuf, gzip unless told otherwise. See receiver.h for the contract.
//
// Delivered: the collector answered 2xx, with a body or without one. 429, 502, 503, 504 and a failed connection mean
// "later", as long as Retry-After says; any other answer refuses the batch for good (OTLP 1.x, "Failures").
// Thread rule: see receiver.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/http_client.h"
#include "sink/receiver.h"
#include "sink/spec.h"

namespace nslookout::sink {

// What an answer says of a batch of so many records.
[[nodiscard]] Delivery otlp_delivery(const std::string& url, const HttpResponse& response, std::size_t records);

class OtlpReceiver : public Receiver {
 public:
  // Errors: runtime (files that cannot be read), usage (a line that is no header).
  [[nodiscard]] static Result<std::unique_ptr<Receiver>> open(const Spec& spec);

  OtlpReceiver(Spec spec, std::vector<std::string> headers);

  [[nodiscard]] Result<std::string> encode(const event::Event& event) const override;
  [[nodiscard]] Delivery deliver(std::span<const std::string> records) override;
  [[nodiscard]] BatchLimits limits() const override { return {.records = 512, .octets = std::size_t{2} << 20}; }
  void cancel() override { http_.cancel(); }

 private:
  [[nodiscard]] Result<void> renew_headers();

  Spec spec_;
  std::vector<std::string> headers_;  // of the file
  bool renew_ = false;                // they were not taken
  std::string host_name_;
  HttpClient http_;
};

}  // namespace nslookout::sink
