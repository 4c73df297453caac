#pragma once

#include <memory>

#include "base/result.hpp"
#include "synth/canvas.hpp"
#include "synth/random.hpp"

namespace weir::synth {

/// Draws text with installed fonts, through FreeType. Not thread-safe.
class Lettering {
 public:
  /// Opens the fonts of Debian's packages fonts-dejavu-core and fonts-vlgothic. Only these are used, because a seed
  /// must draw the same picture on every machine. Errors: unsupported if FreeType or a font is missing; the message
  /// names the packages.
  static Result<std::unique_ptr<Lettering>> open();
  virtual ~Lettering() = default;

  /// Fills the box with lines of random letters, in a random font with an em size of `size` pixels.
  virtual void draw_text(Canvas& canvas, const Box& box, float size, const Colour& ink, Random& random) = 0;
};

}  // namespace weir::synth
