#pragma once

#include "synth/canvas.hpp"
#include "synth/random.hpp"
#include "synth/shapes.hpp"

namespace weir::synth {

/// A pattern of ink dots on a rotated grid, with which printed comics show grey. The size of the dots may change from
/// top to bottom.
struct Screentone {
  Colour paper, ink;                   ///< colours of the ground and of the dots
  float pitch = 5;                     ///< distance between dots in pixels
  float angle_cos = 1, angle_sin = 0;  ///< cosine and sine of the grid's rotation
  float dot_radius = 0.3F;             ///< radius of the dots in row y = 0, relative to the pitch
  float dot_radius_step = 0;           ///< change of the dot radius per pixel downwards, relative to the pitch
  /// Returns the colour at a position in pixels.
  Colour colour_at(float x, float y) const;
};
/// Makes a screentone with random pitch, angle and dot radius; in 30 % of the cases the radius changes downwards.
Screentone make_screentone(Random& random, const Colour& paper, const Colour& ink);

/// Draws parallel strokes with small random deviations that fill a circle around `centre`, within `clip`.
void draw_hatching(Canvas& canvas, const Box& clip, Point centre, float radius, const Colour& ink, Random& random);

/// Draws thin wedges from the edge of `clip` towards a random point in it, as comics show speed or shock.
void draw_speed_lines(Canvas& canvas, const Box& clip, const Colour& ink, Random& random);

/// Draws the edge of a blob as a line. Its half width in pixels varies along the edge from `half_width` *
/// (1 - `variation`) to `half_width` * (1 + `variation`).
void draw_outline(Canvas& canvas, const Box& clip, const Blob& blob, float half_width, float variation,
                  const Colour& ink, Random& random);

}  // namespace weir::synth
