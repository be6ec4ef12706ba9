#include "inventory/read_events.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "base/block_reader.h"
#include "base/fd.h"
#include "event/codec.h"
#include "sink/frame.h"

namespace nslookout::inventory {
namespace {

constexpr char first_tag = 0x08;  // of a message: field 1, a varint

// Appends a block to the buffer; 0 at the end.
Result<std::size_t> read_block(BlockReader& reader, const std::string& name, std::string& buffer) {
  const auto got = reader.append_to(buffer);
  if (!got) return fail(ErrorClass::runtime, "{} cannot be read: {}", name, errno_text(errno));
  return *got;
}

bool is_protobuf(std::string_view beginning) {
  std::size_t at = 0;
  while (at < beginning.size() && (static_cast<unsigned char>(beginning[at]) & 0x80) != 0) ++at;
  return at + 1 < beginning.size() && beginning[at + 1] == first_tag;
}

void note_bad(ReadOutcome& outcome, Error error) {
  ++outcome.bad;
  if (!outcome.first_bad) outcome.first_bad = std::move(error);
}

class Lines {
 public:
  Lines(const std::string& name, const Visit& visit) : name_(name), visit_(visit) {}

  // Takes the whole lines off the buffer; at the end of the file also a last one without its newline.
  Result<void> take(std::string& buffer, bool end) {
    std::string_view rest = buffer;
    while (!rest.empty()) {
      const std::size_t newline = rest.find('\n');
      if (newline == std::string_view::npos && !end && rest.size() <= max_line_octets) break;
      const std::string_view line = rest.substr(0, newline);
      const bool whole = newline != std::string_view::npos || end;
      if (auto taken = take_line(line, whole); !taken) return taken;
      rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
    }
    buffer.erase(0, buffer.size() - rest.size());
    return {};
  }

  [[nodiscard]] ReadOutcome& outcome() { return outcome_; }

 private:
  Result<void> take_line(std::string_view line, bool whole) {
    if (!whole || in_long_line_) {
      if (!in_long_line_) {
        note_bad(outcome_,
                 {ErrorClass::invalid, fmt::format("{}:{}: a line of more than {} octets is no event of nslookout",
                                                   name_, number_, max_line_octets)});
      }
      in_long_line_ = !whole;
      if (whole) ++number_;
      return {};
    }
    const std::uint64_t number = number_++;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return {};
    const auto event = event::from_json_line(line);
    if (!event) {
      note_bad(outcome_, event.error().context(fmt::format("{}:{}", name_, number)));
      return {};
    }
    ++outcome_.events;
    return visit_(*event);
  }

  const std::string& name_;
  const Visit& visit_;
  ReadOutcome outcome_;
  std::uint64_t number_ = 1;
  bool in_long_line_ = false;
};

Result<ReadOutcome> read_lines(BlockReader& reader, const std::string& name, std::string buffer, const Visit& visit) {
  if (buffer.starts_with("\xEF\xBB\xBF")) buffer.erase(0, 3);
  Lines lines(name, visit);
  while (true) {
    if (auto taken = lines.take(buffer, false); !taken) return fail(taken.error());
    const auto got = read_block(reader, name, buffer);
    if (!got) return fail(got.error());
    if (*got == 0) break;
  }
  if (auto taken = lines.take(buffer, true); !taken) return fail(taken.error());
  return std::move(lines.outcome());
}

Result<ReadOutcome> read_frames(int fd, const std::string& name, std::string buffer, const Visit& visit) {
  ReadOutcome outcome;
  std::optional<Error> of_visitor;
  const auto decoded = sink::decode_stream(fd, std::move(buffer), [&](const event::Event& event) -> Result<void> {
    ++outcome.events;
    auto visited = visit(event);
    if (!visited) of_visitor = visited.error();
    return visited;
  });
  if (of_visitor) return fail(*of_visitor);
  if (decoded) return outcome;
  if (decoded.error().kind != ErrorClass::invalid) return fail(decoded.error().context(name));
  note_bad(outcome, decoded.error().context(name));
  return outcome;
}

}  // namespace

Result<ReadOutcome> read_events(int fd, const std::string& name, const Visit& visit) {
  BlockReader reader(fd);
  std::string buffer;
  const auto got = read_block(reader, name, buffer);
  if (!got) return fail(got.error());
  const bool protobuf = is_protobuf(buffer);
  auto outcome =
      protobuf ? read_frames(fd, name, std::move(buffer), visit) : read_lines(reader, name, std::move(buffer), visit);
  if (outcome && outcome->events == 0 && outcome->first_bad) return fail(*outcome->first_bad);
  return outcome;
}

Result<ReadOutcome> read_events(const std::string& path, const Visit& visit) {
  if (path == "-") return read_events(STDIN_FILENO, "standard input", visit);
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return fail(ErrorClass::runtime, "{} cannot be read: {}", path, errno_text(errno));
  return read_events(fd.get(), path, visit);
}

}  // namespace nslookout::inventory
