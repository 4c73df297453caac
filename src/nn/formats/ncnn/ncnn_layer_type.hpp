#pragma once

// Declarations that ncnn_layers.cpp and ncnn_weighted.cpp share: both read and write types of layers; ncnn_weighted.cpp
// contains the types that have weights.

#include <span>
#include <string_view>

#include "nn/formats/ncnn/ncnn_layers.hpp"

namespace weir::nn {

constexpr int kMaxNcnnChannels = 65536;  ///< largest supported number of channels of a layer's output

/// The data of a layer that a read_... function gets.
struct NcnnReadContext {
  NcnnAttributes& attributes;         ///< the parameters of the layer line; stores the first error
  std::span<const BlobShape> inputs;  ///< the shapes of the layer's inputs, in order
};

/// Stores an error in the attributes if an input is a vector.
void expect_planes(NcnnReadContext& context);

// Each read_... function reads a layer of one type; errors are stored in the attributes. The numbers in these functions
// are the ids of parameters, as in ncnn's operator documentation (docs/developer-guide/operators.md).
NcnnLayer read_convolution(NcnnReadContext& context);
NcnnLayer read_deconvolution(NcnnReadContext& context);
NcnnLayer read_inner_product(NcnnReadContext& context);
NcnnLayer read_prelu(NcnnReadContext& context);

// Each layer_text() returns the parts of a layer's line that depend on the operation: see ncnn_layer_text().
NcnnLayerText layer_text(const Convolution& op);
NcnnLayerText layer_text(const Deconvolution& op);
NcnnLayerText layer_text(const InnerProduct& op);
NcnnLayerText layer_text(const PRelu& op);

}  // namespace weir::nn
