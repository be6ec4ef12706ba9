// How far a command has read its file, on the terminal at stderr, for whoever waits for a long one.
//
// Drawn once a second from the second second on, where stderr is a terminal that knows how to go back to the start of a line, and
// of a file that has a size; taken away at the end. How far the reading is, its descriptor tells:
// readers know nothing of it.
// Thread rule: a thread of its own, which writes to stderr alone; where none can be started nothing is drawn.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace nslookout::cli {

class Progress {
 public:
  // file: as the command was given it, - for stdin; it is opened after this.
  explicit Progress(const std::string& file);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

 private:
  void draw_until_told();

  std::string path_;
  std::string name_;
  std::mutex mutex_;
  std::condition_variable told_;
  bool ended_ = false;
  std::thread thread_;
};

// What read() returns; the line is gone by then.
template <typename Read>
[[nodiscard]] auto with_progress(const std::string& file, Read read) {
  const Progress progress(file);
  return read();
}

}  // namespace nslookout::cli
