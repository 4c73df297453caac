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

/// What a device and the machine around it give to one picture.
struct DeviceLimits {
  Bytes device_memory;              ///< of the device, for everything
  Bytes host_memory;                ///< of the host, for rows and for what the device reads of it
  Bytes max_buffer_range;           ///< of one buffer as a kernel sees it
  Bytes max_allocation;             ///< of one piece of memory
  bool staging_on_device = false;   ///< what host and device both see counts as the device's
  bool shares_host_memory = false;  ///< the device is a program: its memory is the host's
  bool can_copy_tiles = false;      ///< tiles can be copied to and from the device while it computes others
};

/// What is asked of a plan.
struct TilePlanRequest {
  bool half = false;
  TransferFormat transfer;
  int tile = 0;      ///< pixels a side; 0: the largest that fits
  int max_tile = 0;  ///< of those, at most this; 0: any
};

/// One walk over the picture: it makes one tensor, tile by tile, for a mean or for the result.
struct DevicePass {
  int mean_index = -1;  ///< the mean that it finds; -1: the result
  int tensor = -1;
  int tile_height = 0, tile_width = 0;  ///< in pixels of that tensor
};

/// What running a program on a device takes, known before the first byte of it is allocated. A value.
struct DevicePlan {
  Extent input;
  std::vector<Extent> extents;  ///< by tensor
  bool half = false;            ///< features in float16
  TransferFormat transfer;
  bool one_tile = false;      ///< the picture is one tile: its means are found on the way
  bool copies_tiles = false;  ///< tiles are copied; else the device's kernels read and write what the host sees
  int tile = 0;               ///< side of a tile, in pixels of the input
  std::vector<DevicePass> passes;
  Bytes weights, activations, staging, parameters;  ///< as the pool will charge them
  Bytes upload, download;                           ///< of one tile; two are under way
  Bytes arena_size;         ///< in activations, and beside it, with copies, the input and the result of two tiles
  Bytes row_memory;         ///< of the host: input rows and result rows of a band
  int read_ahead_rows = 0;  ///< input rows read ahead of the result, at most
  double multiplications = 0;

  Bytes device_memory(const DeviceLimits& limits) const {
    return weights + activations + parameters + (limits.staging_on_device ? staging : Bytes{});
  }
  Bytes host_memory(const DeviceLimits& limits) const {
    const Bytes staged = limits.staging_on_device ? Bytes{} : staging;
    return row_memory + staged + (limits.shares_host_memory ? device_memory(limits) : Bytes{});
  }
};

inline constexpr int kTilesInFlight = 2;
inline constexpr int kMinTile = 16;
inline constexpr Bytes kUploadChunk = 8_MiB;  ///< weights and tables are brought to the device in pieces of this size

/// Errors: over_budget with what the smallest plan needs; invalid_argument if the input is too small for the network.
Result<DevicePlan> plan_tiles(const Graph& graph, const Program& program, Extent input, const TilePlanRequest& request,
                              const DeviceLimits& limits);

/// Every tile of a pass, row by row; those that end before `first_row` are left out.
std::vector<Rect> list_tiles(const DevicePlan& plan, const DevicePass& pass, int first_row = 0);
/// Tiles that lie alike in the picture need alike: of each kind one is looked at. Where the regions are cut by an edge,
/// or fall otherwise onto a grid of strides, they are smaller or a pixel larger; all of the first and last few rows and
/// columns of tiles are looked at, and between them enough to meet every remainder.
std::vector<Rect> representative_tiles(const std::vector<Rect>& tiles);
/// What a tile of a pass is to make.
std::vector<TileOutput> tile_outputs(const Program& program, const DevicePlan& plan, const DevicePass& pass, Rect rect);

}  // namespace weir::nn::vulkan
