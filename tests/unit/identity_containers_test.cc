// Sources that answer, do not know, fail, hang, come and go -> what is known about a container, and when.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "identity/containers.h"

namespace nslookout::identity {
namespace {

using std::chrono::milliseconds;
using Answer = Containers::Answer;

ContainerFacts facts_of(const std::string& id, const std::string& name) {
  ContainerFacts facts;
  facts.id = id;
  facts.name = name;
  return facts;
}

// What a source does, changed by the test while threads use it.
struct Script {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, ContainerFacts> has;
  std::vector<ContainerFacts> stock;
  std::optional<Error> error;
  bool hangs = false;
  bool cancelled = false;
  bool lags = false;
  std::atomic<bool> there = true;
  std::atomic<std::uint32_t> owner = 0;
  std::atomic<int> asked = 0;
  std::function<void(ContainerFacts)> report;
};

class FakeSource : public RuntimeSource {
 public:
  explicit FakeSource(std::shared_ptr<Script> script, std::string runtime = "")
      : script_(std::move(script)), runtime_(std::move(runtime)) {}

  [[nodiscard]] std::string place() const override { return "fake"; }
  [[nodiscard]] bool may_know(std::string_view runtime) const override {
    return runtime_.empty() || runtime.empty() || runtime == runtime_;
  }
  [[nodiscard]] bool there() const override { return script_->there; }
  [[nodiscard]] std::uint32_t owner() const override { return script_->owner; }
  [[nodiscard]] bool lags() const override { return script_->lags; }

  [[nodiscard]] Result<std::optional<ContainerFacts>> ask(const std::string& id) override {
    std::unique_lock lock(script_->mutex);
    ++script_->asked;
    script_->changed.wait(lock, [&] { return !script_->hangs || script_->cancelled; });
    if (script_->cancelled) return fail(ErrorClass::runtime, "given up");
    if (script_->error) return fail(*script_->error);
    const auto found = script_->has.find(id);
    if (found == script_->has.end()) return std::nullopt;
    return found->second;
  }
  [[nodiscard]] Result<std::vector<ContainerFacts>> list() override {
    const std::scoped_lock lock(script_->mutex);
    if (script_->error) return fail(*script_->error);
    return script_->stock;
  }
  [[nodiscard]] Result<bool> watch(const Report& report) override {
    std::unique_lock lock(script_->mutex);
    script_->report = report;
    script_->changed.notify_all();
    script_->changed.wait(lock, [&] { return script_->cancelled; });
    return true;
  }
  void cancel() override {
    const std::scoped_lock lock(script_->mutex);
    script_->cancelled = true;
    script_->changed.notify_all();
  }

 private:
  std::shared_ptr<Script> script_;
  std::string runtime_;
};

// Patience that no test waits for, unless it is about that.
constexpr RuntimeWorker::Timing timing{.patience = milliseconds{20'000},
                                       .retry = milliseconds{1},
                                       .slow = milliseconds{20'000},
                                       .silence = milliseconds{60'000},
                                       .watch_again = milliseconds{1},
                                       .queue = 8};

std::unique_ptr<Containers> containers(std::vector<std::unique_ptr<RuntimeSource>> sources,
                                       RuntimeWorker::Timing how = timing, Containers::Limits limits = {}) {
  return std::make_unique<Containers>(std::move(sources), limits, how);
}

std::vector<std::unique_ptr<RuntimeSource>> one(const std::shared_ptr<Script>& script) {
  std::vector<std::unique_ptr<RuntimeSource>> sources;
  sources.push_back(std::make_unique<FakeSource>(script));
  return sources;
}

// Looks until the answer is another one than waiting.
Containers::Found settled(Containers& all, const ContainerName& container) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  Containers::Found found = all.look_up(container);
  while (found.answer == Answer::waiting && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds{1});
    found = all.look_up(container);
  }
  return found;
}

TEST(Containers, ASourceThatHasItMakesItKnown) {
  const auto script = std::make_shared<Script>();
  script->has["a"] = facts_of("a", "web");
  const auto all = containers(one(script));
  const auto found = settled(*all, {"a", ""});
  EXPECT_EQ(found.answer, Answer::known);
  EXPECT_EQ(found.facts.name, "web");
  EXPECT_EQ(settled(*all, {"a", ""}).answer, Answer::known);
  EXPECT_EQ(script->asked, 1) << "what is known is not asked for again";
}

// `systemd-run --user --scope --unit=docker-ID.scope` with the id of somebody else's container.
TEST(Containers, TheIdThatAUsersCgroupHasIsBelievedOfThatUsersSocketAlone) {
  const auto script = std::make_shared<Script>();
  script->has["a"] = facts_of("a", "web");
  const auto all = containers(one(script));
  EXPECT_EQ(settled(*all, {"a", ""}).facts.name, "web");
  const auto forged = settled(*all, {"a", "", 1000});
  EXPECT_EQ(forged.answer, Answer::unknown);
  EXPECT_EQ(forged.facts.name, "");
  script->owner = 1000;
  script->has["b"] = facts_of("b", "mine");
  EXPECT_EQ(settled(*all, {"b", "", 1000}).facts.name, "mine");
  EXPECT_EQ(settled(*all, {"b", "", 1001}).answer, Answer::unknown);
}

TEST(Containers, WhatNoSourceHasIsUnknown) {
  const auto script = std::make_shared<Script>();
  const auto all = containers(one(script));
  EXPECT_EQ(settled(*all, {"a", ""}).answer, Answer::unknown);
  EXPECT_EQ(settled(*all, {"a", ""}).answer, Answer::unknown);
  EXPECT_EQ(script->asked, 1);
}

TEST(Containers, NobodyIsAskedAboutARuntimeThatNobodyServes) {
  EXPECT_EQ(containers({})->look_up({"a", ""}).answer, Answer::unknown);
  const auto script = std::make_shared<Script>();
  std::vector<std::unique_ptr<RuntimeSource>> sources;
  sources.push_back(std::make_unique<FakeSource>(script, "docker"));
  const auto all = containers(std::move(sources));
  EXPECT_EQ(all->look_up({"a", "lxc"}).answer, Answer::unknown);
  EXPECT_EQ(script->asked, 0);
}

TEST(Containers, ASocketThatIsNotThereIsNotWaitedForUntilItIs) {
  const auto script = std::make_shared<Script>();
  script->there = false;
  const auto all = containers(one(script), timing, {.ask_again = milliseconds{0}});
  EXPECT_EQ(all->look_up({"a", ""}).answer, Answer::unknown);
  script->has["a"] = facts_of("a", "web");
  script->there = true;
  EXPECT_EQ(settled(*all, {"a", ""}).facts.name, "web");
}

TEST(Containers, ASourceThatHangsHoldsUpNobody) {
  const auto script = std::make_shared<Script>();
  script->hangs = true;
  const auto other = std::make_shared<Script>();
  other->has["b"] = facts_of("b", "web");
  std::vector<std::unique_ptr<RuntimeSource>> sources;
  sources.push_back(std::make_unique<FakeSource>(script, "docker"));
  sources.push_back(std::make_unique<FakeSource>(other, "containerd"));
  const auto all = containers(std::move(sources));
  EXPECT_EQ(all->look_up({"a", "docker"}).answer, Answer::waiting);
  EXPECT_EQ(settled(*all, {"b", "containerd"}).facts.name, "web");
  EXPECT_EQ(all->look_up({"a", "docker"}).answer, Answer::waiting);
}  // and it ends

TEST(Containers, QuestionsThatWaitAreBounded) {
  const auto script = std::make_shared<Script>();
  script->hangs = true;
  const auto all = containers(one(script));
  int waiting = 0;
  for (int i = 0; i < 1000; ++i) waiting += all->look_up({std::to_string(i), ""}).answer == Answer::waiting ? 1 : 0;
  EXPECT_GE(waiting, 8);
  EXPECT_LE(waiting, 9);
  EXPECT_EQ(all->look_up({"1001", ""}).answer, Answer::unreachable);
}

TEST(Containers, ASourceThatTookLongToFailIsLeftAloneForAWhile) {
  const auto script = std::make_shared<Script>();
  RuntimeWorker::Timing all_is_slow = timing;
  all_is_slow.slow = milliseconds{0};
  const auto all = containers(one(script), all_is_slow);
  EXPECT_EQ(settled(*all, {"first", ""}).answer, Answer::unknown);
  {
    const std::scoped_lock lock(script->mutex);
    script->error = Error{ErrorClass::runtime, "fake: no answer"};
  }
  EXPECT_EQ(settled(*all, {"a", ""}).answer, Answer::unreachable);
  const int asked = script->asked;
  EXPECT_EQ(all->look_up({"b", ""}).answer, Answer::unreachable) << "at once";
  EXPECT_EQ(script->asked, asked);
}

TEST(Containers, AFailureAboutOneContainerIsNoneAboutOthers) {
  const auto script = std::make_shared<Script>();
  script->error = Error{ErrorClass::runtime, "fake: the answer is about another container"};
  const auto all = containers(one(script));
  EXPECT_EQ(settled(*all, {"a", ""}).answer, Answer::unreachable);
  {
    const std::scoped_lock lock(script->mutex);
    script->error.reset();
    script->has["b"] = facts_of("b", "web");
  }
  EXPECT_EQ(settled(*all, {"b", ""}).facts.name, "web");
}

TEST(Containers, ARuntimeThatRestartsIsWaitedFor) {
  const auto script = std::make_shared<Script>();
  script->error = Error{ErrorClass::unsupported, "nobody listens there"};
  const auto all = containers(one(script));
  EXPECT_EQ(all->look_up({"a", ""}).answer, Answer::waiting);
  while (script->asked < 3) std::this_thread::yield();
  EXPECT_EQ(all->look_up({"a", ""}).answer, Answer::waiting);
  {
    const std::scoped_lock lock(script->mutex);
    script->error.reset();
    script->has["a"] = facts_of("a", "web");
  }
  EXPECT_EQ(settled(*all, {"a", ""}).facts.name, "web");
}

TEST(Containers, ARuntimeThatStaysAwayIsWaitedForNoLongerThanThereIsPatience) {
  const auto script = std::make_shared<Script>();
  script->error = Error{ErrorClass::unsupported, "nobody listens there"};
  RuntimeWorker::Timing short_of_time = timing;
  short_of_time.patience = milliseconds{20};
  const auto all = containers(one(script), short_of_time);
  EXPECT_EQ(settled(*all, {"a", ""}).answer, Answer::unreachable);
}

TEST(Containers, ASourceThatLagsIsAskedAgain) {
  const auto script = std::make_shared<Script>();
  script->lags = true;
  const auto all = containers(one(script));
  EXPECT_EQ(all->look_up({"a", ""}).answer, Answer::waiting);
  while (script->asked < 3) std::this_thread::yield();
  {
    const std::scoped_lock lock(script->mutex);
    script->has["a"] = facts_of("a", "web");
  }
  EXPECT_EQ(settled(*all, {"a", ""}).facts.name, "web");
}

TEST(Containers, WhatASourceHasAtTheStartIsKnownWithoutAQuestion) {
  const auto script = std::make_shared<Script>();
  script->stock = {facts_of("a", "web")};
  script->has["b"] = facts_of("b", "other");
  const auto all = containers(one(script));
  EXPECT_EQ(settled(*all, {"b", ""}).facts.name, "other");
  EXPECT_EQ(all->look_up({"a", ""}).facts.name, "web");
  EXPECT_EQ(script->asked, 1);
}

TEST(Containers, AnEventMakesAContainerKnownThatIsGoneWhenSomebodyAsks) {
  const auto script = std::make_shared<Script>();
  const auto all = containers(one(script));
  {
    std::unique_lock lock(script->mutex);
    script->changed.wait(lock, [&] { return static_cast<bool>(script->report); });
  }
  script->report(facts_of("a", "gone"));
  EXPECT_EQ(all->look_up({"a", ""}).facts.name, "gone");
  EXPECT_EQ(script->asked, 0);
}

TEST(Containers, KnownFactsAreRefreshedAndShownMeanwhile) {
  const auto script = std::make_shared<Script>();
  script->has["a"] = facts_of("a", "old");
  const auto all = containers(one(script), timing, {.refresh = milliseconds{0}});
  EXPECT_EQ(settled(*all, {"a", ""}).facts.name, "old");
  {
    const std::scoped_lock lock(script->mutex);
    script->has["a"] = facts_of("a", "new");
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  Containers::Found found;
  do {
    found = all->look_up({"a", ""});
    ASSERT_EQ(found.answer, Answer::known);
  } while (found.facts.name != "new" && std::chrono::steady_clock::now() < end);
  EXPECT_EQ(found.facts.name, "new");
}

TEST(Containers, TheOneLookedUpLongestAgoIsForgottenFirst) {
  const auto script = std::make_shared<Script>();
  for (const char* id : {"a", "b", "c"}) script->has[id] = facts_of(id, id);
  const auto all = containers(one(script), timing, {.known = 2});
  for (const char* id : {"a", "b", "a", "c"}) EXPECT_EQ(settled(*all, {id, ""}).facts.name, id);
  EXPECT_EQ(script->asked, 3);
  EXPECT_EQ(all->look_up({"a", ""}).facts.name, "a");
  EXPECT_EQ(settled(*all, {"b", ""}).facts.name, "b");
  EXPECT_EQ(script->asked, 4);
}

TEST(Containers, AnIdThatNoRuntimeGivesIsNotAskedFor) {
  const auto script = std::make_shared<Script>();
  const auto all = containers(one(script));
  EXPECT_EQ(all->look_up({"../images/json", ""}).answer, Answer::unknown);
  EXPECT_EQ(script->asked, 0);
}

}  // namespace
}  // namespace nslookout::identity
