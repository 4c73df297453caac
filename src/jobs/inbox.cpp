#include "jobs/inbox.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/channel.hpp"

namespace weir::jobs {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kEndTimeout = std::chrono::milliseconds{1900};  // time that a running item has to end after close()

}  // namespace

std::optional<Json> Inbox::take() {
  std::unique_lock lock{mutex_};
  arrived_.wait(lock, [&] { return !messages_.empty() || closed_; });
  if (messages_.empty()) return std::nullopt;
  Json message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

void Inbox::read(int channel_fd, const std::stop_token& quit) {
  FrameReader frames;
  char piece[16384];
  while (!quit.stop_requested()) {
    if (!wait_readable({&channel_fd, 1}, std::chrono::milliseconds{100})) continue;
    const auto got = try_receive(channel_fd, piece);
    if (got && *got == 0) continue;  // nothing has arrived
    if (!got || !add_messages(frames, {piece, *got})) return close(quit);
  }
}

/// Appends `bytes` to `frames` and stores the messages that are then complete. Returns false if a message is invalid.
bool Inbox::add_messages(FrameReader& frames, std::string_view bytes) {
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

/// Requests the stop of the running item, and ends the process after kEndTimeout: without a coordinator, no result can
/// be used.
void Inbox::close(const std::stop_token& quit) {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    arrived_.notify_one();
  }
  stop_.request_stop();
  const auto deadline = SteadyClock::now() + kEndTimeout;
  while (!quit.stop_requested()) {
    if (SteadyClock::now() > deadline) std::_Exit(kExitCoordinatorGone);
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

}  // namespace weir::jobs
