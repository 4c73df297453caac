#include "base/signal_queue.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/signals.hpp"

namespace weir {

Result<SignalQueue> SignalQueue::open() {
  SignalQueue signals;
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP}) {
    if (!is_ignored(signal)) sigaddset(&set, signal);
  }
  FileDescriptor fd{signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!fd) return Error{Errc::io, "signals cannot be watched: " + errno_text(errno)};
  pthread_sigmask(SIG_BLOCK, &set, &signals.before_);
  signals.signals_ = std::move(fd);
  return signals;
}

SignalQueue::SignalQueue(SignalQueue&& other) noexcept : before_{other.before_}, signals_{std::move(other.signals_)} {}

SignalQueue::~SignalQueue() {
  if (signals_) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int SignalQueue::take() const {
  signalfd_siginfo info{};
  return read(signals_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace weir
