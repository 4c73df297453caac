// weir_quality: draws pictures that no recipe trains with, makes small ones of them, and measures how near enlarged ones
// come. `bench/quality` uses it.

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "synth/canvas_file.hpp"
#include "synth/comic.hpp"
#include "synth/dead_leaves.hpp"
#include "synth/degrade.hpp"
#include "synth/quality.hpp"

namespace {

namespace fs = std::filesystem;
namespace synth = weir::synth;
using weir::Status;

/// Recipes train with seeds below it.
constexpr std::uint64_t kFirstSeed = std::uint64_t{1} << 40;
constexpr int kFactor = 2;
constexpr int kBorder = 2;

struct Drawn {
  std::string folder, kind = "leaves";
  int count = 20, side = 256;
  bool degraded = false;
};

/// FOLDER/large, FOLDER/small, and the small ones enlarged by two kernels.
Status draw(const Drawn& drawn) {
  auto lettering = synth::Lettering::open();
  if (!lettering && drawn.kind == "comic") return lettering.error();
  for (const char* part : {"large", "small", "bicubic", "lanczos"})
    fs::create_directories(fs::path{drawn.folder} / part);
  for (int i = 0; i < drawn.count; ++i) {
    synth::Random random{kFirstSeed + static_cast<std::uint64_t>(i)};
    synth::Canvas large = drawn.kind == "comic" ? synth::comic(drawn.side, drawn.side, random.split(), lettering->get())
                                                : synth::dead_leaves(drawn.side, drawn.side, random.split());
    synth::to_eight_bits(large);
    const auto how = drawn.degraded ? synth::draw_degradation(random, 0) : synth::Degradation{};
    const auto small = synth::degrade(large, kFactor, how, random.split());
    if (!small) return small.error();
    const std::pair<const char*, synth::Canvas> files[] = {
        {"large", large},
        {"small", *small},
        {"bicubic", synth::enlarge(*small, kFactor, synth::Kernel::cubic)},
        {"lanczos", synth::enlarge(*small, kFactor, synth::Kernel::lanczos3)},
    };
    for (const auto& [part, canvas] : files) {
      if (auto written = synth::write_canvas(canvas, fs::path{drawn.folder} / part / fmt::format("{:04}.png", i));
          !written)
        return written;
    }
  }
  return weir::ok();
}

/// The mean over all pictures that both folders have. Errors: a name that is not in both, sizes that differ.
Status measure(const std::string& made, const std::string& wanted) {
  synth::Quality sum;
  int count = 0;
  for (const auto& entry : fs::directory_iterator{wanted}) {
    const fs::path name = entry.path().filename();
    if (!name.native().ends_with(".png") || name.native().starts_with(".")) continue;
    const auto a = synth::read_canvas(fs::path{made} / name);
    if (!a) return weir::Error{a.error().code, (fs::path{made} / name).native() + ": " + a.error().what};
    const auto b = synth::read_canvas(entry.path());
    if (!b) return weir::Error{b.error().code, entry.path().native() + ": " + b.error().what};
    if (a->width != b->width || a->height != b->height)
      return weir::Error{weir::Errc::invalid_argument, name.native() + ": the sizes differ"};
    const synth::Quality one = synth::compare(*a, *b, kBorder);
    sum.psnr += one.psnr;
    sum.ssim += one.ssim;
    ++count;
  }
  if (count == 0) return weir::Error{weir::Errc::invalid_argument, wanted + ": no pictures"};
  fmt::print("{:.3f} {:.5f}\n", sum.psnr / count, sum.ssim / count);
  return weir::ok();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Pictures to measure a network with, and the measure."};
  app.require_subcommand(1);
  Drawn drawn;
  CLI::App* draws = app.add_subcommand("draw", "Write FOLDER/large, small, bicubic and lanczos");
  draws->add_option("folder", drawn.folder)->required();
  draws->add_option("--kind", drawn.kind)->check(CLI::IsMember({"leaves", "comic"}));
  draws->add_option("--count", drawn.count)->check(CLI::Range(1, 10000));
  draws->add_option("--side", drawn.side)->check(CLI::Range(32, 4096));
  draws->add_flag("--degraded", drawn.degraded);
  std::string made;
  std::string wanted;
  CLI::App* measures =
      app.add_subcommand("measure", "Print the mean PSNR (dB) and SSIM of the luma, 2 pixels of border cut");
  measures->add_option("made", made)->required();
  measures->add_option("wanted", wanted)->required();
  CLI11_PARSE(app, argc, argv);
  const Status status = draws->parsed() ? draw(drawn) : measure(made, wanted);
  if (status) return 0;
  fmt::print(stderr, "error: {}\n", status.error().what);
  return 1;
}
