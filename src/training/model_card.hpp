#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "nn/graph.hpp"
#include "training/held_out.hpp"
#include "training/recipe.hpp"

namespace weir::training {

struct Trained {
  std::uint64_t step = 0, steps = 0;
  double seconds = 0;
  Gain gain;
};

/// Markdown that says what a network is, how it was made and what it reached. Errors: those of
/// nn::multiplications_per_pixel.
Result<std::string> model_card(const Recipe& recipe, const nn::Graph& graph, const Trained& trained);

}  // namespace weir::training
