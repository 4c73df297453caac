#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "nn/formats/ncnn/ncnn_layers.hpp"
#include "nn/formats/ncnn/ncnn_text.hpp"
#include "nn/graph.hpp"

namespace weir::nn {

/// A network as its .param describes it: the graph without weights, and a description of what the .bin must contain.
struct NcnnDescription {
  Graph graph;                    ///< the weight, bias and slope of every operation are empty
  std::vector<NcnnArray> arrays;  ///< the arrays in the .bin, in their order
};

/// Builds the graph from layer lines: replaces blob names by indices, and checks that every blob is made once, before
/// it is used, and that there is one input picture and one output picture. `file` is the file's name for messages.
/// Errors: corrupt, unsupported: "FILE:LINE: ..." or "FILE: ...".
Result<NcnnDescription> build_ncnn_graph(std::span<const NcnnLine> lines, const std::string& file);

/// Returns the number of values in all arrays: weights, biases and slopes.
std::int64_t count_parameters(std::span<const NcnnArray> arrays);

}  // namespace weir::nn
