#pragma once

#include "base/bytes.hpp"
#include "nn/network.hpp"
#include "nn/program.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// The form in which a picture is transferred between host and device: as float32 planes or as 8-bit samples.
struct TransferFormat {
  bool input_samples = false;   ///< true: input as samples; every value must be an integer 0..255 times 1 / 255.0F
  bool result_samples = false;  ///< true: result as samples of three colours: floor(v * 255 + 0.5), limited to 0..255
  /// If result_samples is true and base_scale is not 0, the enlarged input (the base) is added to the result before the
  /// conversion: result pixel p gets input pixel (p + base_shift) / base_scale, rounded down, on both axes.
  int base_scale = 0, base_shift = 0;
};
/// Returns the format that transfers 8-bit samples in both directions, for colour pictures that already have the border
/// (pixels added on every side) of the network family. Sets base_scale if Family::needs_enlarged_picture is true.
TransferFormat sample_transfer(const Family& family);

// These functions return the size of the transferred data of a rectangle with three colours, to the device and to the
// host. It is a multiple of 16 bytes, because kernels read vectors of four floats.
Bytes upload_bytes(Rect rect, bool samples);
Bytes download_bytes(Rect rect, bool samples);

/// Returns true if the result is transferred as samples, the last op is a pixel shuffle, and one kernel
/// (shuffle_samples.comp) can run it and write the samples. The result tensor itself is then never computed.
bool shuffle_makes_samples(const Program& program, const TransferFormat& transfer);
/// Returns the rectangle of the input that is enlarged and added to a rectangle of the result. base_scale must not be
/// 0.
Rect base_rect(const TransferFormat& transfer, const Rect& rect);

}  // namespace weir::nn::vulkan
