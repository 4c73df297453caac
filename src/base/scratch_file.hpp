#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

/// An unnamed temporary file with random access, deleted when it is closed. It stores pictures whose rows arrive in
/// another order than the order in which they are needed. Not thread-safe.
class ScratchFile {
 public:
  /// Creates the file in `folder`; an empty `folder` selects $TMPDIR, or /tmp if that is unset. Errors: io, disk_full.
  static Result<ScratchFile> create(const std::filesystem::path& folder);
  /// Writes `bytes` at `offset`. Errors: io, disk_full.
  Status write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Reads `bytes.size()` bytes at `offset`; bytes that were never written read as zero. Errors: io.
  Status read_at(std::uint64_t offset, std::span<std::byte> bytes);

 private:
  explicit ScratchFile(FileDescriptor file) : file_{std::move(file)} {}
  FileDescriptor file_;
};

}  // namespace weir
