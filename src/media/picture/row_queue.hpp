#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "media/picture/row_source.hpp"

namespace weir::media {

/// Rows on their way from one thread to another: a ring of bytes that never grows, so that neither side runs ahead by
/// more than its capacity. A side that had to wait goes on once a quarter of the ring is there for it, so that threads
/// change places per band and not per row. One producer, one consumer.
class RowQueue : public RowSource {
 public:
  explicit RowQueue(std::size_t capacity_bytes);

  /// Producer: waits for room as long as needed. Errors: what the consumer gave to cancel().
  Status write(std::span<const std::byte> rows);
  /// Producer: there is no more, because all is there or because of an error. Only the first call counts.
  void close(Status reason);
  /// Consumer: waits until `rows` is full. Errors: the reason of close() if the rows end before; cancelled.
  Status read(std::span<std::byte> rows) override;
  /// Either side: nothing more is wanted; whoever waits wakes up with `reason`. Only the first call counts.
  void cancel(Error reason);

 private:
  std::size_t filled_bytes() const { return written_bytes_ - read_bytes_; }

  std::mutex mutex_;
  std::condition_variable readable_, writable_;
  const std::size_t capacity_, wake_bytes_;
  const std::unique_ptr<std::byte[]> ring_;
  std::size_t written_bytes_ = 0, read_bytes_ = 0;  // bytes since the start
  std::optional<Status> close_reason_;
  std::optional<Error> cancel_reason_;
};

}  // namespace weir::media
