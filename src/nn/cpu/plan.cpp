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

using compute::Storage;

constexpr int kMarginPixels = 8;   // feature rows: a tile reads at most 6 columns past the last one
constexpr int kMarginFloats = 32;  // planar rows: a vector
constexpr std::size_t kAlign = 64;
constexpr int kMostColumns = 1 << 22;  // times the rows of a step, a number of pieces of work that an int holds

RowLayout layout_of(const Tensor& tensor, Extent extent, Storage storage) {
  RowLayout layout;
  const auto width = static_cast<std::size_t>(extent.width);
  if (tensor.planar) {
    layout.plane_stride = static_cast<int>(round_up(width + 2 * kMarginFloats, kAlign / sizeof(float)));
    layout.first_byte = kMarginFloats * sizeof(float);
    layout.row_bytes = static_cast<std::size_t>(layout.plane_stride) * tensor.channels * sizeof(float);
    return layout;
  }
  const std::size_t element = storage == Storage::half ? 2 : 4;
  layout.stride = compute::padded_channels(tensor.channels);
  const std::size_t pixel = static_cast<std::size_t>(layout.stride) * element;
  layout.first_byte = kMarginPixels * pixel;
  // An odd number of cache lines, so that the rows of one column do not share a cache set.
  std::size_t lines = (width + 2 * kMarginPixels) * pixel / kAlign;
  layout.row_bytes = (lines | 1) * kAlign;
  return layout;
}

double cost_of(const Op& op, Extent extent) { return op.multiplications * extent.width * extent.height; }

class Planner {
 public:
  Planner(const Graph& graph, const Program& program, Storage storage, const PlanLimits& limits)
      : graph_{graph}, program_{program}, storage_{storage}, limits_{limits} {}

  Result<Plan> run(Extent input) {
    auto extents = tensor_extents(input);
    if (!extents) return extents.error();
    extent_ = *extents;
    for (std::size_t t = 0; t < extent_.size(); ++t) {
      if (extent_[t].width <= kMostColumns) continue;
      const Layer& layer = graph_.layers[index(program_.ops[index(program_.tensors[t].producer)].layer)];
      return Error{Errc::over_budget, fmt::format("line {}: layer {}: {} columns; supported at once: {}", layer.line,
                                                  layer.name, extent_[t].width, kMostColumns)};
    }
    // Rings are the same for every height beyond some bands; the search looks at a low picture.
    constexpr int kLowHeight = 768;
    low_extent_ = extent_;
    if (input.height > 2 * kLowHeight) {
      if (auto low = tensor_extents({kLowHeight + input.height % 4, input.width})) low_extent_ = *low;
    }
    for (std::size_t t = 0; t < extent_.size(); ++t) {
      layout_.push_back(layout_of(program_.tensors[t], extent_[t], storage_));
    }
    search();
    if (!best_) return too_large(least_);
    Plan plan = lay_out(best_keep_, extent_);
    // Rows that a resize reads at once can differ by one between the low picture and this one.
    if (plan.arena > limits_.memory) return too_large(plan.arena);
    plan.input = input;
    return plan;
  }

 private:
  Result<std::vector<Extent>> tensor_extents(Extent input) const {
    auto blobs = infer_extents(graph_, input);
    if (!blobs) return blobs.error();
    std::vector<Extent> extents;
    for (const Tensor& t : program_.tensors) extents.push_back((*blobs)[static_cast<std::size_t>(t.blob)]);
    return extents;
  }

  Error too_large(Bytes least) const {
    return {Errc::over_budget, fmt::format("the network's rows need {} of memory at least, {} are left for them",
                                           to_text(least), to_text(limits_.memory))};
  }

  std::size_t whole_bytes(int tensor) const {
    return layout_[static_cast<std::size_t>(tensor)].row_bytes *
           static_cast<std::size_t>(extent_[static_cast<std::size_t>(tensor)].height);
  }

  /// Tensors of which at most one is kept: one that a later pass needs, and what it is made from where that is smaller
  /// and dearer to make again.
  using Choice = std::vector<int>;
  std::vector<Choice> choices() const {
    const std::vector<int> shared = shared_tensors(program_);
    std::vector<Choice> list;
    for (const int t : shared) {
      Choice choice{t};
      const Op& op = producer(t);
      const int before = op.inputs.front().tensor;
      const bool other = std::find(shared.begin(), shared.end(), before) == shared.end();
      if (other && producer(before).kind != OpKind::input && whole_bytes(before) < whole_bytes(t) &&
          cost_since(before, shared, whole_bytes(before)) > cost_of(op, extent_[index(t)])) {
        choice.push_back(before);
      }
      list.push_back(std::move(choice));
    }
    return list;
  }
  /// Multiplications that make a tensor from what is more likely to be kept: the shared ones that are not larger. Every op
  /// on the way counts once, however many ways lead to it.
  double cost_since(int tensor, const std::vector<int>& shared, std::size_t largest) const {
    std::vector<bool> met(program_.tensors.size(), false);
    std::vector<int> open{tensor};
    met[index(tensor)] = true;
    double cost = 0;
    while (!open.empty()) {
      const int made = open.back();
      open.pop_back();
      const Op& op = producer(made);
      cost += cost_of(op, extent_[index(made)]);
      for_each_read(op, [&](int from) {
        const bool likely = std::binary_search(shared.begin(), shared.end(), from) && whole_bytes(from) <= largest;
        if (likely || met[index(from)]) return;
        met[index(from)] = true;
        open.push_back(from);
      });
    }
    return cost;
  }

  /// Tries every combination for the first kMost choices; then, for networks that have more, every choice once more on
  /// top of the best. Ends early when kMostWork is done: the first combination keeps nothing, so that there is a plan if
  /// there can be one.
  void search() {
    constexpr std::size_t kMost = 8;
    const std::vector<Choice> all = limits_.keep ? choices() : std::vector<Choice>{};
    std::vector<Keep> keep(program_.tensors.size(), Keep::nowhere);
    const std::size_t first = std::min(all.size(), kMost);
    search_from({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first)}, 0, keep);
    if (first == all.size() || !best_) return;
    for (const Choice& choice : all) {
      std::vector<Keep> other = best_keep_;
      for (const int t : choice) other[index(t)] = Keep::nowhere;
      for_each_kind(choice, other, [&] { consider(other); });
    }
  }
  void search_from(const std::vector<Choice>& all, std::size_t number, std::vector<Keep>& keep) {
    if (number == all.size()) return consider(keep);
    search_from(all, number + 1, keep);
    for_each_kind(all[number], keep, [&] { search_from(all, number + 1, keep); });
  }
  /// Calls look() with each tensor of the choice kept in each way that is allowed.
  template <class Look>
  void for_each_kind(const Choice& choice, std::vector<Keep>& keep, Look&& look) const {
    for (const int t : choice) {
      for (const Keep kind : {Keep::memory, Keep::disk}) {
        if (kind == Keep::disk && limits_.disk == Bytes{}) continue;
        keep[index(t)] = kind;
        look();
        keep[index(t)] = Keep::nowhere;
      }
    }
  }

  /// What looking at one combination costs: ops of passes, and steps of schedules that had to be walked. About a second.
  static constexpr double kMostWork = 2e8;
  void consider(const std::vector<Keep>& keep) {
    if (work_ > kMostWork) return;
    work_ += static_cast<double>((program_.statistics.size() + 1) * program_.ops.size());
    std::vector<Pass> passes = make_passes(program_, keep);
    Bytes disk;
    const double seconds = seconds_of(passes, keep, disk);
    if (disk > limits_.disk || (best_ && seconds >= *best_)) return;
    std::vector<const RowsHeld*> held;
    for (Pass& pass : passes) {
      held.push_back(&low_rows(pass));
      pass.rows = held.back()->most;
    }
    const Bytes arena{Arena{*this, passes, held, keep}.bytes};
    if (least_ == Bytes{} || arena < least_) least_ = arena;
    if (arena > limits_.memory) return;
    best_ = seconds;
    best_keep_ = keep;
  }

  /// Roughly: what was measured on the machines that weir is developed on; only the order of plans matters.
  double seconds_of(const std::vector<Pass>& passes, const std::vector<Keep>& keep, Bytes& disk) const {
    constexpr double kMacsPerSecond = 5e11;
    constexpr double kMemoryBytesPerSecond = 1.5e9;  // the first touch of a page is what costs
    constexpr double kDiskBytesPerSecond = 1e9;
    double seconds = 0;
    for (const Pass& pass : passes) {
      for (std::size_t o = 0; o < pass.role.size(); ++o) {
        const int tensor = program_.ops[o].output;
        if (pass.role[o] == Role::run) seconds += cost_of(program_.ops[o], extent_[index(tensor)]) / kMacsPerSecond;
        if (pass.role[o] == Role::load) seconds += static_cast<double>(whole_bytes(tensor)) / kDiskBytesPerSecond;
      }
      for (const int t : pass.stored) {
        const bool on_disk = keep[index(t)] == Keep::disk;
        seconds += static_cast<double>(whole_bytes(t)) / (on_disk ? kDiskBytesPerSecond : kMemoryBytesPerSecond);
        if (on_disk) disk += Bytes{whole_bytes(t)};
      }
    }
    return seconds;
  }

  const RowsHeld& low_rows(const Pass& pass) {
    std::vector<int> key(pass.role.size() + pass.targets.size() + 1, -1);
    for (std::size_t o = 0; o < pass.role.size(); ++o) key[o] = static_cast<int>(pass.role[o]);
    std::copy(pass.targets.begin(), pass.targets.end(),
              key.begin() + static_cast<std::ptrdiff_t>(pass.role.size()) + 1);
    auto [at, fresh] = rows_cache_.try_emplace(std::move(key));
    if (!fresh) return at->second;
    at->second = rows_held(program_, low_extent_, pass, limits_.band);
    constexpr double kStepWork = 10;  // measured: a step against an op of make_passes
    work_ += kStepWork * static_cast<double>(program_.ops.size()) * low_extent_[index(program_.output)].height /
             limits_.band;
    return at->second;
  }

  /// The passes' memory: one block for the rings of each, one for every tensor that is kept in memory.
  struct Arena {
    Arena(const Planner& planner, const std::vector<Pass>& passes, const std::vector<const RowsHeld*>& held,
          const std::vector<Keep>& keep) {
      for (std::size_t p = 0; p < passes.size(); ++p) {
        const int number = static_cast<int>(p);
        for (const int t : passes[p].stored) {
          if (keep[index(t)] != Keep::memory) continue;
          tensors.push_back(t);
          blocks.push_back({round_up(planner.whole_bytes(t), kAlign), number, planner.last_use(passes, p, t)});
        }
      }
      for (std::size_t p = 0; p < passes.size(); ++p) {
        std::size_t rings = 0;
        for (std::size_t t = 0; t < passes[p].rows.size(); ++t) {
          if (!kept_by(passes[p], keep, static_cast<int>(t)))
            rings += planner.ring_bytes(passes[p], static_cast<int>(t));
        }
        blocks.push_back({rings, static_cast<int>(p), static_cast<int>(p)});
      }
      for (std::size_t p = 0; p < passes.size(); ++p) add_handovers(planner, static_cast<int>(p), *held[p]);
      bytes = place(blocks, handovers);
    }

    void add_handovers(const Planner& planner, int pass, const RowsHeld& held) {
      for (const RowsHeld::Handover& h : held.handovers) {
        const std::size_t from = block_of(h.from);
        const std::size_t to = block_of(h.to);
        if (from == tensors.size() || to == tensors.size()) continue;
        if (blocks[from].last != pass || blocks[to].first != pass) continue;
        const std::size_t behind =
            round_up(static_cast<std::size_t>(std::max(0, h.lag)) * planner.layout_[index(h.from)].row_bytes, kAlign);
        const std::size_t faster = blocks[to].bytes > blocks[from].bytes ? blocks[to].bytes - blocks[from].bytes : 0;
        handovers.push_back({from, to, behind + faster});
      }
    }
    std::size_t block_of(int tensor) const {
      return static_cast<std::size_t>(std::find(tensors.begin(), tensors.end(), tensor) - tensors.begin());
    }
    const Block& rings_of(std::size_t pass) const { return blocks[tensors.size() + pass]; }

    std::vector<int> tensors;   // of the first blocks
    std::vector<Block> blocks;  // then the rings, by pass
    std::vector<Handover> handovers;
    std::size_t bytes = 0;
  };

  static bool kept_by(const Pass& pass, const std::vector<Keep>& keep, int tensor) {
    return keep[index(tensor)] == Keep::memory &&
           std::find(pass.stored.begin(), pass.stored.end(), tensor) != pass.stored.end();
  }
  std::size_t ring_bytes(const Pass& pass, int tensor) const {
    return round_up(layout_[index(tensor)].row_bytes * static_cast<std::size_t>(pass.rows[index(tensor)]), kAlign);
  }
  int last_use(const std::vector<Pass>& passes, std::size_t stored_in, int tensor) const {
    int last = static_cast<int>(stored_in);
    for (std::size_t p = stored_in + 1; p < passes.size(); ++p) {
      for (std::size_t o = 0; o < program_.ops.size(); ++o) {
        if (passes[p].role[o] == Role::run && reads(program_.ops[o], tensor)) last = static_cast<int>(p);
      }
    }
    return last;
  }

  Plan lay_out(const std::vector<Keep>& keep, const std::vector<Extent>& extent) const {
    Plan plan;
    plan.extent = extent;
    plan.layout = layout_;
    plan.keep = keep;
    plan.storage = storage_;
    plan.band = limits_.band;
    plan.passes = make_passes(program_, keep);
    plan.disk_offset.assign(program_.tensors.size(), 0);
    std::vector<RowsHeld> held;
    std::vector<const RowsHeld*> pointers;
    held.reserve(plan.passes.size());
    for (Pass& pass : plan.passes) {
      held.push_back(rows_held(program_, extent, pass, limits_.band));
      pointers.push_back(&held.back());
      pass.rows = held.back().most;
      for (std::size_t o = 0; o < pass.role.size(); ++o) {
        if (pass.role[o] != Role::run) continue;
        pass.multiplications += cost_of(program_.ops[o], extent[index(program_.ops[o].output)]);
      }
      plan.multiplications += pass.multiplications;
      for (const int t : pass.stored) {
        if (keep[index(t)] != Keep::disk) continue;
        plan.disk_offset[index(t)] = plan.disk.count();
        plan.disk += Bytes{whole_bytes(t)};
      }
    }
    plan.lead = input_lead(program_, extent, plan.passes.back(), limits_.band);
    const Arena arena{*this, plan.passes, pointers, keep};
    plan.arena = Bytes{arena.bytes};
    std::size_t rings = 0;
    for (std::size_t p = 0; p < plan.passes.size(); ++p) {
      set_offsets(arena, p, plan);
      rings = std::max(rings, arena.rings_of(p).bytes);
    }
    plan.stored = plan.arena - std::min(plan.arena, Bytes{rings});
    return plan;
  }

  void set_offsets(const Arena& arena, std::size_t number, Plan& plan) const {
    Pass& pass = plan.passes[number];
    pass.offset.assign(program_.tensors.size(), 0);
    std::size_t at = arena.rings_of(number).offset;
    for (std::size_t t = 0; t < pass.rows.size(); ++t) {
      if (kept_by(pass, plan.keep, static_cast<int>(t))) continue;
      pass.offset[t] = at;
      at += ring_bytes(pass, static_cast<int>(t));
    }
    for (std::size_t b = 0; b < arena.tensors.size(); ++b) {
      const Block& block = arena.blocks[b];
      if (static_cast<int>(number) < block.first || static_cast<int>(number) > block.last) continue;
      const std::size_t t = index(arena.tensors[b]);
      pass.offset[t] = block.offset;
      pass.rows[t] = plan.extent[t].height;
    }
  }

  const Op& producer(int tensor) const { return program_.ops[index(program_.tensors[index(tensor)].producer)]; }

  const Graph& graph_;
  const Program& program_;
  Storage storage_;
  PlanLimits limits_;
  std::vector<Extent> extent_;
  std::vector<Extent> low_extent_;
  std::vector<RowLayout> layout_;
  std::map<std::vector<int>, RowsHeld> rows_cache_;
  double work_ = 0;
  std::optional<double> best_;
  std::vector<Keep> best_keep_;
  Bytes least_;
};

}  // namespace

Result<Plan> make_plan(const Graph& graph, const Program& program, Extent input, Storage storage,
                       const PlanLimits& limits) {
  return Planner{graph, program, storage, limits}.run(input);
}

}  // namespace weir::nn
