#include "event/codec.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include <cstddef>
#include <exception>
#include <limits>
#include <string>

#include "event/json_mapping.h"
#include "event/proto.h"

namespace nslookout::event {

std::string to_json_line(const Event& event) {
  constexpr std::size_t usual_octets = 6144;
  std::string line;
  line.reserve(usual_octets);
  v1::Event proto;
  fill(proto, event);
  append_json(proto, line);
  return line;
}

Result<std::string> to_protobuf(const Event& event) {
  std::string message;
  v1::Event proto;
  fill(proto, event);
  bool whole = false;
  {
    google::protobuf::io::StringOutputStream octets(&message);
    google::protobuf::io::CodedOutputStream out(&octets);
    out.SetSerializationDeterministic(true);
    whole = proto.SerializeToCodedStream(&out);
  }  // the message has its length when the streams are gone
  if (!whole) return fail(ErrorClass::runtime, "writing an event as protobuf: it is larger than 2 GiB");
  return message;
}

Result<Event> from_protobuf(std::string_view message) {
  // protobuf has a logger of its own, which would tell stderr about every bad string; the error below says it once.
  [[maybe_unused]] static const auto previous_handler = google::protobuf::SetLogHandler(nullptr);
  constexpr auto limit = static_cast<std::size_t>(std::numeric_limits<int>::max());
  v1::Event proto;
  if (message.size() > limit || !proto.ParseFromArray(message.data(), static_cast<int>(message.size())) ||
      proto.schema_version() == 0) {
    return fail(ErrorClass::invalid, "these octets are not an nslookout event");
  }
  return from_proto(proto);
}

Result<Event> from_json_line(std::string_view line) {
  [[maybe_unused]] static const auto previous_handler = google::protobuf::SetLogHandler(nullptr);
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  v1::Event proto;
  try {
    const auto status = google::protobuf::util::JsonStringToMessage(
        google::protobuf::StringPiece(line.data(), line.size()), &proto, options);
    if (!status.ok()) return fail(ErrorClass::invalid, "the line is no JSON form of an nslookout event");
  } catch (const std::exception& exception) {
    return fail(ErrorClass::invalid, "the line is no JSON form of an nslookout event: {}", exception.what());
  }
  if (proto.schema_version() == 0) {
    return fail(ErrorClass::invalid, "the line is no nslookout event: it has no schema_version");
  }
  return from_proto(proto);
}

}  // namespace nslookout::event
