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
    if (!is_signal_ignored(signal)) sigaddset(&set, signal);
  }
  FileDescriptor fd{signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!fd) return Error{Errc::io, "signals cannot be watched: " + errno_text(errno)};
  pthread_sigmask(SIG_BLOCK, &set, &signals.previous_mask_);
  signals.fd_ = std::move(fd);
  return signals;
}

SignalQueue::SignalQueue(SignalQueue&& other) noexcept
    : previous_mask_{other.previous_mask_}, fd_{std::move(other.fd_)} {}

SignalQueue::~SignalQueue() {
  if (fd_) pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

int SignalQueue::next_signal() const {
  signalfd_siginfo info{};
  return read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace weir
