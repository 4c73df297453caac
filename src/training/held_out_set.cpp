#include "training/held_out_set.hpp"

#include <utility>

#include "nn/train/ops.hpp"
#include "synth/canvas_file.hpp"
#include "synth/quality.hpp"
#include "synth/resize.hpp"
#include "training/pair_feed.hpp"

namespace weir::training {

namespace {

constexpr int kPicturesPerKind = 6;  // number of dead leaves pictures, and of comics
constexpr int kBorderPx = 2;         // width of the border that the PSNR ignores
constexpr int kStripRows = 6;        // number of rows of the strip, one for each picture

/// Returns a + b, rounded to 8-bit values as in a file. `b` has the same number of values as `a`.
synth::Canvas add_and_quantize(const synth::Canvas& a, const float* b) {
  synth::Canvas sum = a;
  for (synth::Colour& pixel : sum.pixels) {
    for (float& value : pixel) value += *b++;
  }
  quantize(sum);
  return sum;
}

}  // namespace

Result<HeldOutSet> HeldOutSet::draw(const Recipe& recipe, synth::Lettering& lettering) {
  HeldOutSet set;
  set.scale_ = recipe.structure.scale;
  for (int i = 0; i < 2 * kPicturesPerKind; ++i) {
    Sample sample;
    sample.is_comic = i % 2 == 1;
    auto pair = draw_pair(recipe, PairFeed::kFirstHeldOutSeed + static_cast<std::uint64_t>(i), sample.is_comic,
                          /*clean=*/true, lettering);
    if (!pair) return pair.error();
    sample.small = std::move(pair->small);
    sample.base = enlarge_bicubic(sample.small, set.scale_);
    sample.target = add_and_quantize(sample.base, pair->detail.pixels.front().data());
    synth::Canvas bicubic = synth::enlarge(sample.small, set.scale_, synth::ResizeKernel::cubic);
    synth::quantize(bicubic);
    sample.bicubic_psnr_db = synth::measure_quality(bicubic, sample.target, kBorderPx).psnr;
    sample.output = sample.base;
    set.samples_.push_back(std::move(sample));
  }
  return set;
}

Result<PsnrGain> HeldOutSet::measure_gain(const UpscalingNetwork& network, nn::train::TrainingDevice& device) {
  PsnrGain gain;
  for (Sample& sample : samples_) {
    nn::train::Tape tape{device};
    const nn::train::Shape shape{1, 3, sample.small.height, sample.small.width};
    const std::span<const float> values{sample.small.pixels.front().data(), shape.count()};
    const auto detail = tape.read(network.compute_detail(tape, tape.input(shape, values)));
    if (!detail) return detail.error();
    sample.output = add_and_quantize(sample.base, detail->data());
    (sample.is_comic ? gain.comics_db : gain.leaves_db) +=
        (synth::measure_quality(sample.output, sample.target, kBorderPx).psnr - sample.bicubic_psnr_db) /
        kPicturesPerKind;
  }
  return gain;
}

Status HeldOutSet::write_strip(const std::filesystem::path& path) const {
  constexpr int kStripGapPx = 4;
  const int side = samples_.front().target.width;
  const int rows = std::min<int>(kStripRows, static_cast<int>(samples_.size()));
  synth::Canvas strip{
      3 * (side + kStripGapPx) - kStripGapPx, rows * (side + kStripGapPx) - kStripGapPx, {0.5F, 0.5F, 0.5F}};
  for (int row = 0; row < rows; ++row) {
    const Sample& sample = samples_[static_cast<std::size_t>(row)];
    paste(sample.base, strip, 0, row * (side + kStripGapPx));
    paste(sample.output, strip, side + kStripGapPx, row * (side + kStripGapPx));
    paste(sample.target, strip, 2 * (side + kStripGapPx), row * (side + kStripGapPx));
  }
  return synth::write_canvas(strip, path);
}

}  // namespace weir::training
