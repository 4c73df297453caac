#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "nn/network.hpp"
#include "nn/program.hpp"
#include "nn/vulkan/tile.hpp"
#include "nn/vulkan/transfer_format.hpp"

namespace weir::nn::vulkan {

// How a picture is divided into tiles for a device, and what memory this needs. `half` always means: features (all
// tensors that are not pictures) and the weights of convolutions are stored as float16, not as float32.

/// The memory that a device and its host have available for one picture.
struct DeviceLimits {
  Bytes device_memory;              ///< memory of the device for all buffers of this engine
  Bytes host_memory;                ///< memory of the host, for rows and for staging buffers
  Bytes max_buffer_range;           ///< largest part of a buffer that a kernel can read
  Bytes max_allocation;             ///< largest single allocation
  bool staging_on_device = false;   ///< staging buffers (for transfers) use memory of the device, not of the host
  bool shares_host_memory = false;  ///< the device is software: the memory of the device is memory of the host
  bool can_copy_tiles = false;      ///< the device can copy tiles while it computes others
};

/// What the caller of plan_tiles() requests.
struct TilePlanRequest {
  bool half = false;
  TransferFormat transfer;
  int tile = 0;      ///< side of a tile in input pixels; 0: the largest that fits
  int max_tile = 0;  ///< largest side to choose if `tile` is 0; 0: no limit
};

/// One pass over the picture. It computes one tensor tile by tile: the tensor of which the program needs the channel
/// means, or the result.
struct DevicePass {
  int mean_index = -1;  ///< index in Program::means of the means that the pass computes; -1: it computes the result
  int tensor = -1;      ///< index of the tensor
  int tile_height = 0, tile_width = 0;  ///< size of a tile in pixels of that tensor
};

/// How a program runs on a device for one picture, and what memory this needs. It is computed before any memory is
/// allocated.
struct DevicePlan {
  Extent input;                 ///< height and width of the network's input
  std::vector<Extent> extents;  ///< height and width of each tensor
  bool half = false;            ///< features are stored as float16
  TransferFormat transfer;
  bool one_tile = false;      ///< the picture is one tile: its means are computed in the pass that computes the result
  bool copies_tiles = false;  ///< true: tiles are copied to and from the device; false: kernels use staging buffers
  int tile = 0;               ///< side of a tile in input pixels
  std::vector<DevicePass> passes;
  /// Memory of each MemoryKind, as the pool counts it; `parameters` is that of the picture tables (PictureTableLayout).
  Bytes weights, activations, staging, parameters;
  Bytes upload, download;  ///< largest input data and largest result data of a tile
  /// The buffer with all tensors of a tile, a part of `activations`. If copies_tiles is true, the rest of `activations`
  /// is buffers for the input and result of kTilesInFlight tiles.
  Bytes arena_size;
  Bytes row_memory;            ///< memory of the host for the input rows and result rows of a row of tiles
  int read_ahead_rows = 0;     ///< number of input rows that may be read before their result rows are passed on
  double multiplications = 0;  ///< number of multiplications of all tiles of all passes

  /// Returns the memory of the device that the plan needs.
  Bytes device_memory(const DeviceLimits& limits) const {
    return weights + activations + parameters + (limits.staging_on_device ? staging : Bytes{});
  }
  /// Returns the memory of the host that the plan needs.
  Bytes host_memory(const DeviceLimits& limits) const {
    const Bytes staged = limits.staging_on_device ? Bytes{} : staging;
    return row_memory + staged + (limits.shares_host_memory ? device_memory(limits) : Bytes{});
  }
};

inline constexpr int kTilesInFlight = 2;  ///< number of tiles that have buffers: one is computed, one is transferred
inline constexpr int kMinTile = 16;       ///< smallest side of a tile, in input pixels
inline constexpr Bytes kUploadChunk = 8_MiB;  ///< weights and tables are uploaded in chunks of this size

/// Plans the tiles of a picture: the largest that fit, or those of the request. A plan fits if it is within `limits`,
/// and if each tile is within the limits of the kernels (at most 32767 pixels on a side of any tensor, for example).
/// Errors: over_budget if no such plan fits into the memory (the message has the memory that tiles of the requested
/// side, or the smallest tiles, need); unsupported if the memory is enough but another limit is exceeded, or if a
/// layer's weights are larger than a kernel can read; those of infer_extents(), for example if the input is too small
/// for the network.
Result<DevicePlan> plan_tiles(const Graph& graph, const Program& program, Extent input, const TilePlanRequest& request,
                              const DeviceLimits& limits);

/// Returns the tiles of a pass, row by row, as rectangles of its tensor. Tiles that end at or above `first_row` are
/// left out.
std::vector<Rect> list_tiles(const DevicePlan& plan, const DevicePass& pass, int first_row = 0);
/// Returns a part of the tiles that is enough to find the largest memory that any tile needs. The memory of a tile
/// depends on its distance to the edges, and on its position relative to the strides of the network, which repeats
/// after a few tiles. So the result has the tiles that are both in the first or last 20 rows and in the first or last
/// 20 columns of tiles.
std::vector<Rect> representative_tiles(const std::vector<Rect>& tiles);
/// Returns the parts of tensors that must be computed for the tile `rect` of a pass.
std::vector<TileOutput> tile_outputs(const Program& program, const DevicePlan& plan, const DevicePass& pass, Rect rect);

}  // namespace weir::nn::vulkan
