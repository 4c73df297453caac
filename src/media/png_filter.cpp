#include "media/png_filter.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

// The loops below have neither calls nor branches, and the compiler turns them into vector code on its own.
namespace weir::media {
namespace {

using Byte = std::uint8_t;

/// One row, the row above it and the result; the first pixel of a row has zeros to its left.
struct Rows {
  const Byte* __restrict row;
  const Byte* __restrict above;
  Byte* __restrict out;
  std::size_t count, pixel;
};

void filter_none(const Rows& r) { std::memcpy(r.out, r.row, r.count); }

void filter_sub(const Rows& r) {
  std::copy_n(r.row, r.pixel, r.out);
  const Byte* left = r.row;
  for (std::size_t i = r.pixel; i < r.count; ++i) r.out[i] = static_cast<Byte>(r.row[i] - left[i - r.pixel]);
}

void filter_up(const Rows& r) {
  for (std::size_t i = 0; i < r.count; ++i) r.out[i] = static_cast<Byte>(r.row[i] - r.above[i]);
}

void filter_average(const Rows& r) {
  for (std::size_t i = 0; i < r.pixel; ++i) r.out[i] = static_cast<Byte>(r.row[i] - (r.above[i] >> 1));
  for (std::size_t i = r.pixel; i < r.count; ++i)
    r.out[i] = static_cast<Byte>(r.row[i] - ((r.row[i - r.pixel] + r.above[i]) >> 1));
}

// The predictor is the neighbour (left, above, above left) closest to left + above - above left.
void filter_paeth(const Rows& r) {
  using Short = std::int16_t;
  const auto distance = [](int a) { return static_cast<Short>(a < 0 ? -a : a); };
  for (std::size_t i = 0; i < r.pixel; ++i) r.out[i] = static_cast<Byte>(r.row[i] - r.above[i]);
  for (std::size_t i = r.pixel; i < r.count; ++i) {
    const Short a = r.row[i - r.pixel], b = r.above[i], c = r.above[i - r.pixel];
    const auto toward_a = static_cast<Short>(b - c), toward_b = static_cast<Short>(a - c);
    const Short da = distance(toward_a), db = distance(toward_b);
    const Short dc = distance(static_cast<Short>(toward_a + toward_b));
    const Short nearest = std::min(std::min(da, db), dc);
    const Short predicted = nearest == da ? a : (nearest == db ? b : c);
    r.out[i] = static_cast<Byte>(r.row[i] - predicted);
  }
}

std::uint64_t sum_of_magnitudes(const Byte* bytes, std::size_t count) {
  std::uint64_t total = 0;
  constexpr std::size_t kBlock = 4096;  // a 32-bit sum cannot overflow within it
  for (std::size_t from = 0; from < count; from += kBlock) {
    std::uint32_t sum = 0;
    const auto to = std::min(count, from + kBlock);
    for (std::size_t i = from; i < to; ++i) sum += static_cast<std::uint32_t>(std::abs(static_cast<std::int8_t>(bytes[i])));
    total += sum;
  }
  return total;
}

constexpr std::array<void (*)(const Rows&), 5> kFilters{filter_none, filter_sub, filter_up, filter_average,
                                                        filter_paeth};  // by their number in the file

}  // namespace

PngFilter::PngFilter(std::size_t row_bytes, std::size_t pixel_bytes)
    : row_bytes_{row_bytes},
      pixel_bytes_{pixel_bytes},
      previous_{std::make_unique<Byte[]>(row_bytes)},
      trial_{std::make_unique_for_overwrite<Byte[]>(row_bytes)} {}

void PngFilter::apply(std::span<const Byte> row, std::span<Byte> out) {
  auto best = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t number = 0; number < kFilters.size(); ++number) {
    kFilters[number]({row.data(), previous_.get(), trial_.get(), row_bytes_, pixel_bytes_});
    const auto sum = sum_of_magnitudes(trial_.get(), row_bytes_);
    if (sum >= best) continue;
    best = sum;
    out[0] = static_cast<Byte>(number);
    std::memcpy(out.data() + 1, trial_.get(), row_bytes_);
  }
  std::memcpy(previous_.get(), row.data(), row_bytes_);
}

}  // namespace weir::media
