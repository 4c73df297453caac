// How the run of a picture is repeated after a fault.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "nn/vulkan/device_engine.hpp"

namespace weir::nn::vulkan {

namespace {

/// The steps of prepare_retry(), in the order in which DeviceEngine::run() tries them.
enum RetryStep : int { kShrinkTiles, kSwitchToFloat32, kReopen };
constexpr int kRetrySteps = 3;

}  // namespace

Status DeviceEngine::run(const DevicePlan& plan, Orientation orientation, InputRows& input, const EngineOutput& output,
                         const RunControl& control, int& next_row, std::vector<std::string>& events) {
  next_row = 0;
  if (!warning_.empty()) events.push_back(std::exchange(warning_, {}));
  DevicePlan current_plan = plan;
  auto status = attempt(current_plan, orientation, input, output, control, next_row);
  for (int step = 0; step < kRetrySteps && !status && is_device_fault(status.error()) && !settings_.strict; ++step) {
    if (!prepare_retry(step, status.error(), current_plan, events)) continue;
    ++counts_.retries;
    status = attempt(current_plan, orientation, input, output, control, next_row);
  }
  if (!status && is_device_fault(status.error()) && !settings_.strict) ++counts_.cpu_fallbacks;
  return status;
}

/// Plans a retry after a fault. Sets no limit for the memory of the host, because the first plan was within the limit.
Result<DevicePlan> DeviceEngine::replan(const DevicePlan& plan, bool half, int tile) const {
  return plan_with(plan.input, Bytes{~std::uint64_t{0}}, {.half = half, .transfer = plan.transfer, .tile = tile});
}

std::string DeviceEngine::shrink_tiles(DevicePlan& plan) {
  // Half the side; a tile that is larger than the picture counts as the picture.
  const int tile = std::min(plan.tile, std::max(plan.input.height, plan.input.width)) / 2;
  if (tile < kMinTile) return {};
  auto smaller = replan(plan, plan.half, tile);
  if (!smaller) return {};
  plan = *std::move(smaller);
  ++counts_.smaller_tile_retries;
  return fmt::format("repeated with tiles of {} pixels", tile);
}

std::string DeviceEngine::switch_to_float32(DevicePlan& plan) {
  if (!plan.half) return {};
  auto float32_plan = replan(plan, /*half=*/false, plan.tile);
  if (!float32_plan) return {};
  plan = *std::move(float32_plan);
  ++counts_.float32_retries;
  return "repeated in float32";
}

/// Changes the plan (steps 0 and 1) or opens the device again (step 2). Steps 0 and 1 also open the device again if it
/// is not usable.
bool DeviceEngine::prepare_retry(int step, const Error& fault, DevicePlan& plan, std::vector<std::string>& events) {
  const bool is_unusable = !is_usable();
  const bool reopens = step == kReopen;
  std::string description;  // stays empty if the change is not possible
  if (step == kShrinkTiles) description = shrink_tiles(plan);
  if (step == kSwitchToFloat32) description = switch_to_float32(plan);
  if (step == kReopen) description = "repeated after the device was opened again";
  if (description.empty()) return false;
  if (is_unusable || reopens) {
    ++counts_.reopened;
    if (!reopens) description += ", after the device was opened again";
    if (auto opened = open(); !opened) description += fmt::format(" (opening failed: {})", opened.error().what);
  }
  events.push_back(fmt::format("{}: {}", fault.what, description));
  return true;
}

}  // namespace weir::nn::vulkan
