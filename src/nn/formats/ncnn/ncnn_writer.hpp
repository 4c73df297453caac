#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "nn/graph.hpp"

namespace weir::nn {

/// How weights are kept in a .bin; biases and slopes are float32 always, as ncnn does.
enum class NcnnWeightType { float32, float16 };

struct NcnnFiles {
  std::string param_text;
  std::vector<std::byte> bin;
};

/// The two files of a network: what read_ncnn_text, build_ncnn_graph and read_ncnn_weights read. Reading float32 ones gives
/// the graph again; float16 rounds weights to the nearest.
/// Errors: bad_values, naming the layer: a weight is not finite, or too large for float16.
/// Source: ncnn's wiki, "param and model file structure"; parameter ids as in its operator documentation.
Result<NcnnFiles> write_ncnn(const Graph& graph, NcnnWeightType weight_type);

/// Writes X.bin, then X.param; each appears whole, in the place of an older one. Errors: io, disk_full.
Status save_ncnn(const NcnnFiles& files, const std::filesystem::path& param_path);

}  // namespace weir::nn
