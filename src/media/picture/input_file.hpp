#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/result.hpp"
#include "media/picture/picture.hpp"

namespace weir::media {

/// The bytes of one picture file, readable at any offset. The bytes are in an open file or in memory. The file stays
/// open, so its content can still be read after another file is renamed to its name. Thread-safe.
class InputFile {
 public:
  /// Opens the source. Errors: io (missing, not readable, a folder, not a regular file); corrupt (no bytes).
  static Result<std::shared_ptr<const InputFile>> open(const PictureSource& source);

  /// Reads bytes from byte offset `offset` on into `into` and returns the number of bytes read. The number is smaller
  /// than into.size() only at the end of the file. Errors: io.
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const;
  /// Reads the whole file and returns the error of the first read that fails; nothing if all bytes can be read. For
  /// libraries that read the file themselves and report a failed read like damage.
  std::optional<Error> find_read_error() const;
  std::uint64_t size() const { return size_; }
  const std::string& name() const { return name_; }  ///< name in messages: the path, or "(memory)" without one
  int fd() const { return file_.get(); }             ///< file descriptor; -1 if the bytes are in memory
  std::span<const std::byte> bytes() const;          ///< all bytes; empty if they are in a file

  /// Makes an error whose message starts with the name of the file.
  Error error(Errc code, const std::string& what) const { return Error{code, name_ + ": " + what}; }

 private:
  FileDescriptor file_;
  std::shared_ptr<const std::vector<std::byte>> memory_;
  std::uint64_t size_ = 0;
  std::string name_;
};
using InputFilePtr = std::shared_ptr<const InputFile>;

/// Reads the bytes of an InputFile in order from the start, in pieces of at most 64 KiB. Use either read_piece() or
/// read() of one cursor, not both. Not thread-safe.
class InputCursor {
 public:
  explicit InputCursor(InputFilePtr file)
      : file_{std::move(file)}, buffer_{std::make_unique_for_overwrite<std::byte[]>(kPieceBytes)} {}
  /// Returns the next piece, valid until the next call; empty at the end of the file or after a failure.
  std::span<const std::byte> read_piece();
  /// Fills `into`. Returns false if the file ends before `into` is full, or after a failure.
  bool read(std::span<std::byte> into);
  /// Returns the error of the first failed read; empty if there was none.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  static constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
  InputFilePtr file_;
  std::unique_ptr<std::byte[]> buffer_;
  std::span<const std::byte> remaining_;  // unread part of the current piece
  std::uint64_t offset_ = 0;              // byte offset in the file of the next piece
  std::optional<Error> failure_;
};

}  // namespace weir::media
