#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "compute/kernels/planes/planes_ref.hpp"
#include "nn/graph.hpp"
#include "nn/network.hpp"

namespace weir::nn {

/// The network on a whole picture, layer by layer with the plain references: slow, obvious, in one piece in memory; what
/// every faster way is compared with. One thread.
/// picture [3, h, w]
/// Errors: those of infer_extents; invalid_argument if the graph has no weights or the picture not the graph's channels
Result<compute::Planes> run_reference(const Graph& graph, compute::Planes picture);

/// The network with all that its family needs around it: the picture gets its reflected border, the result loses the
/// crop and everything beyond the enlarged picture, and the residual head is added to the enlarged picture.
/// picture [3, h, w], 0 to 1
/// returns [3, h * scale, w * scale], nominally 0 to 1
/// Errors: those of run_reference
Result<compute::Planes> upscale_reference(const Network& network, const compute::Planes& picture);

/// 8 bits per channel, rows of RGB pixels without gaps.
struct RgbPicture {
  int height = 0, width = 0;
  std::vector<std::uint8_t> values;  ///< [h, w, 3]
};

/// upscale_reference from 8 bits to 8 bits. Errors: those of upscale_reference; corrupt if a value is not finite.
Result<RgbPicture> upscale_reference(const Network& network, const RgbPicture& picture);

/// [3, h, w]: value / 255.
compute::Planes to_planes(const RgbPicture& picture);
/// Rounded to the nearest of 0 to 255. Errors: corrupt if a value is not finite.
Result<RgbPicture> to_rgb(const compute::Planes& planes);

/// The position within [0, extent) that a border shows at `position`: mirrored at the first and the last position
/// without repeating them, as often as it takes (... 2 1 0 1 2 ... n-2 n-1 n-2 ...).
int reflect_position(int position, int extent);

}  // namespace weir::nn
