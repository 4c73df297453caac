#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "nn/graph.hpp"

namespace weir::nn {

/// What lower() makes at most; more is refused with the layer's name. Walks over a program go as deep as it has ops.
inline constexpr std::size_t kMaxOps = 4096;
inline constexpr std::size_t kMaxMeans = 256;
/// Tensors that a convolution reads side by side; of a concatenation of more they are copied.
inline constexpr std::size_t kMaxConcatParts = 8;
/// Inputs of a sum that may have a gate: the first ones.
inline constexpr std::size_t kMaxGatedInputs = 2;

/// A tensor as one operation reads it: some rows and columns cropped away, its channels multiplied by a gate.
struct TensorView {
  int tensor = -1;
  int top = 0, left = 0;  ///< the view's pixel (0, 0) is the tensor's (top, left)
  bool cropped = false;   ///< it lacks rows or columns of the tensor, be it at the end alone
  int gate = -1;          ///< blob number of a vector with one factor per channel; -1: none
};

/// What is applied to a sum before it is stored: alpha * act(sum + bias) + beta * residual.
struct Epilogue {
  std::vector<float> bias;   ///< per output channel
  std::vector<float> slope;  ///< per output channel: 1 none, 0 ReLU, else leaky or PReLU
  bool has_residual = false;
  TensorView residual;
  float alpha = 1, beta = 1;
};

struct OpTraits;

/// A kind of op, told apart by what the engines know of it (op_traits.hpp). Only those that others ask for are named here.
struct OpKind {
  const OpTraits* traits;
  bool operator==(const OpKind&) const = default;

  static const OpKind input;    ///< the bordered picture; no inputs
  static const OpKind conv3x3;  ///< feature inputs side by side (a concatenation), stride 1
  static const OpKind direct;   ///< convolution of a planar input, stride 1
  static const OpKind patch;    ///< product over small patches: see compute::PatchJob
  static const OpKind combine;  ///< alpha_0 * in_0 + alpha_1 * in_1 + ... + constant, then a pointwise activation
  static const OpKind shuffle;  ///< pixel shuffle, plus an optional nearest-enlarged second input
  static const OpKind resize;   ///< Interp
  static const OpKind concat;   ///< copies the inputs' channels side by side
};

/// One operation on rows. Extents of tensors come from the graph's blobs.
struct Op {
  OpKind kind = OpKind::input;
  std::vector<TensorView> inputs;
  int output = -1;  ///< tensor
  int layer = -1;   ///< of the graph; whose weights it uses, and for messages
  Epilogue epilogue;
  // conv3x3, direct
  int kernel = 1, pad = 0;
  // patch: base b reads `kernel` input rows from b * stride + first_tap and makes `factor` output rows from
  // b * factor - lead; the same for columns
  int stride = 1, first_tap = 0, factor = 1, output_crop = 0;
  // combine
  std::vector<float> coefficient;
  float constant = 0;
  Activation activation;
  // resize, and kinds that have parameters of their own: the layer
  Operation layer_operation;
  /// Multiplications per output pixel, as direct convolution.
  double multiplications = 0;
};

/// A blob that is kept as rows. Feature rows have their channels side by side; up to four channels have one plane each,
/// in float32.
struct ProgramTensor {
  int channels = 0;
  int blob = -1;      ///< whose extent it has
  int producer = -1;  ///< op
  bool planar = false;
};

/// A whole-picture channel mean.
struct ChannelMeans {
  TensorView source;
  int blob = -1;  ///< the vector that it fills
  int channels = 0;
};
/// A layer on vectors, run when its inputs are known.
struct VectorOp {
  int layer = -1;
  int input = -1, output = -1;  ///< blobs
};

/// A number of an op or a tensor as an index into their lists.
inline std::size_t to_index(int index) { return static_cast<std::size_t>(index); }

/// The graph as the row engine runs it: convolutions with their activations and additions, crops and gates as views.
/// Ops are in an order in which every tensor is made before it is used.
struct Program {
  std::vector<Op> ops;
  std::vector<ProgramTensor> tensors;
  std::vector<ChannelMeans> means;  ///< in the order of their dependence
  std::vector<VectorOp> vector_ops;
  int output = -1;  ///< tensor
  /// For each blob of a vector: the number of statistics that must be known before it is.
  std::vector<int> required_means;
};

/// Keeps within what the kernels have room for (compute/kernels/kernels.hpp): a sum of many inputs becomes several ops.
/// Errors: unsupported, naming the layer and the bound.
Result<Program> lower(const Graph& graph);

/// Number of statistics that must be known before `op` can run (its gates), not counting those of its inputs.
int count_required_means(const Program& program, const Op& op);

}  // namespace weir::nn
