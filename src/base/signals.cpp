#include "base/signals.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <thread>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/child_process.hpp"

namespace weir {

bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

namespace {

/// Those of the signals that end a program which it was not told to ignore.
sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (!is_ignored(signal)) sigaddset(&signals, signal);
  }
  return signals;
}

timespec to_timespec(std::chrono::milliseconds time) {
  return {static_cast<time_t>(time.count() / 1000), static_cast<long>(time.count() % 1000) * 1'000'000};
}

}  // namespace

SignalHold::SignalHold() : signals_{ending_signals()} { pthread_sigmask(SIG_BLOCK, &signals_, &before_); }

SignalHold::~SignalHold() {
  const timespec now{};
  while (sigtimedwait(&signals_, nullptr, &now) > 0) continue;
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

struct SignalWatch::State {
  std::stop_source stop;
  sigset_t signals{};
  sigset_t before{};
  std::atomic<int> to_forward = 0;
  std::atomic<int> taken = 0;
  std::jthread thread;
};

/// The watcher looks every 50 ms whether it is to end, so that no signal is needed to wake it.
SignalWatch::SignalWatch(std::chrono::milliseconds grace, int status, void (*last_words)())
    : state_{std::make_unique<State>()} {
  state_->signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &state_->signals, &state_->before);
  state_->thread = std::jthread{[state = state_.get(), grace, status, last_words](const std::stop_token& end) {
    const timespec tick = to_timespec(std::chrono::milliseconds{50});
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    while (!end.stop_requested()) {
      siginfo_t info{};
      const int signal = sigtimedwait(&state->signals, &info, &tick);
      if (signal > 0) state->taken = signal;
      if (signal > 0 && !state->stop.stop_requested()) state->to_forward = info.si_code == SI_KERNEL ? 0 : signal;
      if (signal > 0 && state->stop.request_stop()) {
        deadline = std::chrono::steady_clock::now() + grace;
      }
      if (std::chrono::steady_clock::now() > deadline) {
        last_words();
        _exit(status);
      }
    }
  }};
}

SignalWatch::~SignalWatch() {
  state_->thread.request_stop();
  state_->thread.join();
  const int taken = state_->taken;
  if (taken != 0 && sigismember(&state_->before, taken) == 1)
    kill(getpid(), taken);  // held: it waits for the next watch
  pthread_sigmask(SIG_SETMASK, &state_->before, nullptr);
}

std::stop_token SignalWatch::token() const { return state_->stop.get_token(); }

int SignalWatch::signal_to_forward() const { return state_->to_forward; }

void prepare_standard_streams() {
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);  // NOLINT(cert-err33-c)
  keep_exit_statuses();
  for (const int descriptor : {0, 1, 2}) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The wrong direction on purpose: reading from a closed input or writing to a closed output stays an error.
    if (open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY) == -1) _exit(70);
  }
}

}  // namespace weir
