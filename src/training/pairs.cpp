#include "training/pairs.hpp"

#include <system_error>
#include <utility>

#include "base/threads.hpp"
#include "synth/comic.hpp"
#include "synth/dead_leaves.hpp"
#include "synth/degrade.hpp"
#include "training/network.hpp"

namespace weir::training {

namespace {

/// One of the eight orientations of a square patch: bit 0 transposes, 1 and 2 mirror.
struct Cut {
  int left = 0, top = 0, side = 0;
  unsigned orientation = 0;
  /// The place in the picture of the patch's pixel (x, y).
  std::pair<int, int> place(int x, int y) const {
    if ((orientation & 2U) != 0) x = side - 1 - x;
    if ((orientation & 4U) != 0) y = side - 1 - y;
    if ((orientation & 1U) != 0) std::swap(x, y);
    return {left + x, top + y};
  }
};

void append(const synth::Canvas& canvas, const Cut& cut, std::vector<float>& values) {
  for (int y = 0; y < cut.side; ++y) {
    for (int x = 0; x < cut.side; ++x) {
      const auto [from_x, from_y] = cut.place(x, y);
      const synth::Colour& pixel = canvas.at(from_x, from_y);
      values.insert(values.end(), pixel.begin(), pixel.end());
    }
  }
}

}  // namespace

Result<Pair> draw_pair(const Recipe& recipe, std::uint64_t seed, bool comic, bool clean, synth::Lettering& lettering) {
  synth::Random random{seed};
  const int side = recipe.data.side;
  synth::Canvas large =
      comic ? synth::comic(side, side, random.split(), &lettering) : synth::dead_leaves(side, side, random.split());
  synth::to_eight_bits(large);
  const auto how = synth::draw_degradation(random, clean ? 1.0F : 0.0F);
  auto small = synth::degrade(large, recipe.structure.scale, how, random.split());
  if (!small) return small.error();
  const synth::Canvas base = enlarge_base(*small, recipe.structure.scale);
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
  if (next_.valid()) next_.wait();
}

/// As many pictures as a batch has patches: each patch of a batch is of another picture.
PairFeed::Block PairFeed::draw_block(std::uint64_t number) const {
  std::vector<Pair> pairs;
  const auto count = static_cast<std::uint64_t>(recipe_.data.batch);
  const float clean = number * per_picture() >= ending_ ? recipe_.ending.clean : recipe_.data.clean;
  for (std::uint64_t i = 0; i < count; ++i) {
    synth::Random random{(recipe_.seed << 40U) ^ (number * count + i)};
    const std::uint64_t seed = random.bits() % kHeldOut;
    const bool comic = random.chance(recipe_.data.comics);
    auto pair = draw_pair(recipe_, seed, comic, random.chance(clean), *lettering_);
    if (!pair) return pair.error();
    pairs.push_back(*std::move(pair));
  }
  return pairs;
}

Status PairFeed::load(std::uint64_t block) {
  if (number_ == block) return ok();
  Block drawn = next_.valid() && next_number_ == block ? next_.get() : [&] {
    if (next_.valid()) next_.wait();  // the lettering is in use until then
    return draw_block(block);
  }();
  if (!drawn) return drawn.error();
  block_ = *std::move(drawn);
  number_ = block;
  next_number_ = block + 1;
  try {
    next_ = std::async(std::launch::async, [this] { return draw_block(next_number_); });
  } catch (const std::system_error&) {  // no thread is to be had: load() draws the next block itself
    next_ = {};
    count_missing_threads(1);
  }
  return ok();
}

Result<Batch> PairFeed::batch(std::uint64_t number) {
  if (auto loaded = load(number / per_picture()); !loaded) return loaded.error();
  const int scale = recipe_.structure.scale;
  Batch batch;
  synth::Random random{~((recipe_.seed << 40U) ^ number)};
  for (const Pair& pair : block_) {
    Cut cut{random.whole(0, pair.small.width - recipe_.data.patch),
            random.whole(0, pair.small.height - recipe_.data.patch), recipe_.data.patch,
            static_cast<unsigned>(random.whole(0, 7))};
    append(pair.small, cut, batch.small);
    cut = {cut.left * scale, cut.top * scale, cut.side * scale, cut.orientation};
    append(pair.detail, cut, batch.detail);
  }
  return batch;
}

}  // namespace weir::training
