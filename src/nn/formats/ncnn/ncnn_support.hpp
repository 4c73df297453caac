#pragma once

#include <span>
#include <string>

#include "base/result.hpp"
#include "nn/formats/ncnn/ncnn_text.hpp"

namespace weir::nn {

/// Checks whether a network can be supported at all, before its lines are read one by one: that all layer types are
/// supported, and that the input picture has three channels, as far as the lines determine it.
/// Errors: unsupported, "FILE:LINE: ...", with all unsupported types and the supported families, or with the number of
/// channels that the network needs.
Status check_ncnn_support(std::span<const NcnnLine> lines, const std::string& file);

}  // namespace weir::nn
