#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"

namespace weir::film {

/// So many bytes of a pipe are read, and kept, to find its streams: enough for the frame rate of raw films of 4K.
inline constexpr std::int64_t kPipeProbeBytes = 32 << 20;

/// Lets FFmpeg read or write a film through a descriptor that is open, such as a pipe. Not thread-safe.
class FilmIo {
 public:
  enum class Direction { read, write };

  /// `fd` must outlive the object; `name`: for messages. Positions can be set in regular files alone, when writing. All
  /// waiting ends soon after a stop is requested. Errors: over_budget.
  static Result<std::unique_ptr<FilmIo>> open(int fd, Direction direction, std::string name, std::stop_token stop);
  ~FilmIo();
  FilmIo(const FilmIo&) = delete;
  FilmIo& operator=(const FilmIo&) = delete;

  AVIOContext* context() const { return context_; }
  /// Returns the first error of the descriptor, with the name: FFmpeg's own messages do not have its reason.
  const std::optional<Error>& error() const { return error_; }
  /// Returns the number of bytes that were read or written so far.
  std::uint64_t bytes() const { return bytes_; }
  /// Returns whether what was read so far ends as a whole file of NUT does, with its index.
  bool ends_with_nut_index() const;

 private:
  FilmIo(int fd, std::string name, std::stop_token stop) : fd_{fd}, name_{std::move(name)}, stop_{std::move(stop)} {}
  static int read(void* self, std::uint8_t* buffer, int size);
  static int write(void* self, std::uint8_t* buffer, int size);
  static std::int64_t seek(void* self, std::int64_t offset, int whence);
  int keep_error(const Error& error);

  int fd_;
  std::string name_;
  std::stop_token stop_;
  AVIOContext* context_ = nullptr;
  std::optional<Error> error_;
  std::uint64_t bytes_ = 0;
  std::string last_;  // the last bytes that were read
};

}  // namespace weir::film
