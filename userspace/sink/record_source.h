// Where a courier gets its records from: the queue in memory, or the spool on disk.
// Thread rule: take() and done() one thread; the rest any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sink/receiver.h"

namespace nslookout::sink {

class RecordSource {
 public:
  RecordSource() = default;
  RecordSource(const RecordSource&) = delete;
  RecordSource& operator=(const RecordSource&) = delete;
  RecordSource(RecordSource&&) = delete;
  RecordSource& operator=(RecordSource&&) = delete;
  virtual ~RecordSource() = default;

  // The next records, at least one, in order. Waits for one; none: closed and empty, or woken by wake().
  [[nodiscard]] virtual std::vector<std::string> take(const BatchLimits& limits) = 0;
  // So many of those taken, from the first on, are not needed any more.
  virtual void done(std::size_t count) = 0;

  virtual void wake() = 0;
  // Nothing is added any more; what is there can still be taken.
  virtual void close() = 0;
  [[nodiscard]] virtual bool closed() const = 0;
  // Not taken yet, or taken and not done.
  [[nodiscard]] virtual std::size_t waiting() const = 0;
  // Whether what is not done is still there at the next start.
  [[nodiscard]] virtual bool durable() const = 0;
};

}  // namespace nslookout::sink
