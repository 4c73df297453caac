// Tests the 3x3 convolution with Winograd's algorithm (Conv3x3Job) of each instruction set.

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <numeric>

#include "compute/kernels/conv/conv_ref.hpp"
#include "compute/kernels/kernels_test.hpp"

namespace weir::compute {
namespace {

using test::SeededNumbers;

struct Case {
  std::vector<int> sources;  ///< channels of each source, a multiple of 32
  int out = 32, tiles = 1, columns = 4, rows = 4;
  Arithmetic arithmetic = Arithmetic::int16;
  ElementType element_type = ElementType::float16;
  bool residual = false, gate = false;
  std::uint64_t seed = 1;
  [[nodiscard]] int in() const { return std::accumulate(sources.begin(), sources.end(), 0); }
  [[nodiscard]] bool planar() const { return out <= kMaxPlanarChannels; }
};
std::ostream& operator<<(std::ostream& stream, const Case& c) {
  stream << text(c.arithmetic) << " " << text(c.element_type) << ", in";
  for (const int channels : c.sources) stream << " " << channels;
  return stream << ", out " << c.out << ", " << c.tiles << " tiles, " << c.columns << "x" << c.rows << " pixels"
                << (c.residual ? ", residual" : "") << (c.gate ? ", gate" : "") << ", seed " << c.seed;
}

/// One row of tiles with all memory that a job uses.
class TileRow {
 public:
  TileRow(const Kernels& kernels, const Case& c)
      : kernels_{kernels},
        case_{c},
        random_{c.seed},
        input_{c.in(), 6, 4 * c.tiles + 2},
        weight_{numbers(random_, static_cast<std::size_t>(c.out) * c.in() * 9)},
        bias_{numbers(random_, static_cast<std::size_t>(c.out))},
        slope_{numbers(random_, static_cast<std::size_t>(c.out))},
        gate_{aligned(numbers(random_, static_cast<std::size_t>(c.out)), padded_channels(c.out))},
        matrix_{pack_conv3x3(kernels, c.arithmetic, c.out, c.in(), weight_.data())},
        epilogue_{aligned(bias_, matrix_.out_padded), aligned(slope_, matrix_.out_padded)},
        residual_{c.element_type, 4, c.columns, padded_channels(c.out)},
        scratch_{kernels.conv3x3_scratch(c.in())},
        output{c.element_type, 4, c.columns + kGuard, padded_channels(c.out)},
        planes{c.out, 4, c.columns + kGuard} {
    for (std::size_t s = 0; s < c.sources.size(); ++s) {
      const int stride = c.sources[s] + (s % 2 == 0 ? 0 : 32);  // a source may be part of wider rows
      sources_.emplace_back(c.element_type, 6, 4 * c.tiles + 2, stride);
      sources_.back().fill(random_);
    }
    read_input();
    residual_.fill(random_);
    std::fill(planes.values.begin(), planes.values.end(), kUntouched);
  }

  /// Sets one value of one source.
  void set_input(int channel, int y, int x, float value) {
    sources_[0].set(y, x, channel, value);
    read_input();
  }
  void make_input_integers() {
    for (std::size_t s = 0; s < sources_.size(); ++s) {
      for (int c = 0; c < case_.sources[s]; ++c) {
        for (int i = 0; i < 6 * input_.width; ++i) {
          sources_[s].set(i / input_.width, i % input_.width, c, static_cast<float>(uniform(random_, -50, 50)));
        }
      }
    }
    read_input();
  }

  /// Runs tiles first .. first + tiles - 1 as one job.
  void run(int first, int tiles) {
    std::vector<SourceBlock<6>> blocks;
    for (std::size_t s = 0; s < sources_.size(); ++s) {
      for (int c = 0; c < case_.sources[s]; c += 32) {
        SourceBlock<6>& block = blocks.emplace_back();
        block.pixel_stride = sources_[s].stride();
        for (int k = 0; k < 6; ++k) block.rows[static_cast<std::size_t>(k)] = sources_[s].at(k, 4 * first, c);
      }
    }
    Conv3x3Job job;
    job.matrix = &matrix_;
    job.epilogue = &epilogue_;
    job.element_type = case_.element_type;
    job.blocks = blocks.data();
    job.tiles = tiles;
    job.columns = std::min(4 * tiles, case_.columns - 4 * first);
    job.rows = case_.rows;
    job.target = {output.stride(), static_cast<std::ptrdiff_t>(planes.plane_size()), case_.planar()};
    for (int r = 0; r < case_.rows; ++r) {
      const auto i = static_cast<std::size_t>(r);
      job.out[i] = case_.planar() ? static_cast<void*>(&planes.at(0, r, 4 * first)) : output.at(r, 4 * first);
      job.residual_rows[i] = residual_.at(r, 4 * first);
    }
    job.residual = {residual_.stride(), case_.gate ? gate_.data() : nullptr, kAlpha, kBeta, case_.residual};
    job.scratch = scratch_.data();
    job.found_non_finite = &found_non_finite;
    kernels_.conv3x3(job);
  }

  /// Checks that the results are those of the reference, and that all other memory is unchanged.
  void expect_reference_result() const {
    const Planes sums = conv_ref(input_, {case_.out, 3, 1, 0}, weight_, bias_);
    // The standard deviation of a sum of products of two random numbers in -1..1.
    const double scale = std::sqrt(9.0 * case_.in()) / 3;
    const Roundings roundings{*this};
    for (int o = 0; o < padded_channels(case_.out); ++o) {
      for (int y = 0; y < 4; ++y) {
        for (int x = 0; x < output.width(); ++x) {
          if (case_.planar() && o >= case_.out) continue;
          const float actual = case_.planar() ? planes.at(o, y, x) : output.value(y, x, o);
          if (y >= case_.rows || x >= case_.columns || o >= matrix_.out_padded) {
            ASSERT_EQ(actual, kUntouched) << case_ << "; channel " << o << " row " << y << " column " << x;
            continue;
          }
          if (o >= case_.out) continue;  // padding up to a whole vector; it may have any value
          const double expected = with_epilogue(sums.at(o, y, x), o, y, x);
          double tolerance =
              1e-4 * scale + rounding(case_.planar() ? ElementType::float32 : case_.element_type, expected);
          if (case_.arithmetic == Arithmetic::int16) tolerance += kDeviations * std::sqrt(roundings.variance(o, y, x));
          ASSERT_NEAR(actual, expected, tolerance) << case_ << "; channel " << o << " row " << y << " column " << x;
        }
      }
    }
  }
  [[nodiscard]] bool same_result(const TileRow& other) const {
    return output == other.output && planes.values == other.planes.values;
  }
  [[nodiscard]] int tiles() const { return case_.tiles; }

 private:
  static constexpr float kAlpha = 0.75F, kBeta = 0.5F;
  static constexpr int kGuard = 4;  // number of columns after a row that must not be written
  const Kernels& kernels_;
  Case case_;
  SeededNumbers random_;
  Planes input_;
  std::vector<float> weight_, bias_, slope_;
  AlignedArray<float> gate_;
  PackedMatrix matrix_;
  EpilogueWeights epilogue_;
  FeatureRows residual_;
  AlignedArray<std::byte> scratch_;
  std::vector<FeatureRows> sources_;

 public:
  FeatureRows output;  ///< feature rows
  Planes planes;       ///< planar rows
  bool found_non_finite = false;

 private:
  /// Copies the values of the sources' rows to input_, the input of the reference.
  void read_input() {
    int channel = 0;
    for (std::size_t s = 0; s < sources_.size(); ++s) {
      for (int c = 0; c < case_.sources[s]; ++c, ++channel) {
        for (int y = 0; y < 6; ++y) {
          for (int x = 0; x < input_.width; ++x) input_.at(channel, y, x) = sources_[s].value(y, x, c);
        }
      }
    }
  }
  /// Returns the result for a sum of products with its bias: applies the activation and adds the residual.
  [[nodiscard]] double with_epilogue(double sum, int o, int y, int x) const {
    const double value = sum < 0 ? sum * slope_[o] : sum;
    if (!case_.residual) return value;
    const double factor = kBeta * (case_.gate ? static_cast<double>(gate_.data()[o]) : 1.0);
    return kAlpha * value + factor * residual_.value(y, x, o);
  }

  /// Computes the variance of the errors in int16 results. A tile has 36 sums; the inverse transform makes the results
  /// from them, and with the same factors squared, their variances from those of the sums.
  class Roundings {
   public:
    explicit Roundings(const TileRow& row) : row_{row}, sums_(36 * row.case_.out), values_(36 * row.case_.tiles) {
      if (row.case_.arithmetic == Arithmetic::float32) return;
      for (int o = 0; o < row.case_.out; ++o) add_weights(o);
      for (int tile = 0; tile < row.case_.tiles; ++tile) add_values(tile);
    }
    [[nodiscard]] double variance(int o, int y, int x) const {
      double sum = 0;
      for (int p = 0; p < 36; ++p) {
        const double factor = kInverse[y][p / 6] * kInverse[x % 4][p % 6];
        RoundedSum rounded = sums_[36 * o + p];
        rounded.value_squares = values_[36 * (x / 4) + p].value_squares;
        rounded.value_most = values_[36 * (x / 4) + p].value_most;
        sum += factor * factor * rounded.variance();
      }
      return sum;
    }

   private:
    /// The matrices of F(4, 3) for the points 0, 1, -1, 2, -2 and infinity. Source: Lavin and Gray, CVPR 2016.
    static constexpr double kForward[6][6] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                                              {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
    static constexpr double kKernel[6][3] = {{1.0 / 4, 0, 0},
                                             {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                             {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                             {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                             {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                             {0, 0, 1}};
    static constexpr double kInverse[4][6] = {
        {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

    /// Computes m * block * m^T and calls take(p, value) for each of its 36 points p. `block` is N x N.
    template <int N, class Block, class Take>
    static void transform(const double (&m)[6][N], Block&& block, Take&& take) {
      double half[6][N];
      for (int i = 0; i < 6; ++i) {
        for (int x = 0; x < N; ++x) {
          half[i][x] = 0;
          for (int y = 0; y < N; ++y) half[i][x] += m[i][y] * block(y, x);
        }
      }
      for (int p = 0; p < 36; ++p) {
        double sum = 0;
        for (int x = 0; x < N; ++x) sum += half[p / 6][x] * m[p % 6][x];
        take(p, sum);
      }
    }
    void add_weights(int o) {
      for (int c = 0; c < row_.case_.in(); ++c) {
        const float* k = row_.weight_.data() + (static_cast<std::size_t>(o) * row_.case_.in() + c) * 9;
        transform(
            kKernel, [&](int y, int x) { return k[3 * y + x]; },
            [&](int p, double w) { sums_[36 * o + p].add_weight(w); });
      }
    }
    void add_values(int tile) {
      for (int c = 0; c < row_.case_.in(); ++c) {
        transform(
            kForward, [&](int y, int x) { return row_.input_.at(c, y, 4 * tile + x); },
            [&](int p, double v) { values_[36 * tile + p].add_value(v); });
      }
    }
    const TileRow& row_;
    std::vector<RoundedSum> sums_, values_;  // [out][36], [tiles][36]
  };
};

/// Returns the channels of up to five sources that have `blocks` blocks of 32 channels together.
std::vector<int> split_blocks(SeededNumbers& random, int blocks) {
  std::vector<int> sources;
  while (blocks > 0 && sources.size() < 4) {
    const int take = uniform(random, 1, blocks);
    sources.push_back(32 * take);
    blocks -= take;
  }
  if (blocks > 0) sources.push_back(32 * blocks);
  return sources;
}

/// Returns random shapes for each kind of output width.
std::vector<Case> cases() {
  SeededNumbers random{2024};
  std::vector<Case> list;
  for (const int out : {1, 3, 12, 16, 32, 48, 64, 128}) {
    for (const Arithmetic arithmetic : {Arithmetic::int16, Arithmetic::float32}) {
      Case c;
      c.sources = split_blocks(random, uniform(random, 1, out > 64 ? 3 : 8));
      c.out = out;
      c.tiles = uniform(random, 1, 11);
      c.columns = uniform(random, 4 * c.tiles - 3, 4 * c.tiles);
      c.rows = uniform(random, 1, 4);
      c.arithmetic = arithmetic;
      c.element_type = uniform(random, 0, 1) == 0 ? ElementType::float16 : ElementType::float32;
      c.residual = uniform(random, 0, 1) == 0;
      c.gate = uniform(random, 0, 1) == 0;
      c.seed = random.next() % 1000;
      list.push_back(c);
    }
  }
  list.push_back({.sources = {64}, .out = 32, .tiles = 27, .columns = 107});  // more than the kernel processes at once
  return list;
}

class Conv3x3 : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Sets, Conv3x3, testing::ValuesIn(kInstructionSets), instruction_set_of);

TEST_P(Conv3x3, IsTheConvolutionAndWritesNothingElse) {
  for (const Case& c : cases()) {
    TileRow row{kernels(), c};
    row.run(0, c.tiles);
    row.expect_reference_result();
    EXPECT_FALSE(row.found_non_finite) << c;
    if (HasFatalFailure()) return;
  }
}

TEST_P(Conv3x3, ATileDoesNotDependOnTheJobThatItIsIn) {
  SeededNumbers random{7};
  for (const Case& c : cases()) {
    TileRow whole{kernels(), c}, pieces{kernels(), c};
    whole.run(0, c.tiles);
    for (int first = 0; first < c.tiles;) {
      const int count = uniform(random, 1, c.tiles - first);
      pieces.run(first, count);
      first += count;
    }
    ASSERT_TRUE(pieces.same_result(whole)) << c;
  }
}

TEST_P(Conv3x3, NaNAndInfinityAreReported) {
  const Case c{.sources = {32, 32}, .out = 16, .tiles = 3, .columns = 12};
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
    for (const int x : {0, 5, 13}) {
      TileRow row{kernels(), c};
      row.set_input(17, 3, x, value);
      row.run(0, c.tiles);
      EXPECT_TRUE(row.found_non_finite) << value << " in column " << x;
    }
  }
  TileRow row{kernels(), c};
  row.set_input(17, 3, 5, 65504.0F);  // the largest finite binary16 value
  row.run(0, c.tiles);
  EXPECT_FALSE(row.found_non_finite);
}

/// Fills the stack memory that the next call uses for its local variables with bytes that are NaN as float and as
/// double.
[[gnu::noinline]] void leave_nan_on_the_stack() {
  std::array<volatile float, 1 << 15> left;
  for (volatile float& value : left) value = std::numeric_limits<float>::quiet_NaN();
}

TEST_P(Conv3x3, OldStackContentsAreNotReported) {
  for (int tiles = 1; tiles <= 13; ++tiles) {
    const Case c{.sources = {32}, .out = 16, .tiles = tiles, .columns = 4 * tiles};
    TileRow row{kernels(), c};
    leave_nan_on_the_stack();
    row.run(0, c.tiles);
    EXPECT_FALSE(row.found_non_finite) << tiles << " tiles";
  }
}

TEST_P(Conv3x3, FollowsTheDefinitionOnIntegers) {
  // The transform of small integers is exact, so all instruction sets round the same numbers to int16 and get the same
  // sums. Only the inverse transform, in float32, can differ.
  const Case c{.sources = {64}, .out = 48, .tiles = 7, .columns = 28, .element_type = ElementType::float32};
  TileRow row{kernels(), c}, plain{plain_kernels(), c};
  row.make_input_integers();
  plain.make_input_integers();
  row.run(0, c.tiles);
  plain.run(0, c.tiles);
  constexpr double kTolerance = 50 * 4e-6;  // in proportion to the largest input, 50
  for (int i = 0; i < 4 * 28 * 48; ++i) {
    const int y = i / 48 / 28, x = i / 48 % 28, o = i % 48;
    ASSERT_NEAR(row.output.value(y, x, o), plain.output.value(y, x, o), kTolerance) << y << " " << x << " " << o;
  }
}

/// With fused multiply-adds, the same operations in the same order give the same bits on every processor. The hashes
/// are those of these bits.
TEST_P(Conv3x3, SetsWithFusedMultiplyAddGiveTheSameBits) {
  if (GetParam() == std::string{"plain"}) GTEST_SKIP() << "plain multiplies and adds in two steps";
  std::vector<std::uint64_t> hashes;
  for (const ElementType element_type : {ElementType::float16, ElementType::float32}) {
    for (const Arithmetic arithmetic : {Arithmetic::int16, Arithmetic::float32}) {
      const Case c{.sources = {64, 32},
                   .out = 64,
                   .tiles = 9,
                   .columns = 35,
                   .arithmetic = arithmetic,
                   .element_type = element_type,
                   .residual = true,
                   .gate = true,
                   .seed = 5};
      TileRow row{kernels(), c};
      row.run(0, c.tiles);
      hashes.push_back(row.output.hash());
    }
  }
  EXPECT_EQ(hashes, (std::vector<std::uint64_t>{10440912200195699073U, 16940359829468836810U, 17545894488499806669U,
                                                11562829844049546214U}));
}

}  // namespace
}  // namespace weir::compute
