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

/// The settings of a training that are not in its recipe.
struct TrainSettings {
  std::filesystem::path folder;  ///< output folder; created if it does not exist
  bool resume = false;           ///< true: continues the training in the folder, with its number of steps
  /// training time of a new training: train() measures the speed and computes the number of steps
  std::optional<double> hours = {};
  /// number of steps of a new training if `hours` is empty; empty: the recipe's number
  std::optional<std::uint64_t> steps = {};
  int threads = 1;                                  ///< number of CPU threads, if the CPU trains
  std::shared_ptr<const nn::vulkan::Gpu> gpu = {};  ///< GPU to train on; null: the CPU
};

/// The progress of a training.
struct TrainProgress {
  std::uint64_t step = 0, steps = 0;  ///< number of steps done so far, in all runs; number of all steps
  double loss = 0;                    ///< loss of the last step
  std::optional<PsnrGain> gain;  ///< last measured gain on the held-out pictures; empty: not measured in this run yet
  double seconds_left = 0;       ///< estimated time until the last step
};

/// Trains a network by a recipe. `recipe` must be parsed from `recipe_text`. While the training runs, it writes these
/// files into the folder, at each measurement of the gain (Recipe::Learning::validation_interval):
/// - NAME.param and NAME.bin: the network, which weir and ncnn's programs read (NAME is Recipe::name)
/// - NAME.md: the model card of the network
/// - metrics.jsonl (a line every 50 steps) and curves.svg: loss and gain over the steps
/// - strip.png: held-out pictures (HeldOutSet::write_strip)
/// - recipe.toml: a copy of the recipe, written only at the start
/// - checkpoint and run.json: the state from which the training can continue, also written every three minutes and at
///   the end
/// If the process is killed, the same call with `resume` continues from the last checkpoint, and the result is
/// bit-identical to that of a run without interruption. Another device can continue too, with its own rounding. Calls
/// `on_progress` every 50 steps and after the last step. Returns true if all steps are done, false if `stop` was
/// requested before.
/// Errors: exists (the folder contains a training, and `resume` is false); invalid_argument (`resume` with another
/// recipe, or the folder has no training); io, disk_full; those of load_checkpoint(), PairFeed, HeldOutSet and the
/// device.
Result<bool> train(const std::string& recipe_text, const Recipe& recipe, const TrainSettings& settings,
                   std::stop_token stop, const std::function<void(const TrainProgress&)>& on_progress);

}  // namespace weir::training
