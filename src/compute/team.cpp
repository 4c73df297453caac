#include "compute/team.hpp"

#include <algorithm>

#include "base/threads.hpp"

namespace weir::compute {

namespace {

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Waits until `value` is no longer `old`: first in a loop, for some ten microseconds: what one thread does alone
/// between two calls takes less, and waking a thread of a virtual machine takes more. Then asleep.
template <class T>
void wait_for_change(const std::atomic<T>& value, T old) {
  constexpr int kSpins = 4000;
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

Team::Team(int threads) {
  if (start(threads)) return;
  // The decoder, the encoder and the libraries below them need threads too: some are left to them.
  constexpr int kLeftToOthers = 4;
  const int fewer = size() - kLeftToOthers;
  end();
  if (!start(std::max(1, fewer))) end();
  count_missing_threads(threads - size());
}

Team::~Team() { end(); }

bool Team::start(int threads) {
  ending_.store(false);
  for (int member = 1; member < threads; ++member) {
    auto thread = start_thread([this, member, seen = turn_.load()] { serve(member, seen); });
    if (!thread) return false;
    threads_.push_back(*std::move(thread));
  }
  return true;
}

void Team::end() {
  ending_.store(true);
  turn_.fetch_add(1, std::memory_order_release);
  turn_.notify_all();
  threads_.clear();
}

void Team::serve(int member, std::uint32_t seen) {
  while (true) {
    wait_for_change(turn_, seen);
    ++seen;
    if (ending_.load()) return;
    take_pieces(call_, member);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

void Team::take_pieces(const Call& call, int member) {
  const int share = 2 * size();
  int first = next_.load(std::memory_order_relaxed);
  while (first < call.units) {
    // Large pieces first, small ones at the end, so that nobody waits long for the last.
    const int fair = std::max(1, (call.units - first) / share / call.grain) * call.grain;
    const int last = std::min(call.units, first + std::min(fair, call.most));
    if (!next_.compare_exchange_weak(first, last, std::memory_order_relaxed)) continue;
    (*call.work)(first, last, member);
    first = next_.load(std::memory_order_relaxed);
  }
}

void Team::run(int units, int grain, int most, const Work& work) {
  if (units <= 0) return;
  const Call call{&work, units, grain, std::max(grain, most / grain * grain)};
  next_.store(0, std::memory_order_relaxed);
  if (threads_.empty() || units <= grain) return take_pieces(call, 0);
  call_ = call;
  busy_.store(static_cast<int>(threads_.size()), std::memory_order_relaxed);
  turn_.fetch_add(1, std::memory_order_release);
  turn_.notify_all();
  take_pieces(call, 0);
  for (int busy = busy_.load(std::memory_order_acquire); busy != 0; busy = busy_.load(std::memory_order_acquire)) {
    wait_for_change(busy_, busy);
  }
}

}  // namespace weir::compute
