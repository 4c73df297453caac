#include "enhance/result_converter.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "enhance/samples.hpp"
#include "nn/taps.hpp"

namespace weir::enhance {

namespace {

constexpr int kBandRows = 16;  // number of source rows that are checked together

/// Returns, for column (or row) x of the enlarged picture, the index of the first of its four source pixels, and the
/// position t (0..1) between the second and the third.
std::pair<int, double> cubic_position(int x, int scale) {
  const double centre = (x + 0.5) / scale - 0.5;
  const double floor = std::floor(centre);
  return {static_cast<int>(floor) - 1, centre - floor};
}

/// Returns the alpha sample of pixel x of a row.
float alpha_sample(std::span<const std::byte> row, const media::PictureInfo& info, int x) {
  const std::size_t i = static_cast<std::size_t>(x) * info.channels() + info.colours;
  return with_samples(row, info.bits, [i](const auto* samples, float) { return static_cast<float>(samples[i]); });
}

}  // namespace

ResultConverter::ResultConverter(const nn::Family& family, const Geometry& geometry, const media::PictureInfo& info,
                                 SourceWindow& source, const compute::Kernels& kernels, compute::ThreadTeam& team,
                                 SampleRowSink sink)
    : family_{family},
      geometry_{geometry},
      result_info_{info},
      source_{source},
      kernels_{kernels},
      team_{team},
      sink_{std::move(sink)} {
  if (!info.alpha) return;
  alpha_across_.reserve(static_cast<std::size_t>(info.width));
  for (int x = 0; x < info.width; ++x) {
    const auto [index, t] = cubic_position(x, geometry.scale);
    alpha_across_.push_back({index, nn::cubic_weights(t)});
  }
}

Bytes ResultConverter::need(const media::PictureInfo& info, int rows_at_once) {
  const std::uint64_t rows = static_cast<std::uint64_t>(std::min(rows_at_once, info.height));
  const std::uint64_t alpha_taps = info.alpha ? static_cast<std::uint64_t>(info.width) : 0;
  return Bytes{info.row_bytes()} * rows + Bytes{sizeof(AlphaTap)} * alpha_taps;
}

void ResultConverter::add_source(float* planes, std::ptrdiff_t plane_stride, int y) {
  for_each_colour(
      source_.row(y / geometry_.scale), source_.info(), result_info_.width,
      [this](int x) { return x / geometry_.scale; },
      [=](int c, int x, float value) { planes[c * plane_stride + x] += value; });
}

void ResultConverter::make_grey(float* planes, std::ptrdiff_t plane_stride) {
  // Luma weights of ITU-R BT.601. The three planes of a grey picture are nearly equal.
  const float* green = planes + plane_stride;
  const float* blue = planes + 2 * plane_stride;
  for (int x = 0; x < result_info_.width; ++x) planes[x] = 0.299F * planes[x] + 0.587F * green[x] + 0.114F * blue[x];
}

void ResultConverter::make_alpha(int y, std::byte* to) {
  const media::PictureInfo& in = source_.info();
  const auto [first, t] = cubic_position(y, geometry_.scale);
  const std::array<float, 4> row_weights = nn::cubic_weights(t);
  std::array<std::span<const std::byte>, 4> rows;
  for (int k = 0; k < 4; ++k) rows[static_cast<std::size_t>(k)] = source_.row(std::clamp(first + k, 0, in.height - 1));
  const float max_sample = in.bits == 8 ? 255.0F : 65535.0F;
  // Converts between 8 and 16 bits: 65535 = 257 * 255.
  const float depth_factor = result_info_.bits == in.bits ? 1.0F : result_info_.bits == 16 ? 257.0F : 1.0F / 257.0F;
  const int channels = result_info_.channels();
  for (int x = 0; x < result_info_.width; ++x) {
    const AlphaTap& across = alpha_across_[static_cast<std::size_t>(x)];
    float sum = 0;  // of 4 x 4 source pixels
    for (std::size_t k = 0; k < 4; ++k) {
      float row_sum = 0;
      for (int j = 0; j < 4; ++j) {
        row_sum += across.weight[static_cast<std::size_t>(j)] *
                   alpha_sample(rows[k], in, std::clamp(across.index + j, 0, in.width - 1));
      }
      sum += row_weights[k] * row_sum;
    }
    // Truncated, not rounded: the established programs (realesrgan-ncnn-vulkan and others) do the same on the CPU.
    const int value = static_cast<int>(std::clamp(sum, 0.0F, max_sample) * depth_factor);
    const std::size_t i = static_cast<std::size_t>(x) * channels + result_info_.colours;
    if (result_info_.bits == 8)
      reinterpret_cast<std::uint8_t*>(to)[i] = static_cast<std::uint8_t>(value);
    else
      reinterpret_cast<std::uint16_t*>(to)[i] = static_cast<std::uint16_t>(value);
  }
}

void ResultConverter::make_row(const nn::PlanarRows& rows, int i, std::byte* to, compute::ValueSummary& summary) {
  const int y = rows.first + i - geometry_.crop;
  float* planes = rows.row[static_cast<std::size_t>(i)] + geometry_.crop;
  if (family_.needs_enlarged_picture) add_source(planes, rows.plane_stride, y);
  if (result_info_.colours == 1) make_grey(planes, rows.plane_stride);
  compute::SamplesJob job;
  job.in = planes;
  job.plane_stride = rows.plane_stride;
  job.planes = result_info_.colours;
  job.bits = result_info_.bits;
  job.out = to;
  job.samples_per_pixel = result_info_.channels();
  job.last = result_info_.width;
  job.reference = checked_.first_values;
  job.summary = &summary;
  kernels_.samples(job);
  if (result_info_.alpha) make_alpha(y, to);
}

void ResultConverter::begin_band(const nn::PlanarRows& rows, int i, int band) {
  checked_ = {};
  checked_.band = band;
  const float* planes = rows.row[static_cast<std::size_t>(i)] + geometry_.crop;
  for (int c = 0; c < result_info_.colours; ++c) {
    const float* plane = planes + c * rows.plane_stride;
    checked_.first_values[static_cast<std::size_t>(c)] = plane[0];
    for (int x = 1; x < result_info_.width; ++x)
      checked_.has_unequal_pixels = checked_.has_unequal_pixels || plane[x] != plane[0];
  }
}

Status ResultConverter::check(int first, int last, const compute::ValueSummary& summary) {
  const int first_source_row = first / geometry_.scale;
  checked_.has_unequal_pixels = checked_.has_unequal_pixels || summary.has_unequal;
  for (int row = first_source_row; row <= (last - 1) / geometry_.scale; ++row) checked_.range.add(source_.range(row));
  // The next row is in another band, or there is none.
  const bool is_band_end = last / geometry_.scale / kBandRows != checked_.band || last == result_info_.height;
  // Before the end of the band another colour may still follow: an empty range prevents the check for a single colour.
  switch (nn::check_values({summary.has_non_finite, checked_.has_unequal_pixels},
                           is_band_end ? checked_.range : nn::ColourRange{})) {
    case nn::ValueFault::none:
      break;
    case nn::ValueFault::not_finite:
      return Error{Errc::bad_values, fmt::format("a value that is not a number near row {}", first_source_row)};
    case nn::ValueFault::single_colour:
      return Error{Errc::bad_values,
                   fmt::format("one colour throughout near row {}, where the picture has many", first_source_row)};
  }
  return ok();
}

Result<ResultConverter::RowSpan> ResultConverter::begin_rows(int first, int count) {
  const RowSpan part{std::max(first, geometry_.crop), std::min(first + count, geometry_.crop + result_info_.height)};
  if (part.first >= part.last) return part;
  const int source_height = geometry_.height;
  // The taps for alpha reach two rows further down.
  const int newest = std::min((part.last - 1 - geometry_.crop) / geometry_.scale + 2, source_height - 1);
  if (auto status = source_.read_up_to(newest); !status) return status.error();
  const std::size_t bytes = result_info_.row_bytes() * static_cast<std::size_t>(part.last - part.first);
  // A vector that grows allocates up to twice the size, beside its old memory: more than need() returns.
  if (bytes > samples_.capacity()) std::vector<std::byte>{}.swap(samples_);
  samples_.resize(bytes);
  return part;
}

int ResultConverter::band_of(int row) const { return (row - geometry_.crop) / geometry_.scale / kBandRows; }

Status ResultConverter::convert(const nn::PlanarRows& rows) {
  const auto part = begin_rows(rows.first, rows.count);
  if (!part) return part.error();
  const auto [first, last] = *part;
  if (first >= last) return ok();
  const std::size_t row_bytes = result_info_.row_bytes();
  std::vector<compute::ValueSummary> summaries(static_cast<std::size_t>(last - first));
  const auto make = [&, first = first](int i) {
    make_row(rows, first - rows.first + i, samples_.data() + static_cast<std::size_t>(i) * row_bytes,
             summaries[static_cast<std::size_t>(i)]);
  };
  // The other rows of a band are compared with its first pixel, so the first row is converted before them.
  const int band = band_of(first);
  const int rows_made_before = band != checked_.band ? 1 : 0;
  if (rows_made_before == 1) {
    make(0);
    begin_band(rows, first - rows.first, band);
    summaries[0].has_unequal = false;  // it was compared with the previous band
  }
  team_.run(last - first - rows_made_before, /*grain=*/1, /*max_units=*/1, [&](int from, int to, int /*member*/) {
    for (int i = from; i < to; ++i) make(i + rows_made_before);
  });
  compute::ValueSummary all;
  for (const compute::ValueSummary& summary : summaries) {
    all.has_non_finite = all.has_non_finite || summary.has_non_finite;
    all.has_unequal = all.has_unequal || summary.has_unequal;
  }
  if (auto status = check(first - geometry_.crop, last - geometry_.crop, all); !status) return status;
  return sink_(first - geometry_.crop, samples_);
}

void ResultConverter::copy_row(const nn::ByteRows& rows, int i, std::byte* to) {
  const std::uint8_t* from =
      rows.samples + static_cast<std::size_t>(i) * rows.row_bytes + 3 * static_cast<std::size_t>(geometry_.crop);
  if (!result_info_.alpha) {
    std::memcpy(to, from, result_info_.row_bytes());
    return;
  }
  // From RGB to RGB and alpha; make_alpha() sets the fourth sample of each pixel.
  for (int x = 0; x < result_info_.width; ++x) std::memcpy(to + std::ptrdiff_t{4} * x, from + std::ptrdiff_t{3} * x, 3);
  make_alpha(rows.first + i - geometry_.crop, to);
}

Status ResultConverter::convert(const nn::ByteRows& rows) {
  const auto part = begin_rows(rows.first, rows.count);
  if (!part) return part.error();
  const auto [first, last] = *part;
  if (first >= last) return ok();
  const std::size_t row_bytes = result_info_.row_bytes();
  team_.run(last - first, /*grain=*/1, /*max_units=*/1, [&, first = first](int from, int to, int /*member*/) {
    for (int i = from; i < to; ++i)
      copy_row(rows, first - rows.first + i, samples_.data() + static_cast<std::size_t>(i) * row_bytes);
  });
  if (const int band = band_of(first); band != checked_.band) {
    checked_ = {};
    checked_.band = band;
    std::memcpy(checked_.first_pixel.data(), samples_.data(), checked_.first_pixel.size());
  }
  compute::ValueSummary summary;  // the device's tiles were already checked for values that are not numbers
  for (int i = 0; i < last - first && !summary.has_unequal; ++i) {
    summary.has_unequal =
        rows.non_uniform[static_cast<std::size_t>(first - rows.first + i)] ||
        std::memcmp(checked_.first_pixel.data(), samples_.data() + static_cast<std::size_t>(i) * row_bytes, 3) != 0;
  }
  if (auto status = check(first - geometry_.crop, last - geometry_.crop, summary); !status) return status;
  return sink_(first - geometry_.crop, samples_);
}

}  // namespace weir::enhance
