#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "nn/graph.hpp"
#include "training/held_out_set.hpp"
#include "training/recipe.hpp"

namespace weir::training {

/// The length and the result of a training, for its model card.
struct TrainingSummary {
  std::uint64_t step = 0, steps = 0;  ///< number of steps done so far, in all runs; number of all steps
  double seconds = 0;                 ///< training time so far, in all runs
  PsnrGain gain;                      ///< gain on the held-out pictures
};

/// Returns a Markdown text that describes a network, its training and its quality. Errors: those of
/// nn::multiplications_per_pixel().
Result<std::string> make_model_card(const Recipe& recipe, const nn::Graph& graph, const TrainingSummary& summary);

}  // namespace weir::training
