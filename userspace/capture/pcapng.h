// Reads pcapng files (the IETF's draft-ietf-opsawg-pcapng): sections of either byte order, interfaces of any link type
// and time stamp resolution, enhanced, simple and obsolete packet blocks. Every other block is passed over.
// Thread rule: one thread.
#pragma once

#include <cstdio>
#include <memory>

#include "base/result.h"
#include "capture/capture_file.h"

namespace nslookout::capture {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePointer = std::unique_ptr<std::FILE, CloseFile>;

// Of the type of a section header block, 0x0A0D0D0A, which reads the same from both ends.
inline constexpr int pcapng_first_octet = 0x0A;

// Error (invalid): the file does not begin with a section header.
[[nodiscard]] Result<std::unique_ptr<PacketSource>> open_pcapng(FilePointer file);

}  // namespace nslookout::capture
