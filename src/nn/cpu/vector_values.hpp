#pragma once

#include <map>
#include <vector>

#include "nn/program.hpp"

namespace weir::nn {

/// The values of the vectors (blobs with one value per channel) that are known so far: means of whole pictures, and the
/// vectors computed from them. Not thread-safe.
class VectorValues {
 public:
  /// Both arguments must outlive this object.
  VectorValues(const Graph& graph, const Program& program);

  /// Stores means as the vector with index `blob`, and computes every vector that depends on it.
  void set_means(int blob, std::vector<float> means);
  /// Returns the values of the vector with index `blob` as a gate: the factors by which the channels of a tensor are
  /// multiplied, one per channel, followed by ones up to a multiple of 32. The pointer is valid until the next
  /// gate_factors() for the same blob.
  const float* gate_factors(int blob);

 private:
  const Graph& graph_;
  const Program& program_;
  std::vector<std::vector<float>> values_;    // by blob index; empty: not known yet
  std::map<int, std::vector<float>> padded_;  // by blob index: the results of gate_factors()
};

}  // namespace weir::nn
