#pragma once

#include "synth/canvas.hpp"
#include "synth/lettering.hpp"
#include "synth/random.hpp"

namespace weir::synth {

/// Draws a part of a comic page: panels with flat colours and gradients, figures with ink lines of varying width,
/// hatching, screentones, speed lines, speech bubbles with text. About half of the pictures are grey, as in manga. If
/// `lettering` is null, the bubbles are empty.
Canvas draw_comic(int width, int height, Random random, Lettering* lettering);

}  // namespace weir::synth
