#include "media/picture/row_converter.hpp"

#include <cstdint>
#include <cstring>

namespace weir::media {
namespace {

/// Composes a colour sample over white, rounded: value * alpha + white * (1 - alpha), with alpha scaled to 0 to 1.
template <class Sample>
Sample over_white(Sample value, Sample alpha) {
  constexpr std::uint64_t kOne = static_cast<Sample>(~Sample{0});
  return static_cast<Sample>((std::uint64_t{value} * alpha + kOne * (kOne - alpha) + kOne / 2) / kOne);
}

/// Composes the pixels of a row over white and removes alpha, in place.
template <class Sample>
void flatten_alpha(Sample* row, int width, int colours) {
  for (int x = 0; x < width; ++x)
    for (int c = 0; c < colours; ++c) {
      const Sample alpha = row[x * (colours + 1) + colours];
      row[x * colours + c] = over_white(row[x * (colours + 1) + c], alpha);
    }
}

class RowConverter final : public RowSource {
 public:
  RowConverter(RowSource& rows, const PictureInfo& from, const PictureInfo& to)
      : rows_{rows}, from_{from}, to_{to}, row_{std::make_unique<std::uint16_t[]>((from.row_bytes() + 1) / 2)} {}

  Status read(std::span<std::byte> rows) override {
    const auto out_bytes = to_.row_bytes();
    for (std::size_t at = 0; at < rows.size(); at += out_bytes) {
      auto* bytes = reinterpret_cast<std::byte*>(row_.get());
      if (auto got = rows_.read({bytes, from_.row_bytes()}); !got) return got;
      convert_row();
      std::memcpy(rows.data() + at, bytes, out_bytes);
    }
    return ok();
  }

 private:
  // Converts row_ in place, which works because the write position never passes the read position.
  void convert_row() {
    auto* samples_8 = reinterpret_cast<std::uint8_t*>(row_.get());
    int channels = from_.channels();
    if (from_.alpha && !to_.alpha) {
      channels = from_.colours;
      if (from_.bits == 16)
        flatten_alpha(row_.get(), from_.width, from_.colours);
      else
        flatten_alpha(samples_8, from_.width, from_.colours);
    }
    if (from_.bits == 16 && to_.bits == 8)
      for (int i = 0; i < from_.width * channels; ++i) samples_8[i] = to_8_bits(row_[static_cast<std::size_t>(i)]);
  }

  RowSource& rows_;
  PictureInfo from_, to_;
  std::unique_ptr<std::uint16_t[]> row_;  // one row of 8- or 16-bit samples
};

}  // namespace

std::unique_ptr<RowSource> convert_rows(RowSource& rows, const PictureInfo& from, const PictureInfo& to) {
  return std::make_unique<RowConverter>(rows, from, to);
}

}  // namespace weir::media
