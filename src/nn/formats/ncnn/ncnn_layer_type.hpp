#pragma once

// What the files share that read and write the types of layers, and the types that have weights (ncnn_weighted.cpp).

#include <span>
#include <string_view>

#include "nn/formats/ncnn/ncnn_layers.hpp"

namespace weir::nn {

constexpr int kMostNcnnChannels = 65536;

/// What a reader sees of its layer.
struct NcnnSource {
  NcnnAttributes& attributes;
  std::span<const BlobShape> inputs;
};

void expect_planes(NcnnSource& source);

NcnnLayer read_convolution(NcnnSource& source);
NcnnLayer read_deconvolution(NcnnSource& source);
NcnnLayer read_inner_product(NcnnSource& source);
NcnnLayer read_prelu(NcnnSource& source);

NcnnWords words_of(const Convolution& op);
NcnnWords words_of(const Deconvolution& op);
NcnnWords words_of(const InnerProduct& op);
NcnnWords words_of(const PRelu& op);

}  // namespace weir::nn
