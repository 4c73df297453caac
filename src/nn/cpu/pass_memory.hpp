#pragma once

#include <cstddef>

#include "base/scratch_file.hpp"
#include "nn/cpu/plan.hpp"
#include "nn/program.hpp"
#include "nn/rows.hpp"

namespace weir::nn {

/// A view of the memory of one pass (a pass goes through the picture once from top to bottom): computes the addresses
/// of rows in the arena, which is the one block of memory of a run. The plan gives each tensor a place there: a ring
/// buffer for some rows, or space for all rows. `t` is always the index of a tensor. All arguments of the constructor
/// must outlive this object.
///
/// A tensor has planar rows (each channel has a row of its own, float32) or feature rows (the channels of a pixel are
/// adjacent, padded to whole blocks of 32 channels). Every row has margins of zeros on both sides.
class PassMemory {
 public:
  /// `zero_row` points to zeros, as many bytes as the longest row has.
  PassMemory(const Program& program, const Plan& plan, const Pass& pass, std::byte* arena, const std::byte* zero_row)
      : program_{program}, plan_{plan}, pass_{pass}, arena_{arena}, zero_row_{zero_row} {}

  const ProgramTensor& tensor(int t) const { return program_.tensors[static_cast<std::size_t>(t)]; }
  const RowLayout& layout(int t) const { return plan_.layout[static_cast<std::size_t>(t)]; }
  const Extent& extent(int t) const { return plan_.extent[static_cast<std::size_t>(t)]; }
  /// Returns the size of one value in bytes.
  std::size_t element_bytes(int t) const {
    return tensor(t).planar || plan_.element_type == compute::ElementType::float32 ? 4 : 2;
  }
  /// Returns the distance from one column to the next in bytes: all channels of a feature row, or one value of a planar
  /// row.
  std::size_t pixel_bytes(int t) const {
    return tensor(t).planar ? sizeof(float) : static_cast<std::size_t>(layout(t).stride) * element_bytes(t);
  }

  /// Returns the address of column x of row y for reading, in the first plane of a planar tensor; an address in the row
  /// of zeros if row y is outside the tensor. `x` may be in the margins.
  const std::byte* read_address(int t, int y, int x) const;
  /// Returns the address of column 0 of row y for writing, in the first plane of a planar tensor.
  std::byte* write_address(int t, int y) const { return row_start(t, y) + layout(t).first_byte; }
  /// Returns a view of rows of a planar tensor, in their full width.
  PlanarRows planar_rows(int t, RowRange rows) const;
  /// Returns true if every pixel of the tensor ends with channels that only fill the last block of 32 channels.
  bool has_filler_channels(int t) const { return !tensor(t).planar && tensor(t).channels != layout(t).stride; }
  /// Sets the margins of rows to zero, because convolutions with padding read them. If the tensor has filler channels,
  /// sets the whole rows to zero.
  void clear_margins(int t, RowRange rows) const;
  /// Writes rows of a tensor to the file, at the planned offset. Errors: io, disk_full.
  Status write_to_disk(ScratchFile& file, int t, RowRange rows) const;
  /// Reads rows of a tensor back from the file. Errors: io.
  Status read_from_disk(ScratchFile& file, int t, RowRange rows) const;

 protected:
  const Program& program_;
  const Plan& plan_;
  const Pass& pass_;

 private:
  /// Returns the address of row y in the arena, including its margin.
  std::byte* row_start(int t, int y) const;
  /// Returns the memory of row y, including its margins, and sets `offset` to the row's offset in the file.
  std::span<std::byte> disk_row(int t, int y, std::uint64_t& offset) const;

  std::byte* arena_;
  const std::byte* zero_row_;
};

}  // namespace weir::nn
