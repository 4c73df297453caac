#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace weir::compute {

/// A fixed set of threads that share out one row of work at a time. run() is called from one thread, which works too.
/// Between calls the others wait a few microseconds in a loop, then sleep: a band of a network is many short calls.
class ThreadTeam {
 public:
  /// `threads` at least 1, the caller counted. Where the system refuses threads the team is smaller: see size() and
  /// missing_threads() of base/threads.hpp.
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  int size() const { return static_cast<int>(threads_.size()) + 1; }

  /// Calls work(first, last, member) over pieces of 0..units until all are done; a piece starts at a multiple of
  /// `grain` and has at most `most` units. `member` is below size() and is one thread's for the whole call.
  /// `work` must not throw.
  using Work = std::function<void(int first, int last, int member)>;
  void run(int units, int grain, int max_units, const Work& work);

 private:
  struct WorkRange {
    const Work* work = nullptr;
    int units = 0, grain = 1, max_units = 1;
  };
  bool start_threads(int threads);
  void end_threads();
  /// `seen`: the turn at which it was started.
  void work_loop(int member, std::uint32_t last_call_number);
  void take_pieces(const WorkRange& range, int member);

  WorkRange range_;
  alignas(64) std::atomic<int> next_unit_{0};  // first unit that nobody has taken
  alignas(64) std::atomic<std::uint32_t> call_number_{0};
  alignas(64) std::atomic<int> busy_threads_{0};
  std::atomic<bool> ending_{false};
  std::vector<std::jthread> threads_;  // last: they use the others until they have ended
};

}  // namespace weir::compute
