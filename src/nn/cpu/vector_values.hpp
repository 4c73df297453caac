#pragma once

#include <map>
#include <vector>

#include "nn/program.hpp"

namespace weir::nn {

/// Values of the vector blobs, known up to some statistic: means and what is computed from them. Not thread-safe.
class VectorValues {
 public:
  /// Both must outlive it.
  VectorValues(const Graph& graph, const Program& program);

  /// Sets a mean, and computes every vector that follows from what is known.
  void set_means(int blob, std::vector<float> means);
  /// One factor per channel, padded with ones to a whole block of channels; stays where it is until the next set().
  const float* gate_factors(int blob);

 private:
  const Graph& graph_;
  const Program& program_;
  std::vector<std::vector<float>> values_;
  std::map<int, std::vector<float>> padded_;
};

}  // namespace weir::nn
