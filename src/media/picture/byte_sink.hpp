#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"

namespace weir::media {

/// Writes bytes through a buffer to a file descriptor. The caller closes the descriptor after the last call. After
/// the first error put() and flush() return that error. The destructor does not flush. The calling thread must block
/// SIGPIPE and SIGXFSZ, so that a closed pipe or a file-size limit is reported as an error and does not end the
/// process. Not thread-safe.
class ByteSink {
 public:
  /// name  name of the output in error messages
  ByteSink(int fd, std::string name);

  /// Adds `bytes` to the output; they may stay in the buffer until flush(). Errors: io (such as a closed pipe),
  /// disk_full.
  Status put(std::span<const std::byte> bytes);
  /// Writes everything in the buffer to the file descriptor. Errors: io, disk_full.
  Status flush();
  /// Adds `count` to size(), after a library wrote that many bytes directly to fd().
  void add_written_bytes(std::uint64_t count) { size_ += count; }
  std::uint64_t size() const { return size_; }  ///< number of bytes of the output so far, buffered bytes included
  int fd() const { return fd_; }
  const std::string& name() const { return name_; }

 private:
  /// Writes `bytes` to the file descriptor, without the buffer.
  Status write_out(std::span<const std::byte> bytes);

  static constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
  int fd_;
  std::string name_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t buffered_bytes_ = 0;
  std::uint64_t size_ = 0;
  Status status_ = ok();  // the first error
};

}  // namespace weir::media
