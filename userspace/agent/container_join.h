// Joins events with what is known about their container. An event whose container somebody is being asked about is held
// for a while; one whose container stays unknown goes on without it.
//
//   ContainerJoin join(sources_of(options));
//   Joined joined = join.describe(event);               // adds what is known now
//   if (joined == Joined::waiting && join.hold(held)) return;   // release() gives it back
//   for (Held& held : join.release()) …                 // described as far as it will ever be
//
// Thread rule: one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/hold.h"
#include "identity/containers.h"

namespace nslookout::agent {

enum class Joined {
  done,        // what there is to say of the container is said, or it has none
  waiting,     // more may become known; also while earlier events of the container are held, so that they stay in order
  unanswered,  // somebody who may know the container does not answer
};

class ContainerJoin {
 public:
  explicit ContainerJoin(std::vector<std::unique_ptr<identity::RuntimeSource>> sources, Hold::Limits limits = {});

  [[nodiscard]] Joined describe(event::Event& event);

  // False: there is no room, and held is as it was.
  [[nodiscard]] bool hold(Held& held);

  // Whether release() will give something sooner or later.
  [[nodiscard]] bool holds() const { return !hold_.empty(); }

  [[nodiscard]] std::size_t held() const { return hold_.size(); }

  [[nodiscard]] std::vector<Held> release();
  [[nodiscard]] std::vector<Held> release_all();  // at the end of a run

  [[nodiscard]] std::vector<std::string> places() const { return containers_->places(); }

 private:
  [[nodiscard]] identity::Containers::Answer fill(event::Event& event);
  [[nodiscard]] std::vector<Held> released(Hold::Clock::time_point now);

  std::unique_ptr<identity::Containers> containers_;  // does not move: threads use it
  Hold hold_;
};

}  // namespace nslookout::agent
