#include "sink/sink.h"

#include <csignal>

#include "sink/file_sink.h"
#include "sink/socket_sink.h"
#include "sink/spec.h"

namespace nslookout::sink {
namespace {

void ignore_default_sigpipe() {
  struct sigaction current{};
  if (::sigaction(SIGPIPE, nullptr, &current) != 0 || current.sa_handler != SIG_DFL) return;
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, nullptr);
}

}  // namespace

Result<std::unique_ptr<Sink>> open_sink(std::string_view spec) {
  const auto parsed = parse_spec(spec);
  if (!parsed) return fail(parsed.error());
  ignore_default_sigpipe();
  return parsed->place == Place::unix_socket ? SocketSink::open(*parsed) : FileSink::open(*parsed);
}

}  // namespace nslookout::sink
