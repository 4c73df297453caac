// Measures how fast the device runs the network with tiles of several sizes.

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <xxhash.h>

#include "nn/op_traits.hpp"
#include "nn/vulkan/device_engine.hpp"

namespace weir::nn::vulkan {

namespace {

/// The picture that is used to measure speeds. Its values rise from pixel to pixel, because a result of one colour
/// would count as a fault.
class GradientRows final : public InputRows {
 public:
  Status rewind() override { return ok(); }
  Status fill(const PlanarRows& rows) override {
    for (int i = 0; i < rows.count; ++i) {
      for (int c = 0; c < rows.planes; ++c) {
        float* to = rows.row[static_cast<std::size_t>(i)] + c * rows.plane_stride;
        // 40 steps from plane to plane, so that the colours differ.
        for (int x = 0; x < rows.width; ++x) to[x] = static_cast<float>((x + rows.first + i + 40 * c) % 256) / 255.0F;
      }
    }
    return ok();
  }
};

}  // namespace

/// Measuring takes some seconds at most, because no larger side is measured after a run that took longer than
/// kLongRunSeconds.
const std::vector<TileSpeed>& DeviceEngine::speeds() {
  if (speeds_known_) return speeds_;
  speeds_known_ = true;
  const std::uint64_t key = speed_key();
  speeds_ = load_speeds(speed_folder(), key);
  if (!speeds_.empty()) return speeds_;
  constexpr double kLongRunSeconds = 1;
  const EngineCounts counts_before = counts_;
  double seconds = 0;
  for (const int side : kMeasuredSides) {
    if (seconds > kLongRunSeconds || !measure(side, seconds)) break;
  }
  counts_ = counts_before;
  save_speeds(speed_folder(), key, speeds_);
  return speeds_;
}

/// A fault is not reported here, because the run of the picture itself will report it.
bool DeviceEngine::measure(int side, double& seconds) {
  // The border is added so that a network without padding has a result even for the smallest tile.
  constexpr int kBorder = 64;
  // Tiles of twice the side make the whole picture one tile.
  const TilePlanRequest request{.half = half_by_default(), .transfer = {true, true}, .tile = 2 * side};
  constexpr Bytes kAnyHostMemory{~std::uint64_t{0}};
  const auto plan = plan_with({side + kBorder, side + kBorder}, kAnyHostMemory, request);
  if (!plan || !plan->one_tile) return false;
  GradientRows input;
  for (const bool is_measured : {false, true}) {  // the first run is not measured, because it compiles kernels
    const auto start = std::chrono::steady_clock::now();
    int next_row = 0;
    const EngineOutput discard_rows{{}, [](const ByteRows&) { return ok(); }};
    if (!attempt(*plan, {}, input, discard_rows, {}, next_row)) return false;
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    constexpr double kShortestSeconds = 1e-9;  // in case the clock has not advanced
    if (is_measured) speeds_.push_back({side, plan->multiplications / std::max(seconds, kShortestSeconds)});
  }
  return true;
}

std::uint64_t DeviceEngine::speed_key() const {
  constexpr int kVersion = 1;  // version of the kernels: with a higher number, all devices are measured again
  std::string text = fmt::format("{} {} {} {} {} {} {}", kVersion, info_.uuid, info_.name, info_.driver,
                                 half_by_default(), use_matrices_, program_.ops.size());
  for (const Op& op : program_.ops)
    text += fmt::format(" {}:{}:{}", op.kind.traits->name,
                        program_.tensors[static_cast<std::size_t>(op.output)].channels, op.multiplications);
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace weir::nn::vulkan
