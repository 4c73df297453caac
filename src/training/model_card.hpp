#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "nn/graph.hpp"
#include "training/held_out_set.hpp"
#include "training/recipe.hpp"

namespace weir::training {

struct TrainingSummary {
  std::uint64_t step = 0, steps = 0;
  double seconds = 0;
  PsnrGain gain;
};

/// Markdown that says what a network is, how it was made and what it reached. Errors: those of
/// nn::multiplications_per_pixel.
Result<std::string> make_model_card(const Recipe& recipe, const nn::Graph& graph, const TrainingSummary& trained);

}  // namespace weir::training
