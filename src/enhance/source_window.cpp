#include "enhance/source_window.hpp"

#include <algorithm>

#include "enhance/samples.hpp"

namespace weir::enhance {

namespace {

/// Returns the lowest and highest value of each colour in a row, 0 to 1.
nn::ColourRange find_colour_range(std::span<const std::byte> row, const media::PictureInfo& info) {
  return with_samples(row, info.bits, [&](const auto* samples, float largest) {
    nn::ColourRange range;
    const float unit = 1.0F / largest;
    for (int c = 0; c < info.colours; ++c) {
      auto low = samples[c];
      auto high = samples[c];
      for (int x = 0; x < info.width; ++x) {
        low = std::min(low, samples[x * info.channels() + c]);
        high = std::max(high, samples[x * info.channels() + c]);
      }
      range.low[static_cast<std::size_t>(c)] = static_cast<float>(low) * unit;
      range.high[static_cast<std::size_t>(c)] = static_cast<float>(high) * unit;
    }
    return range;
  });
}

}  // namespace

SourceWindow::SourceWindow(media::PictureReader& reader, const Geometry& geometry, int read_ahead_rows)
    : info_{reader.info()}, source_rows_{reader}, geometry_{geometry}, kept_{rows_kept(geometry, read_ahead_rows)} {
  ring_.resize(info_.row_bytes() * static_cast<std::size_t>(kept_));
  ranges_.resize(static_cast<std::size_t>(kept_));
  for (int x = 0; x < geometry.input_width; ++x) column_.push_back(reflect(x - geometry.border, geometry.width));
}

int SourceWindow::rows_kept(const Geometry& geometry, int read_ahead_rows) {
  // The border at the bottom mirrors the last rows of the picture: as many as the border and the extension have. The
  // margins of 2 and 8 rows are for the edge row, which mirroring does not repeat, and for the taps of alpha, which
  // reach from one row above a position to two rows below it.
  const int extension = geometry.input_height - 2 * geometry.border - geometry.height;
  return std::min(geometry.height, std::max(geometry.border + extension + 2, read_ahead_rows + 8));
}

Bytes SourceWindow::need(const media::PictureInfo& info, const Geometry& geometry, int read_ahead_rows) {
  return Bytes{info.row_bytes()} * static_cast<std::uint64_t>(rows_kept(geometry, read_ahead_rows)) +
         AlphaBleed::need(info) + Bytes{static_cast<std::uint64_t>(geometry.input_width) * sizeof(int)};
}

Status SourceWindow::rewind() {
  read_ = 0;
  return source_rows_.rewind();
}

Status SourceWindow::read_up_to(int y) {
  while (read_ <= y) {
    const std::size_t slot = static_cast<std::size_t>(read_ % kept_);
    const std::span<std::byte> row{ring_.data() + slot * info_.row_bytes(), info_.row_bytes()};
    if (auto status = source_rows_.read_next(row); !status) return status;
    ranges_[slot] = find_colour_range(row, info_);
    ++read_;
  }
  return ok();
}

Status SourceWindow::fill(const nn::PlanarRows& rows) {
  const int* column = column_.data() + rows.left;
  for (int i = 0; i < rows.count; ++i) {
    const int y = reflect(rows.first + i - geometry_.border, geometry_.height);
    if (auto status = read_up_to(y); !status) return status;
    float* to = rows.row[static_cast<std::size_t>(i)];
    for_each_colour(
        row(y), info_, rows.width, [column](int x) { return column[x]; },
        [&](int c, int x, float value) { to[c * rows.plane_stride + x] = value; });
  }
  return ok();
}

std::span<const std::byte> SourceWindow::row(int y) const {
  return {ring_.data() + static_cast<std::size_t>(y % kept_) * info_.row_bytes(), info_.row_bytes()};
}

nn::ColourRange SourceWindow::range(int y) const { return ranges_[static_cast<std::size_t>(y % kept_)]; }

}  // namespace weir::enhance
