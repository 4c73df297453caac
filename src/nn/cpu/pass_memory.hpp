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

  const Tensor& tensor(int t) const { return program_.tensors[static_cast<std::size_t>(t)]; }
  const RowLayout& layout(int t) const { return plan_.layout[static_cast<std::size_t>(t)]; }
  const Extent& extent(int t) const { return plan_.extent[static_cast<std::size_t>(t)]; }
  /// Bytes of one value.
  std::size_t element(int t) const { return tensor(t).planar || plan_.storage == compute::Storage::single ? 4 : 2; }
  /// Bytes from column to column: of all channels of a feature row, of one plane's value of a planar row.
  std::size_t pixel(int t) const {
    return tensor(t).planar ? sizeof(float) : static_cast<std::size_t>(layout(t).stride) * element(t);
  }

  /// Column x of row y, to be read; of rows outside the picture, zeros.
  const std::byte* at(int t, int y, int x) const;
  /// Column 0 of row y, to be written.
  std::byte* out_at(int t, int y) const { return row_start(t, y) + layout(t).first_byte; }
  PlanarRows planar_rows(int t, Rows rows) const;
  /// Channels that fill up a block follow those of the tensor in every pixel.
  bool has_filler(int t) const { return !tensor(t).planar && tensor(t).channels != layout(t).stride; }
  /// What padded convolutions read beside the picture is made zero; rows with filler channels are zeroed whole.
  void clear_margins(int t, Rows rows) const;
  /// Errors: io.
  Status to_disk(ScratchFile& file, int t, Rows rows) const;
  Status from_disk(ScratchFile& file, int t, Rows rows) const;

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
