#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "event_samples.h"
#include "sink/file_receiver.h"
#include "sink/frame.h"
#include "sink/sink.h"
#include "sink_fixture.h"

namespace nslookout::sink {
namespace {

using event::small_event;
using Names = std::vector<std::string>;

class SinkFile : public SinkTest {
 protected:
  static std::unique_ptr<Sink> open(const std::string& spec) {
    auto sink = open_sink(spec);
    EXPECT_TRUE(sink) << sink.error().message;
    return sink ? std::move(*sink) : nullptr;
  }

  static Result<Names> decode(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    Names names;
    const auto count = decode_stream(fd.get(), [&](const event::Event& event) -> Result<void> {
      names.push_back(event.dns->query);
      return {};
    });
    if (!count) return fail(count.error());
    return names;
  }
};

// Files of this process cannot grow beyond a size while this lives: a full disk, as far as write(2) is concerned.
class FullDisk {
 public:
  explicit FullDisk(std::size_t octets) {
    old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_limit_);
    rlimit limit = old_limit_;
    limit.rlim_cur = octets;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_limit_);
    ::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_limit_{};
  sighandler_t old_handler_ = SIG_DFL;
};

TEST_F(SinkFile, JsonLinesAreAppendedToAPrivateFile) {
  for (const char* name : {"a.test", "b.test"}) {
    const auto sink = open("jsonl:" + path("e.jsonl"));
    EXPECT_TRUE(sink->write(small_event(name)));
    EXPECT_TRUE(sink->flush());
  }
  EXPECT_EQ(queries(contents(path("e.jsonl"))), (Names{"a.test", "b.test"}));
  struct stat status{};
  ASSERT_EQ(::stat(path("e.jsonl").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(SinkFile, FramesAreAppendedAndDecoded) {
  for (const char* name : {"a.test", "b.test"}) {
    const auto sink = open("protobuf:" + path("e.pb"));
    EXPECT_TRUE(sink->write(small_event(name)));
    EXPECT_TRUE(sink->write(event::full_event()));
  }
  const auto names = decode(path("e.pb"));
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_EQ(*names, (Names{"a.test", "sfrclak.com", "b.test", "sfrclak.com"}));
}

TEST_F(SinkFile, AProtobufFileHasOneWriter) {
  const auto first = open("protobuf:" + path("e.pb"));
  const auto second = open_sink("protobuf:" + path("e.pb"));
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("another process is writing it"), std::string::npos) << second.error().message;
}

struct BadPath {
  const char* path;
  const char* says;
};

TEST_F(SinkFile, APathThatCannotBeWrittenIsOneSentenceWithWhatToDo) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  std::ofstream(path("plain")) << "x\n";
  const BadPath cases[] = {
      {"", "it is a directory; name a file, such as"},
      {"missing/e.jsonl", "its folder does not exist; create the folder or name another file"},
      {"plain/e.jsonl", "a part of the path is not a folder"},
      {"fifo", "nobody reads this FIFO; start its reader first"},
  };
  for (const BadPath& bad : cases) {
    for (const char* kind : {"jsonl:", "protobuf:"}) {
      const auto sink = open_sink(kind + path(bad.path));
      ASSERT_FALSE(sink) << bad.path;
      EXPECT_EQ(sink.error().kind, ErrorClass::runtime);
      EXPECT_NE(sink.error().message.find(bad.says), std::string::npos) << sink.error().message;
      EXPECT_NE(sink.error().message.find(path(bad.path)), std::string::npos) << sink.error().message;
    }
  }
  EXPECT_EQ(contents(path("plain")), "x\n");
}

TEST_F(SinkFile, AFolderOfAnotherUserIsRefused) {
  ASSERT_EQ(::chmod(folder_.c_str(), 0500), 0);
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto sink = open_sink("jsonl:" + path("e.jsonl"));
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_EQ(::chmod(folder_.c_str(), 0700), 0);
  ASSERT_FALSE(sink);
  EXPECT_NE(sink.error().message.find("name a file that this user may write"), std::string::npos)
      << sink.error().message;
}

TEST_F(SinkFile, AHostileFileNameCannotForgeALineOfTheMessage) {
  const auto sink = open_sink("jsonl:" + path("no\nsuch/e"));
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().message.find('\n'), std::string::npos) << sink.error().message;
}

TEST_F(SinkFile, AFullDeviceIsAnErrorForEachEventAndNotTheEnd) {
  const auto sink = open("jsonl:/dev/full");
  for (int i = 0; i < 3; ++i) {
    const auto written = sink->write(small_event("a.test"));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().message, "writing an event to /dev/full: No space left on device");
  }
  EXPECT_FALSE(sink->finished());
}

TEST_F(SinkFile, ALineCutByAFullDiskIsClosedBeforeTheNextEvent) {
  const std::string file = path("e.jsonl");
  const auto sink = open("jsonl:" + file);
  ASSERT_TRUE(sink->write(small_event("before.test")));
  const std::size_t line = contents(file).size();
  {
    const FullDisk disk(line + 20);
    EXPECT_FALSE(sink->write(small_event("lost.test")));
    EXPECT_FALSE(sink->write(small_event("lost-too.test")));
    EXPECT_EQ(contents(file).size(), line + 20) << "the disk took a part";
  }
  ASSERT_TRUE(sink->write(small_event("after.test")));
  ASSERT_TRUE(sink->write(small_event("later.test")));
  EXPECT_EQ(queries(contents(file)), (Names{"before.test", "cut", "after.test", "later.test"}));
}

TEST_F(SinkFile, TheNewlineThatClosesACutLineIsNotRepeated) {
  const std::string file = path("e.jsonl");
  std::ofstream(file) << "{\"cut\":";
  const auto sink = open("jsonl:" + file);
  {
    const FullDisk disk(contents(file).size() + 1);
    EXPECT_FALSE(sink->write(small_event("lost.test")));
  }
  ASSERT_TRUE(sink->write(small_event("after.test")));
  EXPECT_EQ(queries(contents(file)), (Names{"cut", "after.test"}));
}

TEST_F(SinkFile, ALineCutByAnEarlierRunIsClosedFirst) {
  std::ofstream(path("e.jsonl")) << "{\"dns\":{\"que";
  const auto sink = open("jsonl:" + path("e.jsonl"));
  ASSERT_TRUE(sink->write(small_event("after.test")));
  EXPECT_EQ(queries(contents(path("e.jsonl"))), (Names{"cut", "after.test"}));
}

TEST_F(SinkFile, AFrameCutByAFullDiskIsTakenBack) {
  const std::string file = path("e.pb");
  const auto sink = open("protobuf:" + file);
  ASSERT_TRUE(sink->write(small_event("before.test")));
  const std::size_t frame = contents(file).size();
  {
    const FullDisk disk(frame + 10);
    EXPECT_FALSE(sink->write(small_event("lost.test")));
  }
  EXPECT_EQ(contents(file).size(), frame);
  ASSERT_TRUE(sink->write(small_event("after.test")));
  const auto names = decode(file);
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_EQ(*names, (Names{"before.test", "after.test"}));
}

TEST_F(SinkFile, AFifoWhoseReaderGoesIsAnErrorUntilAnotherComes) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  Fd reader(::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const auto sink = open("jsonl:" + path("fifo"));
  EXPECT_TRUE(sink->write(small_event("a.test")));
  reader.reset();
  EXPECT_FALSE(sink->write(small_event("lost.test")));
  EXPECT_FALSE(sink->finished());
  reader = Fd(::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_TRUE(sink->write(small_event("b.test")));
  char block[65536];
  const ssize_t got = ::read(reader.get(), block, sizeof block);
  ASSERT_GT(got, 0);
  EXPECT_EQ(queries(std::string_view(block, static_cast<std::size_t>(got))), (Names{"a.test", "b.test"}))
      << "a FIFO keeps what was not read";
}

TEST_F(SinkFile, AReaderThatTakesNothingCostsEventsButNeverStopsTheWriter) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  const Fd reader(::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const auto sink = open("jsonl:" + path("fifo"));
  const event::Event wide = small_event(std::string(5000, 'x'));  // more than a pipe takes at once
  int accepted = 0;
  Result<void> written;
  while (accepted < 1000 && (written = sink->write(wide))) ++accepted;
  ASSERT_FALSE(written) << "a pipe of 64 kB cannot hold a thousand of these";
  EXPECT_NE(written.error().message.find("its reader does not keep up"), std::string::npos) << written.error().message;

  std::string seen;
  char block[65536];
  ssize_t got = 0;
  while ((got = ::read(reader.get(), block, sizeof block)) > 0) seen.append(block, static_cast<std::size_t>(got));
  ASSERT_TRUE(sink->write(small_event("after.test")));
  got = ::read(reader.get(), block, sizeof block);
  ASSERT_GT(got, 0);
  seen.append(block, static_cast<std::size_t>(got));
  const Names names = queries(seen);
  EXPECT_EQ(names.back(), "after.test");
  const auto whole = std::count(names.begin(), names.end(), std::string(5000, 'x'));
  EXPECT_EQ(whole, accepted) << "every accepted event is whole";
  EXPECT_LE(std::count(names.begin(), names.end(), "cut"), 1);
}

// A reader that takes a little at a time, and a writer that gives up at once where it takes nothing.
class PausingReader {
 public:
  explicit PausingReader(Encoding encoding) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    reader_ = Fd(ends[0]);
    EXPECT_GE(::fcntl(ends[1], F_SETPIPE_SZ, 4096), 0);
    Spec spec;
    spec.place = Place::standard_output;
    spec.encoding = encoding;
    receiver = std::make_unique<FileReceiver>(Fd(ends[1]), spec, std::chrono::milliseconds{0});
  }

  void read_some() {
    char block[3000];
    if (const ssize_t got = ::read(reader_.get(), block, sizeof block); got > 0) {
      seen.append(block, static_cast<std::size_t>(got));
    }
  }
  void leave() { reader_.reset(); }

  // As the courier does: what is not done is given again. The count of deliveries that did not do all.
  int deliver_all(std::span<const std::string> records) {
    int cut = 0;
    while (!records.empty() && cut < 1000) {
      const Delivery delivery = receiver->deliver(records);
      records = records.subspan(delivery.done);
      cut += records.empty() ? 0 : 1;
      read_some();
    }
    EXPECT_TRUE(records.empty());
    for (std::size_t before = std::string::npos; before != seen.size();) {
      before = seen.size();
      read_some();
    }
    return cut;
  }

  std::unique_ptr<FileReceiver> receiver;
  std::string seen;

 private:
  Fd reader_;
};

TEST_F(SinkFile, ARecordThatItsReaderPausedInGoesOnWhereItStopped) {
  for (const Encoding encoding : {Encoding::json_lines, Encoding::protobuf}) {
    PausingReader reader(encoding);
    std::vector<std::string> records;
    std::string all;
    for (const std::size_t length : {20'000U, 10U, 9'000U, 4'096U}) {
      records.push_back(*reader.receiver->encode(small_event(std::string(length, 'x'))));
      all += records.back();
    }
    EXPECT_GT(reader.deliver_all(records), 5) << "the pipe holds less than one";
    EXPECT_EQ(reader.seen, all);
    EXPECT_FALSE(reader.receiver->finished());
  }
}

TEST_F(SinkFile, AnotherRecordThanTheCutOneClosesItsLine) {
  PausingReader reader(Encoding::json_lines);
  const std::vector<std::string> wide = {*reader.receiver->encode(small_event(std::string(9'000, 'x')))};
  const std::vector<std::string> other = {*reader.receiver->encode(small_event("other.test"))};
  EXPECT_EQ(reader.receiver->deliver(wide).done, 0U);
  reader.deliver_all(other);
  reader.deliver_all(wide);
  EXPECT_EQ(queries(reader.seen), (Names{"cut", "other.test", std::string(9'000, 'x')}));
}

TEST_F(SinkFile, NothingFollowsTheBeginningOfAnotherFrame) {
  PausingReader reader(Encoding::protobuf);
  const std::vector<std::string> wide = {*reader.receiver->encode(small_event(std::string(9'000, 'x')))};
  const std::vector<std::string> other = {*reader.receiver->encode(small_event("other.test"))};
  EXPECT_EQ(reader.receiver->deliver(wide).done, 0U);
  EXPECT_FALSE(reader.receiver->finished()) << "the rest of it may follow";
  EXPECT_EQ(reader.receiver->deliver(other).done, 0U);
  EXPECT_TRUE(reader.receiver->finished());
}

TEST_F(SinkFile, AnotherReaderOfAFifoGetsTheCutRecordWhole) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  Fd reader(::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const auto sink = open("jsonl:" + path("fifo"));
  const std::string wide(100'000, 'x');  // more than a pipe holds
  EXPECT_FALSE(sink->write(small_event(wide)));
  std::string seen(65'536, '\0');
  ASSERT_GT(::read(reader.get(), seen.data(), seen.size()), 0);
  reader.reset();
  EXPECT_FALSE(sink->write(small_event(wide))) << "nobody reads";
  reader = Fd(::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_FALSE(sink->write(small_event(wide)));
  const ssize_t got = ::read(reader.get(), seen.data(), seen.size());
  ASSERT_GT(got, 0);
  EXPECT_TRUE(seen.starts_with("\n{")) << seen.substr(0, 20);
}

TEST_F(SinkFile, ALineCutByAFullDiskGoesOnWhenItIsGivenAgain) {
  const std::string file = path("e.jsonl");
  const auto sink = open("jsonl:" + file);
  {
    const FullDisk disk(20);
    EXPECT_FALSE(sink->write(small_event("late.test")));
    EXPECT_FALSE(sink->write(small_event("late.test")));
    EXPECT_EQ(contents(file).size(), 20U) << "the disk took a part";
  }
  ASSERT_TRUE(sink->write(small_event("late.test")));
  EXPECT_EQ(queries(contents(file)), Names{"late.test"});
}

TEST_F(SinkFile, ACutLineThatSomebodyWroteBehindIsClosedAndWrittenAnew) {
  const std::string file = path("e.jsonl");
  const auto sink = open("jsonl:" + file);
  {
    const FullDisk disk(20);
    EXPECT_FALSE(sink->write(small_event("late.test")));
  }
  std::ofstream(file, std::ios::app) << "somebody";
  ASSERT_TRUE(sink->write(small_event("late.test")));
  EXPECT_EQ(queries(contents(file)), (Names{"cut", "late.test"}));
}

TEST_F(SinkFile, HasTheModeThatWasAskedForWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  EXPECT_TRUE(open("jsonl:" + path("e.jsonl") + "?mode=0640")->write(small_event("a.test")));
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat(path("e.jsonl").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
}

TEST_F(SinkFile, IsSetAsideBeforeItOutgrowsItsSizeAndSoManyStay) {
  const auto sink = open("jsonl:" + path("e.jsonl") + "?rotate=4096&keep=2");
  const std::string tail(1500, 'x');  // two lines fit into 4096 octets
  for (const char* name : {"a.", "b.", "c.", "d.", "e.", "f.", "g."}) {
    ASSERT_TRUE(sink->write(small_event(name + tail)));
  }
  const auto names = [&](const std::string& file) {
    std::string firsts;
    for (const std::string& name : queries(contents(path(file)))) firsts += name.substr(0, 1);
    return firsts;
  };
  EXPECT_EQ(names("e.jsonl"), "g");
  EXPECT_EQ(names("e.jsonl.1"), "ef");
  EXPECT_EQ(names("e.jsonl.2"), "cd");
  EXPECT_FALSE(std::filesystem::exists(path("e.jsonl.3")));
}

TEST_F(SinkFile, AnEventLargerThanTheSizeIsAFileOfItsOwn) {
  const auto sink = open("protobuf:" + path("e.pb") + "?rotate=4096");
  ASSERT_TRUE(sink->write(small_event(std::string(5000, 'x'))));
  ASSERT_TRUE(sink->write(small_event("a.test")));
  EXPECT_EQ(*decode(path("e.pb")), Names{"a.test"});
  EXPECT_EQ(*decode(path("e.pb.1")), Names{std::string(5000, 'x')});
}

TEST_F(SinkFile, AFileThatWasRenamedOrRemovedIsOpenedAnew) {
  for (const char* kind : {"jsonl:", "protobuf:"}) {
    const std::string file = path(std::string(kind, 2));
    const auto sink = open(kind + file);
    ASSERT_TRUE(sink->write(small_event("before.test")));
    std::filesystem::rename(file, file + ".old");
    ASSERT_TRUE(sink->write(small_event("after.test")));
    std::filesystem::remove(file);
    ASSERT_TRUE(sink->write(small_event("later.test")));
    const bool json = std::string_view(kind) == "jsonl:";
    EXPECT_EQ(json ? queries(contents(file + ".old")) : *decode(file + ".old"), Names{"before.test"});
    EXPECT_EQ(json ? queries(contents(file)) : *decode(file), Names{"later.test"});
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
  }
}

// Standard output of a child process, so that the test's own is left alone.
TEST_F(SinkFile, StandardOutputWithoutAReaderIsFinished) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);  // before the child writes
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[1]);
    ::signal(SIGPIPE, SIG_DFL);
    auto sink = open_sink("stdout");
    const bool right = sink && !(*sink)->write(small_event("lost.test")) && (*sink)->finished();
    ::_exit(right ? 0 : 1);
  }
  ::close(ends[1]);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace nslookout::sink
