#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "nn/vulkan/device_plan.hpp"

namespace weir::nn::vulkan {

/// The speed of a device with tiles of one size.
struct TileSpeed {
  int side = 0;                      ///< side of the tile in input pixels
  double multiplications_per_s = 0;  ///< multiplications per second, upload and download included
};

/// The sides of tiles that are measured, in input pixels, smallest first.
inline constexpr int kMeasuredSides[] = {128, 256, 512, 1024, 2048};

/// Returns the expected time of a plan in seconds: its multiplications, divided by the speed of the largest measured
/// side that is not larger than the plan's tiles, or, if all are larger, of the smallest measured side. The
/// multiplications include those of halos (margins that adjacent tiles compute twice) and of all passes. Returns 0 if
/// `speeds` is empty.
double expected_seconds(const DevicePlan& plan, std::span<const TileSpeed> speeds);

/// Returns the number of multiplications that take a tenth of a second at the highest of the speeds, but at least
/// compute::vulkan::kDefaultMaxMultiplications: the limit of a submission (StreamSettings::max_multiplications).
double max_submission_multiplications(std::span<const TileSpeed> speeds);

/// Reads cached speeds from the file of `folder` that belongs to `key`, which identifies device, driver, network and
/// precision. Returns an empty list if `folder` is empty, or if the file is missing or damaged.
std::vector<TileSpeed> load_speeds(const std::filesystem::path& folder, std::uint64_t key);
/// Writes the speeds to the file that load_speeds() reads; does nothing if `folder` or `speeds` is empty. The file
/// appears complete or not at all. A failure is ignored, because this is only a cache.
void save_speeds(const std::filesystem::path& folder, std::uint64_t key, std::span<const TileSpeed> speeds);
/// Returns the user's cache folder for speeds; empty if the environment variables give no cache folder.
std::filesystem::path speed_folder();

}  // namespace weir::nn::vulkan
