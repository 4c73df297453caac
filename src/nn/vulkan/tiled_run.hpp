#pragma once

#include <array>
#include <deque>
#include <vector>

#include "base/result.hpp"
#include "nn/multi_pass_run.hpp"
#include "nn/rows.hpp"
#include "nn/vulkan/device_plan.hpp"
#include "nn/vulkan/device_weights.hpp"
#include "nn/vulkan/input_band.hpp"
#include "nn/vulkan/recorder.hpp"
#include "nn/vulkan/result_band.hpp"
#include "nn/vulkan/session.hpp"

namespace weir::nn::vulkan {

/// Runs a program on one picture on one device, in the tiles of one plan. While the device computes a tile, the host
/// checks the previous tile, passes it on and prepares the next tile. If the plan copies tiles, the copies run at the
/// same time. Not thread-safe.
class TiledRun final : private MultiPassRun {
 public:
  /// All arguments must outlive this object. `packed_weights` describes the content of the buffer `weights`.
  /// `use_matrices`: 3x3 convolutions of float16 run on cooperative matrices (matrix units of the GPU) where possible.
  TiledRun(const Graph& graph, const Program& program, const DevicePlan& plan, Session& session,
           const DeviceWeights& packed_weights, const compute::vulkan::Buffer& weights, bool use_matrices)
      : graph_{graph},
        program_{program},
        plan_{plan},
        session_{session},
        packed_weights_{packed_weights},
        weights_{weights},
        use_matrices_{use_matrices} {}

  /// Computes the rows of the result from `next_row` on. `next_row` is updated with the rows that are passed on, also
  /// if the run fails. Errors: those of input and output; cancelled; over_budget, device_lost or unsupported;
  /// bad_values for a wrong tile.
  Status run(InputRows& input, const EngineOutput& output, const RunControl& control, int& next_row);

 private:
  /// The buffers of one tile in flight.
  struct TileBuffers {
    compute::vulkan::Buffer upload, download;  ///< staging buffers that the host can access
    compute::vulkan::Buffer input, result;     ///< buffers of the device; only if tiles are copied
  };
  /// A tile whose commands are submitted, and which finish_oldest() has not finished yet.
  struct TileInFlight {
    std::size_t buffer_index = 0;            ///< index in buffers_
    Rect rect;                               ///< rectangle of the tensor of its pass
    bool is_result = false;                  ///< true: a part of the result; false: a part of the tensor of a mean
    compute::vulkan::Ticket computed = 0;    ///< ticket of the compute stream's submission that computes it
    compute::vulkan::Ticket downloaded = 0;  ///< ticket of the copy stream's submission; 0: not started
    ColourRange range;                       ///< range of the input picture's colours at the same place
    double multiplications = 0;              ///< those of the tile, for the report of progress
  };
  /// Allocates all buffers and uploads the picture tables.
  Status prepare();
  /// Uploads the picture tables (PictureTableLayout).
  Status upload_tables();
  Status begin_means(const ChannelMeans& mean) override;
  Status finish_means(const ChannelMeans& mean) override;
  Status make_part(std::size_t pass, std::size_t part) override;
  Status allocate_buffers();
  /// Uploads the input of a tile and submits its commands. Finishes the oldest tile first if all buffers are in use.
  Status begin_tile(const DevicePass& pass, Rect rect, InputBand& band);
  /// Uploads the part `source` of the input, and returns where the first kernel of the tile reads it.
  Result<compute::vulkan::Slice> upload_input(const TileBuffers& buffers, const Rect& source, const InputBand& band);
  /// Records the commands of a tile, submits them and sets pending.computed.
  Status record_tile(const DevicePass& pass, const Tile& tile, compute::vulkan::Slice input, TileInFlight& pending);
  /// Records and submits the copy of a part of the result to a buffer that the host can read; does nothing if the plan
  /// does not copy tiles, or if the copy is already submitted.
  Status start_download(TileInFlight& tile);
  /// Waits for the oldest tile in flight. If it is a part of the result, passes it on to result_.
  Status finish_oldest();
  Recorder recorder();

  const Graph& graph_;
  const Program& program_;
  const DevicePlan& plan_;
  Session& session_;
  const DeviceWeights& packed_weights_;
  const compute::vulkan::Buffer& weights_;
  bool use_matrices_;
  PictureTableLayout table_layout_;
  compute::vulkan::Buffer arena_, picture_tables_;
  std::array<TileBuffers, kTilesInFlight> buffers_;
  std::size_t next_buffer_index_ = 0;
  std::deque<TileInFlight> in_flight_;

  int first_row_ = 0;  // first result row that is not passed on yet when the run begins
  InputRows* input_ = nullptr;
  const RunControl* control_ = nullptr;
  ResultBand* result_ = nullptr;
};

}  // namespace weir::nn::vulkan
