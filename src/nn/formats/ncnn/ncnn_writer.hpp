#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "nn/graph.hpp"

namespace weir::nn {

/// The type of the weights in a .bin. Biases and slopes are always float32, as in ncnn.
enum class NcnnWeightType { float32, float16 };

/// The contents of a network's two files.
struct NcnnFiles {
  std::string param_text;      ///< contents of the .param
  std::vector<std::byte> bin;  ///< contents of the .bin
};

/// Makes the contents of a network's two files, in the format that read_ncnn_text, build_ncnn_graph and
/// read_ncnn_weights read. With float32, these functions read back the same graph; float16 rounds each weight to the
/// nearest float16 value.
/// Errors: bad_values, naming the layer: a weight, bias or slope is not finite, or a weight is too large for float16.
/// Source: ncnn's wiki, "param and model file structure"; parameter ids as in its operator documentation.
Result<NcnnFiles> write_ncnn(const Graph& graph, NcnnWeightType weight_type);

/// Writes the two files of a network: the .bin to weights_path(param_path), which is in the same folder, then the
/// .param to `param_path`. Each file appears complete and replaces an older one. Errors: io, disk_full.
Status save_ncnn(const NcnnFiles& files, const std::filesystem::path& param_path);

}  // namespace weir::nn
