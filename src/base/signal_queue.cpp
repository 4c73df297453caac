#include "base/signal_queue.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/signals.hpp"

namespace weir {

Result<SignalQueue> SignalQueue::open() {
  SignalQueue queue;
  sigset_t queued;
  sigemptyset(&queued);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP}) {
    if (!is_signal_ignored(signal)) sigaddset(&queued, signal);
  }
  FileDescriptor fd{signalfd(-1, &queued, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!fd) return Error{Errc::io, "cannot open a descriptor for signals: " + errno_text(errno)};
  pthread_sigmask(SIG_BLOCK, &queued, &queue.previous_mask_);
  queue.fd_ = std::move(fd);
  return queue;
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
