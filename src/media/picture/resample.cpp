#include "media/picture/resample.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace weir::media {
namespace {

constexpr double kLobes = 3;  // lobes of the kernel on each side

double lanczos(double x) {
  x = std::abs(x);
  if (x < 1e-9) return 1;
  if (x >= kLobes) return 0;
  const double a = std::numbers::pi * x;
  return kLobes * std::sin(a) * std::sin(a / kLobes) / (a * a);
}

/// The taps of all output positions along one axis. Taps are the input positions that contribute to an output position.
/// They are all inside the picture, and the sum of their weights is 1.
struct Axis {
  struct Taps {
    int first, count;          // position of the first tap; number of taps
    std::size_t first_weight;  // index in Axis::weights of the weight of the first tap
  };
  std::vector<Taps> taps;
  std::vector<float> weights;
  int max_taps = 0;

  /// The sizes are the numbers of positions along the axis.
  Axis(int input_size, int output_size) {
    // distance between output positions, in input positions; factor by which the kernel is stretched
    const double step = static_cast<double>(input_size) / output_size, stretch = std::max(1.0, step);
    taps.reserve(static_cast<std::size_t>(output_size));
    for (int i = 0; i < output_size; ++i) {
      const double centre = (i + 0.5) * step - 0.5;
      const int first = std::max(0, static_cast<int>(std::ceil(centre - kLobes * stretch)));
      const int last = std::min(input_size - 1, static_cast<int>(std::floor(centre + kLobes * stretch)));
      const auto start = weights.size();
      double sum = 0;
      for (int k = first; k <= last; ++k) sum += lanczos((k - centre) / stretch);
      for (int k = first; k <= last; ++k) weights.push_back(static_cast<float>(lanczos((k - centre) / stretch) / sum));
      taps.push_back({first, last - first + 1, start});
      max_taps = std::max(max_taps, last - first + 1);
    }
  }
};

/// Returns an upper bound of Axis::max_taps.
int bound_of_taps(int input_size, int output_size) {
  const double stretch = std::max(1.0, static_cast<double>(input_size) / output_size);
  return std::min(input_size, static_cast<int>(2 * kLobes * stretch) + 2);
}

// the sRGB curve, from samples (0 to 1) to linear light and back
double to_linear(double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); }
float to_encoded(float v) { return v <= 0.0031308F ? 12.92F * v : 1.055F * std::pow(v, 1 / 2.4F) - 0.055F; }

template <class Sample>
class LanczosResampler final : public RowSource {
 public:
  LanczosResampler(RowSource& rows, const PictureInfo& from, int width, int height)
      : rows_{rows}, from_{from}, width_{width}, horizontal_{from.width, width}, vertical_{from.height, height} {
    linear_.resize(std::size_t{kOne} + 1);
    for (std::size_t i = 0; i < linear_.size(); ++i)
      linear_[i] = static_cast<float>(to_linear(static_cast<double>(i) / kOne));
    if constexpr (sizeof(Sample) == 1) {
      encoded_.resize(kEncodedSteps + 1);
      for (std::size_t i = 0; i < encoded_.size(); ++i)
        encoded_[i] = static_cast<Sample>(to_encoded(static_cast<float>(i) / kEncodedSteps) * kOne + 0.5F);
    }
    raw_.resize(static_cast<std::size_t>(from.width) * channels());
    input_row_.resize(raw_.size());
    ring_.resize(static_cast<std::size_t>(vertical_.max_taps) * row_samples());
    sum_.resize(row_samples());
  }

  Status read(std::span<std::byte> rows) override {
    auto* out = reinterpret_cast<Sample*>(rows.data());
    const auto count = rows.size() / (row_samples() * sizeof(Sample));
    for (std::size_t i = 0; i < count; ++i, out += row_samples(), ++next_out_) {
      const auto& taps = vertical_.taps[static_cast<std::size_t>(next_out_)];
      while (next_in_ < taps.first + taps.count)
        if (auto got = read_input_row(); !got) return got;
      sum_rows(taps);
      encode(out);
    }
    return ok();
  }

 private:
  static constexpr unsigned kOne = static_cast<Sample>(~Sample{0});  // sample value of full intensity
  // number of steps of linear light in encoded_; even in the darkest colours a step is a twentieth of the distance
  // between two 8-bit samples
  static constexpr std::size_t kEncodedSteps = 65535;

  std::size_t channels() const { return static_cast<std::size_t>(from_.channels()); }
  std::size_t row_samples() const { return static_cast<std::size_t>(width_) * channels(); }
  float* ring_row(int y) { return ring_.data() + static_cast<std::size_t>(y % vertical_.max_taps) * row_samples(); }

  // Reads the next input row and stores it in ring_, resized along the row.
  Status read_input_row() {
    if (auto got = rows_.read(std::as_writable_bytes(std::span{raw_})); !got) return got;
    const auto channel_count = channels(), colours = static_cast<std::size_t>(from_.colours);
    for (std::size_t x = 0; x < raw_.size(); x += channel_count) {
      const float alpha = from_.alpha ? static_cast<float>(raw_[x + colours]) / kOne : 1.0F;
      for (std::size_t c = 0; c < colours; ++c) input_row_[x + c] = linear_[raw_[x + c]] * alpha;
      if (from_.alpha) input_row_[x + colours] = alpha;
    }
    float* out = ring_row(next_in_++);
    for (const auto& taps : horizontal_.taps)
      for (std::size_t c = 0; c < channel_count; ++c) {
        const float* in = input_row_.data() + static_cast<std::size_t>(taps.first) * channel_count + c;
        float sum = 0;
        for (int k = 0; k < taps.count; ++k, in += channel_count)
          sum += *in * horizontal_.weights[taps.first_weight + k];
        *out++ = sum;
      }
    return ok();
  }

  // Makes sum_ from the rows in ring_.
  void sum_rows(const Axis::Taps& taps) {
    std::fill(sum_.begin(), sum_.end(), 0.0F);
    for (int k = 0; k < taps.count; ++k) {
      const float weight = vertical_.weights[taps.first_weight + k];
      const float* row = ring_row(taps.first + k);
      for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += row[i] * weight;
    }
  }

  Sample encode_colour(float v) const {
    v = std::clamp(v, 0.0F, 1.0F);
    if constexpr (sizeof(Sample) == 1) return encoded_[static_cast<std::size_t>(v * kEncodedSteps + 0.5F)];
    return static_cast<Sample>(to_encoded(v) * kOne + 0.5F);
  }

  // Converts sum_ to samples: divides the colours by alpha, and applies the sRGB curve.
  void encode(Sample* out) const {
    const auto channel_count = channels(), colours = static_cast<std::size_t>(from_.colours);
    for (std::size_t x = 0; x < sum_.size(); x += channel_count) {
      const float alpha = from_.alpha ? std::clamp(sum_[x + colours], 0.0F, 1.0F) : 1.0F;
      const float weight = alpha > 0 ? 1 / alpha : 0;
      for (std::size_t c = 0; c < colours; ++c) out[x + c] = encode_colour(sum_[x + c] * weight);
      if (from_.alpha) out[x + colours] = static_cast<Sample>(alpha * kOne + 0.5F);
    }
  }

  RowSource& rows_;
  PictureInfo from_;
  int width_;
  Axis horizontal_, vertical_;
  std::vector<float> linear_;    // index: sample value; value: linear light
  std::vector<Sample> encoded_;  // index: linear light * kEncodedSteps; value: sample; only for 8 bits
  std::vector<Sample> raw_;      // one input row as it was read
  // All in linear light. input_row_: one input row; ring_: the last max_taps input rows, resized to width_; sum_: one
  // output row.
  std::vector<float> input_row_, ring_, sum_;
  int next_in_ = 0, next_out_ = 0;  // index of the next input row; of the next output row
};

}  // namespace

std::unique_ptr<RowSource> resample_rows(RowSource& rows, const PictureInfo& from, int width, int height) {
  if (from.bits == 16) return std::make_unique<LanczosResampler<std::uint16_t>>(rows, from, width, height);
  return std::make_unique<LanczosResampler<std::uint8_t>>(rows, from, width, height);
}

Bytes resample_memory_need(const PictureInfo& from, int width, int height) {
  const auto pixel_bytes = static_cast<std::uint64_t>(from.channels()) * sizeof(float);
  const auto row_taps = static_cast<std::uint64_t>(bound_of_taps(from.width, width));
  const auto column_taps = static_cast<std::uint64_t>(bound_of_taps(from.height, height));
  const auto columns = static_cast<std::uint64_t>(width), rows = static_cast<std::uint64_t>(height);
  // 16 bytes for each Taps; 4 bytes for each weight, times three: a vector that grows takes twice its size, and the old
  // copy while it moves.
  return Bytes{from.row_bytes() + static_cast<std::uint64_t>(from.width) * pixel_bytes +
               (column_taps + 1) * columns * pixel_bytes} +
         Bytes{columns * (16 + 12 * row_taps) + rows * (16 + 12 * column_taps)} + 384_KiB;
}

}  // namespace weir::media
