#include "nn/plan.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace weir::nn {

namespace {

using compute::Storage;

constexpr int kMarginPixels = 8;   // feature rows: a tile reads at most 6 columns past the last one
constexpr int kMarginFloats = 32;  // planar rows: a vector
constexpr std::size_t kAlign = 64;

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

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

/// The passes of a program under one choice of what to keep.
class Passes {
 public:
  Passes(const Program& program, const std::vector<Keep>& keep) : program_{program}, keep_{keep} {
    first_pass_.resize(program.ops.size());
    for (std::size_t o = 0; o < program.ops.size(); ++o) first_pass_[o] = earliest(program.ops[o]);
  }

  /// Tensors that a later pass than the one that makes them needs.
  std::vector<int> candidates() const {
    std::vector<bool> wanted(program_.tensors.size(), false);
    for (std::size_t o = 0; o < program_.ops.size(); ++o) {
      const Op& op = program_.ops[o];
      const auto look = [&](const View& v) {
        const int producer = program_.tensors[static_cast<std::size_t>(v.tensor)].producer;
        if (program_.ops[static_cast<std::size_t>(producer)].kind == OpKind::input) return;
        if (first_pass_[static_cast<std::size_t>(producer)] < first_pass_[o])
          wanted[static_cast<std::size_t>(v.tensor)] = true;
      };
      for (const View& v : op.inputs) look(v);
      if (op.epilogue.has_residual) look(op.epilogue.residual);
    }
    std::vector<int> list;
    for (std::size_t t = 0; t < wanted.size(); ++t) {
      if (wanted[t]) list.push_back(static_cast<int>(t));
    }
    return list;
  }

  std::vector<Pass> build() {
    std::vector<Pass> passes;
    available_.assign(program_.tensors.size(), false);
    const int count = static_cast<int>(program_.statistics.size()) + 1;
    for (int p = 0; p < count; ++p) {
      Pass pass;
      pass.statistic = p + 1 < count ? p : -1;
      const int lead =
          pass.statistic >= 0 ? program_.statistics[static_cast<std::size_t>(p)].source.tensor : program_.output;
      pass.role.assign(program_.ops.size(), Role::absent);
      pass.targets = {lead};
      visit(lead, pass, p);
      for (std::size_t o = 0; o < program_.ops.size(); ++o) {
        const int tensor = program_.ops[o].output;
        if (pass.role[o] != Role::run || keep_[static_cast<std::size_t>(tensor)] == Keep::nowhere) continue;
        if (pass.statistic < 0) continue;
        pass.stored.push_back(tensor);
        if (tensor != lead) pass.targets.push_back(tensor);
      }
      for (const int t : pass.stored) available_[static_cast<std::size_t>(t)] = true;
      passes.push_back(std::move(pass));
    }
    drop_unused(passes);
    return passes;
  }

 private:
  int earliest(const Op& op) const {
    int pass = level_of(program_, op);
    const auto look = [&](const View& v) {
      const int producer = program_.tensors[static_cast<std::size_t>(v.tensor)].producer;
      pass = std::max(pass, first_pass_[static_cast<std::size_t>(producer)]);
    };
    for (const View& v : op.inputs) look(v);
    if (op.epilogue.has_residual) look(op.epilogue.residual);
    return pass;
  }

  void visit(int tensor, Pass& pass, int number) {
    const auto producer = static_cast<std::size_t>(program_.tensors[static_cast<std::size_t>(tensor)].producer);
    if (pass.role[producer] != Role::absent) return;
    if (available_[static_cast<std::size_t>(tensor)]) {
      if (keep_[static_cast<std::size_t>(tensor)] == Keep::disk) pass.role[producer] = Role::load;
      loads_[{number, tensor}] = true;
      return;
    }
    pass.role[producer] = Role::run;
    const Op& op = program_.ops[producer];
    for (const View& v : op.inputs) visit(v.tensor, pass, number);
    if (op.epilogue.has_residual) visit(op.epilogue.residual.tensor, pass, number);
  }

  /// What is stored and never loaded need not be stored.
  void drop_unused(std::vector<Pass>& passes) const {
    for (std::size_t p = 0; p < passes.size(); ++p) {
      const auto unused = [&](int tensor) {
        for (std::size_t later = p + 1; later < passes.size(); ++later) {
          if (loads_.count({static_cast<int>(later), tensor}) != 0) return false;
        }
        return true;
      };
      std::erase_if(passes[p].targets, [&](int t) { return t != passes[p].targets.front() && unused(t); });
      std::erase_if(passes[p].stored, unused);
    }
  }

  const Program& program_;
  const std::vector<Keep>& keep_;
  std::vector<int> first_pass_;                // by op
  std::vector<bool> available_;                // by tensor
  std::map<std::pair<int, int>, bool> loads_;  // (pass, tensor)
};

/// By tensor: the most rows that are alive at once in a pass.
std::vector<int> rows_alive(const Program& program, const std::vector<Extent>& extent, const Pass& pass, int band) {
  Schedule schedule{program, extent, pass.role, band};
  std::vector<int> most(program.tensors.size(), 0);
  schedule.run(pass.targets, [&](int o, Rows rows) {
    const int tensor = program.ops[static_cast<std::size_t>(o)].output;
    const int oldest = std::min(rows.first, schedule.oldest_needed(tensor));
    most[static_cast<std::size_t>(tensor)] = std::max(most[static_cast<std::size_t>(tensor)], rows.last - oldest);
    return true;
  });
  return most;
}

/// How many input rows the last pass has read, at most, beyond the one that lies under the output row it makes.
int input_lead(const Program& program, const std::vector<Extent>& extent, const Pass& pass, int band) {
  int input = -1;
  for (const Op& op : program.ops) {
    if (op.kind == OpKind::input) input = op.output;
  }
  const double height = extent[static_cast<std::size_t>(input)].height;
  const double out_height = extent[static_cast<std::size_t>(program.output)].height;
  Schedule schedule{program, extent, pass.role, band};
  int lead = 0;
  schedule.run(pass.targets, [&](int o, Rows rows) {
    if (program.ops[static_cast<std::size_t>(o)].output == program.output) {
      lead = std::max(lead, schedule.made(input) - static_cast<int>(rows.first * height / out_height));
    }
    return true;
  });
  return lead;
}

struct Block {
  std::size_t bytes;
  int first, last;  // passes
  std::size_t offset;
};

/// First fit, largest first: blocks that live at the same time do not overlap. Returns the arena's size.
std::size_t place(std::vector<Block>& blocks) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<std::size_t> placed;
  std::size_t end = 0;
  for (const std::size_t i : order) {
    Block& block = blocks[i];
    std::vector<std::pair<std::size_t, std::size_t>> taken;
    for (const std::size_t j : placed) {
      const Block& other = blocks[j];
      if (other.first <= block.last && block.first <= other.last)
        taken.emplace_back(other.offset, other.offset + other.bytes);
    }
    std::sort(taken.begin(), taken.end());
    std::size_t at = 0;
    for (const auto& [from, to] : taken) {
      if (at + block.bytes <= from) break;
      at = std::max(at, to);
    }
    block.offset = at;
    end = std::max(end, at + block.bytes);
    placed.push_back(i);
  }
  return end;
}

class Planner {
 public:
  Planner(const Graph& graph, const Program& program, Storage storage, const PlanLimits& limits)
      : graph_{graph}, program_{program}, storage_{storage}, limits_{limits} {}

  Result<Plan> run(Extent input) {
    auto extents = tensor_extents(input);
    if (!extents) return extents.error();
    extent_ = *extents;
    // Rings are the same for every height beyond some bands; the search looks at a low picture.
    constexpr int kLowHeight = 768;
    low_extent_ = extent_;
    if (input.height > 2 * kLowHeight) {
      if (auto low = tensor_extents({kLowHeight + input.height % 4, input.width})) low_extent_ = *low;
    }
    for (std::size_t t = 0; t < extent_.size(); ++t) {
      layout_.push_back(layout_of(program_.tensors[t], extent_[t], storage_));
    }
    std::vector<Keep> keep(program_.tensors.size(), Keep::nowhere);
    const std::vector<int> candidates = Passes{program_, keep}.candidates();
    search(candidates, keep);
    if (!best_) {
      return Error{Errc::over_budget, fmt::format("the network's rows need {} of memory at least, {} are left for them",
                                                  to_text(least_), to_text(limits_.memory))};
    }
    Plan plan = lay_out(best_keep_, extent_);
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

  std::size_t whole_bytes(int tensor) const {
    return layout_[static_cast<std::size_t>(tensor)].row_bytes *
           static_cast<std::size_t>(extent_[static_cast<std::size_t>(tensor)].height);
  }

  /// Tries every choice for up to kMost candidates (the largest saving first would be a heuristic; few networks have more).
  void search(const std::vector<int>& candidates, std::vector<Keep>& keep) {
    constexpr std::size_t kMost = 8;
    const std::size_t n = std::min(candidates.size(), kMost);
    const int kinds = limits_.disk == Bytes{} ? 2 : 3;
    std::size_t combinations = 1;
    for (std::size_t i = 0; i < n; ++i) combinations *= static_cast<std::size_t>(kinds);
    for (std::size_t c = 0; c < combinations; ++c) {
      std::size_t rest = c;
      for (std::size_t i = 0; i < n; ++i, rest /= static_cast<std::size_t>(kinds)) {
        keep[static_cast<std::size_t>(candidates[i])] = static_cast<Keep>(rest % static_cast<std::size_t>(kinds));
      }
      consider(keep);
    }
  }

  void consider(const std::vector<Keep>& keep) {
    // Seconds, roughly: what was measured on the machines that weir is developed on; only the order of plans matters.
    constexpr double kMacsPerSecond = 5e11;
    constexpr double kMemoryBytesPerSecond = 1.5e9;  // the first touch of a page is what costs
    constexpr double kDiskBytesPerSecond = 1e9;
    std::vector<Pass> passes = Passes{program_, keep}.build();
    double seconds = 0;
    Bytes disk;
    for (const Pass& pass : passes) {
      for (std::size_t o = 0; o < pass.role.size(); ++o) {
        const int tensor = program_.ops[o].output;
        if (pass.role[o] == Role::run)
          seconds += cost_of(program_.ops[o], extent_[static_cast<std::size_t>(tensor)]) / kMacsPerSecond;
        if (pass.role[o] == Role::load) seconds += static_cast<double>(whole_bytes(tensor)) / kDiskBytesPerSecond;
      }
      for (const int t : pass.stored) {
        const bool on_disk = keep[static_cast<std::size_t>(t)] == Keep::disk;
        seconds += static_cast<double>(whole_bytes(t)) / (on_disk ? kDiskBytesPerSecond : kMemoryBytesPerSecond);
        if (on_disk) disk += Bytes{whole_bytes(t)};
      }
    }
    if (disk > limits_.disk) return;
    if (best_ && seconds >= *best_) return;
    const Bytes arena = Bytes{arena_of(passes, keep)};
    if (least_ == Bytes{} || arena < least_) least_ = arena;
    if (arena > limits_.memory) return;
    best_ = seconds;
    best_keep_ = keep;
  }

  /// The arena's size with rings as of the low picture.
  std::size_t arena_of(std::vector<Pass>& passes, const std::vector<Keep>& keep) {
    for (Pass& pass : passes) pass.rows = cached_rows(pass);
    std::vector<Block> blocks = blocks_of(passes, keep);
    return place(blocks);
  }
  const std::vector<int>& cached_rows(const Pass& pass) {
    std::vector<int> key(pass.role.size() + pass.targets.size() + 1, -1);
    for (std::size_t o = 0; o < pass.role.size(); ++o) key[o] = static_cast<int>(pass.role[o]);
    std::copy(pass.targets.begin(), pass.targets.end(),
              key.begin() + static_cast<std::ptrdiff_t>(pass.role.size()) + 1);
    auto [at, fresh] = ring_cache_.try_emplace(std::move(key));
    if (fresh) at->second = rows_alive(program_, low_extent_, pass, limits_.band);
    return at->second;
  }

  /// Every ring of every pass and every stored tensor, with the passes in which it lives.
  std::vector<Block> blocks_of(const std::vector<Pass>& passes, const std::vector<Keep>& keep) {
    std::vector<Block> blocks;
    owners_.clear();
    for (std::size_t p = 0; p < passes.size(); ++p) {
      for (std::size_t t = 0; t < program_.tensors.size(); ++t) {
        const int number = static_cast<int>(p);
        const bool stored =
            std::find(passes[p].stored.begin(), passes[p].stored.end(), static_cast<int>(t)) != passes[p].stored.end();
        if (stored && keep[t] == Keep::memory) {
          blocks.push_back({round_up(whole_bytes(static_cast<int>(t)), kAlign), number,
                            last_use(passes, p, static_cast<int>(t)), 0});
          owners_.push_back({number, static_cast<int>(t)});
        } else if (passes[p].rows[t] > 0) {
          const std::size_t bytes = layout_[t].row_bytes * static_cast<std::size_t>(passes[p].rows[t]);
          blocks.push_back({round_up(bytes, kAlign), number, number, 0});
          owners_.push_back({number, static_cast<int>(t)});
        }
      }
    }
    return blocks;
  }
  int last_use(const std::vector<Pass>& passes, std::size_t stored_in, int tensor) const {
    int last = static_cast<int>(stored_in);
    for (std::size_t p = stored_in + 1; p < passes.size(); ++p) {
      for (std::size_t o = 0; o < program_.ops.size(); ++o) {
        if (passes[p].role[o] != Role::run) continue;
        const Op& op = program_.ops[o];
        bool reads = op.epilogue.has_residual && op.epilogue.residual.tensor == tensor;
        for (const View& v : op.inputs) reads = reads || v.tensor == tensor;
        if (reads) last = static_cast<int>(p);
      }
    }
    return last;
  }

  Plan lay_out(const std::vector<Keep>& keep, const std::vector<Extent>& extent) {
    Plan plan;
    plan.extent = extent;
    plan.layout = layout_;
    plan.keep = keep;
    plan.storage = storage_;
    plan.band = limits_.band;
    plan.passes = Passes{program_, keep}.build();
    plan.disk_offset.assign(program_.tensors.size(), 0);
    for (Pass& pass : plan.passes) {
      pass.rows = rows_alive(program_, extent, pass, limits_.band);
      pass.offset.assign(program_.tensors.size(), 0);
      for (std::size_t o = 0; o < pass.role.size(); ++o) {
        if (pass.role[o] != Role::run) continue;
        pass.multiplications += cost_of(program_.ops[o], extent[static_cast<std::size_t>(program_.ops[o].output)]);
      }
      plan.multiplications += pass.multiplications;
      for (const int t : pass.stored) {
        if (keep[static_cast<std::size_t>(t)] != Keep::disk) continue;
        plan.disk_offset[static_cast<std::size_t>(t)] = plan.disk.count();
        plan.disk += Bytes{whole_bytes(t)};
      }
    }
    plan.lead = input_lead(program_, extent, plan.passes.back(), limits_.band);
    std::vector<Block> blocks = blocks_of(plan.passes, keep);
    plan.arena = Bytes{place(blocks)};
    std::vector<std::size_t> stored_in_pass(plan.passes.size(), 0);
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      const auto [pass, tensor] = owners_[b];
      const auto t = static_cast<std::size_t>(tensor);
      const bool whole = blocks[b].bytes >= whole_bytes(tensor) && keep[t] == Keep::memory;
      for (int p = blocks[b].first; p <= blocks[b].last; ++p) {
        plan.passes[static_cast<std::size_t>(p)].offset[t] = blocks[b].offset;
        if (whole) {
          plan.passes[static_cast<std::size_t>(p)].rows[t] = extent[t].height;
          stored_in_pass[static_cast<std::size_t>(p)] += blocks[b].bytes;
        }
      }
    }
    plan.stored = Bytes{*std::max_element(stored_in_pass.begin(), stored_in_pass.end())};
    return plan;
  }

  const Graph& graph_;
  const Program& program_;
  Storage storage_;
  PlanLimits limits_;
  std::vector<Extent> extent_;
  std::vector<Extent> low_extent_;
  std::vector<RowLayout> layout_;
  std::map<std::vector<int>, std::vector<int>> ring_cache_;
  std::vector<std::pair<int, int>> owners_;  // (pass, tensor) of each block
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
