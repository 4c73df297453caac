#include "training/pair_feed.hpp"

#include <system_error>
#include <utility>

#include "base/threads.hpp"
#include "synth/comic.hpp"
#include "synth/dead_leaves.hpp"
#include "synth/degrade.hpp"
#include "training/upscaling_network.hpp"

namespace weir::training {

namespace {

/// The position of a square patch in a picture, and the orientation of the patch: bit 0 transposes, bit 1 mirrors left
/// and right, bit 2 mirrors top and bottom.
struct PatchPosition {
  int left = 0, top = 0, side = 0;
  unsigned orientation = 0;
  /// Returns the position in the picture of the patch's pixel (x, y).
  std::pair<int, int> map_pixel(int x, int y) const {
    if ((orientation & 2U) != 0) x = side - 1 - x;
    if ((orientation & 4U) != 0) y = side - 1 - y;
    if ((orientation & 1U) != 0) std::swap(x, y);
    return {left + x, top + y};
  }
};

/// Appends the values of a patch of `canvas` to `values`, channels-last.
void append_patch(const synth::Canvas& canvas, const PatchPosition& position, std::vector<float>& values) {
  for (int y = 0; y < position.side; ++y) {
    for (int x = 0; x < position.side; ++x) {
      const auto [from_x, from_y] = position.map_pixel(x, y);
      const synth::Colour& pixel = canvas.at(from_x, from_y);
      values.insert(values.end(), pixel.begin(), pixel.end());
    }
  }
}

}  // namespace

Result<Pair> draw_pair(const Recipe& recipe, std::uint64_t seed, bool comic, bool clean, synth::Lettering& lettering) {
  synth::Random random{seed};
  const int side = recipe.data.side_px;
  synth::Canvas large = comic ? synth::draw_comic(side, side, random.split(), &lettering)
                              : synth::draw_dead_leaves(side, side, random.split());
  synth::quantize(large);
  const auto degradation = synth::random_degradation(random, clean ? 1.0F : 0.0F);
  auto small = synth::degrade(large, recipe.structure.scale, degradation, random.split());
  if (!small) return small.error();
  const synth::Canvas base = enlarge_bicubic(*small, recipe.structure.scale);
  for (std::size_t i = 0; i < large.pixels.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) large.pixels[i][c] -= base.pixels[i][c];
  }
  return Pair{*std::move(small), std::move(large)};
}

Result<std::unique_ptr<PairFeed>> PairFeed::open(const Recipe& recipe) {
  auto lettering = synth::Lettering::open();
  if (!lettering) return lettering.error();
  return std::unique_ptr<PairFeed>{new PairFeed{recipe, *std::move(lettering)}};
}

PairFeed::~PairFeed() {
  if (next_block_.valid()) next_block_.wait();
}

void PairFeed::set_final_phase_start(std::uint64_t index) {
  if (next_block_.valid()) next_block_.wait();  // the drawing thread reads final_phase_start_ until then
  next_block_ = {};
  block_index_ = kNoBlock;
  final_phase_start_ = index;
}

// A block has as many pictures as a batch has patches, so each patch of a batch comes from a different picture.
PairFeed::Block PairFeed::draw_block(std::uint64_t index) const {
  std::vector<Pair> pairs;
  const auto count = static_cast<std::uint64_t>(recipe_.data.batch_size);
  const float clean_share =
      index * batches_per_block() >= final_phase_start_ ? recipe_.final_phase.clean_share : recipe_.data.clean_share;
  for (std::uint64_t i = 0; i < count; ++i) {
    synth::Random random{(recipe_.seed << 40U) ^ (index * count + i)};
    const std::uint64_t seed = random.bits() % kFirstHeldOutSeed;
    const bool comic = random.chance(recipe_.data.comics_share);
    auto pair = draw_pair(recipe_, seed, comic, random.chance(clean_share), *lettering_);
    if (!pair) return pair.error();
    pairs.push_back(*std::move(pair));
  }
  return pairs;
}

Status PairFeed::load_block(std::uint64_t index) {
  if (block_index_ == index) return ok();
  // Takes the block that is drawn in advance if it is the requested one, otherwise draws it here.
  Block drawn = next_block_.valid() && next_index_ == index ? next_block_.get() : [&] {
    if (next_block_.valid()) next_block_.wait();  // the drawing thread uses the lettering until then
    return draw_block(index);
  }();
  if (!drawn) return drawn.error();
  block_ = *std::move(drawn);
  block_index_ = index;
  next_index_ = index + 1;
  try {
    next_block_ = std::async(std::launch::async, [this] { return draw_block(next_index_); });
  } catch (const std::system_error&) {  // no thread is available: the next load_block() draws the block itself
    next_block_ = {};
    add_missing_threads(1);
  }
  return ok();
}

Result<Batch> PairFeed::make_batch(std::uint64_t index) {
  if (auto loaded = load_block(index / batches_per_block()); !loaded) return loaded.error();
  const int scale = recipe_.structure.scale;
  Batch batch;
  synth::Random random{~((recipe_.seed << 40U) ^ index)};  // inverted, so that draw_block() has no equal seed
  for (const Pair& pair : block_) {
    PatchPosition position{random.uniform_int(0, pair.small.width - recipe_.data.patch_px),
                           random.uniform_int(0, pair.small.height - recipe_.data.patch_px), recipe_.data.patch_px,
                           static_cast<unsigned>(random.uniform_int(0, 7))};
    append_patch(pair.small, position, batch.small);
    position = {position.left * scale, position.top * scale, position.side * scale, position.orientation};
    append_patch(pair.detail, position, batch.detail);
  }
  return batch;
}

}  // namespace weir::training
