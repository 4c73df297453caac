#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

/// Bytes on disk under no name: the place for a picture whose rows do not come in the order in which they are wanted.
/// Not thread-safe.
class ScratchFile {
 public:
  /// Errors: io.
  static Result<ScratchFile> create(const std::filesystem::path& folder);
  /// Errors: io (disk full).
  Status write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Bytes that were never written read as zero. Errors: io.
  Status read_at(std::uint64_t offset, std::span<std::byte> bytes);

 private:
  explicit ScratchFile(FileDescriptor file) : file_{std::move(file)} {}
  FileDescriptor file_;
};

}  // namespace weir
