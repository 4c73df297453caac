#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "nn/vulkan/gpu.hpp"
#include "training/held_out_set.hpp"
#include "training/recipe.hpp"

namespace weir::training {

struct TrainSettings {
  std::filesystem::path folder;  ///< of everything that is written; made if it is not there
  bool resume = false;
  std::optional<double> hours =
      {};  ///< as many steps as fit, measured before the first; else `steps`, else the recipe's
  std::optional<std::uint64_t> steps = {};
  int threads = 1;
  std::shared_ptr<const nn::vulkan::Gpu> gpu = {};  ///< null: the CPU
};

/// How far a training is.
struct TrainProgress {
  std::uint64_t step = 0, steps = 0;
  double loss = 0;
  std::optional<PsnrGain> gain;  ///< of the last look
  double seconds_left = 0;
};

/// Trains by a recipe and writes into the folder, as it goes: NAME.param and NAME.bin, which weir and ncnn's programs read;
/// NAME.md, the model card; metrics.jsonl; curves.svg; strip.png (resize, network, right one); recipe.toml; checkpoint and
/// run.json to go on from. Killed at any moment, the same call with `resume` goes on and ends with the same bits;
/// on another device it goes on too, and rounds as that does.
/// Returns true if the training came to its end, false if it was stopped.
/// Errors: exists (a training is there already, and not `resume`); invalid_argument (`resume` with another recipe, nothing
/// to resume); io, disk_full; those of PairFeed and of the device.
Result<bool> train(const std::string& recipe_text, const Recipe& recipe, const TrainSettings& settings,
                   std::stop_token stop, const std::function<void(const TrainProgress&)>& on_progress);

}  // namespace weir::training
