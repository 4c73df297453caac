#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "synth/canvas.hpp"
#include "synth/lettering.hpp"
#include "training/recipe.hpp"

namespace weir::training {

/// A training example: a small picture, and the detail that a network must learn to compute from it,
/// detail = large picture - enlarge_bicubic(small).
struct Pair {
  synth::Canvas small, detail;
};

/// Draws a large picture from a seed and shrinks it by the recipe's scale. The picture is a comic if `comic` is true,
/// otherwise dead leaves (overlapping random shapes). If `clean` is false, blur, noise and JPEG compression are added
/// at random, see synth::random_degradation(). Errors: those of synth::degrade().
Result<Pair> draw_pair(const Recipe& recipe, std::uint64_t seed, bool comic, bool clean, synth::Lettering& lettering);

/// The data of one training step: `small` has square parts (patches) of small pictures, [batch_size, 3, patch_px,
/// patch_px]; `detail` has the detail of each patch, `scale` times as wide and high. The values are stored
/// channels-last: the three values of a pixel are adjacent.
struct Batch {
  std::vector<float> small, detail;
};

/// Makes the batches of a training from drawn pictures. A batch depends only on its index, the recipe and the start of
/// the final phase. The pictures of patches_per_picture successive batches are drawn together, as a block: each batch
/// has one patch of each picture of its block. A thread draws the next block in advance. Not thread-safe.
class PairFeed {
 public:
  /// The first seed of the held-out pictures. The seeds of training pictures are smaller.
  static constexpr std::uint64_t kFirstHeldOutSeed = std::uint64_t{1} << 39U;

  /// Creates the feed. The recipe must outlive it. Errors: those of Lettering::open().
  static Result<std::unique_ptr<PairFeed>> open(const Recipe& recipe);
  ~PairFeed();

  /// Returns the batch with this index; the first batch is 0. Fastest if the indices increase. Errors: those of
  /// draw_pair().
  Result<Batch> make_batch(std::uint64_t index);
  /// Sets the index of the first batch of the recipe's final phase; the default is never. Its share of clean pairs
  /// applies from the first block that starts at this batch or later. Blocks that were drawn already are drawn again.
  void set_final_phase_start(std::uint64_t index);

 private:
  using Block = Result<std::vector<Pair>>;  // the pairs of a block, or the error of drawing them
  static constexpr std::uint64_t kNoBlock = ~std::uint64_t{0};
  PairFeed(const Recipe& recipe, std::unique_ptr<synth::Lettering> lettering)
      : recipe_{recipe}, lettering_{std::move(lettering)} {}
  /// Draws the pairs of the block with this index.
  Block draw_block(std::uint64_t index) const;
  std::uint64_t batches_per_block() const { return static_cast<std::uint64_t>(recipe_.data.patches_per_picture); }
  /// Makes the block with this index the current block, and starts to draw the next block.
  Status load_block(std::uint64_t index);

  const Recipe& recipe_;
  std::unique_ptr<synth::Lettering> lettering_;  // not thread-safe: only one thread draws at a time
  std::vector<Pair> block_;                      // the current block
  std::uint64_t block_index_ = kNoBlock;         // index of the current block
  std::future<Block> next_block_;                // the block that is drawn in advance
  std::uint64_t next_index_ = 0;                 // index of that block
  // index of the first batch of the final phase; the largest number: never
  std::uint64_t final_phase_start_ = ~std::uint64_t{0};
};

}  // namespace weir::training
