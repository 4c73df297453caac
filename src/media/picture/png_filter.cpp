#include "media/picture/png_filter.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

// The loops below have no calls and no branches, so that the compiler vectorizes them.
namespace weir::media {
namespace {

using Byte = std::uint8_t;

// The parameters are the row, the row above, the filtered row (result), the bytes per row and the bytes per pixel
// (`pixel`). The values to the left of the first pixel count as zeros.
using Filter = void (*)(const Byte*, const Byte*, Byte*, std::size_t, std::size_t);

void filter_none(const Byte* row, const Byte*, Byte* out, std::size_t count, std::size_t) {
  std::memcpy(out, row, count);
}

void filter_sub(const Byte* __restrict row, const Byte*, Byte* __restrict out, std::size_t count, std::size_t pixel) {
  std::copy_n(row, pixel, out);
  for (std::size_t i = pixel; i < count; ++i) out[i] = static_cast<Byte>(row[i] - row[i - pixel]);
}

void filter_up(const Byte* __restrict row, const Byte* __restrict above, Byte* __restrict out, std::size_t count,
               std::size_t) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<Byte>(row[i] - above[i]);
}

void filter_average(const Byte* __restrict row, const Byte* __restrict above, Byte* __restrict out, std::size_t count,
                    std::size_t pixel) {
  for (std::size_t i = 0; i < pixel; ++i) out[i] = static_cast<Byte>(row[i] - (above[i] >> 1));
  for (std::size_t i = pixel; i < count; ++i) out[i] = static_cast<Byte>(row[i] - ((row[i - pixel] + above[i]) >> 1));
}

// The predictor is the neighbour closest to a + b - c. As in the PNG specification, a is the byte to the left, b the
// byte above, and c the byte above left. da, db and dc are the distances of a, b and c from a + b - c.
void filter_paeth(const Byte* __restrict row, const Byte* __restrict above, Byte* __restrict out, std::size_t count,
                  std::size_t pixel) {
  using Short = std::int16_t;  // eight of them fit into a vector register of SSE2
  for (std::size_t i = 0; i < pixel; ++i) out[i] = static_cast<Byte>(row[i] - above[i]);
  for (std::size_t i = pixel; i < count; ++i) {
    const Short a = row[i - pixel], b = above[i], c = above[i - pixel];
    auto da = static_cast<Short>(b - c), db = static_cast<Short>(a - c), dc = static_cast<Short>(da + db);
    da = static_cast<Short>(da < 0 ? -da : da);
    db = static_cast<Short>(db < 0 ? -db : db);
    dc = static_cast<Short>(dc < 0 ? -dc : dc);
    Short nearest = da < db ? da : db;
    nearest = nearest < dc ? nearest : dc;
    const Short predicted = nearest == da ? a : (nearest == db ? b : c);
    out[i] = static_cast<Byte>(row[i] - predicted);
  }
}

/// Returns the sum of the absolute values of bytes, taken as signed.
std::uint64_t sum_of_magnitudes(const Byte* bytes, std::size_t count) {
  std::uint64_t total = 0;
  constexpr std::size_t kBlock = 4096;  // a 32-bit sum cannot overflow within it
  for (std::size_t from = 0; from < count; from += kBlock) {
    std::uint32_t sum = 0;
    const auto to = std::min(count, from + kBlock);
    for (std::size_t i = from; i < to; ++i)
      sum += static_cast<std::uint32_t>(std::abs(static_cast<std::int8_t>(bytes[i])));
    total += sum;
  }
  return total;
}

constexpr std::array<Filter, 5> kFilters{filter_none, filter_sub, filter_up, filter_average,
                                         filter_paeth};  // in the order of their numbers in the file

}  // namespace

PngFilter::PngFilter(std::size_t row_bytes, std::size_t pixel_bytes)
    : row_bytes_{row_bytes},
      pixel_bytes_{pixel_bytes},
      previous_{std::make_unique<Byte[]>(row_bytes)},
      candidate_{std::make_unique_for_overwrite<Byte[]>(row_bytes)} {}

void PngFilter::apply(std::span<const Byte> row, std::span<Byte> out) {
  if (rows_done_ % kRowsPerChoice == 0) choose_filter(row.data());
  ++rows_done_;
  out[0] = static_cast<Byte>(chosen_filter_);
  kFilters[chosen_filter_](row.data(), previous_.get(), out.data() + 1, row_bytes_, pixel_bytes_);
  std::memcpy(previous_.get(), row.data(), row_bytes_);
}

void PngFilter::choose_filter(const Byte* row) {
  auto best = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t number = 0; number < kFilters.size(); ++number) {
    kFilters[number](row, previous_.get(), candidate_.get(), row_bytes_, pixel_bytes_);
    const auto sum = sum_of_magnitudes(candidate_.get(), row_bytes_);
    if (sum >= best) continue;
    best = sum;
    chosen_filter_ = number;
  }
}

}  // namespace weir::media
