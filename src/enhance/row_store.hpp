#pragma once

#include <filesystem>
#include <optional>
#include <span>

#include "base/anonymous_mapping.hpp"
#include "base/scratch_file.hpp"

namespace weir::enhance {

/// Rows of one length, in any order, in memory or on disk. Not thread-safe.
class RowStore {
 public:
  /// `folder` empty: in memory. Errors: over_budget, io.
  static Result<RowStore> create(int rows, std::size_t row_bytes, const std::filesystem::path& folder);
  /// From byte `at` of the row on. Errors: io.
  Status write(int row, std::span<const std::byte> bytes, std::size_t at = 0);
  /// What was never written reads as zero. Errors: io.
  Status read(int row, std::span<std::byte> bytes, std::size_t at = 0);

 private:
  explicit RowStore(std::size_t row_bytes) : row_bytes_{row_bytes} {}
  std::size_t row_bytes_;
  AnonymousMapping memory_;
  std::optional<ScratchFile> file_;
};

}  // namespace weir::enhance
