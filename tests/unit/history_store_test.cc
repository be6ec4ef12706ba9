// The history on disk. The full disk is a limit on the size of files (RLIMIT_FSIZE) in a process of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "event_samples.h"
#include "history/recorder.h"
#include "history/store.h"

namespace nslookout::history {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

WallTime at(int second) { return WallTime{std::chrono::seconds{second}}; }

event::Event lookup(const std::string& name, int second) {
  event::Event event = event::full_event();
  event.kind = event::Kind::query;
  event.rules.clear();
  event.event_id = name + "/" + std::to_string(second);
  event.dns->query = name;
  event.time = at(second);
  return event;
}

event::Event blocked(const std::string& name, int second) {
  event::Event event = lookup(name, second);
  event.kind = event::Kind::match;
  event.action = event::Action::blocked;
  event.rules = event::full_event().rules;
  return event;
}

class History : public testing::Test {
 protected:
  History() {
    std::string pattern = testing::TempDir() + "history-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/history.db";
  }
  ~History() override { fs::remove_all(folder_); }
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // Adds them one by one, with no limit that matters.
  void add(const std::vector<event::Event>& events, const Limits& limits = {}) {
    auto store = Store::open(path_, limits);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE(store->begin());
    for (const event::Event& event : events) ASSERT_TRUE(store->add(event, 1));
    ASSERT_TRUE(store->commit());
  }

  std::vector<inventory::Lookup> kept(WallTime since = WallTime::min()) {
    auto store = Store::open_to_read(path_);
    EXPECT_TRUE(store) << store.error().message;
    std::vector<inventory::Lookup> lookups;
    const auto visited = store->each(since, [&](const inventory::Lookup& lookup) -> Result<void> {
      lookups.push_back(lookup);
      return {};
    });
    EXPECT_TRUE(visited) << visited.error().message;
    return lookups;
  }

  std::vector<std::string> names(WallTime since = WallTime::min()) {
    std::vector<std::string> names;
    for (const auto& lookup : kept(since)) names.push_back(lookup.event.dns->query);
    return names;
  }

  std::uint64_t evicted() { return Store::open_to_read(path_)->facts()->evicted; }

  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename());
    return names;
  }

  std::string folder_, path_;
};

TEST_F(History, KeepsALookupOnceWithItsTimesCountAndFirstEvent) {
  add({lookup("a.test", 5), blocked("a.test", 9)});
  add({lookup("a.test", 7)});
  const auto lookups = kept();
  ASSERT_EQ(lookups.size(), 1U);
  EXPECT_EQ(lookups[0].first, at(5));
  EXPECT_EQ(lookups[0].last, at(9));
  EXPECT_EQ(lookups[0].count, 3U);
  EXPECT_EQ(lookups[0].action, event::Action::blocked);
  EXPECT_EQ(lookups[0].event.event_id, "a.test/5");
  EXPECT_EQ(lookups[0].event.process->ancestors.size(), 1U);
}

TEST_F(History, LookupsThatDifferInTheirKeyAreRowsOfTheirOwn) {
  event::Event other_type = lookup("a.test", 1);
  other_type.dns->record_type = "AAAA";
  event::Event shifted = lookup("a.tes", 1);  // the parts' texts run together are the same
  shifted.dns->record_type = "tA";
  add({lookup("a.test", 1), other_type, shifted});
  EXPECT_EQ(kept().size(), 3U);
}

TEST_F(History, SinceIsAboutTheLastTime) {
  add({lookup("old.test", 1), lookup("again.test", 2), lookup("new.test", 8), lookup("again.test", 9)});
  EXPECT_THAT(names(at(8)), ElementsAre("new.test", "again.test"));
}

TEST_F(History, ItsFilesAreTheOwnersAlone) {
  auto store = Store::open(path_, {});
  ASSERT_TRUE(store);
  for (const auto& entry : fs::directory_iterator(folder_)) {
    struct stat status{};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << entry.path();
  }
}

TEST_F(History, RowsOverTheLimitMakeRoomThoseFirstThatWereSeenTheLongestAgo) {
  std::vector<event::Event> events;
  for (int i = 0; i < 5; ++i) events.push_back(lookup(std::string(1, static_cast<char>('a' + i)) + ".test", i));
  events.push_back(lookup("a.test", 100));
  add(events);
  add({lookup("new.test", 101)}, {.max_rows = 3, .max_octets = 1U << 30});
  EXPECT_THAT(names(), ElementsAre("e.test", "a.test", "new.test"));
  EXPECT_EQ(evicted(), 3U);
}

TEST_F(History, AFileAtItsSizeMakesRoomToo) {
  const Limits limits{.max_rows = 1'000'000, .max_octets = 1U << 20};
  auto recorder = Recorder::start(path_, limits);
  ASSERT_TRUE(recorder) << recorder.error().message;
  for (int batch = 0; batch < 4; ++batch) {
    for (int i = 0; i < 600; ++i) {
      event::Event event = lookup(std::to_string(batch * 600 + i) + ".test", batch * 600 + i);
      event.process->command_line = {std::string(1500, 'x')};
      (*recorder)->record(event);
    }
    recorder->reset();
    recorder = Recorder::start(path_, limits);
    ASSERT_TRUE(recorder) << recorder.error().message;
  }
  EXPECT_EQ((*recorder)->lost(), 0U);
  recorder->reset();
  EXPECT_LE(fs::file_size(path_), limits.max_octets);
  EXPECT_GT(evicted(), 0U);
  ASSERT_FALSE(names().empty());
  EXPECT_EQ(names().back(), "2399.test");
}

TEST_F(History, ADatabaseOfSomethingElseAndOneOfAnotherVersionAreRefused) {
  add({lookup("a.test", 1)});
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(63);  // the last octet of user_version, sqlite.org/fileformat.html section 1.3
  file.put(9);
  file.close();
  const auto other_version = Store::open(path_, {});
  ASSERT_FALSE(other_version);
  EXPECT_EQ(other_version.error().kind, ErrorClass::invalid);
  EXPECT_THAT(other_version.error().message, HasSubstr("form 9"));

  file.open(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(71);  // of application_id
  file.put(1);
  file.close();
  const auto other_thing = Recorder::start(path_, {});
  ASSERT_FALSE(other_thing);
  EXPECT_THAT(other_thing.error().message, HasSubstr("something else"));
  EXPECT_THAT(files(), testing::Not(testing::Contains(HasSubstr("corrupt"))));
}

TEST_F(History, ADamagedFileIsMovedAsideAndANewOneBegun) {
  for (const std::string& damaged :
       {std::string(5000, 'x'), std::string("SQLite format 3\0", 16) + std::string(8000, 'x')}) {
    std::ofstream(path_, std::ios::binary) << damaged;
    auto recorder = Recorder::start(path_, {});
    ASSERT_TRUE(recorder) << recorder.error().message;
    (*recorder)->record(lookup("a.test", 1));
    recorder->reset();
    EXPECT_THAT(names(), ElementsAre("a.test"));
    EXPECT_THAT(files(), testing::Contains(HasSubstr("history.db.corrupt-")));
    for (const std::string& name : files()) fs::remove(folder_ + "/" + name);
  }
}

TEST_F(History, AFileThatIsDamagedWhileItIsInUseIsMovedAsideToo) {
  std::vector<event::Event> events;
  for (int i = 0; i < 200; ++i) events.push_back(lookup(std::to_string(i) + ".test", i));
  add(events);
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(3 * 4096);
    file << std::string(fs::file_size(path_) - 3 * 4096, '\xFF');
  }
  auto recorder = Recorder::start(path_, {});
  ASSERT_TRUE(recorder) << recorder.error().message;
  for (int i = 0; i < 50; ++i) (*recorder)->record(lookup(std::to_string(i) + ".new.test", 1000 + i));
  recorder->reset();
  EXPECT_THAT(names(), testing::Contains("49.new.test"));
  EXPECT_THAT(files(), testing::Contains(HasSubstr("history.db.corrupt-")));
}

// In a child: the limit holds for the whole process.
TEST_F(History, AFullDiskCostsWhatCannotBeWrittenAndIsCounted) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    auto recorder = Recorder::start(path_, {});
    if (!recorder) ::_exit(10);
    const rlimit limit{256 * 1024, 256 * 1024};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 2000; ++i) {
      event::Event event = lookup(std::to_string(i) + ".test", i);
      event.process->command_line = {std::string(2000, 'x')};
      (*recorder)->record(event);
    }
    for (int i = 0; i < 3000 && (*recorder)->lost() == 0; ++i) ::usleep(10'000);
    ::_exit((*recorder)->lost() > 0 ? 0 : 11);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(Store::open_to_read(path_));
}

TEST_F(History, RepeatsGoToTheRowOfTheirEvent) {
  add({lookup("a.test", 1)});
  auto recorder = Recorder::start(path_, {});
  ASSERT_TRUE(recorder);
  (*recorder)->record(lookup("a.test", 5));
  (*recorder)->record(lookup("b.test", 6));
  (*recorder)->add_repeats("a.test/5", 99, at(50));
  (*recorder)->add_repeats("nobody", 99, at(50));
  recorder->reset();
  const auto lookups = kept();
  ASSERT_EQ(lookups.size(), 2U);
  EXPECT_EQ(lookups[0].count, 1U);
  EXPECT_EQ(lookups[1].count, 101U);
  EXPECT_EQ(lookups[1].last, at(50));
  EXPECT_EQ(lookups[1].first, at(1));
}

TEST_F(History, WhatIsNoLookupIsNotKept) {
  event::Event loss;
  loss.kind = event::Kind::loss;
  event::Event answer = lookup("a.test", 2);
  answer.kind = event::Kind::response;
  auto recorder = Recorder::start(path_, {});
  ASSERT_TRUE(recorder);
  (*recorder)->record(loss);
  (*recorder)->record(answer);
  recorder->reset();
  EXPECT_TRUE(kept().empty());
}

TEST_F(History, AFileThatCannotBeOpenedIsAnErrorAtTheStart) {
  const auto recorder = Recorder::start(folder_ + "/absent/history.db", {});
  ASSERT_FALSE(recorder);
  EXPECT_EQ(recorder.error().kind, ErrorClass::runtime);
  EXPECT_THAT(recorder.error().message, HasSubstr("absent/history.db"));
}

TEST_F(History, OneThatIsNotThereIsNotMadeByReading) {
  const auto absent = Store::open_to_read(path_);
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().message, HasSubstr("run --history"));
  EXPECT_TRUE(files().empty());
}

TEST_F(History, IsToldFromAFileOfEvents) {
  add({lookup("a.test", 1)});
  EXPECT_TRUE(is_database(path_));
  std::ofstream(folder_ + "/events") << "{}";
  EXPECT_FALSE(is_database(folder_ + "/events"));
  EXPECT_FALSE(is_database(folder_ + "/absent"));
}

}  // namespace
}  // namespace nslookout::history
