#pragma once

// What the files share that read and write the types of layers, and the types that have weights (ncnn_weighted.cpp).

#include <span>
#include <string_view>

#include "nn/formats/ncnn/ncnn_layers.hpp"

namespace weir::nn {

constexpr int kMaxNcnnChannels = 65536;

/// What a reader sees of its layer.
struct NcnnReadContext {
  NcnnAttributes& attributes;
  std::span<const BlobShape> inputs;
};

void expect_planes(NcnnReadContext& context);

NcnnLayer read_convolution(NcnnReadContext& context);
NcnnLayer read_deconvolution(NcnnReadContext& context);
NcnnLayer read_inner_product(NcnnReadContext& context);
NcnnLayer read_prelu(NcnnReadContext& context);

NcnnLayerText layer_text(const Convolution& op);
NcnnLayerText layer_text(const Deconvolution& op);
NcnnLayerText layer_text(const InnerProduct& op);
NcnnLayerText layer_text(const PRelu& op);

}  // namespace weir::nn
