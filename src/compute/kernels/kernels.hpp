#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/round_up.hpp"

namespace weir::compute {

/// How feature rows (5 channels or more) are kept between layers.
enum class Storage { half, single };
/// How sums are formed: int16 products with a scale found per block of data, or float32.
enum class Arithmetic { int16, float32 };

/// Channels of a feature row in memory: whole blocks of 32, the surplus zero.
constexpr int padded_channels(int channels) { return round_up(channels, 32); }
/// Rows with at most this many channels are planar float32: one plane of columns per channel.
constexpr int kMostPlanarChannels = 4;

/// What the jobs below have room for. nn::lower() makes a network's layers in steps that keep within these, or refuses
/// the network with the layer's name; every kernel asserts them.
constexpr int kMostConv3x3Channels = 8192;  ///< inputs of a 3x3 convolution, those of each source padded
constexpr int kMostPatchKernel = 3;         ///< taps of a patch on each axis
constexpr int kMostPatchFactor = 4;         ///< output pixels of a patch on each axis
constexpr int kMostDirectKernel = 5;        ///< taps of a convolution of planes on each axis
constexpr int kMostCombined = 8;            ///< inputs of one sum
constexpr int kMostShuffleFactor = 16;      ///< a place in a block is a number of eight bits: 16 * 16 of them
constexpr int kMostResizeTaps = 4;          ///< on each axis

/// 64-byte aligned, zero-filled memory that is owned; for packed weights and scratch.
template <class T>
class AlignedArray {
 public:
  AlignedArray() = default;
  explicit AlignedArray(std::size_t count);
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return count_; }
  /// What `count` elements take.
  static constexpr Bytes bytes_of(std::size_t count) { return Bytes{round_up(count * sizeof(T), 64)}; }

 private:
  struct Free {
    void operator()(T* p) const;
  };
  std::unique_ptr<T[], Free> data_;
  std::size_t count_ = 0;
};
extern template class AlignedArray<float>;
extern template class AlignedArray<std::int16_t>;
extern template class AlignedArray<std::byte>;

/// What happens to a sum: out = alpha * act(sum + bias) + beta * gate * residual.
struct EpilogueWeights {
  AlignedArray<float> bias;   ///< [padded out channels]
  AlignedArray<float> slope;  ///< [padded out channels]: 1 no activation, 0 ReLU, else leaky or PReLU
};

inline constexpr int kWinogradPoints = 36;  ///< of F(4, 3) on both axes

/// How large a matrix [points][in][out] of a convolution is once it is packed.
struct MatrixLayout {
  Arithmetic arithmetic = Arithmetic::int16;
  int points = 1;      ///< kWinogradPoints, or 1
  int in = 0;          ///< multiple of 32 (surplus zero)
  int out = 0;         ///< as the layer has it
  int out_padded = 0;  ///< multiple of a vector
  std::size_t weights() const { return static_cast<std::size_t>(points) * in * out_padded; }
  std::size_t scales() const { return static_cast<std::size_t>(points) * out_padded; }  ///< of int16
  Bytes bytes() const;
};

/// The matrix, in the order in which a policy's kernel reads it.
struct PackedMatrix : MatrixLayout {
  AlignedArray<std::int16_t> int16;  ///< [block][point][in / 2][lanes in block][2]
  AlignedArray<float> unscale;       ///< [point][out_padded]: back from int32, times the data's scale
  AlignedArray<float> float32;       ///< [block][point][in][lanes in block]
};

/// A block of 32 input channels of one source: element type by Storage.
template <int Rows>
struct SourceBlock {
  std::array<const void*, Rows> rows;  ///< at the job's first input column
  std::ptrdiff_t stride;               ///< elements from one pixel to the next
};

/// Where results go. Feature rows: element type by Storage, channels side by side. Planar rows: float32, OC planes.
struct Target {
  std::ptrdiff_t stride = 0;        ///< feature rows: elements from pixel to pixel
  std::ptrdiff_t plane_stride = 0;  ///< planar rows: floats from plane to plane
  bool planar = false;
};

/// Added after the activation; same shape as the output, feature rows.
struct Residual {
  std::ptrdiff_t stride = 0;
  const float* gate = nullptr;  ///< [channels] or null
  float alpha = 1, beta = 1;
  bool present = false;
};

/// 3x3 convolution, stride 1, over a row of 4x4 output tiles, by Winograd F(4x4, 3x3).
/// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
/// Every tile is computed from its own 6x6 window alone, with a scale of its own per point, so that the result does not
/// depend on how tiles are shared out.
struct Conv3x3Job {
  const PackedMatrix* matrix = nullptr;
  const EpilogueWeights* epilogue = nullptr;
  Storage storage = Storage::half;
  const SourceBlock<6>* blocks = nullptr;  ///< matrix->in / 32 of them
  int tiles = 0;
  int columns = 0;  ///< valid output columns from the first tile's, at most 4 * tiles
  int rows = 4;     ///< valid output rows
  std::array<void*, 4> out{};
  Target target;
  std::array<const void*, 4> residual_rows{};
  Residual residual;
  std::byte* scratch = nullptr;  ///< conv3x3_scratch() bytes, 64-byte aligned, no NaN in it
  bool* bad = nullptr;           ///< int16: set when NaN or infinity was met in the input; float32 carries them on
};

/// A product over small patches: pixel (b) of a base row reads kernel x kernel input pixels and makes factor x factor
/// output pixels. It covers convolutions without overlap (2x2 stride 2), 1x1, and every transposed convolution, as
/// `factor` * `factor` convolutions of ceil(kernel / stride) taps that share their input.
struct PatchJob {
  const PackedMatrix* matrix = nullptr;  ///< in = kernel * kernel * channels, out = factor * factor * out_channels
  const EpilogueWeights* epilogue = nullptr;
  Storage storage = Storage::half;
  int channels = 0;  ///< padded, of the input
  int kernel = 1;    ///< taps on each axis
  int stride = 1;    ///< input pixels between bases
  int factor = 1;    ///< output pixels per base on each axis
  int out_channels = 0;
  std::array<const void*, kMostPatchKernel> rows{};  ///< at the first base's first tap
  std::ptrdiff_t stride_in = 0;                      ///< elements from pixel to pixel
  const float* gate = nullptr;                       ///< [channels], multiplied into the input; null: ones
  int bases = 0;
  int first_column = 0;                       ///< output column of the first base (may be below 0)
  int columns = 0;                            ///< the row has columns 0..columns-1; others are not written
  std::array<void*, kMostPatchFactor> out{};  ///< factor rows at column 0; null rows are not written
  Target target;
  std::array<const void*, kMostPatchFactor> residual_rows{};
  Residual residual;
  std::byte* scratch = nullptr;
  bool* bad = nullptr;
};

/// Convolution of few input channels (planar float32) in float32, stride 1.
struct DirectJob {
  const float* weights = nullptr;  ///< [kernel * kernel * in][out_padded]
  const EpilogueWeights* epilogue = nullptr;
  Storage storage = Storage::half;
  int in = 0, kernel = 3, out = 0, out_padded = 0;
  /// First plane, at the first output column's first tap; readable for up to five columns more than the taps reach.
  std::array<const float*, kMostDirectKernel> rows{};
  std::ptrdiff_t plane_stride = 0;
  int columns = 0;
  void* output = nullptr;
  Target target;
};

/// out = act(sum of coefficient * gate * in + constant) on `count` elements side by side.
struct CombineJob {
  Storage element = Storage::half;
  int inputs = 0;
  std::array<const void*, kMostCombined> in{};
  std::array<float, kMostCombined> coefficient{};
  std::array<const float*, kMostCombined> gate{};  ///< [channels], repeated along the elements; null: ones
  int channels = 1;                                ///< a multiple of a vector where there is a gate
  float constant = 0;
  float slope = 1;  ///< below zero
  bool clip = false;
  float low = 0, high = 0;
  void* out = nullptr;
  int count = 0;
};

/// Pixel shuffle of one feature row into `factor` planar rows, plus a planar row repeated factor times on both axes.
struct ShuffleJob {
  Storage storage = Storage::half;
  const void* in = nullptr;             ///< at column 0
  std::ptrdiff_t stride = 0;            ///< padded_channels() of the row: whole vectors are read
  int factor = 1;                       ///< at most kMostShuffleFactor
  int planes = 0;                       ///< at most kMostPlanarChannels
  const std::uint8_t* order = nullptr;  ///< [factor * factor]: which channel of a group goes to (dy, dx)
  const float* base = nullptr;          ///< or null; at column 0
  std::ptrdiff_t base_plane_stride = 0;
  std::array<float*, kMostShuffleFactor> out{};
  std::ptrdiff_t plane_stride = 0;
  int first = 0, last = 0;  ///< input columns
};

/// One output row of a resize with up to four taps on each axis.
struct ResizeJob {
  int taps = 4;
  std::array<const float*, kMostResizeTaps> in{};  ///< rows, edges already repeated; at column 0
  std::array<float, kMostResizeTaps> row_weight{};
  std::ptrdiff_t in_plane_stride = 0;
  int width = 0;                  ///< of the input
  const int* index = nullptr;     ///< [out width]: first tap's column, may lie outside
  const float* weight = nullptr;  ///< [out width][taps]
  float* out = nullptr;
  std::ptrdiff_t out_plane_stride = 0;
  int planes = 0;
  int first = 0, last = 0;   ///< output columns
  float* scratch = nullptr;  ///< [width]
};

/// What the check after every band looks at, as bits: so it costs an AND and an XOR per value.
struct Seen {
  bool not_finite = false;
  bool unequal = false;  ///< some value differs from `first` of its plane
};

/// Planar floats, nominally 0..1, to interleaved integers: floor(v * most + 0.5), clamped.
struct SamplesJob {
  const float* in = nullptr;
  std::ptrdiff_t plane_stride = 0;
  int planes = 3;
  int bits = 8;  ///< 8 or 16
  void* out = nullptr;
  int samples_per_pixel = 3;
  int first = 0, last = 0;           ///< columns
  std::array<float, 3> reference{};  ///< what each plane's values are compared with for `unequal`
  Seen* seen = nullptr;
};

/// The kernels of one instruction set. All functions are thread-safe; a job's scratch belongs to one thread.
struct Kernels {
  std::string_view name;
  int lanes;        ///< floats in a vector
  int block_lanes;  ///< output channels in a block of a PackedMatrix
  int group;        ///< tiles or bases that are worked on at once; pieces of work should be multiples of it
  int (*channel_at)(int position);  ///< channel, within 2 * lanes, that pack() lays at a position
  void (*conv3x3)(const Conv3x3Job&);
  void (*patch)(const PatchJob&);
  void (*direct)(const DirectJob&);
  void (*combine)(const CombineJob&);
  void (*shuffle)(const ShuffleJob&);
  void (*resize_row)(const ResizeJob&);
  void (*samples)(const SamplesJob&);
  void (*to_float)(const std::uint16_t* in, float* out, std::size_t count);
  void (*to_half)(const float* in, std::uint16_t* out, std::size_t count);
  std::size_t (*conv3x3_scratch)(int in);  ///< bytes for a matrix of `in`
  std::size_t (*patch_scratch)(int in);
};

const Kernels& plain_kernels();
/// Fastest first, of those that this machine can run; the last is plain.
const std::vector<const Kernels*>& available_kernels();
/// Null, if there is none of this name or the machine lacks it.
const Kernels* find_kernels(std::string_view name);

/// What the functions below make: matrices, and an array of so many floats.
MatrixLayout matrix_layout(const Kernels& kernels, Arithmetic arithmetic, int points, int out, int in);
std::size_t direct_floats(int out, int in, int kernel);
/// Weights [out][in][3][3] into Winograd's 36 points.
PackedMatrix pack_conv3x3(const Kernels& kernels, Arithmetic arithmetic, int out, int in, const float* weight);
/// Weights [out][in].
PackedMatrix pack_matrix(const Kernels& kernels, Arithmetic arithmetic, int out, int in, const float* weight);
/// A planar input's weights [out][in][k][k] into [k * k * in][out_padded].
AlignedArray<float> pack_direct(int out, int in, int kernel, const float* weight);

}  // namespace weir::compute
