#include "sink/frame.h"

#include <cerrno>
#include <string_view>
#include <utility>

#include "base/block_reader.h"
#include "event/codec.h"

namespace nslookout::sink {
namespace {

constexpr std::size_t max_varint_octets = 10;

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7F) | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

struct Varint {
  std::uint64_t value = 0;
  std::size_t octets = 0;  // 0: not complete yet
};

// Protobuf's encoding, seven bits an octet, least first. More than ten octets are no varint.
Result<Varint> read_varint(std::string_view text) {
  Varint varint;
  for (std::size_t i = 0; i < text.size() && i < max_varint_octets; ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    varint.value |= static_cast<std::uint64_t>(octet & 0x7F) << (7 * i);
    if (octet < 0x80) {
      varint.octets = i + 1;
      return varint;
    }
  }
  if (text.size() >= max_varint_octets) return fail(ErrorClass::invalid, "no length stands there");
  return varint;
}

// Cuts records off a growing buffer.
class Decoder {
 public:
  explicit Decoder(const EventHandler& handler) : handler_(handler) {}

  // Hands over every complete record of the buffer and removes it.
  Result<void> take_records(std::string& buffer) {
    std::string_view rest = buffer;
    while (!rest.empty()) {
      auto taken = take_record(rest);
      if (!taken) return fail(taken.error());
      if (*taken == 0) break;
      rest.remove_prefix(*taken);
      offset_ += *taken;
    }
    buffer.erase(0, buffer.size() - rest.size());
    return {};
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  // The octets of the record at the start of text; 0 when it is not complete yet.
  Result<std::size_t> take_record(std::string_view text) {
    const auto length = read_varint(text);
    if (!length) return fail(length.error().context(place()));
    if (length->octets == 0) return 0;
    if (length->value == 0 || length->value > max_message_octets) {
      return fail(ErrorClass::invalid,
                  "{}: a record of {} octets (1 to {} are possible); is this a protobuf stream of nslookout?", place(),
                  length->value, max_message_octets);
    }
    text.remove_prefix(length->octets);
    if (text.size() < length->value) return 0;
    const auto event = event::from_protobuf(text.substr(0, length->value));
    if (!event) return fail(event.error().context(place()));
    if (auto handled = handler_(*event); !handled) return fail(handled.error());
    ++count_;
    return length->octets + length->value;
  }

  [[nodiscard]] std::string place() const { return fmt::format("offset {}", offset_); }

  const EventHandler& handler_;
  std::uint64_t count_ = 0;
  std::uint64_t offset_ = 0;  // of the first octet in the buffer
};

}  // namespace

Result<std::string> encode_record(const event::Event& event, Encoding encoding, encode::Format format) {
  if (encoding == Encoding::json_lines) {
    auto line = encode::to_line(event, format);
    if (line) *line += '\n';
    return line;
  }
  auto message = event::to_protobuf(event);
  if (!message) return message;
  if (message->size() > max_message_octets) {
    return fail(ErrorClass::runtime, "an event of {} octets is over the limit of {}", message->size(),
                max_message_octets);
  }
  std::string record;
  record.reserve(message->size() + max_varint_octets);
  append_varint(record, message->size());
  record += *message;
  return record;
}

Result<std::uint64_t> decode_stream(int fd, std::string already_read, const EventHandler& handler) {
  BlockReader reader(fd);
  Decoder decoder(handler);
  std::string buffer = std::move(already_read);
  while (true) {
    if (auto taken = decoder.take_records(buffer); !taken) return fail(taken.error());
    const auto got = reader.append_to(buffer);
    if (!got) return fail(ErrorClass::runtime, "reading events: {}", errno_text(errno));
    if (*got == 0) break;
  }
  if (!buffer.empty()) {
    return fail(ErrorClass::invalid,
                "offset {}: the last record is cut short after {} octets; the {} before it are whole", decoder.offset(),
                buffer.size(), decoder.count());
  }
  return decoder.count();
}

}  // namespace nslookout::sink
