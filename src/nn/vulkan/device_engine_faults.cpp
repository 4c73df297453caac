// What becomes of a picture that met a fault.

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "nn/vulkan/device_engine.hpp"

namespace weir::nn::vulkan {

namespace {

constexpr int kSteps = 3;

}  // namespace

Status DeviceEngine::run(const DevicePlan& plan, Orientation orientation, InputRows& input, const EngineOutput& output,
                         const RunControl& control, int& next_row, std::vector<std::string>& events) {
  next_row = 0;
  if (!warning_.empty()) events.push_back(std::exchange(warning_, {}));
  DevicePlan now = plan;
  auto status = attempt(now, orientation, input, output, control, next_row);
  for (int step = 0; step < kSteps && !status && is_device_fault(status.error()) && !settings_.strict; ++step) {
    if (!mend(step, status.error(), now, events)) continue;
    ++counts_.repeats;
    status = attempt(now, orientation, input, output, control, next_row);
  }
  if (!status && is_device_fault(status.error()) && !settings_.strict) ++counts_.given_up;
  return status;
}

/// In the stead of a plan that met a fault. What the host has was counted with the first.
Result<DevicePlan> DeviceEngine::plan_again(const DevicePlan& plan, bool half, int tile) const {
  return plan_with(plan.input, Bytes{~std::uint64_t{0}}, {.half = half, .transfer = plan.transfer, .tile = tile});
}

std::string DeviceEngine::make_smaller(DevicePlan& plan) {
  const int tile = std::min(plan.tile, std::max(plan.input.height, plan.input.width)) / 2;
  if (tile < kLeastTile) return {};
  auto smaller = plan_again(plan, plan.half, tile);
  if (!smaller) return {};
  plan = *std::move(smaller);
  ++counts_.smaller;
  return fmt::format("repeated with tiles of {} pixels", tile);
}

std::string DeviceEngine::make_wider(DevicePlan& plan) {
  if (!plan.half) return {};
  auto wider = plan_again(plan, false, plan.tile);
  if (!wider) return {};
  plan = *std::move(wider);
  ++counts_.wider;
  return "repeated in float32";
}

/// The step after a fault. False if this one can change nothing.
bool DeviceEngine::mend(int step, const Error& fault, DevicePlan& plan, std::vector<std::string>& events) {
  const bool unusable = !usable();
  const bool last = step == kSteps - 1;
  std::string how = last        ? "repeated after the device was opened anew"
                    : step == 0 ? make_smaller(plan)
                                : make_wider(plan);
  if (how.empty()) return false;
  if (unusable || last) {
    ++counts_.reopened;
    if (!last) how += ", the device opened anew";
    if (auto opened = open(); !opened) how += fmt::format(" (which failed: {})", opened.error().what);
  }
  events.push_back(fmt::format("{}: {}", fault.what, how));
  return true;
}

}  // namespace weir::nn::vulkan
