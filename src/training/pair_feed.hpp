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

/// A small picture and what a resize of it lacks: large - enlarge_base(small).
struct Pair {
  synth::Canvas small, detail;
};

/// Draws the pair of this seed. Errors: those of synth::degrade.
Result<Pair> draw_pair(const Recipe& recipe, std::uint64_t seed, bool comic, bool clean, synth::Lettering& lettering);

/// What a step learns from: [batch, 3, patch, patch] and its detail, channels side by side.
struct Batch {
  std::vector<float> small, detail;
};

/// Makes the batches of a recipe. A batch depends on its number and the recipe's seed alone. Pictures are drawn in blocks,
/// one ahead on a thread of its own. Not thread-safe.
class PairFeed {
 public:
  /// Seeds of pictures stay below it; those from it on are held out.
  static constexpr std::uint64_t kFirstHeldOutSeed = std::uint64_t{1} << 39U;

  /// The recipe must outlive it. Errors: those of Lettering::open.
  static Result<std::unique_ptr<PairFeed>> open(const Recipe& recipe);
  ~PairFeed();

  Result<Batch> make_batch(std::uint64_t index);
  /// Batches from this one on are of the recipe's ending. To be called before one of them is asked for.
  void set_final_phase_start(std::uint64_t index) { final_phase_start_ = index; }

 private:
  using Block = Result<std::vector<Pair>>;
  PairFeed(const Recipe& recipe, std::unique_ptr<synth::Lettering> lettering)
      : recipe_{recipe}, lettering_{std::move(lettering)} {}
  Block draw_block(std::uint64_t index) const;
  std::uint64_t batches_per_block() const { return static_cast<std::uint64_t>(recipe_.data.patches_per_picture); }
  Status load_block(std::uint64_t index);

  const Recipe& recipe_;
  std::unique_ptr<synth::Lettering> lettering_;  // used by one drawing at a time
  std::vector<Pair> block_;
  std::uint64_t block_index_ = ~std::uint64_t{0};
  std::future<Block> next_block_;
  std::uint64_t next_index_ = 0;
  std::uint64_t final_phase_start_ = ~std::uint64_t{0};
};

}  // namespace weir::training
