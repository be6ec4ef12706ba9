#include "confine/writable.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <system_error>

#include "base/walk_folder.h"

namespace nslookout::confine {
namespace {

namespace fs = std::filesystem;

enum class Kind { of_interest, folder_above };

bool mounted_read_only(const std::string& path) {
  struct statvfs mount{};
  return ::statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0;
}

Result<void> check_one(const std::string& path, Kind kind) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || (status.st_mode & S_IWOTH) == 0) return {};
  const bool folder = S_ISDIR(status.st_mode);
  if (!folder && !S_ISREG(status.st_mode)) return {};  // a pipe of the shell's: <(…)
  if (kind == Kind::folder_above && (status.st_mode & S_ISVTX) != 0) return {};
  if (mounted_read_only(path)) return {};
  return fail(ErrorClass::invalid,
              "{}: any user may write this {} (mode {:04o}), and so say what is reported; `chmod o-w {}`, or "
              "--allow-writable if that is meant",
              path, folder ? "folder" : "file", status.st_mode & 07777, path);
}

Result<void> check_below(const std::string& folder) {
  Result<void> judged;
  walk_folder(folder, [&](const fs::path& path, bool /*is_folder*/) {
    if (judged) judged = check_one(path.native(), Kind::of_interest);
    return judged.has_value();
  });
  return judged;
}

Result<void> check_path(const std::string& path) {
  if (const auto checked = check_one(path, Kind::of_interest); !checked) return checked;
  std::error_code unknown;
  if (fs::is_directory(path, unknown)) return check_below(path);
  const std::string above = fs::path(path).parent_path().native();
  return check_one(above.empty() ? "." : above, Kind::folder_above);
}

}  // namespace

Result<void> check_not_writable_by_all(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (const auto checked = check_path(path); !checked) return checked;
  }
  return {};
}

}  // namespace nslookout::confine
