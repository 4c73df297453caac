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

/// Transfers rows from one thread (the producer) to another (the consumer) through a ring buffer of fixed size, so that
/// the producer is never ahead by more than the capacity. A waiting thread continues when it can transfer a quarter of
/// the ring, so that the threads do not switch at every row. After close() the consumer does not wait any more.
class RowQueue : public RowSource {
 public:
  /// The queue has space for `capacity_bytes` bytes; values below 4 count as 4.
  explicit RowQueue(std::size_t capacity_bytes);

  /// Producer: writes all of `rows` and waits for free space when necessary. Errors: the reason of cancel().
  Status write(std::span<const std::byte> rows);
  /// Producer: ends the rows. The consumer can still read all rows that were written. `reason` is the error that read()
  /// returns when the consumer requests more rows, or ok() for the error io. Only the first call has an effect.
  void close(Status reason);
  /// Consumer: waits until `rows` is full. Errors: the reason of cancel(); if the rows end too early, the error of
  /// close(), or io after close(ok()).
  Status read(std::span<std::byte> rows) override;
  /// Producer or consumer: stops the transfer and drops the rows in the queue. A waiting thread wakes up, and all calls
  /// of read() and write() return `reason` from now on. Only the first call has an effect.
  void cancel(Error reason);

 private:
  std::size_t filled_bytes() const { return written_bytes_ - read_bytes_; }

  std::mutex mutex_;
  std::condition_variable readable_, writable_;
  const std::size_t capacity_, wake_bytes_;
  const std::unique_ptr<std::byte[]> ring_;
  std::size_t written_bytes_ = 0, read_bytes_ = 0;  // numbers of bytes since the construction
  std::optional<Status> close_reason_;
  std::optional<Error> cancel_reason_;
};

}  // namespace weir::media
