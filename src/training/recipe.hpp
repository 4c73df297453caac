#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::training {

/// What a network is made by; docs/training.md has the file's form. Together with the number of steps it decides every bit
/// of the weights, on one instruction set.
struct Recipe {
  std::string name = "network";
  std::uint64_t seed = 1;
  std::string about;  ///< for the model card: what the network is good and bad at

  struct Structure {
    int scale = 2;
    int channels = 32;  ///< of every layer between the first and the last
    int layers = 8;     ///< 3x3 convolutions between them
  } structure;
  struct Data {
    float comics_share = 0.5F;     ///< share of comics; the rest are leaves
    float clean_share = 0.4F;      ///< share of pairs that are only shrunk
    int side_px = 256;             ///< of a picture that is drawn
    int patches_per_picture = 16;  ///< patches cut from it
    int patch_px = 48;             ///< side of a patch of the small picture
    int batch_size = 16;           ///< patches of a step
  } data;
  struct Learning {
    std::string loss = "charbonnier";  ///< or "l1", "mse"
    double rate = 1e-3;                ///< of Adam, after the warm-up; a cosine leads from it to `floor`
    double min_rate = 1e-6;
    std::uint64_t warm_up_steps = 200;  ///< steps
    double ema_decay = 0.999;           ///< decay of the weights' running mean, which is what is kept; 0: none
    std::uint64_t steps = 80000;
    std::uint64_t validation_interval = 2000;  ///< steps between two looks at the held-out pictures
  } learning;
  /// The last part of the steps, with its own rate and pairs: a cosine again (warm restart, Loshchilov and Hutter, "SGDR",
  /// ICLR 2017), for what is dear to learn from the start.
  struct FinalPhase {
    double steps_share = 0;  ///< of all steps; 0: there is none
    double rate = 1e-4;
    float clean_share = 0.5F;
  } final_phase;

  /// Of so many steps, the first that belongs to the ending.
  std::uint64_t final_phase_start(std::uint64_t steps) const {
    return steps - static_cast<std::uint64_t>(std::llround(final_phase.steps_share * static_cast<double>(steps)));
  }
};

/// Errors: invalid_argument naming the place: "recipe.toml:3: unknown key 'chanels'", a value out of its range.
Result<Recipe> parse_recipe(std::string_view text, const std::string& name);

}  // namespace weir::training
