#include "identity/runtime_worker.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/quiet_thread.h"
#include "base/text.h"

namespace nslookout::identity {
namespace {

constexpr std::chrono::milliseconds longest_watch_pause{30'000};

}  // namespace

RuntimeWorker::RuntimeWorker(std::unique_ptr<RuntimeSource> source, Listener listener, Timing timing)
    : source_(std::move(source)), listener_(std::move(listener)), timing_(timing) {}

RuntimeWorker::~RuntimeWorker() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  source_->cancel();
  if (asker_.joinable()) asker_.join();
  if (watcher_.joinable()) watcher_.join();
}

void RuntimeWorker::start_if_there() {
  std::unique_lock lock(mutex_);
  if (source_->there()) static_cast<void>(start(lock));  // the first question tries again
}

// The threads wait for the lock first thing. Whether questions are answered; both are wanted, and tried for again.
bool RuntimeWorker::start(std::unique_lock<std::mutex>& /*held*/) {
  const auto into = [](std::thread& place, Result<std::thread> started) {
    if (started) place = std::move(*started);
  };
  if (!asker_.joinable()) into(asker_, try_quiet_thread([this] { answer_questions(); }));
  if (asker_.joinable() && !watcher_.joinable()) into(watcher_, try_quiet_thread([this] { watch(); }));
  return asker_.joinable();
}

RuntimeWorker::Asked RuntimeWorker::ask(const std::string& id) {
  {
    std::unique_lock lock(mutex_);
    if (!asker_.joinable() && !source_->there()) return Asked::not_there;
    if (!start(lock)) return Asked::unreachable;
    const auto now = Clock::now();
    if (now < silent_until_ || questions_.size() >= timing_.queue) return Asked::unreachable;
    questions_.push_back({id, now + timing_.patience, now});
  }
  changed_.notify_all();
  return Asked::pending;
}

// Waits for a question that is due; false: to stop.
bool RuntimeWorker::next(Question& question) {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const auto due = std::ranges::min_element(questions_, {}, &Question::not_before);
    if (due == questions_.end()) {
      changed_.wait(lock);
    } else if (due->not_before > Clock::now()) {
      changed_.wait_until(lock, Clock::time_point(due->not_before));
    } else {
      question = std::move(*due);
      questions_.erase(due);
      return true;
    }
  }
  return false;
}

void RuntimeWorker::put(Question question) {
  const std::scoped_lock lock(mutex_);
  question.not_before = Clock::now() + timing_.retry;
  questions_.push_back(std::move(question));
}

void RuntimeWorker::tell_failure(const Error& error) {
  {
    const std::scoped_lock lock(mutex_);
    if (stop_) return;
  }
  if (std::exchange(failing_, true)) return;
  log::warning("{}; events lack what it would tell about containers until it answers again", error.message);
}

void RuntimeWorker::fall_silent() {
  std::deque<Question> unanswered;
  {
    const std::scoped_lock lock(mutex_);
    silent_until_ = Clock::now() + timing_.silence;
    unanswered.swap(questions_);
  }
  for (const Question& question : unanswered) listener_.answered(question.id, SourceAnswer::unreachable);
}

void RuntimeWorker::take_stock() {
  const auto began = Clock::now();
  Result<std::vector<ContainerFacts>> all = source_->list();
  if (!all) {
    // Nobody listening yet is left to the questions, which are patient.
    if (all.error().kind == ErrorClass::unsupported) return;
    tell_failure(all.error());
    if (Clock::now() - began >= timing_.slow) fall_silent();
    return;
  }
  const std::size_t count = all->size();
  for (ContainerFacts& facts : *all) listener_.learned(std::move(facts));
  log::debug("{}: it has {} now", source_->place(), counted(count, "container"));
}

// Whether the question is done with; if not, it is to be asked again.
bool RuntimeWorker::answer(const Question& question) {
  const auto began = Clock::now();
  auto facts = source_->ask(question.id);
  const bool time_left = Clock::now() + timing_.retry < question.deadline;
  if (!facts) {
    const bool away = facts.error().kind == ErrorClass::unsupported;
    if (away && time_left) return false;
    tell_failure(facts.error());
    if (away || Clock::now() - began >= timing_.slow) fall_silent();
    listener_.answered(question.id, SourceAnswer::unreachable);
    return true;
  }
  if (std::exchange(failing_, false)) log::notice("{}: it answers again", source_->place());
  if (!*facts && source_->lags() && time_left) return false;
  if (*facts) listener_.learned(std::move(**facts));
  listener_.answered(question.id, *facts ? SourceAnswer::has : SourceAnswer::has_not);
  return true;
}

void RuntimeWorker::answer_questions() {
  take_stock();
  Question question;
  while (next(question)) {
    if (!answer(question)) put(std::move(question));
  }
}

// False: to stop.
bool RuntimeWorker::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stop_; });
}

// A runtime that is away is looked for more and more seldom; its questions do not depend on the stream.
void RuntimeWorker::watch() {
  auto time = timing_.watch_again;
  do {
    bool any = false;
    const Result<bool> watched = source_->watch([&](ContainerFacts facts) {
      any = true;
      log::debug("{}: told of 1 container, {}", source_->place(), facts.id);
      listener_.learned(std::move(facts));
    });
    if (watched && !*watched) return;
    time = any ? timing_.watch_again : std::min(time * 2, longest_watch_pause);
  } while (pause(time));
}

}  // namespace nslookout::identity
