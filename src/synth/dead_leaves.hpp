#pragma once

#include "synth/canvas.hpp"
#include "synth/random.hpp"

namespace weir::synth {

/// A picture with the statistics of photographs: opaque shapes of sizes that follow a power law, one before the other,
/// each with a colour or texture of the picture's palette, most with sharp edges, some out of focus; blurred a little and
/// grainy as by a camera, often.
/// Source  Achddou, Gousseau, Ladjal, "Synthetic images as a regularity prior for image restoration neural networks",
///         SSVM 2021; the model is Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 41 (2001)
Canvas draw_dead_leaves(int width, int height, Random random);

}  // namespace weir::synth
