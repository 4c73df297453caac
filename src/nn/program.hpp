#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "nn/graph.hpp"

namespace weir::nn {

/// The largest numbers of Program::ops and Program::means. If a network needs more, lower() returns an error that names
/// the layer. kMaxOps also limits the depth of recursions over a program.
inline constexpr std::size_t kMaxOps = 4096;
inline constexpr std::size_t kMaxMeans = 256;
/// The largest number of tensors that a convolution reads as one concatenation; a concatenation of more tensors is
/// copied into one tensor.
inline constexpr std::size_t kMaxConcatParts = 8;
/// The number of inputs of a sum (OpKind::combine) that may have a gate (see TensorView): only the first inputs may
/// have one.
inline constexpr std::size_t kMaxGatedInputs = 2;

/// A tensor as one operation reads it: it may be cropped, and each of its channels may be multiplied by a factor. The
/// vector of these factors is called a gate; the network computes it from means over the whole picture.
struct TensorView {
  int tensor = -1;        ///< index into Program::tensors
  int top = 0, left = 0;  ///< position of the view's pixel (0, 0) in the tensor
  bool cropped = false;   ///< the view does not contain all rows and columns of the tensor
  int gate = -1;          ///< blob index of a vector with one factor per channel; -1: no gate
};

/// The operations on a convolution's sum before it is stored: alpha * act(sum + bias) + beta * residual. The activation
/// act(x) is x for positive x, and slope * x otherwise.
struct Epilogue {
  std::vector<float> bias;   ///< per output channel
  std::vector<float> slope;  ///< per output channel: 1: no activation; 0: ReLU; other values: leaky ReLU or PReLU
  bool has_residual = false;
  TensorView residual;  ///< another tensor that is added; only if has_residual
  float alpha = 1, beta = 1;
};

struct OpTraits;

/// A kind of op, identified by its traits (op_traits.hpp). Only the kinds that other code must distinguish have a name
/// here.
struct OpKind {
  const OpTraits* traits;
  bool operator==(const OpKind&) const = default;

  // ProgramTensor explains planar and feature tensors.
  static const OpKind input;    ///< the picture with its border; has no inputs
  static const OpKind conv3x3;  ///< 3x3 convolution of feature tensors, several as a concatenation; stride 1
  static const OpKind direct;   ///< convolution of a planar tensor, stride 1
  static const OpKind patch;    ///< other convolution, or transposed convolution: a matrix product for each patch (a
                                ///< square of input pixels)
  static const OpKind combine;  ///< alpha_0 * in_0 + alpha_1 * in_1 + ... + constant, then a pointwise activation
  static const OpKind shuffle;  ///< pixel shuffle, plus an optional second input enlarged by nearest neighbour
  static const OpKind resize;   ///< resize by nearest neighbour, bilinear or bicubic (Interp)
  static const OpKind concat;   ///< copies the inputs' channels into one tensor
};

/// One operation that computes rows of one tensor from rows of others. The extents of the tensors follow from the
/// graph's blobs.
struct Op {
  OpKind kind = OpKind::input;
  std::vector<TensorView> inputs;
  int output = -1;  ///< tensor index
  int layer = -1;   ///< index of the layer in the graph, for weights and messages
  Epilogue epilogue;
  // kernel: for conv3x3 and direct, side of the kernel in pixels; for patch, side of a patch in input pixels.
  // pad: for conv3x3 and direct, number of rows and columns of zeros on each side.
  int kernel = 1, pad = 0;
  // patch: the op has rows of positions; each position reads one patch (compute::PatchJob). The positions of row p
  // (0, 1, ...) read `kernel` input rows, beginning at row p * stride + first_tap, and make `factor` output rows,
  // beginning at row p * factor - output_crop; the same for columns.
  // shuffle: uses `factor`, the side of a block of output pixels, but not the other three.
  int stride = 1, first_tap = 0, factor = 1, output_crop = 0;
  // combine: the sum of coefficient[i] * inputs[i] and `constant`, then the activation.
  std::vector<float> coefficient;
  float constant = 0;
  Activation activation;
  // resize, and other kinds with parameters of their own: the layer with its parameters.
  Operation layer_operation;
  /// Multiplications per output pixel, counted as direct convolution.
  double multiplications = 0;
};

/// A blob that is stored as rows, in one of two forms. Planar rows: each channel has a row of its own, in float32; used
/// for blobs of at most four channels, such as pictures. Feature rows: the channels of a pixel are adjacent, in float16
/// or float32; used for all other blobs.
struct ProgramTensor {
  int channels = 0;
  int blob = -1;        ///< index of the blob with the same extent
  int producer = -1;    ///< index of the op that makes it
  bool planar = false;  ///< true: planar rows; false: feature rows
};

/// The means of all channels of one tensor over the whole picture: one mean per channel.
struct ChannelMeans {
  TensorView source;
  int blob = -1;  ///< index of the vector blob that receives the means
  int channels = 0;
};
/// A layer on vectors (one value per channel); it runs as soon as its input vector is known.
struct VectorOp {
  int layer = -1;               ///< index of the layer in the graph
  int input = -1, output = -1;  ///< blob indices
};

/// Converts the int index of an op, tensor, layer or blob to std::size_t.
inline std::size_t to_index(int index) { return static_cast<std::size_t>(index); }

/// A graph in the form that the CPU and GPU engines run: a list of ops. Activations and additions are part of
/// convolutions where possible; crops and gates are views. Every op comes after the ops that make its inputs.
struct Program {
  std::vector<Op> ops;
  std::vector<ProgramTensor> tensors;
  std::vector<ChannelMeans> means;  ///< an entry may depend only on entries before it
  std::vector<VectorOp> vector_ops;
  int output = -1;  ///< tensor index
  /// By blob index, for vectors: how many entries of `means`, from the first on, must be known before the vector can be
  /// computed.
  std::vector<int> required_means;
};

/// Translates a graph into a program within the limits of the kernels (compute/kernels/kernels.hpp). A layer may become
/// several ops, for example a sum of many inputs, or none. Errors: unsupported, naming the layer and the reason.
Result<Program> lower(const Graph& graph);

/// Returns how many entries of Program::means, from the first on, must be known before `op` can run, because of the
/// gates of its own inputs. The means that the ops before it require are not included.
int count_required_means(const Program& program, const Op& op);

}  // namespace weir::nn
