#pragma once

#include <filesystem>
#include <optional>
#include <span>

#include "base/anonymous_mapping.hpp"
#include "base/scratch_file.hpp"

namespace weir::enhance {

/// Stores rows of one length in memory or in a temporary file; rows can be read and written in any order. Not
/// thread-safe.
class RowStore {
 public:
  /// Creates a store in a temporary file in `folder`, or in memory if `folder` is empty. Errors: over_budget, io,
  /// disk_full.
  static Result<RowStore> create(int rows, std::size_t row_bytes, const std::filesystem::path& folder);
  /// Writes `bytes` into a row, beginning at byte offset `at` of the row. Errors: io, disk_full.
  Status write(int row, std::span<const std::byte> bytes, std::size_t at = 0);
  /// Reads `bytes.size()` bytes of a row, beginning at byte offset `at` of the row. Bytes that were never written are
  /// zero. Errors: io.
  Status read(int row, std::span<std::byte> bytes, std::size_t at = 0);

 private:
  explicit RowStore(std::size_t row_bytes) : row_bytes_{row_bytes} {}
  std::size_t row_bytes_;
  AnonymousMapping memory_;          // the rows, if there is no file
  std::optional<ScratchFile> file_;  // the rows, if they are on disk
};

}  // namespace weir::enhance
