// weir_quality: draws pictures that no recipe trains with, or reads the pictures of a folder, reduces them, and
// measures how similar enlarged pictures are to the originals. `bench/quality` uses it.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
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

/// Recipes train with smaller seeds.
constexpr std::uint64_t kFirstSeed = std::uint64_t{1} << 40;
constexpr int kFactor = 2;    // large pictures are reduced by this factor
constexpr int kBorderPx = 2;  // width of the border that the measures ignore

/// The arguments of `weir_quality draw`. `pictures` is a folder of pictures to use; empty: pictures are drawn.
struct DrawRequest {
  std::string folder, kind = "leaves", pictures;
  int count = 20, side = 256;
  bool degraded = false;
};

/// Draws one picture: a comic, or dead leaves if `lettering` is null.
synth::Canvas draw_one(const DrawRequest& request, synth::Random& random, synth::Lettering* lettering) {
  return lettering == nullptr ? synth::draw_dead_leaves(request.side, request.side, random.split())
                              : synth::draw_comic(request.side, request.side, random.split(), lettering);
}

/// Returns the picture cropped to a multiple of kFactor on both axes.
synth::Canvas crop_to_multiple(const synth::Canvas& picture) {
  synth::Canvas cut{picture.width - picture.width % kFactor, picture.height - picture.height % kFactor};
  for (int y = 0; y < cut.height; ++y) {
    for (int x = 0; x < cut.width; ++x) cut.at(x, y) = picture.at(x, y);
  }
  return cut;
}

/// Returns the regular files in the folder, sorted by name.
std::vector<fs::path> list_files(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{folder}) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Writes four pictures with the same name: the picture `large` to FOLDER/large, its reduced version to FOLDER/small,
/// and the reduced version enlarged again by two resize kernels to FOLDER/bicubic and FOLDER/lanczos.
Status write_pair(const DrawRequest& request, synth::Canvas large, synth::Random& random, const std::string& name) {
  synth::quantize(large);
  const auto degradation = request.degraded ? synth::random_degradation(random, 0) : synth::Degradation{};
  const auto small = synth::degrade(large, kFactor, degradation, random.split());
  if (!small) return small.error();
  const std::pair<const char*, synth::Canvas> files[] = {
      {"large", large},
      {"small", *small},
      {"bicubic", synth::enlarge(*small, kFactor, synth::ResizeKernel::cubic)},
      {"lanczos", synth::enlarge(*small, kFactor, synth::ResizeKernel::lanczos3)},
  };
  for (const auto& [part, canvas] : files) {
    if (auto written = synth::write_canvas(canvas, fs::path{request.folder} / part / (name + ".png")); !written)
      return written;
  }
  return weir::ok();
}

/// Writes all pictures of the request.
Status draw(const DrawRequest& request) {
  for (const char* part : {"large", "small", "bicubic", "lanczos"})
    fs::create_directories(fs::path{request.folder} / part);
  std::unique_ptr<synth::Lettering> lettering;
  if (request.kind == "comic" && request.pictures.empty()) {
    auto opened = synth::Lettering::open();
    if (!opened) return opened.error();
    lettering = *std::move(opened);
  }
  const std::vector<fs::path> files = request.pictures.empty() ? std::vector<fs::path>{} : list_files(request.pictures);
  const int count = request.pictures.empty() ? request.count : static_cast<int>(files.size());
  for (int i = 0; i < count; ++i) {
    synth::Random random{kFirstSeed + static_cast<std::uint64_t>(i)};
    const auto one = files.empty() ? weir::Result<synth::Canvas>{draw_one(request, random, lettering.get())}
                                   : synth::read_canvas(files[static_cast<std::size_t>(i)]);
    if (!one) return one.error();
    const std::string name =
        files.empty() ? fmt::format("{:04}", i) : files[static_cast<std::size_t>(i)].stem().native();
    if (auto written = write_pair(request, crop_to_multiple(*one), random, name); !written) return written;
  }
  return weir::ok();
}

/// Compares each PNG picture of the folder `reference` with the picture of the same name in the folder `made`. Prints
/// the mean PSNR and SSIM. Errors: a picture is missing in `made` or cannot be read; the sizes differ; there are no
/// pictures.
Status measure(const std::string& made, const std::string& reference) {
  synth::Quality sum;
  int count = 0;
  for (const auto& entry : fs::directory_iterator{reference}) {
    const fs::path name = entry.path().filename();
    if (!name.native().ends_with(".png") || name.native().starts_with(".")) continue;
    const auto a = synth::read_canvas(fs::path{made} / name);
    if (!a) return weir::Error{a.error().code, (fs::path{made} / name).native() + ": " + a.error().what};
    const auto b = synth::read_canvas(entry.path());
    if (!b) return weir::Error{b.error().code, entry.path().native() + ": " + b.error().what};
    if (a->width != b->width || a->height != b->height)
      return weir::Error{weir::Errc::invalid_argument, name.native() + ": the sizes differ"};
    const synth::Quality one = synth::measure_quality(*a, *b, kBorderPx);
    sum.psnr += one.psnr;
    sum.ssim += one.ssim;
    ++count;
  }
  if (count == 0) return weir::Error{weir::Errc::invalid_argument, reference + ": no pictures"};
  fmt::print("{:.3f} {:.5f}\n", sum.psnr / count, sum.ssim / count);
  return weir::ok();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Draws pictures to measure networks with, and measures the results."};
  app.require_subcommand(1);
  DrawRequest request;
  CLI::App* draws = app.add_subcommand("draw", "Write FOLDER/large, small, bicubic and lanczos");
  draws->add_option("folder", request.folder)->required();
  draws->add_option("--kind", request.kind)->check(CLI::IsMember({"leaves", "comic"}));
  draws->add_option("--pictures", request.pictures, "Use the pictures of this folder instead of drawn ones")
      ->check(CLI::ExistingDirectory);
  draws->add_option("--count", request.count)->check(CLI::Range(1, 10000));
  draws->add_option("--side", request.side)->check(CLI::Range(32, 4096));
  draws->add_flag("--degraded", request.degraded);
  std::string made;
  std::string reference;
  CLI::App* measures =
      app.add_subcommand("measure", "Print the mean PSNR (dB) and SSIM of the luma, 2 pixels of border cut");
  measures->add_option("made", made)->required();
  measures->add_option("wanted", reference)->required();
  CLI11_PARSE(app, argc, argv);
  const Status status = draws->parsed() ? draw(request) : measure(made, reference);
  if (status) return 0;
  fmt::print(stderr, "error: {}\n", status.error().what);
  return 1;
}
