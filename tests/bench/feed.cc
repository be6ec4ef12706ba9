#include "feed.h"

#include <zlib.h>

#include <memory>
#include <string_view>

#include "base/dns_name.h"
#include "names.h"
#include "tests/unit/shared_material.h"

namespace nslookout::bench {
namespace {

struct CloseFile {
  void operator()(gzFile file) const { gzclose(file); }
};
using PackedFile = std::unique_ptr<gzFile_s, CloseFile>;

Result<std::string> unpack(const std::string& path) {
  const PackedFile file(gzopen(path.c_str(), "rb"));
  std::string text;
  std::string piece(1 << 20, '\0');
  while (file) {
    const int got = gzread(file.get(), piece.data(), static_cast<unsigned>(piece.size()));
    if (got == 0) return text;
    if (got < 0) break;
    text.append(piece, 0, static_cast<std::size_t>(got));
  }
  return fail(ErrorClass::runtime, "{}: cannot be unpacked", path);
}

std::string made_up(std::size_t count) {
  std::string text;
  for (const std::string& wire : made_up_names(count)) {
    text += wire_to_presentation(wire);
    text.push_back('\n');
  }
  return text;
}

}  // namespace

Result<Feed> read_feed(std::size_t count) {
  const auto path = shared_material() / "feeds" / "domains_1160k.txt.gz";
  if (!std::filesystem::exists(path)) return Feed{made_up(count), false};
  Result<std::string> text = unpack(path.native());
  if (!text) return fail(text.error());
  std::size_t end = 0;
  for (; count > 0 && end < text->size(); --count) end = text->find('\n', end) + 1;
  text->resize(end);
  return Feed{std::move(*text), true};
}

}  // namespace nslookout::bench
