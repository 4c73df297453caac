#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "nn/vulkan/device_plan.hpp"

namespace weir::nn::vulkan {

/// How fast a device runs a network in tiles of one side.
struct TileSpeed {
  int side = 0;                      ///< pixels of the input
  double multiplications_per_s = 0;  ///< multiplications per second, upload and download included
};

/// The sides that are measured, smallest first.
inline constexpr int kMeasuredSides[] = {128, 256, 512, 1024, 2048};

/// What a plan will take by the speed of the largest measured side that is not above its own; halos and repeated passes
/// are part of a plan's multiplications. 0 if nothing was measured.
double expected_seconds(const DevicePlan& plan, std::span<const TileSpeed> speeds);

/// What a submission may hold so that it takes a tenth of a second by the highest of the speeds; never less than what is safe
/// without any.
double max_submission_multiplications(std::span<const TileSpeed> speeds);

/// Speeds as remembered in a file; empty if there is none, or it is damaged. `key` says what they belong to: device,
/// driver, network, precision.
std::vector<TileSpeed> load_speeds(const std::filesystem::path& folder, std::uint64_t key);
/// The file appears whole or not at all. A cache: that it cannot be written is no error.
void save_speeds(const std::filesystem::path& folder, std::uint64_t key, std::span<const TileSpeed> speeds);
/// The user's cache folder for them; empty if the environment names none.
std::filesystem::path speed_folder();

}  // namespace weir::nn::vulkan
