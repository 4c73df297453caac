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

/// A network as its .param tells it: the graph without weights, and what the .bin has to hold.
struct NcnnDescription {
  Graph graph;                    ///< every array of its operations is empty
  std::vector<NcnnArray> arrays;  ///< in the order of the .bin
};

/// Names become numbers; every blob is made once, before it is used; one picture goes in and one comes out.
/// Errors: corrupt, unsupported: "FILE:LINE: ...".
Result<NcnnDescription> build_ncnn_graph(std::span<const NcnnLine> lines, const std::string& file);

/// Numbers in all arrays: weights, biases and slopes.
std::int64_t count_parameters(std::span<const NcnnArray> arrays);

}  // namespace weir::nn
