#pragma once

#include "synth/canvas.hpp"
#include "synth/random.hpp"
#include "synth/shapes.hpp"

namespace weir::synth {

/// Dots on a turned grid, larger or smaller along one direction: the grey of printed comics.
struct Screentone {
  Colour paper, ink;
  float pitch = 5;  ///< pixels from dot to dot
  float angle_cos = 1, angle_sin = 0;
  float dot_radius = 0.3F;    ///< radius of the dots as a part of the pitch, 0 to 0.5
  float dot_radius_step = 0;  ///< of tone for each pixel downwards
  Colour colour_at(float x, float y) const;
};
Screentone make_screentone(Random& random, const Colour& paper, const Colour& ink);

/// Parallel strokes across a box, each a little off.
void draw_hatching(Canvas& canvas, const Box& clip, Point centre, float radius, const Colour& ink, Random& random);

/// Thin wedges from the edge of a box towards a point: speed, or shock.
void draw_speed_lines(Canvas& canvas, const Box& clip, const Colour& ink, Random& random);

/// The edge of a blob as a line whose width varies along it.
void draw_outline(Canvas& canvas, const Box& clip, const Blob& blob, float half_width, float variation,
                  const Colour& ink, Random& random);

}  // namespace weir::synth
