// Tests the matrix products over patches (PatchJob) of each instruction set.

#include <gtest/gtest.h>

#include <limits>

#include "compute/kernels/conv/conv_ref.hpp"
#include "compute/kernels/deconv/deconv_ref.hpp"
#include "compute/kernels/kernels_test.hpp"

namespace weir::compute {
namespace {

using test::SeededNumbers;

struct Case {
  bool transposed = false;
  int kernel = 1, stride = 1, pad = 0;
  int in = 32, out = 32;
  int height = 4, width = 8;  ///< size of the input
  Arithmetic arithmetic = Arithmetic::int16;
  ElementType element_type = ElementType::float16;
  bool gate = false;  ///< whether the input has a gate
  bool residual = false, residual_gate = false;
  std::uint64_t seed = 1;
  [[nodiscard]] bool planar() const { return out <= kMaxPlanarChannels; }
  [[nodiscard]] int factor() const { return transposed ? stride : 1; }
  /// Returns the number of output rows (and columns) of the first position that are outside of the result.
  [[nodiscard]] int output_crop() const { return transposed ? pad : 0; }
  [[nodiscard]] int input_step() const { return transposed ? 1 : stride; }
  /// Returns the number of taps of a patch on each axis.
  [[nodiscard]] int taps() const { return transposed ? (kernel + stride - 1) / stride : kernel; }
  /// Returns the width of the border of zeros around the input that patches reach.
  [[nodiscard]] int border() const { return transposed ? taps() - 1 : 0; }
  [[nodiscard]] int result(int extent) const {
    return transposed ? (extent - 1) * stride + kernel - 2 * pad : (extent - kernel) / stride + 1;
  }
  [[nodiscard]] int positions(int extent) const { return (result(extent) - 1 + output_crop()) / factor() + 1; }
  /// Returns the number of channels of a phase: whole vectors of every instruction set, unless the output is planar.
  [[nodiscard]] int phase_channels() const { return planar() ? out : round_up(out, 16); }
};
std::ostream& operator<<(std::ostream& stream, const Case& c) {
  return stream << text(c.arithmetic) << " " << text(c.element_type) << (c.transposed ? " transposed " : " ")
                << c.kernel << "x" << c.kernel << " stride " << c.stride << " pad " << c.pad << ", " << c.in << " to "
                << c.out << ", " << c.height << "x" << c.width << (c.gate ? ", gate" : "")
                << (c.residual ? ", residual" : "") << ", seed " << c.seed;
}

/// Returns the weights in the order of the matrix, [phase][phase_channels][tap y][tap x][padded in]. In a transposed
/// convolution, tap t of phase r is kernel row r + stride * (taps - 1 - t): input row p - (taps - 1) + t, multiplied by
/// it, is added to output row stride * p + r. p is the row of the position (PatchJob).
std::vector<float> pack_weights(const Case& c, const std::vector<float>& weight) {
  const int in = padded_channels(c.in);
  const int phases = c.factor() * c.factor();
  const int channels = phases == 1 ? c.out : c.phase_channels();
  std::vector<float> packed(static_cast<std::size_t>(phases) * channels * c.taps() * c.taps() * in);
  for (int phase = 0; phase < phases; ++phase) {
    for (int o = 0; o < c.out; ++o) {
      for (int t = 0; t < c.taps() * c.taps(); ++t) {
        const int ty = t / c.taps(), tx = t % c.taps();
        const int ky = c.transposed ? phase / c.factor() + c.stride * (c.taps() - 1 - ty) : ty;
        const int kx = c.transposed ? phase % c.factor() + c.stride * (c.taps() - 1 - tx) : tx;
        if (ky >= c.kernel || kx >= c.kernel) continue;
        float* to = packed.data() + (static_cast<std::size_t>(phase * channels + o) * c.taps() * c.taps() + t) * in;
        for (int i = 0; i < c.in; ++i)
          to[i] = weight[((static_cast<std::size_t>(o) * c.in + i) * c.kernel + ky) * c.kernel + kx];
      }
    }
  }
  return packed;
}

/// A small picture that is computed with patch jobs.
class Picture {
 public:
  Picture(const Kernels& kernels, const Case& c)
      : kernels_{kernels},
        case_{c},
        random_{c.seed},
        weight_{numbers(random_, static_cast<std::size_t>(c.out) * c.in * c.kernel * c.kernel)},
        bias_{numbers(random_, static_cast<std::size_t>(c.out))},
        slope_{numbers(random_, static_cast<std::size_t>(c.out))},
        gate_{numbers(random_, static_cast<std::size_t>(padded_channels(c.in)))},
        residual_gate_{aligned(numbers(random_, static_cast<std::size_t>(c.out)), padded_channels(c.out))},
        packed_{pack_weights(c, weight_)},
        patch_size_{c.taps() * c.taps() * padded_channels(c.in)},
        matrix_{pack_matrix(kernels, c.arithmetic, static_cast<int>(packed_.size()) / patch_size_, patch_size_,
                            packed_.data())},
        epilogue_{per_lane(bias_), per_lane(slope_)},
        input_{c.element_type, c.height + 2 * c.border(), c.width + 2 * c.border(), padded_channels(c.in), 0},
        residual_{c.element_type, c.result(c.height), c.result(c.width), padded_channels(c.out)},
        scratch_{kernels.patch_scratch(matrix_.in)},
        output{c.element_type, c.result(c.height), c.result(c.width) + kGuard, padded_channels(c.out)},
        planes{c.out, c.result(c.height), c.result(c.width) + kGuard} {
    for (int i = 0; i < c.height * c.width * c.in; ++i) {
      set_input(i % c.in, i / c.in / c.width, i / c.in % c.width, random_.between(-1, 1));
    }
    residual_.fill(random_);
    std::fill(planes.values.begin(), planes.values.end(), kUntouched);
  }
  void set_input(int channel, int y, int x, float value) {
    input_.set(y + case_.border(), x + case_.border(), channel, value);
  }

  /// Computes the picture with jobs of at most `max_positions` positions each.
  void run(int max_positions) {
    const int positions = case_.positions(case_.width);
    for (int row = 0; row < case_.positions(case_.height); ++row) {
      for (int first = 0; first < positions; first += max_positions)
        run_job(row, first, std::min(max_positions, positions - first));
    }
  }

  /// Checks that the results are those of the reference, and that all other memory is unchanged.
  void expect_reference_result() const {
    const Planes in = gated_input();
    const ConvGeometry geometry{case_.out, case_.kernel, case_.stride, case_.pad};
    const Planes sums =
        case_.transposed ? deconv_ref(in, geometry, weight_, bias_) : conv_ref(in, geometry, weight_, bias_);
    const Roundings rounded = roundings(in);
    // The standard deviation of a sum of products of two random numbers in -1..1.
    const double scale = std::sqrt(static_cast<double>(patch_size_)) / 3;
    for (int y = 0; y < sums.height; ++y) {
      for (int x = 0; x < output.width(); ++x) {
        for (int o = 0; o < (case_.planar() ? case_.out : output.stride()); ++o) {
          const float actual = case_.planar() ? planes.at(o, y, x) : output.value(y, x, o);
          if (x >= sums.width || o >= case_.phase_channels()) {
            ASSERT_EQ(actual, kUntouched) << case_ << "; channel " << o << " row " << y << " column " << x;
            continue;
          }
          if (o >= case_.out) continue;  // padding up to a whole vector; it may have any value
          const double expected = with_epilogue(sums.at(o, y, x), o, y, x);
          double tolerance =
              1e-4 * scale + rounding(case_.planar() ? ElementType::float32 : case_.element_type, expected);
          if (case_.arithmetic == Arithmetic::int16) tolerance += kDeviations * std::sqrt(variance(rounded, o, y, x));
          ASSERT_NEAR(actual, expected, tolerance) << case_ << "; channel " << o << " row " << y << " column " << x;
        }
      }
    }
  }
  [[nodiscard]] bool same_result(const Picture& other) const {
    return output == other.output && planes.values == other.planes.values;
  }

 private:
  static constexpr float kAlpha = 0.75F, kBeta = 0.5F;
  static constexpr int kGuard = 4;  // number of columns after a row that must not be written

  /// Returns the values of the channels, repeated for each phase, in the order of the outputs of the matrix.
  [[nodiscard]] AlignedArray<float> per_lane(const std::vector<float>& values) const {
    AlignedArray<float> lanes{static_cast<std::size_t>(matrix_.out_padded)};
    for (int phase = 0; phase < case_.factor() * case_.factor(); ++phase) {
      std::copy(values.begin(), values.end(), lanes.data() + phase * case_.phase_channels());
    }
    return lanes;
  }

  void run_job(int row, int first, int positions) {
    PatchJob job;
    job.matrix = &matrix_;
    job.epilogue = &epilogue_;
    job.element_type = case_.element_type;
    job.channels = padded_channels(case_.in);
    job.kernel = case_.taps();
    job.stride = case_.input_step();
    job.factor = case_.factor();
    job.out_channels = case_.phase_channels();
    for (int k = 0; k < case_.taps(); ++k) {
      job.rows[static_cast<std::size_t>(k)] = input_.at(row * job.stride + k, first * job.stride);
    }
    job.pixel_stride = input_.stride();
    if (case_.gate) job.gate = gate_.data();
    job.positions = positions;
    job.first_column = first * job.factor - case_.output_crop();
    job.columns = planes.width - kGuard;
    job.target = {output.stride(), static_cast<std::ptrdiff_t>(planes.plane_size()), case_.planar()};
    job.residual = {residual_.stride(), case_.residual_gate ? residual_gate_.data() : nullptr, kAlpha, kBeta,
                    case_.residual};
    for (int dy = 0; dy < job.factor; ++dy) {
      const int y = row * job.factor - case_.output_crop() + dy;
      if (y < 0 || y >= planes.height) continue;
      const auto i = static_cast<std::size_t>(dy);
      job.out[i] = case_.planar() ? static_cast<void*>(&planes.at(0, y, 0)) : output.at(y, 0);
      job.residual_rows[i] = residual_.at(y, 0);
    }
    job.scratch = scratch_.data();
    job.found_non_finite = &found_non_finite;
    kernels_.patch(job);
  }

  /// Returns the input without its border, multiplied by the gate: the input of the reference.
  [[nodiscard]] Planes gated_input() const {
    Planes in{case_.in, case_.height, case_.width};
    for (int c = 0; c < case_.in; ++c) {
      for (int y = 0; y < case_.height; ++y) {
        for (int x = 0; x < case_.width; ++x) {
          in.at(c, y, x) = input_.value(y + case_.border(), x + case_.border(), c) *
                           (case_.gate ? gate_[static_cast<std::size_t>(c)] : 1.0F);
        }
      }
    }
    return in;
  }
  /// Returns the result for a sum of products with its bias: applies the activation and adds the residual.
  [[nodiscard]] double with_epilogue(double sum, int o, int y, int x) const {
    const double value = sum < 0 ? sum * slope_[static_cast<std::size_t>(o)] : sum;
    if (!case_.residual) return value;
    const double factor = kBeta * (case_.residual_gate ? static_cast<double>(residual_gate_.data()[o]) : 1.0);
    return kAlpha * value + factor * residual_.value(y, x, o);
  }
  /// Variances of the int16 sums of the result: per output of the matrix, and per position.
  struct Roundings {
    std::vector<RoundedSum> weights, values;
  };
  [[nodiscard]] Roundings roundings(const Planes& in) const {
    Roundings r;
    for (std::size_t i = 0; i < packed_.size(); ++i) {
      if (i % static_cast<std::size_t>(patch_size_) == 0) r.weights.emplace_back();
      r.weights.back().add_weight(packed_[i]);
    }
    for (int position_row = 0; position_row < case_.positions(in.height); ++position_row) {
      for (int position_column = 0; position_column < case_.positions(in.width); ++position_column)
        add_values(in, position_row, position_column, r.values.emplace_back());
    }
    return r;
  }
  /// Adds the input values that the position in this row and column of positions reads.
  void add_values(const Planes& in, int position_row, int position_column, RoundedSum& sum) const {
    for (int t = 0; t < case_.taps() * case_.taps(); ++t) {
      const int y = position_row * case_.input_step() + t / case_.taps() - case_.border();
      const int x = position_column * case_.input_step() + t % case_.taps() - case_.border();
      if (y < 0 || y >= in.height || x < 0 || x >= in.width) continue;
      for (int c = 0; c < in.channels; ++c) sum.add_value(in.at(c, y, x));
    }
  }
  [[nodiscard]] double variance(const Roundings& r, int o, int y, int x) const {
    const int f = case_.factor();
    const int position = (y + case_.output_crop()) / f * case_.positions(case_.width) + (x + case_.output_crop()) / f;
    const int phase = (y + case_.output_crop()) % f * f + (x + case_.output_crop()) % f;
    RoundedSum sum = r.weights[phase * case_.phase_channels() + o];
    sum.value_squares = r.values[position].value_squares;
    sum.value_most = r.values[position].value_most;
    return sum.variance();
  }

  const Kernels& kernels_;
  Case case_;
  SeededNumbers random_;
  std::vector<float> weight_, bias_, slope_, gate_;
  AlignedArray<float> residual_gate_;
  std::vector<float> packed_;  // [outputs of the matrix][patch_size_]
  int patch_size_;
  PackedMatrix matrix_;
  EpilogueWeights epilogue_;
  FeatureRows input_;  // with its border of zeros
  FeatureRows residual_;
  AlignedArray<std::byte> scratch_;

 public:
  FeatureRows output;  ///< feature rows
  Planes planes;       ///< planar rows
  bool found_non_finite = false;
};

/// Returns cases of every kind of patch that networks use, with random channels, sizes and epilogues.
std::vector<Case> cases() {
  struct Kind {
    bool transposed;
    int kernel, stride, pad;
  };
  constexpr std::array<Kind, 5> kKinds{
      {{false, 1, 1, 0}, {false, 2, 2, 0}, {true, 2, 2, 0}, {true, 4, 2, 3}, {true, 5, 3, 2}}};
  SeededNumbers random{99};
  std::vector<Case> list;
  for (const Kind& kind : kKinds) {
    for (const int out : {3, 12, 64, uniform(random, 5, 100)}) {
      for (const Arithmetic arithmetic : {Arithmetic::int16, Arithmetic::float32}) {
        Case c;
        c.transposed = kind.transposed;
        c.kernel = kind.kernel;
        c.stride = kind.stride;
        c.pad = kind.pad;
        c.in = uniform(random, 5, 96);
        c.out = out;
        c.height = uniform(random, 3, 5);
        c.width = uniform(random, 3, 30);
        c.arithmetic = arithmetic;
        c.element_type = uniform(random, 0, 1) == 0 ? ElementType::float16 : ElementType::float32;
        c.gate = uniform(random, 0, 1) == 0;
        c.residual = !c.planar() && uniform(random, 0, 1) == 0;
        c.residual_gate = uniform(random, 0, 1) == 0;
        c.seed = random.next() % 1000;
        list.push_back(c);
      }
    }
  }
  return list;
}

class Patch : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Sets, Patch, testing::ValuesIn(kInstructionSets), instruction_set_of);

TEST_P(Patch, IsTheConvolutionAndWritesNothingElse) {
  for (const Case& c : cases()) {
    Picture picture{kernels(), c};
    picture.run(1000);
    picture.expect_reference_result();
    EXPECT_FALSE(picture.found_non_finite) << c;
    if (HasFatalFailure()) return;
  }
}

TEST_P(Patch, ABaseDoesNotDependOnTheJobThatItIsIn) {
  for (const Case& c : cases()) {
    Picture whole{kernels(), c}, pieces{kernels(), c};
    whole.run(1000);
    pieces.run(static_cast<int>(c.seed % 7) + 1);
    ASSERT_TRUE(pieces.same_result(whole)) << c;
  }
}

/// Without fused multiply-adds between input and output, every instruction set does the same operations as plain.
TEST_P(Patch, Int16HasTheBitsOfThePlainSet) {
  for (Case c : cases()) {
    if (c.arithmetic != Arithmetic::int16) continue;
    c.residual = false;
    c.out = c.phase_channels();  // whole vectors of every instruction set, because padding may have any value
    Picture picture{kernels(), c}, plain{plain_kernels(), c};
    picture.run(1000);
    plain.run(1000);
    ASSERT_TRUE(picture.same_result(plain)) << c;
  }
}

TEST_P(Patch, NaNAndInfinityAreReported) {
  const Case c{.kernel = 2, .stride = 2, .in = 64, .out = 16, .height = 4, .width = 22};
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
    for (const int x : {0, 13, 21}) {
      Picture picture{kernels(), c};
      picture.set_input(33, 2, x, value);
      picture.run(1000);
      EXPECT_TRUE(picture.found_non_finite) << value << " in column " << x;
    }
  }
  Picture picture{kernels(), c};
  picture.set_input(33, 2, 13, 65504.0F);  // the largest finite binary16 value
  picture.run(1000);
  EXPECT_FALSE(picture.found_non_finite);
}

}  // namespace
}  // namespace weir::compute
