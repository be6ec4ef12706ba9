// The records of an output on disk. What the input says is done with a spool: records are put in, taken, delivered, and the
// agent starts anew. Each record comes out in its order until it is delivered, and not after that. Where the input damages
// the files, what comes out is still nothing but records that went in.
//
// Input: an octet that says whether files are damaged, then operations, each an octet with what and how much.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "octets.h"
#include "sink/spool.h"

namespace nslookout::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t cap = 16U << 10;  // segments of 4096 octets, full soon

// Of this process, in memory where there is such a folder; gone when it ends.
class Folder {
 public:
  Folder() {
    std::string name = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz-spool-XXXXXX" : "/tmp/fuzz-spool-XXXXXX";
    require(::mkdtemp(name.data()) != nullptr, "a folder for the spool");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string spool() const { return (path_ / "spool").native(); }
  // Without making the folder anew each time: system calls are nearly all of what a run costs.
  void empty() const {
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(path_ / "spool", absent)) ::unlink(entry.path().c_str());
  }

 private:
  fs::path path_;
};

// Its number and its length, so that a wrong one is known.
std::string record(std::size_t number, std::size_t length) {
  std::string text = std::to_string(number) + ":" + std::to_string(length) + ":";
  text.resize(std::max(text.size(), length), static_cast<char>('a' + number % 26));
  return text;
}

std::size_t number_of(const std::string& text, const std::vector<std::string>& written) {
  const auto number = static_cast<std::size_t>(std::strtoull(text.c_str(), nullptr, 10));
  require(number < written.size() && written[number] == text, "what comes out is a record that went in");
  return number;
}

void damage(const std::string& folder, Octets& octets) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  const fs::path& file = files[octets.octet() % files.size()];
  const std::size_t size = fs::file_size(file);
  const std::uint8_t how = octets.octet();
  const std::size_t at = size == 0 ? 0 : (static_cast<std::size_t>(octets.octet()) << 8 | octets.octet()) % size;
  if (how % 3 == 0) {
    fs::resize_file(file, at);
    return;
  }
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  const std::string_view with = octets.take(1 + how % 16);
  require(fd.valid() &&
              ::pwrite(fd.get(), with.data(), with.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(with.size()),
          "damage is done");
}

class Play {
 public:
  Play(std::string folder, Octets octets) : folder_(std::move(folder)), octets_(octets) {}

  void run() {
    damages_ = octets_.octet() % 4 == 0;
    open();
    for (int step = 0; step < 20 && !octets_.empty(); ++step) {
      const std::uint8_t operation = octets_.octet();
      const std::size_t amount = operation / 8;
      switch (operation % 8) {
        case 0:
        case 1:
        case 2:
          append(1 + amount % 4, amount * 97);
          break;
        case 3:
          append(1 + amount / 8, 1400);  // three fill a segment
          break;
        case 4:
        case 5:
          take(1 + amount);
          break;
        case 6:
          deliver(amount);
          break;
        default:
          start_anew();
          break;
      }
    }
    start_anew();
    while (spool_->waiting() > 0 && take(8) > 0) deliver(8);
    require(spool_->octets() <= cap, "what is on disk does not exceed the cap");
    if (damages_) return;
    require(delivered_ == written_.size() && spool_->waiting() == 0, "every record came out");
    require(spool_->damaged() == 0, "nothing is damaged by itself");
  }

 private:
  void open() {
    auto opened = sink::Spool::open(folder_, cap);
    require(opened.has_value(), "a spool can be opened");
    spool_ = *opened;
  }

  void start_anew() {
    spool_.reset();
    if (damages_) damage(folder_, octets_);
    open();
    taken_ = delivered_;
    in_hand_.clear();
    if (!damages_) require(spool_->waiting() == written_.size() - delivered_, "what waits is what was not delivered");
  }

  void append(std::size_t count, std::size_t length) {
    for (; count > 0; --count) {
      std::string next = record(written_.size(), length);
      if (!spool_->append(next)) return;
      written_.push_back(std::move(next));
    }
  }

  std::size_t take(std::size_t most) {
    if (spool_->waiting() <= in_hand_.size()) return 0;  // it would wait
    spool_->wake();                                      // all of what is left may be damaged
    const std::vector<std::string> records = spool_->take({.records = most, .octets = 1U << 20});
    for (const std::string& text : records) {
      const std::size_t number = number_of(text, written_);
      if (!damages_) {
        require(number <= taken_, "no record is left out");
        taken_ = number + 1;
      }
      in_hand_.push_back(number);
    }
    return records.size();
  }

  void deliver(std::size_t most) {
    const std::size_t count = std::min(most, in_hand_.size());
    if (count == 0) return;
    spool_->done(count);
    delivered_ = std::max(delivered_, in_hand_[count - 1] + 1);
    in_hand_.erase(in_hand_.begin(), in_hand_.begin() + static_cast<std::ptrdiff_t>(count));
  }

  std::string folder_;
  Octets octets_;
  bool damages_ = false;
  std::shared_ptr<sink::Spool> spool_;
  std::vector<std::string> written_;
  std::vector<std::size_t> in_hand_;  // numbers of records that were taken and not delivered
  std::size_t taken_ = 0;             // the next number to come
  std::size_t delivered_ = 0;
};

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  using namespace nslookout;
  static const fuzz::Folder folder;
  log::set_level(static_cast<log::Level>(-1));  // of damage there is a great deal
  folder.empty();
  fuzz::Play(folder.spool(), {octets, size}).run();
  return 0;
}
