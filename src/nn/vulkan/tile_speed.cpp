#include "nn/vulkan/tile_speed.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/paths.hpp"
#include "compute/vulkan/stream.hpp"

namespace weir::nn::vulkan {

namespace fs = std::filesystem;

namespace {

fs::path file_of(const fs::path& folder, std::uint64_t key) { return folder / fmt::format("{:016x}", key); }

}  // namespace

double expected_seconds(const DevicePlan& plan, std::span<const TileSpeed> speeds) {
  if (speeds.empty()) return 0;
  const int side = std::min(plan.tile, std::max(plan.input.height, plan.input.width));
  double rate = speeds.front().multiplications_per_s;
  for (const TileSpeed& speed : speeds) {
    if (speed.side <= side) rate = speed.multiplications_per_s;
  }
  return plan.multiplications / rate;
}

double max_submission_multiplications(std::span<const TileSpeed> speeds) {
  constexpr double kSubmissionsPerSecond = 10;
  double limit = compute::vulkan::kDefaultMaxMultiplications;
  for (const TileSpeed& speed : speeds) limit = std::max(limit, speed.multiplications_per_s / kSubmissionsPerSecond);
  return limit;
}

std::vector<TileSpeed> load_speeds(const fs::path& folder, std::uint64_t key) {
  if (folder.empty()) return {};
  std::ifstream in{file_of(folder, key)};
  std::vector<TileSpeed> speeds;
  TileSpeed speed;
  while (in >> speed.side >> speed.multiplications_per_s) {
    const bool ascends = speeds.empty() || speed.side > speeds.back().side;
    if (!ascends || speed.side < kMinTile || !std::isfinite(speed.multiplications_per_s) ||
        speed.multiplications_per_s <= 0)
      return {};
    speeds.push_back(speed);
  }
  return in.eof() ? speeds : std::vector<TileSpeed>{};
}

void save_speeds(const fs::path& folder, std::uint64_t key, std::span<const TileSpeed> speeds) {
  if (folder.empty() || speeds.empty()) return;
  std::error_code problem;
  fs::create_directories(folder, problem);
  std::string text;
  for (const TileSpeed& speed : speeds) text += fmt::format("{} {:.6g}\n", speed.side, speed.multiplications_per_s);
  // The result is not used: a failure is ignored.
  (void)static_cast<bool>(write_file(file_of(folder, key), text));
}

fs::path speed_folder() {
  const fs::path cache = user_cache_folder(process_environment());
  return cache.empty() ? cache : cache / "tiles";
}

}  // namespace weir::nn::vulkan
