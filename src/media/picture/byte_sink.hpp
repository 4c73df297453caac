#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"

namespace weir::media {

/// Buffered bytes on their way into a file descriptor, which must outlive it. After the first error every call returns
/// that error. Call it on a thread that blocks SIGPIPE and SIGXFSZ, so that a closed pipe is an error and not a death.
class ByteSink {
 public:
  /// `name` stands in messages.
  ByteSink(int fd, std::string name);

  /// Errors: io (disk full, closed pipe).
  Status put(std::span<const std::byte> bytes);
  /// Hands all that is buffered to the system. Errors: io.
  Status flush();
  /// For a library that writes to fd() itself: tells how much that was.
  void count_written(std::uint64_t bytes) { size_ += bytes; }
  std::uint64_t size() const { return size_; }  ///< bytes put so far
  int fd() const { return fd_; }
  const std::string& name() const { return name_; }

 private:
  Status write_out(std::span<const std::byte> bytes);

  static constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
  int fd_;
  std::string name_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t buffered_bytes_ = 0;
  std::uint64_t size_ = 0;
  Status status_ = ok();
};

}  // namespace weir::media
