#include "nn/vulkan/tile_speed.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "compute/vulkan/stream.hpp"

namespace weir::nn::vulkan {

namespace fs = std::filesystem;

namespace {

fs::path file_of(const fs::path& folder, std::uint64_t key) { return folder / fmt::format("{:016x}", key); }

}  // namespace

double expected_seconds(const DevicePlan& plan, std::span<const TileSpeed> speeds) {
  if (speeds.empty()) return 0;
  const int side = std::min(plan.tile, std::max(plan.input.height, plan.input.width));
  double rate = speeds.front().rate;
  for (const TileSpeed& speed : speeds) {
    if (speed.side <= side) rate = speed.rate;
  }
  return plan.multiplications / rate;
}

double most_of_submission(std::span<const TileSpeed> speeds) {
  double most = compute::vulkan::kSlowestTenth;
  for (const TileSpeed& speed : speeds) most = std::max(most, speed.rate / 10);
  return most;
}

std::vector<TileSpeed> recall_speeds(const fs::path& folder, std::uint64_t key) {
  if (folder.empty()) return {};
  std::ifstream in{file_of(folder, key)};
  std::vector<TileSpeed> speeds;
  TileSpeed speed;
  while (in >> speed.side >> speed.rate) {
    const bool ascends = speeds.empty() || speed.side > speeds.back().side;
    if (!ascends || speed.side < kLeastTile || !std::isfinite(speed.rate) || speed.rate <= 0) return {};
    speeds.push_back(speed);
  }
  return in.eof() ? speeds : std::vector<TileSpeed>{};
}

void remember_speeds(const fs::path& folder, std::uint64_t key, std::span<const TileSpeed> speeds) {
  if (folder.empty() || speeds.empty()) return;
  std::error_code problem;
  fs::create_directories(folder, problem);
  const fs::path file = file_of(folder, key);
  fs::path beside = file;
  beside += fmt::format(".{}", getpid());
  {
    std::ofstream out{beside};
    for (const TileSpeed& speed : speeds) out << speed.side << ' ' << fmt::format("{:.6g}", speed.rate) << '\n';
    if (!out) return;
  }
  fs::rename(beside, file, problem);
  if (problem) fs::remove(beside, problem);
}

fs::path speed_folder() {
  const auto absolute = [](const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr && *value == '/' ? fs::path{value} : fs::path{};
  };
  if (const fs::path cache = absolute("XDG_CACHE_HOME"); !cache.empty()) return cache / "weir" / "tiles";
  if (const fs::path home = absolute("HOME"); !home.empty()) return home / ".cache" / "weir" / "tiles";
  return {};
}

}  // namespace weir::nn::vulkan
