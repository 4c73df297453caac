#include "nn/cpu/runner.hpp"

#include <algorithm>
#include <utility>

#include "nn/cpu/pass_run.hpp"
#include "nn/cpu/vector_values.hpp"

namespace weir::nn {

Bytes Runner::scratch_bytes(const Program& program, const Graph& graph, const compute::Kernels& kernels, int threads) {
  std::size_t largest = 0;
  for (const Op& op : program.ops) {
    // The number of inputs is the same in every arithmetic.
    const int in = packed_layout(graph, op, kernels, compute::Arithmetic::float32).matrix.in;
    if (op.kind == OpKind::conv3x3) largest = std::max(largest, kernels.conv3x3_scratch(in));
    if (op.kind == OpKind::patch) largest = std::max(largest, kernels.patch_scratch(in));
  }
  return Bytes{largest} * static_cast<std::uint64_t>(threads);
}

Result<Runner> Runner::create(const Graph& graph, const Program& program, const StripPlan& plan,
                              const compute::Kernels& kernels, compute::ThreadTeam& team,
                              const std::filesystem::path& spill_folder) {
  Runner runner;
  runner.graph_ = &graph;
  runner.program_ = &program;
  runner.plan_ = &plan;
  runner.kernels_ = &kernels;
  runner.team_ = &team;
  auto arena = AnonymousMapping::create(plan.arena);
  if (!arena) return arena.error();
  runner.arena_ = *std::move(arena);
  std::size_t longest_row_bytes = 0;
  std::size_t widest_tensor = 0;  // columns
  for (const Plan& strip : plan.plans) {
    for (std::size_t t = 0; t < strip.layout.size(); ++t) {
      longest_row_bytes = std::max(longest_row_bytes, strip.layout[t].row_bytes);
      widest_tensor = std::max(widest_tensor, static_cast<std::size_t>(strip.extent[t].width));
    }
  }
  runner.zero_row_ = compute::AlignedArray<std::byte>{longest_row_bytes};
  const Bytes scratch = scratch_bytes(program, graph, kernels, 1);
  // Besides the kernels of scratch_bytes(), a resize needs a row of floats, here with the bytes of one vector to spare.
  constexpr std::size_t kLargestVectorBytes = 64;
  const std::size_t scratch_size =
      std::max<std::size_t>(scratch.count(), widest_tensor * sizeof(float) + kLargestVectorBytes);
  for (int member = 0; member < team.size(); ++member) runner.scratch_.emplace_back(scratch_size);
  if (plan.disk != Bytes{}) {
    auto file = ScratchFile::create(spill_folder);
    if (!file) return file.error();
    runner.file_.emplace(*std::move(file));
  }
  return runner;
}

/// One run on one picture; the parts of each pass are the strips.
class Runner::StripwiseRun final : public MultiPassRun {
 public:
  StripwiseRun(Runner& runner, const PackedWeights& packed, const RunContext& context)
      : runner_{runner},
        plan_{*runner.plan_},
        packed_{packed},
        context_{context},
        vectors_{context.graph, *runner.program_} {}

  Status run() { return run_passes(*runner_.program_, plan_.plans.front().passes.size(), context_.input); }

 private:
  const Plan& plan_of(std::size_t part) const { return plan_.plans[plan_.strips[part].plan_index]; }
  std::size_t part_count() const override { return plan_.strips.size(); }
  bool reads_input(std::size_t pass, std::size_t part) const override {
    return nn::reads_input(*runner_.program_, plan_of(part).passes[pass]);
  }

  Status begin_means(const ChannelMeans& mean) override {
    mean_sum_.emplace(runner_.team_->size(), plan_.plans.front().layout[to_index(mean.source.tensor)].stride);
    return ok();
  }
  Status finish_means(const ChannelMeans& mean) override {
    const Extent extent = plan_.extent[to_index(mean.source.tensor)];
    vectors_.set_means(mean.blob, mean_sum_->means(mean.channels, static_cast<double>(extent.width) * extent.height));
    mean_sum_.reset();
    return ok();
  }
  Status make_part(std::size_t pass_index, std::size_t part) override {
    const Strip& strip = plan_.strips[part];
    const Pass& pass = plan_of(part).passes[pass_index];
    const int result = pass.targets.front();
    const PassMemory memory{*runner_.program_, plan_of(part), pass, runner_.arena_.data(), runner_.zero_row_.data()};
    const ColumnRange own = plan_.own_columns(strip, result);
    const int part_first = plan_.first_column(strip, result);  // column of the result at which the part begins
    const StripTask task{strip.read_columns.first,
                         {own.first - part_first, own.end - part_first},
                         own.first,
                         mean_sum_ ? &*mean_sum_ : nullptr};
    PassOps ops{memory, *runner_.kernels_, *runner_.team_, packed_, vectors_, runner_.scratch_};
    return PassRun{std::move(ops), context_, task}.run();
  }

  Runner& runner_;
  const StripPlan& plan_;
  const PackedWeights& packed_;
  const RunContext& context_;
  VectorValues vectors_;
  std::optional<MeanSum> mean_sum_;  // set while a pass computes means
};

Status Runner::run(const PackedWeights& packed, InputRows& input, const OutputRows& output, const RunControl& control) {
  const RunContext context{*graph_, *kernels_, file_ ? &*file_ : nullptr, input, output, control};
  return StripwiseRun{*this, packed, context}.run();
}

}  // namespace weir::nn
