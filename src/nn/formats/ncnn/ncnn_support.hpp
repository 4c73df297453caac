#pragma once

#include <span>
#include <string>

#include "base/result.hpp"
#include "nn/formats/ncnn/ncnn_text.hpp"

namespace weir::nn {

/// Looks through a whole network for what tells its family, before its lines are read one by one: all types of layers
/// that are not supported, and the channels of the pictures that go in.
/// Errors: unsupported, "FILE:LINE: ...", with all types and the families that run; or the channels that it takes.
Status check_ncnn_support(std::span<const NcnnLine> lines, const std::string& file);

}  // namespace weir::nn
