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

bool is_signal_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

namespace {

/// Returns the signals that end a program, without those that the process ignores.
sigset_t unignored_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (!is_signal_ignored(signal)) sigaddset(&signals, signal);
  }
  return signals;
}

timespec to_timespec(std::chrono::milliseconds time) {
  return {static_cast<time_t>(time.count() / 1000), static_cast<long>(time.count() % 1000) * 1'000'000};
}

}  // namespace

SignalBlocker::SignalBlocker() : signals_{unignored_stop_signals()} {
  pthread_sigmask(SIG_BLOCK, &signals_, &previous_mask_);
}

SignalBlocker::~SignalBlocker() {
  const timespec now{};
  while (sigtimedwait(&signals_, nullptr, &now) > 0) continue;  // discards the pending signals
  pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

struct SignalStopSource::State {
  std::stop_source stop;
  sigset_t signals{};
  sigset_t previous_mask{};
  std::atomic<int> signal_to_forward = 0;
  std::atomic<int> last_signal = 0;
  std::jthread thread;
};

/// The thread checks every 50 ms whether it must end, so no signal is needed to wake it.
SignalStopSource::SignalStopSource(std::chrono::milliseconds grace, int status, void (*before_exit)())
    : state_{std::make_unique<State>()} {
  state_->signals = unignored_stop_signals();
  pthread_sigmask(SIG_BLOCK, &state_->signals, &state_->previous_mask);
  state_->thread = std::jthread{[state = state_.get(), grace, status, before_exit](const std::stop_token& thread_stop) {
    const timespec tick = to_timespec(std::chrono::milliseconds{50});
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    while (!thread_stop.stop_requested()) {
      siginfo_t info{};
      const int signal = sigtimedwait(&state->signals, &info, &tick);
      if (signal > 0) state->last_signal = signal;
      // SI_KERNEL: Ctrl-C on the terminal; the kernel sends the signal to the command as well.
      if (signal > 0 && !state->stop.stop_requested())
        state->signal_to_forward = info.si_code == SI_KERNEL ? 0 : signal;
      if (signal > 0 && state->stop.request_stop()) {
        deadline = std::chrono::steady_clock::now() + grace;
      }
      if (std::chrono::steady_clock::now() > deadline) {
        before_exit();
        _exit(status);
      }
    }
  }};
}

SignalStopSource::~SignalStopSource() {
  state_->thread.request_stop();
  state_->thread.join();
  const int signal = state_->last_signal;
  if (signal != 0 && sigismember(&state_->previous_mask, signal) == 1)
    kill(getpid(), signal);  // sent again: a SignalBlocker blocks it, so it is pending for the next SignalStopSource
  pthread_sigmask(SIG_SETMASK, &state_->previous_mask, nullptr);
}

std::stop_token SignalStopSource::token() const { return state_->stop.get_token(); }

int SignalStopSource::signal_to_forward() const { return state_->signal_to_forward; }

void prepare_standard_streams() {
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);  // NOLINT(cert-err33-c)
  allow_child_statuses();
  for (const int descriptor : {0, 1, 2}) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The direction is wrong on purpose: reading a closed input or writing a closed output stays an error.
    if (open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY) == -1) _exit(70);  // an internal error
  }
}

}  // namespace weir
