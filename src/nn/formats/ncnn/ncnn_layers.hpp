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

/// A run of numbers that a layer owns in the .bin file; they follow each other there in this order.
struct NcnnArray {
  enum class Kind { weight, bias, slope };
  int layer = 0;  ///< index into Graph::layers
  Kind kind = Kind::weight;
  std::int64_t count = 0;
};

/// A layer without its numbers, the numbers that it expects, and the shape of its outputs.
struct NcnnLayer {
  Operation operation;
  std::vector<NcnnArray> arrays;  ///< `layer` is not yet set
  BlobShape output_shape;
};

/// Whether layers of this type are known, and all that are, with commas between them.
bool is_ncnn_layer_supported(std::string_view type);
std::string list_supported_ncnn_layers();

/// Checks and translates one line; `inputs` are the shapes of its inputs, in order. Arrays inside the operation stay
/// empty. Everything that this network family does not use is refused by name.
/// Errors: unsupported, corrupt: "FILE:LINE: TYPE NAME: what is given; what is supported".
/// Source: the layers of the networks that weir runs; ids as in ncnn's operator documentation (docs/developer-guide/operators.md).
Result<NcnnLayer> read_ncnn_layer(const NcnnLine& line, std::span<const BlobShape> inputs, const std::string& file);

/// The other way: the words of a layer's line that its operation makes.
struct NcnnLayerText {
  std::string type;
  std::string parameters;  ///< " 0=1 1=2", each with a space before it
};
NcnnLayerText ncnn_layer_text(const Operation& operation);

}  // namespace weir::nn
