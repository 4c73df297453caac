#pragma once

#include <string_view>
#include <vector>

#include "nn/program.hpp"

namespace weir::nn {

/// The places where a blob's values are during lowering (the translation of a graph into a program): one part (a view
/// of a tensor); several parts for a concatenation; no part for a vector (one value per channel).
struct LoweredBlob {
  std::vector<TensorView> parts;
};

/// Translates a graph into a program, layer by layer. Each layer's lower() function (layers.hpp) gets this object and
/// adds its ops with it. An object is used for one graph.
class Lowering {
 public:
  explicit Lowering(const Graph& graph);
  /// Lowers all layers and returns the program. Errors: those of nn::lower().
  Result<Program> run() &&;

  const BlobShape& shape(int blob) const { return graph_.blobs[to_index(blob)]; }
  LoweredBlob& lowered_blob(int blob) { return lowered_blobs_[to_index(blob)]; }
  /// Returns the first part of a blob.
  const TensorView& first_part(int blob) const { return lowered_blobs_[to_index(blob)].parts.front(); }
  // `t` and `o` are indices of a tensor and an op of the program.
  ProgramTensor& tensor(int t) { return program_.tensors[to_index(t)]; }
  Op& op(int o) { return program_.ops[to_index(o)]; }
  Program& program() { return program_; }
  /// Returns the number of layer inputs that read this blob, plus one if it is the result of the graph. A Split only
  /// gives a blob more names: what reads its outputs reads its input, and the Split is no reader.
  int count_readers(int blob) const { return reader_counts_[to_index(blob)]; }

  /// Adds the op `added` to the program as the producer of `blob`, with a new output tensor.
  void emit(Op added, int blob);
  /// Adds a layer on vectors (blobs with one value per channel) as the producer of `blob`.
  void emit_vector_op(const Layer& layer, int blob);
  /// Returns the convolution whose output is exactly this blob and to whose epilogue (the operations on each sum before
  /// it is stored) a further operation can be added: the blob has one reader, and the epilogue has no residual
  /// (a tensor that is added) yet. Returns null if there is no such convolution.
  Op* find_open_producer(int blob);
  /// Makes an op the producer of `blob`: its output tensor now represents this blob.
  void set_output_blob(Op& producer, int blob);

  /// Returns the error `unsupported` for the layer that is being lowered.
  Error unsupported(std::string_view why) const;
  /// Checks that no input is a cropped view. Needed for operations that read outside the edges of their input: outside
  /// the edges of a cropped view the tensor has the values that were cropped, not padding. Errors: unsupported.
  Status check_not_cropped(const std::vector<TensorView>& inputs) const;

 private:
  /// Sets reader_counts_.
  void count_all_readers();
  /// Adds a tensor for the blob, made by the op that is added next. Returns the index of the tensor.
  int add_tensor(int blob);

  const Graph& graph_;
  Program program_;
  std::vector<LoweredBlob> lowered_blobs_;  // by blob index
  std::vector<int> reader_counts_;          // by blob index: see count_readers()
  int layer_ = 0;                           // index of the layer that is being lowered
};

/// Returns the epilogue of a convolution with `channels` output channels. `bias` has one value per channel; missing
/// values are 0. `activation` must be none, ReLU or leaky ReLU.
Epilogue epilogue_of(const std::vector<float>& bias, const Activation& activation, int channels);
/// Returns true if the activation can be part of an epilogue: none, ReLU or leaky ReLU.
bool fits_epilogue(const Activation& activation);

}  // namespace weir::nn
