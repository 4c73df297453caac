#include "nn/cpu/pass_memory.hpp"

#include <cstring>

namespace weir::nn {

std::byte* PassMemory::row_start(int t, int y) const {
  const auto i = static_cast<std::size_t>(t);
  // If only some rows are in memory, they are in a ring buffer: row y replaces row y - row_count.
  return arena_ + pass_.offset[i] + static_cast<std::size_t>(y % pass_.row_count[i]) * layout(t).row_bytes;
}

const std::byte* PassMemory::read_address(int t, int y, int x) const {
  const std::byte* row = y < 0 || y >= extent(t).height ? zero_row_ : row_start(t, y);
  return row + layout(t).first_byte + static_cast<std::ptrdiff_t>(x) * static_cast<std::ptrdiff_t>(pixel_bytes(t));
}

PlanarRows PassMemory::planar_rows(int t, RowRange rows) const {
  PlanarRows view;
  view.first = rows.first;
  view.count = rows.end - rows.first;
  view.width = extent(t).width;
  view.planes = tensor(t).channels;
  view.plane_stride = layout(t).plane_stride;
  for (int y = rows.first; y < rows.end; ++y) view.row.push_back(reinterpret_cast<float*>(write_address(t, y)));
  return view;
}

void PassMemory::clear_margins(int t, RowRange rows) const {
  const RowLayout& row_layout = layout(t);
  const bool clears_whole_rows = has_filler_channels(t);
  const std::size_t planes = tensor(t).planar ? static_cast<std::size_t>(tensor(t).channels) : 1;
  const std::size_t plane_bytes = row_layout.row_bytes / planes;
  const std::size_t right_margin = row_layout.first_byte + static_cast<std::size_t>(extent(t).width) * pixel_bytes(t);
  for (int y = rows.first; y < rows.end; ++y) {
    std::byte* row = row_start(t, y);
    if (clears_whole_rows) std::memset(row, 0, row_layout.row_bytes);
    for (std::size_t p = 0; p < planes && !clears_whole_rows; ++p) {
      std::memset(row + p * plane_bytes, 0, row_layout.first_byte);
      std::memset(row + p * plane_bytes + right_margin, 0, plane_bytes - right_margin);
    }
  }
}

std::span<std::byte> PassMemory::disk_row(int t, int y, std::uint64_t& offset) const {
  const std::size_t bytes = layout(t).row_bytes;
  offset = plan_.disk_offset[static_cast<std::size_t>(t)] + static_cast<std::uint64_t>(y) * bytes;
  return {row_start(t, y), bytes};
}

Status PassMemory::write_to_disk(ScratchFile& file, int t, RowRange rows) const {
  std::uint64_t offset = 0;
  for (int y = rows.first; y < rows.end; ++y) {
    const std::span<const std::byte> row = disk_row(t, y, offset);
    if (auto status = file.write_at(offset, row); !status) return status;
  }
  return ok();
}

Status PassMemory::read_from_disk(ScratchFile& file, int t, RowRange rows) const {
  std::uint64_t offset = 0;
  for (int y = rows.first; y < rows.end; ++y) {
    const std::span<std::byte> row = disk_row(t, y, offset);
    if (auto status = file.read_at(offset, row); !status) return status;
  }
  return ok();
}

}  // namespace weir::nn
