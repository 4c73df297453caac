#include "media/picture/row_queue.hpp"

#include <algorithm>
#include <cstring>

namespace weir::media {

RowQueue::RowQueue(std::size_t capacity_bytes)
    : capacity_{std::max<std::size_t>(capacity_bytes, 4)},
      batch_{capacity_ / 4},
      ring_{std::make_unique_for_overwrite<std::byte[]>(capacity_)} {}

// The bytes between the two counters belong to the consumer, the others to the producer: each side copies its own
// without the lock.
Status RowQueue::write(std::span<const std::byte> rows) {
  while (!rows.empty()) {
    std::size_t at = 0, run = 0;
    {
      std::unique_lock lock{mutex_};
      if (filled() == capacity_) writable_.wait(lock, [&] { return cancelled_ || filled() + batch_ <= capacity_; });
      if (cancelled_) return *cancelled_;
      at = written_ % capacity_;
      run = std::min({rows.size(), capacity_ - filled(), capacity_ - at});
    }
    std::memcpy(ring_.get() + at, rows.data(), run);
    rows = rows.subspan(run);
    const std::lock_guard lock{mutex_};
    written_ += run;
    if (filled() >= batch_) readable_.notify_one();
  }
  return ok();
}

Status RowQueue::read(std::span<std::byte> rows) {
  while (!rows.empty()) {
    std::size_t at = 0, run = 0;
    {
      std::unique_lock lock{mutex_};
      if (filled() == 0) readable_.wait(lock, [&] { return cancelled_ || closed_ || filled() >= batch_; });
      if (cancelled_) return *cancelled_;
      if (filled() == 0) {
        if (!*closed_) return *closed_;
        return Error{Errc::io, "the rows ended too early"};
      }
      at = taken_ % capacity_;
      run = std::min({rows.size(), filled(), capacity_ - at});
    }
    std::memcpy(rows.data(), ring_.get() + at, run);
    rows = rows.subspan(run);
    const std::lock_guard lock{mutex_};
    taken_ += run;
    if (filled() + batch_ <= capacity_) writable_.notify_one();
  }
  return ok();
}

void RowQueue::close(Status reason) {
  {
    const std::lock_guard lock{mutex_};
    if (!closed_) closed_ = std::move(reason);
  }
  readable_.notify_one();
}

void RowQueue::cancel(Error reason) {
  {
    const std::lock_guard lock{mutex_};
    if (!cancelled_) cancelled_ = std::move(reason);
  }
  readable_.notify_one();
  writable_.notify_one();
}

}  // namespace weir::media
