#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "nn/formats/ncnn/ncnn_attributes.hpp"
#include "nn/graph.hpp"

namespace weir::nn {

/// One array of numbers in the .bin file: the weights, biases or slopes of one layer.
struct NcnnArray {
  enum class Kind { weight, bias, slope };
  int layer = 0;  ///< index into Graph::layers
  Kind kind = Kind::weight;
  std::int64_t count = 0;  ///< number of values
};

/// A layer without its weights, the arrays that it needs from the .bin, and the shape that all its outputs have.
struct NcnnLayer {
  Operation operation;
  std::vector<NcnnArray> arrays;  ///< the arrays in the order of the .bin; NcnnArray::layer is not yet set
  BlobShape output_shape;
};

/// Returns true if layers of this type are supported.
bool is_ncnn_layer_supported(std::string_view type);
/// Returns the names of all supported layer types, separated by commas.
std::string list_supported_ncnn_layers();

/// Checks and translates one layer line; `inputs` are the shapes of the layer's inputs, in order. The weight, bias and
/// slope of the operation stay empty. Refuses a parameter value that the supported networks do not use; the message
/// names the parameter.
/// Errors: unsupported, corrupt: "FILE:LINE: TYPE NAME: ...".
/// Source: the layers of the networks that weir runs; parameter ids as in ncnn's operator documentation
/// (docs/developer-guide/operators.md).
Result<NcnnLayer> read_ncnn_layer(const NcnnLine& line, std::span<const BlobShape> inputs, const std::string& file);

/// The parts of a layer's line that depend on its operation.
struct NcnnLayerText {
  std::string type;
  std::string parameters;  ///< for example " 0=1 1=2": each parameter has a space before it
};
/// Returns the type and the parameters of an operation's layer line: the reverse of read_ncnn_layer.
NcnnLayerText ncnn_layer_text(const Operation& operation);

}  // namespace weir::nn
