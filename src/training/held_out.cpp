#include "training/held_out.hpp"

#include <utility>

#include "nn/train/ops.hpp"
#include "synth/canvas_file.hpp"
#include "synth/quality.hpp"
#include "synth/resize.hpp"
#include "training/pairs.hpp"

namespace weir::training {

namespace {

constexpr int kPairs = 6;  // of a picture of leaves and a comic
constexpr int kBorder = 2;
constexpr int kStripRows = 6;

/// a + b, as an 8-bit file would have it.
synth::Canvas sum_of(const synth::Canvas& a, const float* b) {
  synth::Canvas sum = a;
  for (synth::Colour& pixel : sum.pixels) {
    for (float& value : pixel) value += *b++;
  }
  to_eight_bits(sum);
  return sum;
}

}  // namespace

Result<HeldOut> HeldOut::draw(const Recipe& recipe, synth::Lettering& lettering) {
  HeldOut held;
  held.scale_ = recipe.structure.scale;
  for (int i = 0; i < 2 * kPairs; ++i) {
    Shown shown;
    shown.comic = i % 2 == 1;
    auto pair = draw_pair(recipe, PairFeed::kHeldOut + static_cast<std::uint64_t>(i), shown.comic, true, lettering);
    if (!pair) return pair.error();
    shown.small = std::move(pair->small);
    shown.base = enlarge_base(shown.small, held.scale_);
    shown.wanted = sum_of(shown.base, pair->detail.pixels.front().data());
    synth::Canvas bicubic = synth::enlarge(shown.small, held.scale_, synth::Kernel::cubic);
    synth::to_eight_bits(bicubic);
    shown.base_psnr = synth::compare(bicubic, shown.wanted, kBorder).psnr;
    shown.made = shown.base;
    held.shown_.push_back(std::move(shown));
  }
  return held;
}

Result<Gain> HeldOut::look(const Network& network, nn::train::Device& device) {
  Gain gain;
  for (Shown& shown : shown_) {
    nn::train::Tape tape{device};
    const nn::train::Shape shape{1, 3, shown.small.height, shown.small.width};
    const std::span<const float> values{shown.small.pixels.front().data(), shape.count()};
    const auto detail = tape.read(network.detail(tape, tape.input(shape, values)));
    if (!detail) return detail.error();
    shown.made = sum_of(shown.base, detail->data());
    (shown.comic ? gain.comics : gain.leaves) +=
        (synth::compare(shown.made, shown.wanted, kBorder).psnr - shown.base_psnr) / kPairs;
  }
  return gain;
}

Status HeldOut::write_strip(const std::filesystem::path& path) const {
  constexpr int kStripGap = 4;
  const int side = shown_.front().wanted.width;
  const int rows = std::min<int>(kStripRows, static_cast<int>(shown_.size()));
  synth::Canvas strip{3 * (side + kStripGap) - kStripGap, rows * (side + kStripGap) - kStripGap, {0.5F, 0.5F, 0.5F}};
  for (int row = 0; row < rows; ++row) {
    const Shown& shown = shown_[static_cast<std::size_t>(row)];
    paste(shown.base, strip, 0, row * (side + kStripGap));
    paste(shown.made, strip, side + kStripGap, row * (side + kStripGap));
    paste(shown.wanted, strip, 2 * (side + kStripGap), row * (side + kStripGap));
  }
  return synth::write_canvas(strip, path);
}

}  // namespace weir::training
