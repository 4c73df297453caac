#include "media/picture/row_queue.hpp"

#include <algorithm>
#include <cstring>

namespace weir::media {

RowQueue::RowQueue(std::size_t capacity_bytes)
    : capacity_{std::max<std::size_t>(capacity_bytes, 4)},
      wake_bytes_{capacity_ / 4},
      ring_{std::make_unique_for_overwrite<std::byte[]>(capacity_)} {}

// The bytes between the two counters belong to the consumer, the other bytes of the ring to the producer. Therefore
// each thread copies its bytes without the lock.
Status RowQueue::write(std::span<const std::byte> rows) {
  while (!rows.empty()) {
    std::size_t at = 0, count = 0;  // index in ring_ and number of the bytes that are copied next
    {
      std::unique_lock lock{mutex_};
      if (filled_bytes() == capacity_)
        writable_.wait(lock, [&] { return cancel_reason_ || filled_bytes() + wake_bytes_ <= capacity_; });
      if (cancel_reason_) return *cancel_reason_;
      at = written_bytes_ % capacity_;
      count = std::min({rows.size(), capacity_ - filled_bytes(), capacity_ - at});
    }
    std::memcpy(ring_.get() + at, rows.data(), count);
    rows = rows.subspan(count);
    const std::lock_guard lock{mutex_};
    written_bytes_ += count;
    if (filled_bytes() >= wake_bytes_) readable_.notify_one();
  }
  return ok();
}

Status RowQueue::read(std::span<std::byte> rows) {
  while (!rows.empty()) {
    std::size_t at = 0, count = 0;  // index in ring_ and number of the bytes that are copied next
    {
      std::unique_lock lock{mutex_};
      if (filled_bytes() == 0)
        readable_.wait(lock, [&] { return cancel_reason_ || close_reason_ || filled_bytes() >= wake_bytes_; });
      if (cancel_reason_) return *cancel_reason_;
      if (filled_bytes() == 0) {
        if (!*close_reason_) return *close_reason_;
        return Error{Errc::io, "the rows ended too early"};
      }
      at = read_bytes_ % capacity_;
      count = std::min({rows.size(), filled_bytes(), capacity_ - at});
    }
    std::memcpy(rows.data(), ring_.get() + at, count);
    rows = rows.subspan(count);
    const std::lock_guard lock{mutex_};
    read_bytes_ += count;
    if (filled_bytes() + wake_bytes_ <= capacity_) writable_.notify_one();
  }
  return ok();
}

void RowQueue::close(Status reason) {
  {
    const std::lock_guard lock{mutex_};
    if (!close_reason_) close_reason_ = std::move(reason);
  }
  readable_.notify_one();
}

void RowQueue::cancel(Error reason) {
  {
    const std::lock_guard lock{mutex_};
    if (!cancel_reason_) cancel_reason_ = std::move(reason);
  }
  readable_.notify_one();
  writable_.notify_one();
}

}  // namespace weir::media
