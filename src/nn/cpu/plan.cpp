#include "nn/cpu/plan.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/round_up.hpp"
#include "nn/cpu/placement.hpp"

namespace weir::nn {

namespace {

using compute::ElementType;

constexpr int kMarginPixels = 8;      // margin of feature rows; a tile reads at most 6 columns beyond the last one
constexpr int kMarginFloats = 32;     // margin of planar rows; kernels read at most one vector beyond the edge
constexpr std::size_t kAlign = 64;    // alignment of rows and blocks in bytes: a cache line
constexpr int kMaxColumns = 1 << 22;  // largest width of a tensor: width times rows of a step must fit an int

/// Returns the layout of a tensor's rows. Rows and planes begin at multiples of kAlign bytes.
RowLayout make_layout(const ProgramTensor& tensor, Extent extent, ElementType element_type) {
  RowLayout layout;
  const auto width = static_cast<std::size_t>(extent.width);
  if (tensor.planar) {
    layout.plane_stride = static_cast<int>(round_up(width + 2 * kMarginFloats, kAlign / sizeof(float)));
    layout.first_byte = kMarginFloats * sizeof(float);
    layout.row_bytes = static_cast<std::size_t>(layout.plane_stride) * tensor.channels * sizeof(float);
    return layout;
  }
  const std::size_t element_bytes = element_type == ElementType::float16 ? 2 : 4;
  layout.stride = compute::padded_channels(tensor.channels);
  const std::size_t pixel_bytes = static_cast<std::size_t>(layout.stride) * element_bytes;
  layout.first_byte = kMarginPixels * pixel_bytes;
  // An odd number of cache lines, so that the pixels of one column are in different sets of the CPU cache. The division
  // has no remainder: a pixel has a multiple of 32 values of at least 2 bytes.
  const std::size_t cache_lines = (width + 2 * kMarginPixels) * pixel_bytes / kAlign;
  layout.row_bytes = (cache_lines | 1) * kAlign;
  return layout;
}

double count_multiplications(const Op& op, Extent extent) { return op.multiplications * extent.width * extent.height; }

/// Searches the fastest plan: tries combinations of tensors to keep between the passes, estimates the time and the
/// memory of each, and makes the plan of the fastest that is within the limits. In this class, `o`, `t` and `p` are
/// indices of an op, a tensor and a pass.
class Planner {
 public:
  Planner(const Graph& graph, const Program& program, ElementType element_type, const PlanLimits& limits)
      : graph_{graph}, program_{program}, element_type_{element_type}, limits_{limits} {}

  Result<Plan> run(Extent input) {
    auto extents = find_tensor_extents(input);
    if (!extents) return extents.error();
    extent_ = *extents;
    for (std::size_t t = 0; t < extent_.size(); ++t) {
      if (extent_[t].width <= kMaxColumns) continue;
      const Layer& layer = graph_.layers[to_index(program_.ops[to_index(program_.tensors[t].producer)].layer)];
      return Error{Errc::over_budget, fmt::format("line {}: layer {}: {} columns; supported at once: {}", layer.line,
                                                  layer.name, extent_[t].width, kMaxColumns)};
    }
    // The sizes of ring buffers do not depend on the height if it is more than a few bands. To save time, the search
    // computes them for a low picture: one of the same width and fewer rows. Its height has the same remainder modulo
    // 4, because a network that halves the picture once or twice and enlarges it again accepts only some remainders.
    constexpr int kLowHeight = 768;  // a multiple of 4
    low_extent_ = extent_;
    if (input.height > 2 * kLowHeight) {
      if (auto low = find_tensor_extents({kLowHeight + input.height % 4, input.width})) low_extent_ = *low;
    }
    for (std::size_t t = 0; t < extent_.size(); ++t) {
      layout_.push_back(make_layout(program_.tensors[t], extent_[t], element_type_));
    }
    search();
    if (!best_seconds_) return too_large_error(smallest_arena_);
    Plan plan = fill_plan(best_reuse_, extent_);
    // A resize can need one row more in this picture than in the low one.
    if (plan.arena > limits_.memory) return too_large_error(plan.arena);
    plan.input = input;
    return plan;
  }

 private:
  Result<std::vector<Extent>> find_tensor_extents(Extent input) const {
    auto blobs = infer_extents(graph_, input);
    if (!blobs) return blobs.error();
    std::vector<Extent> extents;
    for (const ProgramTensor& t : program_.tensors) extents.push_back((*blobs)[static_cast<std::size_t>(t.blob)]);
    return extents;
  }

  /// `least` is the smallest memory for which a plan is known.
  Error too_large_error(Bytes least) const {
    return {Errc::over_budget, fmt::format("the network's rows need {} of memory at least, {} are left for them",
                                           to_text(least), to_text(limits_.memory))};
  }

  /// Returns the size of all rows of a tensor.
  std::size_t tensor_bytes(int tensor) const {
    return layout_[static_cast<std::size_t>(tensor)].row_bytes *
           static_cast<std::size_t>(extent_[static_cast<std::size_t>(tensor)].height);
  }

  /// A decision of the search: at most one of these tensors is kept. The first is a tensor that a later pass needs. The
  /// second, if there is one, is the tensor from which the first is computed; it is smaller, and costs more to compute
  /// again than the first costs to compute from it.
  using Choice = std::vector<int>;
  /// Returns one choice for each tensor that several passes need.
  std::vector<Choice> list_choices() const {
    const std::vector<int> shared = shared_tensors(program_);
    std::vector<Choice> list;
    for (const int t : shared) {
      Choice choice{t};
      const Op& op = producer(t);
      const int source = op.inputs.front().tensor;
      const bool is_unshared = std::find(shared.begin(), shared.end(), source) == shared.end();
      if (is_unshared && producer(source).kind != OpKind::input && tensor_bytes(source) < tensor_bytes(t) &&
          recompute_cost(source, shared, tensor_bytes(source)) > count_multiplications(op, extent_[to_index(t)])) {
        choice.push_back(source);
      }
      list.push_back(std::move(choice));
    }
    return list;
  }
  /// Returns the multiplications to compute a tensor again from tensors that are probably kept: those in `shared` of at
  /// most `largest` bytes. Each op counts once, even if several paths lead to it.
  double recompute_cost(int tensor, const std::vector<int>& shared, std::size_t largest) const {
    std::vector<bool> visited(program_.tensors.size(), false);
    std::vector<int> to_visit{tensor};
    visited[to_index(tensor)] = true;
    double cost = 0;
    while (!to_visit.empty()) {
      const int made = to_visit.back();
      to_visit.pop_back();
      const Op& op = producer(made);
      cost += count_multiplications(op, extent_[to_index(made)]);
      for_each_input(op, [&](int from) {
        const bool is_kept = std::binary_search(shared.begin(), shared.end(), from) && tensor_bytes(from) <= largest;
        if (is_kept || visited[to_index(from)]) return;
        visited[to_index(from)] = true;
        to_visit.push_back(from);
      });
    }
    return cost;
  }

  /// Sets best_reuse_ and best_seconds_. Tries every combination of the first kMaxFullSearch choices; then, for
  /// networks with more choices, changes each choice once in the best combination. Stops early after kMaxWork. The
  /// first combination keeps no tensor, so a plan is found if there is one.
  void search() {
    constexpr std::size_t kMaxFullSearch = 8;
    const std::vector<Choice> all = limits_.may_keep_tensors ? list_choices() : std::vector<Choice>{};
    std::vector<TensorReuse> reuse(program_.tensors.size(), TensorReuse::recompute);
    const std::size_t full_count = std::min(all.size(), kMaxFullSearch);
    search_from({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(full_count)}, 0, reuse);
    if (full_count == all.size() || !best_seconds_) return;
    for (const Choice& choice : all) {
      std::vector<TensorReuse> changed = best_reuse_;
      for (const int t : choice) changed[to_index(t)] = TensorReuse::recompute;
      for_each_reuse(choice, changed, [&] { consider(changed); });
    }
  }
  /// Tries every combination of the choices from index `next` on; `reuse` has the decisions of those before it.
  void search_from(const std::vector<Choice>& choices, std::size_t next, std::vector<TensorReuse>& reuse) {
    if (next == choices.size()) return consider(reuse);
    search_from(choices, next + 1, reuse);
    for_each_reuse(choices[next], reuse, [&] { search_from(choices, next + 1, reuse); });
  }
  /// Calls visit() for each tensor of the choice and each allowed way to keep it, with `reuse` set accordingly.
  template <class Visit>
  void for_each_reuse(const Choice& choice, std::vector<TensorReuse>& reuse, Visit&& visit) const {
    for (const int t : choice) {
      for (const TensorReuse kind : {TensorReuse::memory, TensorReuse::disk}) {
        if (kind == TensorReuse::disk && limits_.disk == Bytes{}) continue;
        reuse[to_index(t)] = kind;
        visit();
        reuse[to_index(t)] = TensorReuse::recompute;
      }
    }
  }

  /// Limit of the search's work: the number of ops in all passes that were made, plus the weighted number of steps of
  /// schedules. The search reaches it after about a second.
  static constexpr double kMaxWork = 2e8;
  /// Compares a combination with the best one so far, and stores it if it is faster and within the limits. `reuse` is
  /// by tensor.
  void consider(const std::vector<TensorReuse>& reuse) {
    if (work_ > kMaxWork) return;
    work_ += static_cast<double>((program_.means.size() + 1) * program_.ops.size());
    std::vector<Pass> passes = make_passes(program_, reuse);
    Bytes disk;
    const double seconds = estimate_seconds(passes, reuse, disk);
    if (disk > limits_.disk || (best_seconds_ && seconds >= *best_seconds_)) return;
    std::vector<const RowsHeld*> held;
    for (Pass& pass : passes) {
      held.push_back(&find_low_rows(pass));
      pass.row_count = held.back()->max_rows;
    }
    const Bytes arena{Arena{*this, passes, held, reuse}.bytes};
    if (smallest_arena_ == Bytes{} || arena < smallest_arena_) smallest_arena_ = arena;
    if (arena > limits_.memory) return;
    best_seconds_ = seconds;
    best_reuse_ = reuse;
  }

  /// Returns a rough estimate of the time of the passes, with constants measured on weir's development machines; only
  /// the order of plans matters. Adds the disk space of kept tensors to `disk`.
  double estimate_seconds(const std::vector<Pass>& passes, const std::vector<TensorReuse>& reuse, Bytes& disk) const {
    constexpr double kMultiplicationsPerSecond = 5e11;
    constexpr double kMemoryBytesPerSecond = 1.5e9;  // limited by the first access to each page
    constexpr double kDiskBytesPerSecond = 1e9;
    double seconds = 0;
    for (const Pass& pass : passes) {
      for (std::size_t o = 0; o < pass.role.size(); ++o) {
        const int tensor = program_.ops[o].output;
        if (pass.role[o] == OpRole::run)
          seconds += count_multiplications(program_.ops[o], extent_[to_index(tensor)]) / kMultiplicationsPerSecond;
        if (pass.role[o] == OpRole::load) seconds += static_cast<double>(tensor_bytes(tensor)) / kDiskBytesPerSecond;
      }
      for (const int t : pass.stored_tensors) {
        const bool on_disk = reuse[to_index(t)] == TensorReuse::disk;
        seconds += static_cast<double>(tensor_bytes(t)) / (on_disk ? kDiskBytesPerSecond : kMemoryBytesPerSecond);
        if (on_disk) disk += Bytes{tensor_bytes(t)};
      }
    }
    return seconds;
  }

  /// Returns the rows that a pass has in memory for the low picture (see run()). Passes with the same roles and targets
  /// share a result.
  const RowsHeld& find_low_rows(const Pass& pass) {
    // The roles, a separator (-1), then the targets.
    std::vector<int> key(pass.role.size() + pass.targets.size() + 1, -1);
    for (std::size_t o = 0; o < pass.role.size(); ++o) key[o] = static_cast<int>(pass.role[o]);
    std::copy(pass.targets.begin(), pass.targets.end(),
              key.begin() + static_cast<std::ptrdiff_t>(pass.role.size()) + 1);
    auto [entry, is_new] = rows_cache_.try_emplace(std::move(key));
    if (!is_new) return entry->second;
    entry->second = find_rows_held(program_, low_extent_, pass, limits_.band);
    constexpr double kStepWork = 10;  // measured cost of a step, relative to an op of make_passes
    work_ += kStepWork * static_cast<double>(program_.ops.size()) * low_extent_[to_index(program_.output)].height /
             limits_.band;
    return entry->second;
  }

  /// The memory of all passes: one block for the ring buffers of each pass, and one for every tensor that is kept in
  /// memory.
  struct Arena {
    Arena(const Planner& planner, const std::vector<Pass>& passes, const std::vector<const RowsHeld*>& held,
          const std::vector<TensorReuse>& reuse) {
      for (std::size_t p = 0; p < passes.size(); ++p) {
        for (const int t : passes[p].stored_tensors) {
          if (reuse[to_index(t)] != TensorReuse::memory) continue;
          tensors.push_back(t);
          blocks.push_back(
              {round_up(planner.tensor_bytes(t), kAlign), static_cast<int>(p), planner.last_use(passes, p, t)});
        }
      }
      for (std::size_t p = 0; p < passes.size(); ++p) {
        std::size_t all_rings_bytes = 0;
        for (std::size_t t = 0; t < passes[p].row_count.size(); ++t) {
          if (!is_kept_by(passes[p], reuse, static_cast<int>(t)))
            all_rings_bytes += planner.ring_bytes(passes[p], static_cast<int>(t));
        }
        blocks.push_back({all_rings_bytes, static_cast<int>(p), static_cast<int>(p)});
      }
      for (std::size_t p = 0; p < passes.size(); ++p) add_overlaps(planner, static_cast<int>(p), *held[p]);
      bytes = place_blocks(blocks, overlaps);
    }

    /// Adds the pairs of kept tensors of which this pass reads one for the last time and makes the other.
    void add_overlaps(const Planner& planner, int pass, const RowsHeld& held) {
      for (const RowsHeld::TensorOverlap& overlap : held.overlaps) {
        const std::size_t from = block_of(overlap.from);
        const std::size_t to = block_of(overlap.to);
        if (from == tensors.size() || to == tensors.size()) continue;
        if (blocks[from].last_pass != pass || blocks[to].first_pass != pass) continue;
        const std::size_t lag_bytes = round_up(
            static_cast<std::size_t>(std::max(0, overlap.lag_rows)) * planner.layout_[to_index(overlap.from)].row_bytes,
            kAlign);
        // If `to` is larger, it is written faster than `from` is read: at the end, the writing is ahead by the
        // difference of the sizes.
        const std::size_t extra = blocks[to].bytes > blocks[from].bytes ? blocks[to].bytes - blocks[from].bytes : 0;
        overlaps.push_back({from, to, lag_bytes + extra});
      }
    }
    /// Returns the index of the tensor's block; tensors.size() if the tensor is not kept in memory.
    std::size_t block_of(int tensor) const {
      return static_cast<std::size_t>(std::find(tensors.begin(), tensors.end(), tensor) - tensors.begin());
    }
    /// Returns the block of the ring buffers of a pass.
    const MemoryBlock& rings_of(std::size_t pass) const { return blocks[tensors.size() + pass]; }

    std::vector<int> tensors;            // the tensors that are kept in memory; blocks[i] is that of tensors[i]
    std::vector<MemoryBlock> blocks;     // the blocks of `tensors`, then those of the ring buffers, by pass
    std::vector<BlockOverlap> overlaps;  // pairs of `blocks` that may overlap
    std::size_t bytes = 0;               // size of the arena
  };

  /// Returns true if the pass stores all rows of the tensor in memory.
  static bool is_kept_by(const Pass& pass, const std::vector<TensorReuse>& reuse, int tensor) {
    return reuse[to_index(tensor)] == TensorReuse::memory &&
           std::find(pass.stored_tensors.begin(), pass.stored_tensors.end(), tensor) != pass.stored_tensors.end();
  }
  /// Returns the size of the ring buffer of a tensor: of the rows that the pass has in memory at once.
  std::size_t ring_bytes(const Pass& pass, int tensor) const {
    return round_up(layout_[to_index(tensor)].row_bytes * static_cast<std::size_t>(pass.row_count[to_index(tensor)]),
                    kAlign);
  }
  /// Returns the index of the last pass that reads the tensor, which pass `stored_in` stores; `stored_in` if none does.
  int last_use(const std::vector<Pass>& passes, std::size_t stored_in, int tensor) const {
    int last = static_cast<int>(stored_in);
    for (std::size_t p = stored_in + 1; p < passes.size(); ++p) {
      for (std::size_t o = 0; o < program_.ops.size(); ++o) {
        if (passes[p].role[o] == OpRole::run && reads(program_.ops[o], tensor)) last = static_cast<int>(p);
      }
    }
    return last;
  }

  /// Returns the plan for a combination of kept tensors. Sets all fields but Plan::input. `extent` is by tensor, for
  /// the whole picture.
  Plan fill_plan(const std::vector<TensorReuse>& reuse, const std::vector<Extent>& extent) const {
    Plan plan;
    plan.extent = extent;
    plan.layout = layout_;
    plan.reuse = reuse;
    plan.element_type = element_type_;
    plan.band = limits_.band;
    plan.passes = make_passes(program_, reuse);
    plan.disk_offset.assign(program_.tensors.size(), 0);
    std::vector<RowsHeld> held;
    std::vector<const RowsHeld*> held_pointers;
    held.reserve(plan.passes.size());  // so that the pointers to its elements stay valid
    for (Pass& pass : plan.passes) {
      held.push_back(find_rows_held(program_, extent, pass, limits_.band));
      held_pointers.push_back(&held.back());
      pass.row_count = held.back().max_rows;
      for (std::size_t o = 0; o < pass.role.size(); ++o) {
        if (pass.role[o] != OpRole::run) continue;
        pass.multiplications += count_multiplications(program_.ops[o], extent[to_index(program_.ops[o].output)]);
      }
      plan.multiplications += pass.multiplications;
      for (const int t : pass.stored_tensors) {
        if (reuse[to_index(t)] != TensorReuse::disk) continue;
        plan.disk_offset[to_index(t)] = plan.disk.count();
        plan.disk += Bytes{tensor_bytes(t)};
      }
    }
    plan.read_ahead_rows = find_read_ahead_rows(program_, extent, plan.passes.back(), limits_.band);
    const Arena arena{*this, plan.passes, held_pointers, reuse};
    plan.arena = Bytes{arena.bytes};
    std::size_t largest_rings_bytes = 0;
    for (std::size_t p = 0; p < plan.passes.size(); ++p) {
      set_offsets(arena, p, plan);
      largest_rings_bytes = std::max(largest_rings_bytes, arena.rings_of(p).bytes);
    }
    plan.stored_bytes = plan.arena - std::min(plan.arena, Bytes{largest_rings_bytes});
    return plan;
  }

  /// Sets the offsets of pass `p`, and the row counts of the tensors that are kept in memory.
  void set_offsets(const Arena& arena, std::size_t p, Plan& plan) const {
    Pass& pass = plan.passes[p];
    pass.offset.assign(program_.tensors.size(), 0);
    std::size_t next_ring = arena.rings_of(p).offset;
    for (std::size_t t = 0; t < pass.row_count.size(); ++t) {
      if (is_kept_by(pass, plan.reuse, static_cast<int>(t))) continue;
      pass.offset[t] = next_ring;
      next_ring += ring_bytes(pass, static_cast<int>(t));
    }
    for (std::size_t b = 0; b < arena.tensors.size(); ++b) {
      const MemoryBlock& block = arena.blocks[b];
      if (static_cast<int>(p) < block.first_pass || static_cast<int>(p) > block.last_pass) continue;
      const std::size_t t = to_index(arena.tensors[b]);
      pass.offset[t] = block.offset;
      pass.row_count[t] = plan.extent[t].height;
    }
  }

  /// Returns the op that makes a tensor.
  const Op& producer(int tensor) const { return program_.ops[to_index(program_.tensors[to_index(tensor)].producer)]; }

  const Graph& graph_;
  const Program& program_;
  ElementType element_type_;
  PlanLimits limits_;
  std::vector<Extent> extent_;                       // by tensor
  std::vector<Extent> low_extent_;                   // by tensor, for the low picture; see run()
  std::vector<RowLayout> layout_;                    // by tensor
  std::map<std::vector<int>, RowsHeld> rows_cache_;  // results of find_low_rows()
  double work_ = 0;                                  // work of the search so far; see kMaxWork
  std::optional<double> best_seconds_;               // estimated time of best_reuse_; nothing: no plan fits so far
  std::vector<TensorReuse> best_reuse_;              // the fastest combination within the limits so far
  Bytes smallest_arena_;                             // smallest arena of all combinations so far, for the error message
};

}  // namespace

Result<Plan> make_plan(const Graph& graph, const Program& program, Extent input, ElementType element_type,
                       const PlanLimits& limits) {
  return Planner{graph, program, element_type, limits}.run(input);
}

}  // namespace weir::nn
