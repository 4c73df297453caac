#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "compute/kernels/planes/planes_ref.hpp"
#include "nn/graph.hpp"
#include "nn/network.hpp"

namespace weir::nn {

/// The reference implementation: runs the network on a whole picture [3, h, w], layer by layer, with the reference
/// implementations of the kernels (..._ref.hpp in compute/kernels). Slow and simple; keeps whole blobs in memory. Tests
/// compare all faster implementations with it. Uses one thread.
/// Errors: those of infer_extents; invalid_argument if the graph has no weights, or if the picture's number of channels
/// is not that of the graph's input.
Result<compute::Planes> run_reference(const Graph& graph, compute::Planes picture);

/// Enlarges a picture as the network's family requires: adds the reflected border, runs the network, removes everything
/// outside the enlarged picture, and adds the picture enlarged by nearest neighbour if family.needs_enlarged_picture.
/// `picture` is [3, h, w] with values 0 to 1. Returns [3, h * scale, w * scale]; values can be slightly outside 0 to 1.
/// Errors: those of run_reference.
Result<compute::Planes> upscale_reference(const Network& network, const compute::Planes& picture);

/// A picture with 8 bits per channel: rows of RGB pixels without gaps.
struct RgbPicture {
  int height = 0, width = 0;
  std::vector<std::uint8_t> values;  ///< [h, w, 3]
};

/// Enlarges a picture of 8 bits per channel. Errors: those of upscale_reference above; corrupt if a value is not
/// finite.
Result<RgbPicture> upscale_reference(const Network& network, const RgbPicture& picture);

/// Returns the picture as [3, h, w]; each value is divided by 255.
compute::Planes to_planes(const RgbPicture& picture);
/// Rounds values * 255 to the nearest integer within 0 to 255. Errors: corrupt if a value is not finite.
Result<RgbPicture> to_rgb(const compute::Planes& planes);

/// Returns, for one axis, the index (0 to extent - 1) of the pixel that a picture with a reflected border shows at
/// `position`, which may be outside the picture. The pixels at the edges are not repeated (... 2 1 0 1 2 ... n-2 n-1
/// n-2 ...).
int reflect_position(int position, int extent);

}  // namespace weir::nn
