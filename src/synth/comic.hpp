#pragma once

#include "synth/canvas.hpp"
#include "synth/lettering.hpp"
#include "synth/random.hpp"

namespace weir::synth {

/// A part of a comic's page: panels with flat and graded colours, figures of ink lines whose width varies, hatching,
/// screentones, speed lines, speech bubbles with letters. About half are in grey, as manga are.
/// `lettering` may be null: then bubbles are empty.
Canvas draw_comic(int width, int height, Random random, Lettering* lettering);

}  // namespace weir::synth
