#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/blocking_queue.hpp"
#include "base/result.hpp"

namespace weir {

/// Connects two stages of a pipeline. A fixed number of slots goes round: the first stage takes a free slot, fills it and
/// adds it; the second stage takes it, uses it and gives it back. So the slots, which keep their memory, bound how far
/// the first stage is ahead. Thread-safe.
template <class Slot>
class SlotQueue {
 public:
  explicit SlotQueue(int slots) {
    for (int i = 0; i < slots; ++i) free_.add(Slot{});
  }
  /// First stage: waits for a free slot. Empty after cancel().
  std::optional<Slot> take_free() { return free_.take(); }
  /// First stage: passes a filled slot on.
  void add(Slot slot) { filled_.add(std::move(slot)); }
  /// First stage: no further slot comes.
  void close() { filled_.close(); }
  /// Second stage: waits for a filled slot. Empty after cancel(), and after the last slot when the queue is closed.
  std::optional<Slot> take() { return filled_.take(); }
  /// Second stage: makes a slot free again.
  void give_back(Slot slot) { free_.add(std::move(slot)); }
  /// Destroys the slots, so that both stages end at once.
  void cancel() {
    free_.cancel();
    filled_.cancel();
  }

 private:
  BlockingQueue<Slot> free_, filled_;
};

/// Runs the stages of a chain at the same time, each on a thread. The first stage that fails ends all of them. The
/// member functions are called from one thread.
class Pipeline {
 public:
  /// `cancel` is called when a stage fails, from its thread: it must make every stage end soon, for example by
  /// SlotQueue::cancel() of all queues. It may be called more than once.
  explicit Pipeline(std::function<void()> cancel) : cancel_{std::move(cancel)} {}
  /// Cancels the stages that still run and waits for them.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Runs a stage on a new thread. If there is no thread for it, the pipeline fails with the error of start_thread().
  void start(std::function<Status()> stage);
  /// Runs the last stage on the calling thread, and waits for all stages. Returns the error of the stage that failed
  /// first. Errors: those of the stages; over_budget if the system refuses memory to one of them.
  Status finish(const std::function<Status()>& stage);

 private:
  void end_stage(const Status& status);

  std::function<void()> cancel_;
  std::mutex mutex_;  // guards error_
  std::optional<Error> error_;
  std::vector<std::jthread> threads_;  // last, because the threads use the other members
};

}  // namespace weir
