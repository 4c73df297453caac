#include "jobs/inbox.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

namespace weir::jobs {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kLastMoment = std::chrono::milliseconds{1900};  // to end after the coordinator has gone

}  // namespace

std::optional<Json> Inbox::take() {
  std::unique_lock lock{mutex_};
  arrived_.wait(lock, [&] { return !messages_.empty() || closed_; });
  if (messages_.empty()) return std::nullopt;
  Json message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

void Inbox::read(int channel, const std::stop_token& end) {
  FrameReader frames;
  char piece[16384];
  pollfd wait{channel, POLLIN, 0};
  while (!end.stop_requested()) {
    if (poll(&wait, 1, 100) <= 0) continue;
    const ssize_t got = recv(channel, piece, sizeof piece, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || !take_frames(frames, {piece, static_cast<std::size_t>(got)})) return close(end);
  }
}

bool Inbox::take_frames(FrameReader& frames, std::string_view bytes) {
  frames.feed(bytes);
  for (;;) {
    auto text = frames.next();
    if (!text) return false;
    if (!*text) return true;
    auto message = parse_object(**text);
    if (!message) return false;
    const std::string type = text_field(*message, "type");
    if (const int signal = static_cast<int>(number_field(*message, "signal")); signal > 0 && signal < NSIG)
      signal_ = signal;
    if (type == "stop" || type == "end") stop_.request_stop();
    const std::lock_guard lock{mutex_};
    messages_.push_back(*std::move(message));
    arrived_.notify_one();
  }
}

/// Without a coordinator nothing is finished.
void Inbox::close(const std::stop_token& end) {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    arrived_.notify_one();
  }
  stop_.request_stop();
  const auto deadline = Clock::now() + kLastMoment;
  while (!end.stop_requested()) {
    if (Clock::now() > deadline) _exit(kAbandoned);
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

}  // namespace weir::jobs
