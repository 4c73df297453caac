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

/// The bytes of one picture, from a file or from memory, readable at any offset. The file stays open, so that replacing
/// it by name does not disturb a reader. Thread-safe.
class InputFile {
 public:
  /// Errors: io (missing, not readable, a folder, not a regular file, empty).
  static Result<std::shared_ptr<const InputFile>> open(const PictureSource& source);

  /// Fills `into` from `offset` on; returns how many bytes there were, fewer only at the end. Errors: io.
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const;
  std::uint64_t size() const { return size_; }
  const std::string& name() const { return name_; }  ///< as it stands in messages
  int fd() const { return file_.get(); }             ///< -1 if the bytes are in memory
  std::span<const std::byte> bytes() const;          ///< empty if they are in a file

  Error error(Errc code, const std::string& what) const { return Error{code, name_ + ": " + what}; }

 private:
  FileDescriptor file_;
  std::shared_ptr<const std::vector<std::byte>> memory_;
  std::uint64_t size_ = 0;
  std::string name_;
};
using InputFilePtr = std::shared_ptr<const InputFile>;

/// The bytes of an InputFile from the start, in pieces of at most 64 KiB. Not thread-safe.
class InputCursor {
 public:
  explicit InputCursor(InputFilePtr file)
      : file_{std::move(file)}, buffer_{std::make_unique_for_overwrite<std::byte[]>(kPieceBytes)} {}
  /// The next piece, valid until the next call; empty at the end or after a failure.
  std::span<const std::byte> read_piece();
  /// Fills `into` across pieces; false at the end or after a failure.
  bool read(std::span<std::byte> into);
  const std::optional<Error>& failure() const { return failure_; }

 private:
  static constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
  InputFilePtr file_;
  std::unique_ptr<std::byte[]> buffer_;
  std::span<const std::byte> remaining_;  // of the piece that take() is in
  std::uint64_t offset_ = 0;
  std::optional<Error> failure_;
};

}  // namespace weir::media
