#pragma once

// Winograd's F(4x4, 3x3) (Conv3x3Job), written once for all policies P (P: the vectors of one instruction set and the
// operations on them, simd/simd_plain.hpp). Each file simd/kernels_*.cpp includes this header and compiles it for one
// instruction set.
//
// A tile is 4x4 output pixels, computed from a window of 6x6 input pixels. transform() turns each window into 36 values
// per channel, one for each point; quantise() converts these values to int16 if the job's arithmetic is int16;
// multiply() computes one matrix product for each point; finish() turns 36 products into 16 results. Tiles are
// processed in groups of kTiles, and kMaxGroups groups together.

#include <cassert>
#include <cstring>

#include "base/round_up.hpp"
#include "compute/kernels/kernels.hpp"
#include "compute/kernels/simd/matrix.hpp"

namespace weir::compute {

template <class P>
struct Winograd {
  using F = typename P::F;
  static constexpr int kPoints = 36;
  static constexpr int kTiles = P::rows;                            // tiles in a group: the rows of the register tile
  static constexpr int kMaxGroups = kTiles >= 6 ? 2 : 12 / kTiles;  // processed together: about 12 tiles
  static constexpr int kMaxTiles = kTiles * kMaxGroups;
  static constexpr int kBlock = P::lanes * P::columns;  // outputs in a block of the packed matrix
  static constexpr int kPad = 16;  // unused floats after each point: points then use different cache sets

  /// The parts of the scratch memory; pad is kPad.
  struct Scratch {
    float* group;        // [36][kTiles * in + pad]: transformed input of one group, before conversion to int16
    float* values;       // with float32: [36][tiles * in + pad], transformed input
    std::int16_t* ints;  // with int16: [36][tiles * in + 2 * pad], transformed input; the same memory as `values`
    float* products;     // [36][tiles * outputs of the block + pad]
    float* unscale;      // with int16: [groups][36][kTiles], 1 / scale of the transformed input
  };
  static constexpr std::size_t round64(std::size_t n) { return round_up(n, 64); }
  static std::size_t group_floats(int in) { return round64(static_cast<std::size_t>(kPoints) * (kTiles * in + kPad)); }
  static std::size_t value_floats(int in) {
    return round64(static_cast<std::size_t>(kPoints) * (kMaxTiles * in + kPad));
  }
  static std::size_t product_floats() {
    return round64(static_cast<std::size_t>(kPoints) * (kMaxTiles * kBlock + kPad));
  }
  static_assert(kTiles <= 8, "unscale_floats() reserves 8 floats per point");
  static std::size_t unscale_floats() { return round64(static_cast<std::size_t>(kMaxGroups) * kPoints * 8 + 16); }
  static std::size_t scratch_bytes(int in) {
    return sizeof(float) * (group_floats(in) + value_floats(in) + product_floats() + unscale_floats());
  }
  static Scratch split_scratch(std::byte* memory, int in) {
    float* f = reinterpret_cast<float*>(memory);
    Scratch s{};
    s.group = f;
    s.values = f + group_floats(in);
    s.ints = reinterpret_cast<std::int16_t*>(s.values);
    s.products = s.values + value_floats(in);
    s.unscale = s.products + product_floats();
    return s;
  }

  /// Computes the input transform B^T d on one axis: d[0..5] to t[0], t[step], ... t[5 * step], which are the values
  /// for the points 0, 1, -1, 2, -2 and infinity.
  static inline __attribute__((always_inline)) void forward(const F* d, F* t, int step) {
    const F two = P::set1(2.0F);
    const F four = P::set1(4.0F);
    const F a = P::fnma(four, d[2], d[4]);
    const F b = P::fnma(four, d[1], d[3]);
    const F c = P::sub(d[4], d[2]);
    const F e = P::sub(d[3], d[1]);
    t[0] = P::fma(four, P::sub(d[0], d[2]), c);          //  4 d0 - 5 d2 + d4
    t[step] = P::add(a, b);                              // -4 d1 - 4 d2 + d3 + d4
    t[2 * step] = P::sub(a, b);                          //  4 d1 - 4 d2 - d3 + d4
    t[3 * step] = P::fma(two, e, c);                     // -2 d1 - d2 + 2 d3 + d4
    t[4 * step] = P::fnma(two, e, c);                    //  2 d1 - d2 - 2 d3 + d4
    t[5 * step] = P::fnma(four, e, P::sub(d[5], d[3]));  //  4 d1 - 5 d3 + d5
  }
  /// Computes the output transform A^T m on one axis: m[0..5] to y[0], y[step], ... y[3 * step].
  static inline __attribute__((always_inline)) void inverse(const F* m, F* y, int step) {
    const F p = P::add(m[1], m[2]);
    const F q = P::sub(m[1], m[2]);
    const F r = P::add(m[3], m[4]);
    const F s = P::sub(m[3], m[4]);
    y[0] = P::add(P::add(m[0], p), r);                        // m0 + m1 + m2 + m3 + m4
    y[step] = P::fma(P::set1(2.0F), s, q);                    // m1 - m2 + 2 m3 - 2 m4
    y[2 * step] = P::fma(P::set1(4.0F), r, p);                // m1 + m2 + 4 m3 + 4 m4
    y[3 * step] = P::add(P::fma(P::set1(8.0F), s, q), m[5]);  // m1 - m2 + 8 m3 - 8 m4 + m5
  }

  /// Transforms the windows of the `tiles` tiles of one group, from input column `first_column` on, to
  /// values[point * step + tile * in + channel]. If Most is true, most[tile * 36 + point] receives a vector whose
  /// largest lane is the largest |value| of that tile and point. Processes two vectors of channels at once; in the
  /// code, `a` and the first array of `half_done` belong to the first of them.
  template <class T, bool Most>
  static void transform(const Conv3x3Job& job, int first_column, int tiles, float* values, std::size_t step, F* most) {
    const int in = job.matrix->in;
    alignas(64) F half_done[2][(4 * kTiles + 2) * 6];
    constexpr int kVectors = 32 / P::lanes;  // vectors in a block of channels
    for (int block = 0; block < in / 32; ++block) {
      const SourceBlock<6>& source = job.blocks[block];
      for (int v = 0; v < kVectors; v += 2) {
        const std::ptrdiff_t offset = first_column * source.pixel_stride + v * P::lanes;
        const T* rows[6];
        for (int k = 0; k < 6; ++k) rows[k] = static_cast<const T*>(source.rows[static_cast<std::size_t>(k)]) + offset;
        // First transforms each column of the windows. The windows of adjacent tiles share two columns.
        for (int x = 0; x < 4 * tiles + 2; ++x) {
          F a[6];
          F b[6];
          for (int k = 0; k < 6; ++k) {
            a[k] = P::load(rows[k] + x * source.pixel_stride);
            b[k] = P::load(rows[k] + x * source.pixel_stride + P::lanes);
          }
          forward(a, half_done[0] + x * 6, 1);
          forward(b, half_done[1] + x * 6, 1);
        }
        // Then transforms row i of each window, to the points 6 * i .. 6 * i + 5.
        for (int i = 0; i < 6; ++i) {
          for (int tile = 0; tile < tiles; ++tile) {
            F a[6];
            F b[6];
            F row_a[6];
            F row_b[6];
            for (int k = 0; k < 6; ++k) {
              row_a[k] = half_done[0][(4 * tile + k) * 6 + i];
              row_b[k] = half_done[1][(4 * tile + k) * 6 + i];
            }
            forward(row_a, a, 1);
            forward(row_b, b, 1);
            float* to = values + static_cast<std::size_t>(i) * 6 * step + static_cast<std::size_t>(tile) * in +
                        block * 32 + v * P::lanes;
            for (int k = 0; k < 6; ++k) {
              P::store(to + k * step, a[k]);
              P::store(to + k * step + P::lanes, b[k]);
              if constexpr (Most) {
                F& m = most[tile * kPoints + i * 6 + k];
                const F before = block == 0 && v == 0 ? P::set1(0.0F) : m;
                m = P::abs_max(P::abs_max(before, a[k]), b[k]);
              }
            }
          }
        }
      }
    }
  }

  /// Converts the transformed values of a group to int16. The scale of each tile and point follows from `most`, which
  /// transform() has filled. unscale[point * kTiles + tile] receives 1 / scale. Sets *bad to true if a value is NaN or
  /// infinite.
  static void quantise(const float* group, std::size_t group_step, int in, int tiles, F* most, std::int16_t* ints,
                       std::size_t step, float* unscale, bool* bad) {
    // 16 more elements than tiles and points, because whole vectors are written.
    alignas(64) float scale[kTiles * kPoints + 16];
    alignas(64) float inverse_scale[kTiles * kPoints + 16];
    const F range = P::set1(32766.0F);  // largest magnitude of the data; int16_scale() in kernels.cpp has the reason
    F worst = P::set1(0.0F);
    const int count = tiles * kPoints;
    for (int i = count; i % P::lanes != 0; ++i) most[i] = P::set1(0.0F);  // belongs to no tile, but is read
    for (int i = 0; i < count; i += P::lanes) {
      F m = P::largest_lanes(most + i);
      worst = P::abs_max(worst, m);
      m = P::add(m, P::set1(1e-30F));  // not 0, so that the divisions are defined
      P::store(scale + i, P::div(range, m));
      P::store(inverse_scale + i, P::div(m, range));
    }
    alignas(64) float lanes[P::lanes];
    P::store(lanes, worst);
    for (float x : lanes) {
      if (!(x < 3e38F)) *bad = true;  // also NaN; values of 3e38 and more count as infinite
    }
    for (int point = 0; point < kPoints; ++point) {
      for (int tile = 0; tile < tiles; ++tile) {
        const F s = P::set1(scale[tile * kPoints + point]);
        unscale[point * kTiles + tile] = inverse_scale[tile * kPoints + point];
        const float* from = group + point * group_step + static_cast<std::size_t>(tile) * in;
        std::int16_t* to = ints + point * step + static_cast<std::size_t>(tile) * in;
        for (int c = 0; c < in; c += 2 * P::lanes) {
          P::pack(to + c, P::mul(P::load(from + c), s), P::mul(P::load(from + c + P::lanes), s));
        }
      }
    }
  }

  /// Transforms the 36 products of each tile to 4x4 results, applies the epilogue and stores them. `first_channel` is
  /// the first output channel of the block, `width` the number of its channels. `step` is the number of floats from one
  /// point to the next in s.products.
  template <class T>
  static void finish(const Conv3x3Job& job, const Scratch& s, std::size_t step, int first_tile, int tiles,
                     int first_channel, int width) {
    const int out = job.matrix->out;
    for (int n = 0; n < width; n += P::lanes) {
      const int channel = first_channel + n;
      const F bias = P::load(job.epilogue->bias.data() + channel);
      const F slope = P::load(job.epilogue->slope.data() + channel);
      for (int tile = 0; tile < tiles; ++tile) {
        const float* m = s.products + static_cast<std::size_t>(tile) * width + n;
        F half[24];  // [4][6]: the columns of products are transformed
        F y[16];     // [4][4]: the results
        for (int c = 0; c < 6; ++c) {
          F column[6];
          for (int r = 0; r < 6; ++r) column[r] = P::load(m + static_cast<std::size_t>(r * 6 + c) * step);
          inverse(column, half + c, 6);
        }
        for (int r = 0; r < 4; ++r) inverse(half + r * 6, y + r * 4, 1);
        for (F& value : y) value = P::prelu(P::add(value, bias), slope);
        const int x0 = 4 * (first_tile + tile);
        const int columns = job.columns - x0 < 4 ? job.columns - x0 : 4;
        if (job.residual.present) add_residual<T>(job, x0, columns, channel, y);
        if (job.target.planar) {
          store_planar(job, x0, columns, channel, out, y);
          continue;
        }
        for (int r = 0; r < job.rows; ++r) {
          T* to = static_cast<T*>(job.out[static_cast<std::size_t>(r)]) + x0 * job.target.pixel_stride + channel;
          for (int x = 0; x < columns; ++x) P::store(to + x * job.target.pixel_stride, y[r * 4 + x]);
        }
      }
    }
  }
  /// Replaces y[r][x] by alpha * y[r][x] + beta * gate * residual, for `columns` columns from output column x0 on.
  template <class T>
  static void add_residual(const Conv3x3Job& job, int x0, int columns, int channel, F* y) {
    const F alpha = P::set1(job.residual.alpha);
    F beta = P::set1(job.residual.beta);
    if (job.residual.gate != nullptr) beta = P::mul(beta, P::load(job.residual.gate + channel));
    for (int r = 0; r < job.rows; ++r) {
      const T* from = static_cast<const T*>(job.residual_rows[static_cast<std::size_t>(r)]) +
                      x0 * job.residual.pixel_stride + channel;
      for (int x = 0; x < columns; ++x) {
        y[r * 4 + x] = P::fma(P::load(from + x * job.residual.pixel_stride), beta, P::mul(y[r * 4 + x], alpha));
      }
    }
  }
  /// Stores the results in planar rows, from output column x0 on. The lanes of y[r][x] are the values of the channels
  /// from `channel` on; those from `out` on do not exist.
  static void store_planar(const Conv3x3Job& job, int x0, int columns, int channel, int out, const F* y) {
    alignas(64) float lanes[P::lanes];
    const int planes = out - channel < P::lanes ? out - channel : P::lanes;
    for (int r = 0; r < job.rows; ++r) {
      float* to = static_cast<float*>(job.out[static_cast<std::size_t>(r)]) + x0;
      for (int x = 0; x < columns; ++x) {
        P::store(lanes, y[r * 4 + x]);
        for (int p = 0; p < planes; ++p) to[(channel + p) * job.target.plane_stride + x] = lanes[p];
      }
    }
  }

  /// Runs a job whose elements are of type T: std::uint16_t (binary16) or float.
  template <class T>
  static void run_typed(const Conv3x3Job& job) {
    const PackedMatrix& matrix = *job.matrix;
    const int in = matrix.in;
    const bool ints = matrix.arithmetic == Arithmetic::int16;
    const Scratch s = split_scratch(job.scratch, in);
    const std::size_t group_step = static_cast<std::size_t>(kTiles) * in + kPad;
    for (int first = 0; first < job.tiles; first += kMaxTiles) {
      const int tiles = job.tiles - first < kMaxTiles ? job.tiles - first : kMaxTiles;
      const int groups = (tiles + kTiles - 1) / kTiles;
      const std::size_t value_step = static_cast<std::size_t>(groups) * kTiles * in + (ints ? 2 * kPad : kPad);
      for (int g = 0; g < groups; ++g) {
        const int n = tiles - g * kTiles < kTiles ? tiles - g * kTiles : kTiles;
        const int column = 4 * (first + g * kTiles);
        if (ints) {
          alignas(64) F most[kTiles * kPoints + 16];  // 16 more: quantise() reads whole groups of P::lanes
          transform<T, true>(job, column, n, s.group, group_step, most);
          quantise(s.group, group_step, in, n, most, s.ints + static_cast<std::size_t>(g) * kTiles * in, value_step,
                   s.unscale + static_cast<std::size_t>(g) * kPoints * kTiles, job.found_non_finite);
        } else {
          transform<T, false>(job, column, n, s.values + static_cast<std::size_t>(g) * kTiles * in, value_step,
                              nullptr);
        }
      }
      Prefetcher<6> ahead = input_prefetch<T>(job, first + tiles);
      Prefetcher<4> results = output_prefetch<T>(job, first, tiles);
      for (int first_channel = 0; first_channel < matrix.out_padded; first_channel += kBlock) {
        const int width = matrix.out_padded - first_channel < kBlock ? matrix.out_padded - first_channel : kBlock;
        const std::size_t product_step = static_cast<std::size_t>(groups) * kTiles * width + kPad;
        with_columns<P>(width / P::lanes, [&](auto columns) {
          multiply<columns()>(matrix, s, first_channel, in, groups, value_step, product_step, ahead, results);
        });
        finish<T>(job, s, product_step, first, tiles, first_channel, width);
      }
    }
  }

  /// Returns a prefetcher for the cache lines that finish() will write; an empty one for planar rows.
  template <class T>
  static Prefetcher<4> output_prefetch(const Conv3x3Job& job, int first_tile, int tiles) {
    Prefetcher<4> lines;
    if (job.target.planar) return lines;
    for (std::size_t r = 0; r < 4; ++r) {
      const auto row = r < static_cast<std::size_t>(job.rows) ? r : 0;
      lines.from[r] =
          reinterpret_cast<const char*>(static_cast<const T*>(job.out[row]) + 4 * first_tile * job.target.pixel_stride);
    }
    lines.lines = static_cast<int>(4 * tiles * job.target.pixel_stride * static_cast<std::ptrdiff_t>(sizeof(T)) / 64);
    return lines;
  }

  /// Returns a prefetcher for the input rows of the next tiles, to be used during the matrix product.
  template <class T>
  static Prefetcher<6> input_prefetch(const Conv3x3Job& job, int next_tile) {
    Prefetcher<6> ahead;
    if (next_tile >= job.tiles) return ahead;
    const int left = job.tiles - next_tile < kMaxTiles ? job.tiles - next_tile : kMaxTiles;
    const SourceBlock<6>& block = job.blocks[0];
    for (std::size_t k = 0; k < 6; ++k) {
      ahead.from[k] =
          reinterpret_cast<const char*>(static_cast<const T*>(block.rows[k]) + 4 * next_tile * block.pixel_stride);
    }
    ahead.lines = static_cast<int>(4 * left * block.pixel_stride * static_cast<std::ptrdiff_t>(sizeof(T)) / 64);
    return ahead;
  }

  /// Computes the matrix products of all points and groups for one block of outputs, from output channel
  /// `first_channel` on, and prefetches between them.
  template <int Columns>
  static void multiply(const PackedMatrix& matrix, const Scratch& s, int first_channel, int in, int groups,
                       std::size_t value_step, std::size_t product_step, Prefetcher<6>& ahead, Prefetcher<4>& results) {
    constexpr int kWidth = Columns * P::lanes;
    const std::size_t block = static_cast<std::size_t>(first_channel) * kPoints * in;
    const int lines_per_call = ahead.per_call(kPoints * groups);
    for (int point = 0; point < kPoints; ++point) {
      for (int g = 0; g < groups; ++g) {
        ahead.template fetch<P>(lines_per_call);
        results.template fetch<P>(lines_per_call);
        float* to = s.products + point * product_step + static_cast<std::size_t>(g) * kTiles * kWidth;
        const std::size_t from = point * value_step + static_cast<std::size_t>(g) * kTiles * in;
        if (matrix.arithmetic == Arithmetic::int16) {
          const std::int16_t* weights = matrix.int16.data() + block + static_cast<std::size_t>(point) * in * kWidth;
          typename P::I sums[kTiles][Columns];
          multiply_int16<P, Columns>(weights, s.ints + from, in, in, sums);
          const float* tile_unscale = s.unscale + (static_cast<std::size_t>(g) * kPoints + point) * kTiles;
          const float* weight_unscale =
              matrix.unscale.data() + static_cast<std::size_t>(point) * matrix.out_padded + first_channel;
          for (int n = 0; n < Columns; ++n) {
            const F per_channel = P::load(weight_unscale + n * P::lanes);
            for (int i = 0; i < kTiles; ++i) {
              P::store(to + i * kWidth + n * P::lanes,
                       P::mul(P::mul(P::to_float(sums[i][n]), per_channel), P::set1(tile_unscale[i])));
            }
          }
        } else {
          const float* weights = matrix.float32.data() + block + static_cast<std::size_t>(point) * in * kWidth;
          F sums[kTiles][Columns];
          multiply_float32<P, Columns>(weights, s.values + from, in, in, sums);
          for (int i = 0; i < kTiles; ++i) {
            for (int n = 0; n < Columns; ++n) P::store(to + i * kWidth + n * P::lanes, sums[i][n]);
          }
        }
      }
    }
  }

  static void run(const Conv3x3Job& job) {
    assert(job.matrix->points == kPoints && job.matrix->in <= kMaxConv3x3Channels && job.rows >= 1 && job.rows <= 4);
    if (job.element_type == ElementType::float16) {
      run_typed<std::uint16_t>(job);
    } else {
      run_typed<float>(job);
    }
  }
};

}  // namespace weir::compute
