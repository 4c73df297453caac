#include "enhance/precision_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <xxhash.h>

#include "enhance/geometry.hpp"
#include "nn/run.hpp"

namespace weir::enhance {

namespace {

namespace fs = std::filesystem;

constexpr int kSide = 96;
constexpr int kVersion = 1;  // of the drawn picture and of the kernels' rounding: raise it to check again
constexpr double kLeastPsnr = 55;
constexpr int kMostOff = 8;

/// Four quarters: noise, a checkerboard, saturated colours in bars, a ramp with a sharp disc.
float drawn(int c, int y, int x) {
  const int half = kSide / 2;
  if (y < half && x < half) {
    std::uint32_t h = static_cast<std::uint32_t>((c * kSide + y) * kSide + x) * 2654435761u;
    h = (h ^ (h >> 15)) * 2246822519u;
    return static_cast<float>((h >> 13) & 255u) / 255.0F;
  }
  if (y < half) return static_cast<float>((x + y) % 2);
  if (x < half) return static_cast<float>(((x / 6) >> c) & 1);
  const int dy = y - half - half / 2;
  const int dx = x - half - half / 2;
  return dy * dy + dx * dx < 200 ? 1.0F - 0.4F * static_cast<float>(c)
                                 : static_cast<float>(x - half) / static_cast<float>(half);
}

class DrawnRows final : public nn::InputRows {
 public:
  explicit DrawnRows(const Geometry& geometry) : geometry_{geometry} {}
  Status begin() override { return ok(); }
  Status fill(const nn::PlanarRows& rows) override {
    for (int i = 0; i < rows.count; ++i) {
      const int y = reflect(rows.first + i - geometry_.border, kSide);
      for (int c = 0; c < rows.planes; ++c) {
        float* to = rows.row[static_cast<std::size_t>(i)] + c * rows.plane_stride;
        for (int x = 0; x < rows.width; ++x) to[x] = drawn(c, y, reflect(x - geometry_.border, kSide));
      }
    }
    return ok();
  }

 private:
  Geometry geometry_;
};

Result<std::vector<float>> run_drawn(const nn::Network& network, const nn::Program& program,
                                     const compute::Kernels& kernels, compute::Team& team, bool ints) {
  const Geometry geometry = geometry_of(network.family, kSide, kSide);
  nn::PlanLimits limits;
  limits.memory = 64_GiB;  // of a picture this small nothing large comes
  auto plan = nn::plan_whole(network.graph, program, {geometry.input_height, geometry.input_width},
                             ints ? compute::Storage::half : compute::Storage::single, limits);
  if (!plan) return plan.error();
  auto runner = nn::Runner::create(network.graph, program, *plan, kernels, team, {});
  if (!runner) return runner.error();
  const nn::Packed packed =
      nn::pack(network.graph, program, kernels, ints ? compute::Arithmetic::int16 : compute::Arithmetic::float32);
  DrawnRows input{geometry};
  std::vector<float> result;
  const auto take = [&](const nn::PlanarRows& rows) -> Status {
    for (int i = 0; i < rows.count; ++i) {
      for (int c = 0; c < rows.planes; ++c) {
        const float* from = rows.row[static_cast<std::size_t>(i)] + c * rows.plane_stride;
        result.insert(result.end(), from, from + rows.width);
      }
    }
    return ok();
  };
  if (auto status = runner->run(packed, input, take, {}); !status) return status.error();
  return result;
}

std::uint64_t fingerprint(const nn::Graph& graph, const compute::Kernels& kernels) {
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  const std::unique_ptr<XXH3_state_t, Free> state{XXH3_createState()};
  XXH3_64bits_reset(state.get());
  const auto add = [&](const void* data, std::size_t bytes) { XXH3_64bits_update(state.get(), data, bytes); };
  add(&kVersion, sizeof kVersion);
  add(kernels.name.data(), kernels.name.size());
  const auto add_weights = [&](const auto& operation) {
    if constexpr (requires { operation.weight; }) {
      add(operation.weight.data(), operation.weight.size() * sizeof(float));
      add(operation.bias.data(), operation.bias.size() * sizeof(float));
    }
    if constexpr (requires { operation.slope; }) add(operation.slope.data(), operation.slope.size() * sizeof(float));
  };
  for (const nn::Layer& layer : graph.layers) {
    const std::size_t kind = layer.operation.index();
    add(&kind, sizeof kind);
    add(layer.inputs.data(), layer.inputs.size() * sizeof(int));
    std::visit(add_weights, layer.operation);
  }
  return XXH3_64bits_digest(state.get());
}

fs::path cache_file(std::uint64_t key) {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  fs::path folder;
  if (cache != nullptr && *cache == '/')
    folder = cache;
  else if (home != nullptr && *home == '/')
    folder = fs::path{home} / ".cache";
  else
    return {};
  return folder / "weir" / "precision" / fmt::format("{:016x}", key);
}

bool recall(const fs::path& file, PrecisionCheck& check) {
  std::ifstream in{file};
  int good = 0;
  if (!(in >> good >> check.psnr >> check.most_off)) return false;
  check.good_enough = good == 1;
  return true;
}

/// A cache: that it cannot be written is no error. Written beside and renamed, so that no reader sees half of it.
void remember(const fs::path& file, const PrecisionCheck& check) {
  if (file.empty()) return;
  std::error_code problem;
  fs::create_directories(file.parent_path(), problem);
  fs::path beside = file;
  beside += fmt::format(".{}", reinterpret_cast<std::uintptr_t>(&check));
  {
    std::ofstream out{beside};
    out << (check.good_enough ? 1 : 0) << ' ' << fmt::format("{:.2f}", check.psnr) << ' ' << check.most_off << '\n';
    if (!out) return;
  }
  fs::rename(beside, file, problem);
  if (problem) fs::remove(beside, problem);
}

}  // namespace

Result<PrecisionCheck> check_precision(const nn::Network& network, const nn::Program& program,
                                       const compute::Kernels& kernels, compute::Team& team) {
  PrecisionCheck check;
  const fs::path file = cache_file(fingerprint(network.graph, kernels));
  if (!file.empty() && recall(file, check)) return check;
  const auto exact = run_drawn(network, program, kernels, team, false);
  if (!exact) return exact.error();
  const auto fast = run_drawn(network, program, kernels, team, true);
  check = {};
  if (!fast && fast.error().code != Errc::bad_values) return fast.error();
  if (fast) {
    double squares = 0;
    for (std::size_t i = 0; i < exact->size(); ++i) {
      const int a = static_cast<int>(std::lround(std::clamp((*exact)[i], 0.0F, 1.0F) * 255.0F));
      const int b = static_cast<int>(std::lround(std::clamp((*fast)[i], 0.0F, 1.0F) * 255.0F));
      check.most_off = std::max(check.most_off, std::abs(a - b));
      squares += static_cast<double>(a - b) * (a - b);
    }
    check.psnr = squares == 0 ? 99 : 10 * std::log10(255.0 * 255.0 * static_cast<double>(exact->size()) / squares);
    check.good_enough = check.psnr >= kLeastPsnr && check.most_off <= kMostOff;
  }
  remember(file, check);
  return check;
}

}  // namespace weir::enhance
