// A library that is preloaded into a program (LD_PRELOAD). The wall clock of the program then jumps forwards and back,
// by up to 30 years, each time the program reads it. The steady clock does not change.

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace {

std::atomic<unsigned> calls{0};

/// Returns the number of seconds to add to the next reading of the wall clock.
time_t jump() {
  constexpr time_t kYear = 31557600;
  constexpr std::array<time_t, 5> kJumps{0, 20 * kYear, -30 * kYear, 3600, -3600};
  return kJumps[calls++ % kJumps.size()];
}

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the names are the library's
extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const long result = syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += jump();
  return static_cast<int>(result);
}

extern "C" time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

extern "C" int gettimeofday(timeval* out, void*) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
