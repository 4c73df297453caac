#pragma once

#include "synth/canvas.hpp"
#include "synth/random.hpp"

namespace weir::synth {

/// Draws a picture with the statistics of photographs ("dead leaves" model): opaque shapes that occlude each other,
/// with sizes that follow a power law. Each shape has a colour or texture of the picture's palette; most edges are
/// sharp, some are out of focus. Often the picture is slightly blurred and noisy, as from a camera.
/// Source  Achddou, Gousseau, Ladjal, "Synthetic images as a regularity prior for image restoration neural networks",
///         SSVM 2021; the model is Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 41 (2001)
Canvas draw_dead_leaves(int width, int height, Random random);

}  // namespace weir::synth
