#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace weir::compute {

/// A fixed set of threads that process one range of units (for example rows) at a time. The thread that calls run() is
/// a member of the team and works too. A network makes many short calls of run(); so the other threads spin for a short
/// time (about 100 microseconds) after a call before they sleep. Only one thread may call run().
class ThreadTeam {
 public:
  /// Starts `threads` - 1 threads; `threads` includes the caller and is at least 1. If the system refuses to start one
  /// of them, the team is four threads smaller than the system allows, so that other libraries can start threads; the
  /// smallest team is the caller alone.
  /// size() returns the size of the team; the constructor reports the number of missing threads to
  /// add_missing_threads() (base/threads.hpp).
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  /// Returns the number of members, the caller of run() included.
  int size() const { return static_cast<int>(threads_.size()) + 1; }

  /// Calls work(first, last, member) for pieces first..last-1 of the range 0..units-1 and returns when all units are
  /// done. A piece begins at a multiple of `grain`. It has at most `max_units` units, rounded down to a multiple of
  /// `grain`, but `grain` units are always allowed. `member` is the index of the calling member, below size(). `work`
  /// must not throw.
  using Work = std::function<void(int first, int last, int member)>;
  void run(int units, int grain, int max_units, const Work& work);

 private:
  /// The arguments of a call of run().
  struct WorkRange {
    const Work* work = nullptr;
    int units = 0, grain = 1, max_units = 1;
  };
  /// Starts `threads` - 1 threads. Returns false at the first thread that the system refuses; those started remain.
  bool start_threads(int threads);
  void end_threads();
  /// The loop of a started thread: waits for each call of run() and processes pieces. `last_call_number` is the value
  /// of call_number_ when the thread was started.
  void work_loop(int member, std::uint32_t last_call_number);
  /// Takes pieces of the range and processes them, until no thread can take another piece.
  void take_pieces(const WorkRange& range, int member);

  WorkRange range_;
  alignas(64) std::atomic<int> next_unit_{0};              // first unit that no thread has taken yet
  alignas(64) std::atomic<std::uint32_t> call_number_{0};  // raised to wake the threads, and to end them
  alignas(64) std::atomic<int> busy_threads_{0};           // started threads that still work on the current call
  std::atomic<bool> ending_{false};                        // true: the threads must end
  std::vector<std::jthread> threads_;  // last, because the threads use the other data members until they end
};

}  // namespace weir::compute
