// weir_draw: draws sheets of the training pictures for visual inspection.

#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "synth/canvas_file.hpp"
#include "synth/comic.hpp"
#include "synth/dead_leaves.hpp"
#include "synth/degrade.hpp"

namespace {

using weir::Error;
using weir::Result;
using weir::Status;
using namespace weir::synth;  // NOLINT(google-build-using-namespace): the whole program uses it

/// The arguments of the program. `side` is the width and height of a picture in pixels.
struct SheetOptions {
  std::string kind = "both";
  std::uint64_t seed = 1;
  int side = 256;
  int columns = 4, rows = 4;
  bool degraded = false;
  std::string output;
};

/// Draws one picture of the sheet. A degraded picture is shown as its small version, with each pixel as a 2 x 2 block.
Result<Canvas> draw_one(const SheetOptions& options, std::uint64_t seed, bool comic, Lettering* lettering) {
  Random random{seed};
  Canvas large = comic ? draw_comic(options.side, options.side, random.split(), lettering)
                       : draw_dead_leaves(options.side, options.side, random.split());
  if (!options.degraded) return large;
  auto small = degrade(large, 2, random_degradation(random, 0), random.split());
  if (!small) return small;
  for (int y = 0; y < large.height; ++y) {
    for (int x = 0; x < large.width; ++x) large.at(x, y) = small->at(x / 2, y / 2);
  }
  return large;
}

/// Draws and writes the sheet. With the kind "both", the upper half of the rows has leaves, the lower half comics.
Status draw_sheet(const SheetOptions& options) {
  auto lettering = Lettering::open();
  if (!lettering && options.kind != "leaves") return lettering.error();
  constexpr int kGap = 4;  // pixels between two pictures
  const int step = options.side + kGap;
  Canvas sheet{options.columns * step - kGap, options.rows * step - kGap, {0.5F, 0.5F, 0.5F}};
  for (int row = 0; row < options.rows; ++row) {
    for (int column = 0; column < options.columns; ++column) {
      const int i = row * options.columns + column;
      const bool comic = options.kind == "comic" || (options.kind == "both" && row >= options.rows / 2);
      auto picture = draw_one(options, options.seed + static_cast<std::uint64_t>(i), comic,
                              lettering ? lettering->get() : nullptr);
      if (!picture) return picture.error();
      paste(*picture, sheet, column * step, row * step);
    }
  }
  return write_canvas(sheet, options.output);
}

}  // namespace

int main(int argc, char** argv) {
  SheetOptions options;
  CLI::App app{"Draws the pictures that networks are trained with, as a sheet."};
  app.add_option("--kind", options.kind, "What to draw")->check(CLI::IsMember({"leaves", "comic", "both"}));
  app.add_option("--seed", options.seed, "Seed of the first picture; each further picture adds 1");
  app.add_option("--side", options.side, "Width and height of each picture in pixels, even")
      ->check(CLI::Range(16, 4096));
  app.add_option("--columns", options.columns)->check(CLI::Range(1, 64));
  app.add_option("--rows", options.rows)->check(CLI::Range(1, 64));
  app.add_flag("--degraded", options.degraded, "Show the small, degraded pictures, each pixel as a block");
  app.add_option("-o,--output", options.output, "Output file; its extension selects the format (PNG by default)")
      ->required();
  CLI11_PARSE(app, argc, argv);
  options.side -= options.side % 2;  // a degraded picture has half the side
  if (const auto drawn = draw_sheet(options); !drawn) {
    fmt::print(stderr, "error: {}\n", drawn.error().what);
    return 1;
  }
  return 0;
}
