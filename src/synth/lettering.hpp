#pragma once

#include <memory>

#include "base/result.hpp"
#include "synth/canvas.hpp"
#include "synth/random.hpp"

namespace weir::synth {

/// Letters of fonts that are installed, drawn by FreeType. Not thread-safe.
class Lettering {
 public:
  /// The fonts that Debian's packages fonts-dejavu-core and fonts-vlgothic install: with others a seed would not draw the
  /// same picture everywhere. Errors: unsupported naming the packages, if one is missing.
  static Result<std::unique_ptr<Lettering>> open();
  virtual ~Lettering() = default;

  /// Writes a block of lines of made-up words into the box, letters `size` pixels high.
  virtual void draw_text(Canvas& canvas, const Box& box, float size, const Colour& ink, Random& random) = 0;
};

}  // namespace weir::synth
