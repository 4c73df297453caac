#pragma once

#include "base/bytes.hpp"
#include "nn/network.hpp"
#include "nn/program.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// How a picture's values cross between host and device: as planes of float32, or as 8-bit samples.
struct TransferFormat {
  bool input_samples = false;   ///< every value of the input is a whole number of 0..255 times 1 / 255.0F
  bool result_samples = false;  ///< of three colours: floor(v * 255 + 0.5), cut to 0..255
  /// With result_samples: to pixel p of the result pixel (p + base_shift) / base_scale of the input is added before; 0: none.
  int base_scale = 0, base_shift = 0;
};
/// 8-bit samples there and back, of pictures in colour that are bordered as a family wants it.
TransferFormat sample_transfer(const Family& family);

/// What a rectangle of three colours takes on its way to the device, and back: kernels read vectors of four.
Bytes upload_bytes(Rect rect, bool samples);
Bytes download_bytes(Rect rect, bool samples);

/// The samples of a result that a pixel shuffle ends are made by the kernel that shuffles: the result itself is never made.
bool shuffle_makes_samples(const Program& program, const TransferFormat& transfer);
/// The pixels of the input under a rectangle of the result: see Transfer.
Rect base_rect(const TransferFormat& transfer, const Rect& rect);

}  // namespace weir::nn::vulkan
