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

// The CPU kernels of networks. The words that are used here:
//   row          one row of pixels of a tensor. A feature row has 5 channels or more; the channels of a pixel are
//                adjacent in memory. A planar row has at most 4 channels, in float32; each channel is a plane of its
//                own.
//   job          the arguments of one call of a kernel
//   lane         one element of a vector register
//   tap          one input pixel that is read for an output pixel: a 3x3 convolution has nine taps
//   packed       stored in the order in which the kernels of an instruction set read it
//   epilogue     what is done with each sum before it is stored: bias, activation, addition of a residual
//   residual     another tensor that is added to the result
//   gate         one factor per channel, the same for all pixels
//   patch        a square of input pixels that is read at once (PatchJob)
//   position     one step of a PatchJob over the input: reads one patch, of kernel x kernel pixels, and makes a square
//                of factor x factor output pixels
//   base         a small planar picture that is enlarged by repeating its pixels, and added to a result (ShuffleJob)
//   block        of a packed matrix: Kernels::block_lanes outputs; of a source: 32 channels (SourceBlock)
// In comments, [a][b] is an array and its order in memory: b is the index that changes fastest.

/// Element type in which feature rows are stored between layers.
enum class ElementType { float16, float32 };
/// Arithmetic of the sums of products. int16: weights and data are scaled and rounded to int16, and their products are
/// added in int32. float32: no conversion.
enum class Arithmetic { int16, float32 };

/// Returns the number of channels for which a feature row with `channels` channels has memory: a multiple of 32. The
/// kernels also read the added channels, but packed matrices have zero weights for them. Whoever owns the rows sets
/// them to zero; afterwards they have finite values, which are zero unless a CombineJob adds a constant.
constexpr int padded_channels(int channels) { return round_up(channels, 32); }
/// Rows with at most this number of channels are planar.
constexpr int kMaxPlanarChannels = 4;

/// Limits of the jobs below. nn::lower() splits the layers of a network into steps within these limits, or refuses the
/// network and names the layer; every kernel asserts them.
constexpr int kMaxConv3x3Channels = 8192;  ///< padded_channels() of the input of a 3x3 convolution
constexpr int kMaxPatchKernel = 3;         ///< taps of a patch on each axis
constexpr int kMaxPatchFactor = 4;         ///< output pixels of a position on each axis (PatchJob)
constexpr int kMaxDirectKernel = 5;        ///< taps of a convolution of planes on each axis
constexpr int kMaxCombined = 8;            ///< inputs of one weighted sum (CombineJob)
constexpr int kMaxShuffleFactor = 16;      ///< factor of a pixel shuffle; factor^2 - 1 must fit ShuffleJob::order
constexpr int kMaxResizeTaps = 4;          ///< taps of a resize on each axis

/// An owned array, aligned to 64 bytes and filled with zeros, for packed weights and scratch memory. Movable. The
/// constructor throws std::bad_alloc if there is not enough memory.
template <class T>
class AlignedArray {
 public:
  AlignedArray() = default;
  explicit AlignedArray(std::size_t count);
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return count_; }
  /// Returns the memory that an array of `count` elements takes.
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

/// Parameters of the epilogue: out = alpha * act(sum + bias) + beta * gate * residual, where act(x) is x for x >= 0 and
/// slope * x below 0. Alpha, beta and gate are in Residual; without a residual, out = act(sum + bias).
struct EpilogueWeights {
  AlignedArray<float> bias;   ///< [padded out channels]
  AlignedArray<float> slope;  ///< [padded out channels]; 1: no activation, 0: ReLU
};

/// Number of points of Winograd's F(4x4, 3x3). For each pair of an input channel and an output channel, this algorithm
/// computes 4 x 4 outputs of a 3x3 convolution with one product for each of 6 x 6 points, in place of 144 products (9
/// taps for each of 16 outputs).
inline constexpr int kWinogradPoints = 36;

/// Sizes of the packed matrix [points][in][out] of a convolution.
struct MatrixLayout {
  Arithmetic arithmetic = Arithmetic::int16;
  int points = 1;      ///< kWinogradPoints for Conv3x3Job, 1 for PatchJob
  int in = 0;          ///< number of inputs of a sum, rounded up to a multiple of 32; the added rows are zero
  int out = 0;         ///< number of outputs of the layer
  int out_padded = 0;  ///< `out` rounded up to whole vectors
  std::size_t weight_count() const { return static_cast<std::size_t>(points) * in * out_padded; }
  std::size_t scale_count() const { return static_cast<std::size_t>(points) * out_padded; }  ///< for int16 only
  /// Returns the memory that the packed matrix needs.
  Bytes bytes() const;
};

/// A packed matrix for the kernels of one instruction set. An output block has Kernels::block_lanes outputs; the last
/// one may have fewer. With Arithmetic::int16, `int16` and `unscale` are filled; with Arithmetic::float32, only
/// `float32` is.
struct PackedMatrix : MatrixLayout {
  AlignedArray<std::int16_t> int16;  ///< [output block][point][in / 2][output][2]
  AlignedArray<float> unscale;       ///< [point][out_padded]: 1 / scale of the weights
  AlignedArray<float> float32;       ///< [output block][point][in][output]
};

/// 32 input channels of one source (input tensor) of a convolution: a source block. A convolution reads several sources
/// as if their channels were concatenated; each source block belongs to one source. The elements have the job's element
/// type. Input column 0 is the column that the left taps of output column 0 read; input row 0 is the row that the upper
/// taps of output row 0 read.
template <int Rows>
struct SourceBlock {
  std::array<const void*, Rows> rows;  ///< by input row: address, in input column 0, of the block's first channel
  std::ptrdiff_t pixel_stride;         ///< elements from one pixel to the next
};

/// Memory layout of the output rows: feature rows of the job's element type, or planar rows.
struct OutputLayout {
  std::ptrdiff_t pixel_stride = 0;  ///< feature rows: elements from pixel to pixel
  std::ptrdiff_t plane_stride = 0;  ///< planar rows: floats from plane to plane
  bool planar = false;
};

/// Parameters of the feature rows that the epilogue adds after the activation; they have the shape of the output.
struct Residual {
  std::ptrdiff_t pixel_stride = 0;  ///< elements from pixel to pixel
  const float* gate = nullptr;      ///< [channels]; null: ones
  float alpha = 1, beta = 1;        ///< factors of the result and of the residual
  bool present = false;             ///< false: there is no residual, and the other fields are not used
};

/// 3x3 convolution of stride 1 with Winograd's F(4x4, 3x3): computes 4 output rows as a row of tiles of 4x4 pixels.
/// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
/// Each tile is computed from its own window of 6x6 input pixels only. With int16, each tile has its own scale for each
/// point. So the result does not depend on how the tiles are divided among jobs.
struct Conv3x3Job {
  const PackedMatrix* matrix = nullptr;
  const EpilogueWeights* epilogue = nullptr;
  ElementType element_type = ElementType::float16;
  const SourceBlock<6>* blocks = nullptr;  ///< [matrix->in / 32]; tile t reads input columns 4 * t..4 * t + 5
  int tiles = 0;                           ///< number of tiles
  int columns = 0;                         ///< number of output columns that are stored; at most 4 * tiles
  int rows = 4;                            ///< number of output rows that are stored
  std::array<void*, 4> out{};              ///< by output row: address of column 0
  OutputLayout target;
  std::array<const void*, 4> residual_rows{};  ///< by output row: address of column 0; not used without a residual
  Residual residual;
  std::byte* scratch = nullptr;      ///< conv3x3_scratch() bytes, 64-byte aligned; must not contain NaN
  bool* found_non_finite = nullptr;  ///< int16: set to true if the input has NaN or infinity. Not used with float32
};

/// A matrix product over small patches of the input, for one row of positions. Each position reads kernel x kernel
/// input pixels (a patch) and makes factor x factor output pixels. This computes convolutions without overlap (2x2 with
/// stride 2), 1x1 convolutions, and transposed convolutions. A transposed convolution with k x k weights and stride s
/// is computed as s * s convolutions that share their input, each with ceil(k / s) taps per axis: `kernel` is
/// ceil(k / s), `factor` is s, and `stride` is 1.
struct PatchJob {
  const PackedMatrix* matrix = nullptr;  ///< in = kernel * kernel * channels, out = factor * factor * out_channels
  const EpilogueWeights* epilogue = nullptr;
  ElementType element_type = ElementType::float16;
  int channels = 0;  ///< padded channels of the input
  int kernel = 1;    ///< taps on each axis
  int stride = 1;    ///< input pixels from one position to the next
  int factor = 1;    ///< output pixels of a position on each axis
  /// Channels that are computed and stored for an output pixel; for feature rows rounded up to a multiple of 16. Such a
  /// row may have memory for 16 more (padded_channels()), which are not written.
  int out_channels = 0;
  std::array<const void*, kMaxPatchKernel> rows{};  ///< by row of taps: address of the first tap of the first position
  std::ptrdiff_t pixel_stride = 0;                  ///< elements from one input pixel to the next
  const float* gate = nullptr;                      ///< [channels]: factors of the input; null: ones
  int positions = 0;                                ///< number of positions
  int first_column = 0;                             ///< left output column of the first position; may be negative
  int columns = 0;                                  ///< columns of the output row; others are not written
  std::array<void*, kMaxPatchFactor> out{};  ///< addresses of column 0 of `factor` rows; null rows are not written
  OutputLayout target;
  std::array<const void*, kMaxPatchFactor> residual_rows{};  ///< by output row: address of column 0
  Residual residual;                                         ///< not with planar output
  std::byte* scratch = nullptr;                              ///< patch_scratch() bytes, 64-byte aligned
  bool* found_non_finite = nullptr;                          ///< int16: set to true if the input has NaN or infinity
};

/// One output row of a convolution with stride 1 whose input is planar, computed in float32.
struct DirectJob {
  const float* weights = nullptr;  ///< [kernel * kernel * in][out_padded]
  const EpilogueWeights* epilogue = nullptr;
  ElementType element_type = ElementType::float16;
  int in = 0, kernel = 3, out = 0;  ///< input channels, taps on each axis, output channels
  int out_padded = 0;               ///< `out` rounded up to a multiple of 32
  /// rows[r]: address, in the first plane, of the leftmost input pixel that row r of the kernel reads for output column
  /// 0. A call may read up to five columns beyond the last one that it needs, so these must be readable memory.
  std::array<const float*, kMaxDirectKernel> rows{};
  std::ptrdiff_t plane_stride = 0;  ///< floats from one input plane to the next
  int columns = 0;                  ///< number of output columns
  void* output = nullptr;           ///< address of column 0
  OutputLayout target;
};

/// Weighted sum of rows: out = act(constant + sum of coefficient * gate * in), for `count` consecutive elements. `act`
/// is the slope for negative values, then, if `clip` is true, the limits low..high.
struct CombineJob {
  ElementType element_type = ElementType::float16;
  int inputs = 0;  ///< number of inputs, at most kMaxCombined
  std::array<const void*, kMaxCombined> in{};
  std::array<float, kMaxCombined> coefficient{};
  std::array<const float*, kMaxCombined> gate{};  ///< [channels], repeated for every pixel; null: ones
  int channels = 1;  ///< elements after which a gate repeats; with a gate a multiple of Kernels::lanes
  float constant = 0;
  float slope = 1;  ///< slope of the activation for negative values
  bool clip = false;
  float low = 0, high = 0;
  void* out = nullptr;
  int count = 0;  ///< number of elements
};

/// Pixel shuffle of one feature row into `factor` planar rows: factor * factor adjacent channels become a square of
/// factor x factor pixels of one plane. Adds the row `base`, enlarged by `factor` on both axes by repeating its pixels;
/// it belongs to a planar picture that has the size of the input.
struct ShuffleJob {
  ElementType element_type = ElementType::float16;
  const void* in = nullptr;              ///< address of column 0 of the feature row
  std::ptrdiff_t pixel_stride = 0;       ///< elements from pixel to pixel; at least padded_channels()
  int factor = 1;                        ///< at most kMaxShuffleFactor
  int planes = 0;                        ///< number of output planes, at most kMaxPlanarChannels
  const std::uint8_t* order = nullptr;   ///< [dy][dx]: index, among the plane's channels, of that for pixel (dy, dx)
  const float* base = nullptr;           ///< address of column 0 in the first plane, or null: nothing is added
  std::ptrdiff_t base_plane_stride = 0;  ///< floats from plane to plane of `base`
  std::array<float*, kMaxShuffleFactor> out{};  ///< by output row: address of column 0 in the first plane
  std::ptrdiff_t plane_stride = 0;              ///< floats from plane to plane of `out`
  int first = 0, last = 0;                      ///< input columns first..last-1 are processed
};

/// One planar output row of a resize. Each output pixel is a weighted sum of taps x taps input pixels; pixels at the
/// edges of the input are repeated. The fields *_plane_stride are floats from plane to plane.
struct ResizeJob {
  int taps = 4;                                    ///< on each axis, at most kMaxResizeTaps
  std::array<const float*, kMaxResizeTaps> in{};   ///< by tap: address of column 0 of the input row, first plane
  std::array<float, kMaxResizeTaps> row_weight{};  ///< by tap: weight of the input row
  std::ptrdiff_t in_plane_stride = 0;
  int width = 0;                  ///< columns of the input
  const int* index = nullptr;     ///< [out width]: input column of the first tap; may be outside of the row
  const float* weight = nullptr;  ///< [out width][taps]
  float* out = nullptr;           ///< address of column 0 of the output row, first plane
  std::ptrdiff_t out_plane_stride = 0;
  int planes = 0;
  int first = 0, last = 0;   ///< output columns first..last-1 are computed
  float* scratch = nullptr;  ///< [width]
};

/// Two properties by which a wrong result is recognised (nn::check_values()), for the values in one part of it.
struct ValueSummary {
  bool has_non_finite = false;
  bool has_unequal = false;  ///< some value differs from the reference value of its plane: the part has several colours
};

/// Converts columns of a planar row (values nominally 0..1) to interleaved integer samples: floor(v * max + 0.5),
/// limited to 0..max, where max is 255 or 65535. NaN becomes 0. Adds the properties of the values to `summary`.
struct SamplesJob {
  const float* in = nullptr;         ///< address of column 0 of the first plane
  std::ptrdiff_t plane_stride = 0;   ///< floats from plane to plane
  int planes = 3;                    ///< 1..3
  int bits = 8;                      ///< bits of a sample: 8 or 16
  void* out = nullptr;               ///< address of column 0
  int samples_per_pixel = 3;         ///< at least `planes`; other samples of a pixel (alpha) are not written
  int first = 0, last = 0;           ///< columns first..last-1 are converted
  std::array<float, 3> reference{};  ///< value of each plane to compare with, for has_unequal
  ValueSummary* summary = nullptr;   ///< must not be null; fields are set to true, never to false
};

/// The kernels of one instruction set. All functions are thread-safe; each thread needs its own scratch memory.
/// The functions from conv3x3 to samples run the job that they receive.
struct Kernels {
  std::string_view name;  ///< "avx512_vnni", "avx2", "neon" or "plain"
  int lanes;              ///< number of floats in a vector
  int block_lanes;        ///< number of outputs in a block of a PackedMatrix
  int group_size;  ///< number of tiles or positions that are processed at once; jobs with a multiple of it are fastest
  /// Packed int16 data have each 2 * lanes adjacent channels in another order than feature rows. Returns which of these
  /// channels is stored at index `index` among them; both are 0..2 * lanes - 1.
  int (*channel_at)(int index);
  void (*conv3x3)(const Conv3x3Job&);
  void (*patch)(const PatchJob&);
  void (*direct)(const DirectJob&);
  void (*combine)(const CombineJob&);
  void (*shuffle)(const ShuffleJob&);
  void (*resize_row)(const ResizeJob&);
  void (*samples)(const SamplesJob&);
  void (*to_float)(const std::uint16_t* in, float* out, std::size_t count);  ///< converts with half_to_float()
  void (*to_half)(const float* in, std::uint16_t* out, std::size_t count);   ///< converts with float_to_half()
  std::size_t (*conv3x3_scratch)(int in);  ///< returns the bytes of Conv3x3Job::scratch for MatrixLayout::in = `in`
  std::size_t (*patch_scratch)(int in);    ///< returns the bytes of PatchJob::scratch for MatrixLayout::in = `in`
};

/// Returns the plain kernels, which every machine can run.
const Kernels& plain_kernels();
/// Returns the kernels of all instruction sets that this machine can run, fastest first; the last entry is
/// plain_kernels().
const std::vector<const Kernels*>& available_kernels();
/// Returns the kernels with this name; null if no kernels have it or this machine cannot run them.
const Kernels* find_kernels(std::string_view name);

/// Returns the sizes of the matrix that pack_conv3x3() makes (`points` is kWinogradPoints), or pack_matrix() (`points`
/// is 1).
MatrixLayout matrix_layout(const Kernels& kernels, Arithmetic arithmetic, int points, int out, int in);
/// Returns the number of floats in the array that pack_direct() makes.
std::size_t direct_weight_count(int out, int in, int kernel);
/// Packs weights [out][in][3][3] for Conv3x3Job, transformed to Winograd's 36 points.
PackedMatrix pack_conv3x3(const Kernels& kernels, Arithmetic arithmetic, int out, int in, const float* weight);
/// Packs weights [out][in] for PatchJob.
PackedMatrix pack_matrix(const Kernels& kernels, Arithmetic arithmetic, int out, int in, const float* weight);
/// Packs weights [out][in][k][k] for DirectJob, as [k * k * in][out_padded].
AlignedArray<float> pack_direct(int out, int in, int kernel, const float* weight);

}  // namespace weir::compute
