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

/// One walk of a program over one picture on one device, by one plan. While the device computes one tile, the host
/// judges and passes on the one before and prepares the next; where the plan has copies, these go to and from the device
/// meanwhile.
class TiledRun final : private MultiPassRun {
 public:
  /// Everything must outlive it; `packed` is what lies in `weights`.
  TiledRun(const Graph& graph, const Program& program, const DevicePlan& plan, Session& session,
           const DeviceWeights& packed_weights, const compute::vulkan::Buffer& weights, bool use_matrices)
      : graph_{graph},
        program_{program},
        plan_{plan},
        session_{session},
        packed_weights_{packed_weights},
        weights_{weights},
        use_matrices_{use_matrices} {}

  /// Rows of the result from `next_row` on, which follows what is passed on, whatever comes of the run.
  /// Errors: those of input and output; cancelled; over_budget, device_lost; bad_values for a tile that cannot be right.
  Status run(InputRows& input, const EngineOutput& output, const RunControl& control, int& next_row);

 private:
  struct TileBuffers {
    compute::vulkan::Buffer upload, download;  ///< what the host sees
    compute::vulkan::Buffer input, result;     ///< the device's own, with copies
  };
  struct TileInFlight {
    std::size_t buffer_index = 0;
    Rect rect;
    bool is_result = false;                  ///< else it was for a mean
    compute::vulkan::Ticket computed = 0;    ///< of the stream that computes
    compute::vulkan::Ticket downloaded = 0;  ///< of the one that copies; 0: not asked for yet
    ColourRange range;
    double multiplications = 0;
  };
  Status prepare();
  Status upload_tables();
  Status begin_means(const ChannelMeans& mean) override;
  Status finish_means(const ChannelMeans& mean) override;
  Status make_part(std::size_t pass, std::size_t part) override;
  Status allocate_buffers();
  Status begin_tile(const DevicePass& pass, Rect rect, InputBand& band);
  Result<compute::vulkan::Slice> upload_input(const TileBuffers& buffers, const Rect& source, const InputBand& band);
  Status record_tile(const DevicePass& pass, const Tile& tile, compute::vulkan::Slice input, TileInFlight& pending);
  Status start_download(TileInFlight& tile);
  Status finish_oldest();
  Recorder recorder();

  const Graph& graph_;
  const Program& program_;
  const DevicePlan& plan_;
  Session& session_;
  const DeviceWeights& packed_weights_;
  const compute::vulkan::Buffer& weights_;
  bool use_matrices_;
  ParameterLayout parameter_layout_;
  compute::vulkan::Buffer arena_, parameters_;
  std::array<TileBuffers, kTilesInFlight> buffers_;
  std::size_t next_buffer_index_ = 0;
  std::deque<TileInFlight> in_flight_;

  int first_row_ = 0;
  InputRows* input_ = nullptr;
  const RunControl* control_ = nullptr;
  ResultBand* result_ = nullptr;
};

}  // namespace weir::nn::vulkan
