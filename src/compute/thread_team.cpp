#include "compute/thread_team.hpp"

#include <algorithm>

#include "base/threads.hpp"

namespace weir::compute {

namespace {

inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Waits until `value` is no longer `old`. It spins for a short time (about 100 microseconds), then sleeps. It spins
/// because run() is usually called again within that time, and because waking a sleeping thread takes long, above all in
/// a virtual machine. After a few microseconds it yields between the looks: another thread of this core, such as that of
/// an encoder or the member of the team that it waits for, then runs at once.
template <class T>
void wait_for_change(const std::atomic<T>& value, T old) {
  constexpr int kPauses = 200;
  constexpr int kYields = 400;
  for (int i = 0; i < kPauses + kYields; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    if (i < kPauses)
      spin_pause();
    else
      std::this_thread::yield();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadTeam::ThreadTeam(int threads) {
  if (start_threads(threads)) return;
  // The system limits the number of threads. Some of those that it allows are left for the decoder, the encoder and
  // their libraries.
  constexpr int kThreadsForOthers = 4;
  const int reduced_size = size() - kThreadsForOthers;
  end_threads();
  if (!start_threads(std::max(1, reduced_size))) end_threads();
  add_missing_threads(threads - size());
}

ThreadTeam::~ThreadTeam() { end_threads(); }

bool ThreadTeam::start_threads(int threads) {
  ending_.store(false);
  for (int member = 1; member < threads; ++member) {
    auto thread =
        start_thread([this, member, last_call_number = call_number_.load()] { work_loop(member, last_call_number); });
    if (!thread) return false;
    threads_.push_back(*std::move(thread));
  }
  return true;
}

void ThreadTeam::end_threads() {
  ending_.store(true);
  call_number_.fetch_add(1, std::memory_order_release);
  call_number_.notify_all();
  threads_.clear();
}

void ThreadTeam::work_loop(int member, std::uint32_t last_call_number) {
  while (true) {
    wait_for_change(call_number_, last_call_number);
    ++last_call_number;  // no call is missed, because run() waits for all threads
    if (ending_.load()) return;
    take_pieces(range_, member);
    if (busy_threads_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_threads_.notify_one();
  }
}

void ThreadTeam::take_pieces(const WorkRange& range, int member) {
  const int shares = 2 * size();  // two for each thread
  int first = next_unit_.load(std::memory_order_relaxed);
  while (first < range.units) {
    // A piece is half of a thread's equal share of the units that are left. So pieces become smaller towards the end,
    // and the threads end at about the same time.
    const int piece_units = std::max(1, (range.units - first) / shares / range.grain) * range.grain;
    const int last = std::min(range.units, first + std::min(piece_units, range.max_units));
    if (!next_unit_.compare_exchange_weak(first, last, std::memory_order_relaxed)) continue;
    (*range.work)(first, last, member);
    first = next_unit_.load(std::memory_order_relaxed);
  }
}

void ThreadTeam::run(int units, int grain, int max_units, const Work& work) {
  if (units <= 0) return;
  const WorkRange range{&work, units, grain, std::max(grain, max_units / grain * grain)};
  next_unit_.store(0, std::memory_order_relaxed);
  if (threads_.empty() || units <= grain) return take_pieces(range, 0);
  range_ = range;
  busy_threads_.store(static_cast<int>(threads_.size()), std::memory_order_relaxed);
  call_number_.fetch_add(1, std::memory_order_release);
  call_number_.notify_all();
  take_pieces(range, 0);
  for (int busy = busy_threads_.load(std::memory_order_acquire); busy != 0;
       busy = busy_threads_.load(std::memory_order_acquire)) {
    wait_for_change(busy_threads_, busy);
  }
}

}  // namespace weir::compute
