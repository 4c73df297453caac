#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::training {

/// The description of a training, read from a TOML file; docs/training.md documents the keys of the file. On the same
/// device and instruction set, the recipe and the number of steps determine every bit of the trained weights.
struct Recipe {
  std::string name = "network";  ///< name of the network, and of its files
  std::uint64_t seed = 1;        ///< seed of all random numbers of the training
  std::string about;             ///< text for the model card: strengths and weaknesses of the network

  /// The size of the network (UpscalingNetwork).
  struct Structure {
    int scale = 2;      ///< factor by which the network enlarges: 2 to 4
    int channels = 32;  ///< number of channels of every layer but the last
    int layers = 8;     ///< number of 3x3 convolutions between the first and the last
  } structure;
  /// The training pictures. A pair is made from a drawn picture and its shrunk version (the small picture); see
  /// PairFeed.
  struct Data {
    float comics_share = 0.5F;     ///< share of pictures that are comics; the others are overlapping random shapes
    float clean_share = 0.4F;      ///< share of clean pairs: the small picture is only shrunk; others are degraded too
    int side_px = 256;             ///< width and height of a drawn large picture
    int patches_per_picture = 16;  ///< number of patches (squares) that are cut from a picture
    int patch_px = 48;             ///< width and height of a patch of the small picture
    int batch_size = 16;           ///< number of patches in a batch, the data of one step
  } data;
  /// The steps of the training.
  struct Learning {
    std::string loss = "charbonnier";   ///< the loss function: "charbonnier", "l1" or "mse"
    double rate = 1e-3;                 ///< learning rate after the warm-up; follows a cosine down to `min_rate`
    double min_rate = 1e-6;             ///< learning rate at the end of each cosine
    std::uint64_t warm_up_steps = 200;  ///< number of first steps, also of the final phase, in which the rate rises
    /// decay per step of the moving average of the weights, which is the result of the training; 0: the weights of the
    /// last step are the result
    double ema_decay = 0.999;
    std::uint64_t steps = 80000;  ///< number of all steps, unless TrainSettings has another number
    /// the gain on the held-out pictures is measured at each multiple of this number of steps (rounded up to a multiple
    /// of 50) and after the last step
    std::uint64_t validation_interval = 2000;
  } learning;
  /// The final phase: the last steps of the training, which have their own learning rate and share of clean pairs. The
  /// rate follows a second cosine (a warm restart: Loshchilov and Hutter, "SGDR", ICLR 2017). In the file the table is
  /// named [ending].
  struct FinalPhase {
    double steps_share = 0;    ///< share of all steps; 0: there is no final phase
    double rate = 1e-4;        ///< learning rate after the warm-up of this phase; follows a cosine down to `min_rate`
    float clean_share = 0.5F;  ///< share of clean pairs in this phase, in place of Data::clean_share
  } final_phase;

  /// Returns the index of the step with which the final phase begins if the training has `steps` steps in all; `steps`
  /// if there is no final phase.
  std::uint64_t final_phase_start(std::uint64_t steps) const {
    return steps - static_cast<std::uint64_t>(std::llround(final_phase.steps_share * static_cast<double>(steps)));
  }
};

/// Reads a recipe from the text of a file; `name` is the file's name for messages. Errors: invalid_argument, with the
/// line: no valid TOML, an unknown key ("recipe.toml:3: unknown key 'chanels'"), or a value of another type or out of
/// its range.
Result<Recipe> parse_recipe(std::string_view text, const std::string& name);

}  // namespace weir::training
