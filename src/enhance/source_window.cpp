#include "enhance/source_window.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace weir::enhance {

namespace {

template <class T>
void to_planes(const T* row, const media::PictureInfo& info, std::span<const int> column, float* out,
               std::ptrdiff_t plane) {
  const float scale = 1.0F / (sizeof(T) == 1 ? 255.0F : 65535.0F);
  const int channels = info.channels();
  for (int c = 0; c < 3; ++c) {
    const T* from = row + (info.colours == 3 ? c : 0);
    float* to = out + c * plane;
    for (std::size_t x = 0; x < column.size(); ++x) to[x] = static_cast<float>(from[column[x] * channels]) * scale;
  }
}

template <class T>
SourceWindow::Range range_of(const T* row, const media::PictureInfo& info) {
  SourceWindow::Range range;
  const float scale = 1.0F / (sizeof(T) == 1 ? 255.0F : 65535.0F);
  for (int c = 0; c < info.colours; ++c) {
    T low = row[c];
    T high = row[c];
    for (int x = 0; x < info.width; ++x) {
      low = std::min(low, row[x * info.channels() + c]);
      high = std::max(high, row[x * info.channels() + c]);
    }
    range.low[static_cast<std::size_t>(c)] = static_cast<float>(low) * scale;
    range.high[static_cast<std::size_t>(c)] = static_cast<float>(high) * scale;
  }
  return range;
}

}  // namespace

void SourceWindow::Range::add(const Range& other) {
  for (std::size_t c = 0; c < low.size(); ++c) {
    low[c] = std::min(low[c], other.low[c]);
    high[c] = std::max(high[c], other.high[c]);
  }
}

float SourceWindow::Range::widest() const { return std::max({high[0] - low[0], high[1] - low[1], high[2] - low[2]}); }

SourceWindow::SourceWindow(media::PictureReader& reader, const Geometry& geometry, int lead)
    : info_{reader.info()}, rows_{reader}, geometry_{geometry}, kept_{rows_kept(geometry, lead)} {
  ring_.resize(info_.row_bytes() * static_cast<std::size_t>(kept_));
  ranges_.resize(static_cast<std::size_t>(kept_));
  for (int x = 0; x < geometry.input_width; ++x) column_.push_back(reflect(x - geometry.border, geometry.width));
}

int SourceWindow::rows_kept(const Geometry& geometry, int lead) {
  const int grown = geometry.input_height - 2 * geometry.border - geometry.height;
  return std::min(geometry.height, std::max(geometry.border + grown + 2, lead + 8));
}

Bytes SourceWindow::need(const media::PictureInfo& info, const Geometry& geometry, int lead) {
  return Bytes{info.row_bytes()} * static_cast<std::uint64_t>(rows_kept(geometry, lead)) + VisibleRows::need(info) +
         Bytes{static_cast<std::uint64_t>(geometry.input_width) * sizeof(int)};
}

Status SourceWindow::begin() {
  read_ = 0;
  return rows_.begin();
}

Status SourceWindow::require(int y) {
  while (read_ <= y) {
    const std::size_t slot = static_cast<std::size_t>(read_ % kept_);
    const std::span<std::byte> row{ring_.data() + slot * info_.row_bytes(), info_.row_bytes()};
    if (auto status = rows_.next(row); !status) return status;
    ranges_[slot] = info_.bits == 8 ? range_of(reinterpret_cast<const std::uint8_t*>(row.data()), info_)
                                    : range_of(reinterpret_cast<const std::uint16_t*>(row.data()), info_);
    ++read_;
  }
  return ok();
}

Status SourceWindow::fill(const nn::PlanarRows& rows) {
  const std::span<const int> column =
      std::span{column_}.subspan(static_cast<std::size_t>(rows.left), static_cast<std::size_t>(rows.width));
  for (int i = 0; i < rows.count; ++i) {
    const int y = reflect(rows.first + i - geometry_.border, geometry_.height);
    if (auto status = require(y); !status) return status;
    const std::byte* from = row(y).data();
    float* to = rows.row[static_cast<std::size_t>(i)];
    if (info_.bits == 8) {
      to_planes(reinterpret_cast<const std::uint8_t*>(from), info_, column, to, rows.plane_stride);
    } else {
      to_planes(reinterpret_cast<const std::uint16_t*>(from), info_, column, to, rows.plane_stride);
    }
  }
  return ok();
}

std::span<const std::byte> SourceWindow::row(int y) const {
  return {ring_.data() + static_cast<std::size_t>(y % kept_) * info_.row_bytes(), info_.row_bytes()};
}

SourceWindow::Range SourceWindow::range(int y) const { return ranges_[static_cast<std::size_t>(y % kept_)]; }

}  // namespace weir::enhance
