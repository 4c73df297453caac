#pragma once

#include <string_view>
#include <vector>

#include "nn/program.hpp"

namespace weir::nn {

/// What a blob is while the graph is walked: one part, or several for a concatenation; none if it is a vector.
struct LoweredBlob {
  std::vector<TensorView> parts;
};

/// A walk through a graph, layer by layer; what the layers' lower() make their ops with. Used once.
class Lowering {
 public:
  explicit Lowering(const Graph& graph);
  /// Errors: those of nn::lower().
  Result<Program> run() &&;

  const BlobShape& shape(int blob) const { return graph_.blobs[to_index(blob)]; }
  LoweredBlob& lowered_blob(int blob) { return lowered_blobs_[to_index(blob)]; }
  /// The first part.
  const TensorView& first_part(int blob) const { return lowered_blobs_[to_index(blob)].parts.front(); }
  ProgramTensor& tensor(int t) { return program_.tensors[to_index(t)]; }
  Op& op(int o) { return program_.ops[to_index(o)]; }
  Program& program() { return program_; }
  /// How many layers read the blob, a Split not counted but what it passes on.
  int count_readers(int blob) const { return reader_counts_[to_index(blob)]; }

  /// Adds `op` as the producer of `blob`.
  void emit(Op op, int blob);
  /// Adds a layer on vectors, as what makes `blob`.
  void emit_vector_op(const Layer& layer, int blob);
  /// The op that made exactly this blob, if nothing else reads it and its epilogue is still open; else null.
  Op* find_open_producer(int blob);
  /// The blob is made by `op` from now on.
  void set_output_blob(Op& op, int blob);

  /// The refusal of the layer that is being lowered.
  Error unsupported(std::string_view why) const;
  /// For operations that read beyond the edge of their input: beyond that of a view are the tensor's own values.
  Status check_not_cropped(const std::vector<TensorView>& inputs) const;

 private:
  void count_all_readers();
  int add_tensor(int blob);

  const Graph& graph_;
  Program program_;
  std::vector<LoweredBlob> lowered_blobs_;
  std::vector<int> reader_counts_;
  int layer_ = 0;
};

/// Bias and slopes of a convolution; only activations that fit can be part of it.
Epilogue epilogue_of(const std::vector<float>& bias, const Activation& activation, int channels);
bool fits_epilogue(const Activation& activation);

}  // namespace weir::nn
