#pragma once

#include <cstddef>

#include "base/scratch_file.hpp"
#include "nn/cpu/plan.hpp"
#include "nn/program.hpp"
#include "nn/rows.hpp"

namespace weir::nn {

/// Where the rows of one pass lie: rings and stored tensors in an arena, as planned. A view; everything given must outlive
/// it.
class PassMemory {
 public:
  /// `zero_row`: as long as the longest row, all zero.
  PassMemory(const Program& program, const Plan& plan, const Pass& pass, std::byte* arena, const std::byte* zero_row)
      : program_{program}, plan_{plan}, pass_{pass}, arena_{arena}, zero_row_{zero_row} {}

  const ProgramTensor& tensor(int t) const { return program_.tensors[static_cast<std::size_t>(t)]; }
  const RowLayout& layout(int t) const { return plan_.layout[static_cast<std::size_t>(t)]; }
  const Extent& extent(int t) const { return plan_.extent[static_cast<std::size_t>(t)]; }
  /// Bytes of one value.
  std::size_t element_bytes(int t) const {
    return tensor(t).planar || plan_.element_type == compute::ElementType::float32 ? 4 : 2;
  }
  /// Bytes from column to column: of all channels of a feature row, of one plane's value of a planar row.
  std::size_t pixel_bytes(int t) const {
    return tensor(t).planar ? sizeof(float) : static_cast<std::size_t>(layout(t).stride) * element_bytes(t);
  }

  /// Column x of row y, to be read; of rows outside the picture, zeros.
  const std::byte* read_address(int t, int y, int x) const;
  /// Column 0 of row y, to be written.
  std::byte* write_address(int t, int y) const { return row_start(t, y) + layout(t).first_byte; }
  PlanarRows planar_rows(int t, RowRange rows) const;
  /// Channels that fill up a block follow those of the tensor in every pixel.
  bool has_filler_channels(int t) const { return !tensor(t).planar && tensor(t).channels != layout(t).stride; }
  /// What padded convolutions read beside the picture is made zero; rows with filler channels are zeroed whole.
  void clear_margins(int t, RowRange rows) const;
  /// Errors: io.
  Status write_to_disk(ScratchFile& file, int t, RowRange rows) const;
  Status read_from_disk(ScratchFile& file, int t, RowRange rows) const;

 protected:
  const Program& program_;
  const Plan& plan_;
  const Pass& pass_;

 private:
  std::byte* row_start(int t, int y) const;
  std::span<std::byte> disk_row(int t, int y, std::uint64_t& offset) const;

  std::byte* arena_;
  const std::byte* zero_row_;
};

}  // namespace weir::nn
