#include "nn/cpu/run.hpp"

#include <algorithm>
#include <utility>

#include "nn/cpu/pass_run.hpp"
#include "nn/cpu/vectors.hpp"

namespace weir::nn {

Bytes Runner::scratch_bytes(const Program& program, const Graph& graph, const compute::Kernels& kernels, int threads) {
  std::size_t most = 0;
  for (const Op& op : program.ops) {
    const int in = op_layout(graph, op, kernels, compute::Arithmetic::float32).matrix.in;
    if (op.kind == OpKind::conv3x3) most = std::max(most, kernels.conv3x3_scratch(in));
    if (op.kind == OpKind::patch) most = std::max(most, kernels.patch_scratch(in));
  }
  return Bytes{most} * static_cast<std::uint64_t>(threads);
}

Result<Runner> Runner::create(const Graph& graph, const Program& program, const StripPlan& plan,
                              const compute::Kernels& kernels, compute::Team& team,
                              const std::filesystem::path& spill_folder) {
  Runner runner;
  runner.graph_ = &graph;
  runner.program_ = &program;
  runner.plan_ = &plan;
  runner.kernels_ = &kernels;
  runner.team_ = &team;
  auto arena = Mapping::create(plan.arena);
  if (!arena) return arena.error();
  runner.arena_ = *std::move(arena);
  std::size_t longest = 0;
  std::size_t widest = 0;
  for (const Plan& strip : plan.plans) {
    for (std::size_t t = 0; t < strip.layout.size(); ++t) {
      longest = std::max(longest, strip.layout[t].row_bytes);
      widest = std::max(widest, static_cast<std::size_t>(strip.extent[t].width));
    }
  }
  runner.zero_row_ = compute::AlignedArray<std::byte>{longest};
  const Bytes scratch = scratch_bytes(program, graph, kernels, 1);
  const std::size_t each = std::max<std::size_t>(scratch.count(), widest * sizeof(float) + 64);
  for (int member = 0; member < team.size(); ++member) runner.scratch_.emplace_back(each);
  if (plan.disk != Bytes{}) {
    auto file = ScratchFile::create(spill_folder);
    if (!file) return file.error();
    runner.file_.emplace(*std::move(file));
  }
  return runner;
}

/// One run on one picture, whose parts are the strips.
class Runner::Walk final : public PassWalk {
 public:
  Walk(Runner& runner, const Packed& packed, const RunParts& parts)
      : runner_{runner},
        plan_{*runner.plan_},
        packed_{packed},
        parts_{parts},
        vectors_{parts.graph, *runner.program_} {}

  Status run() { return walk(*runner_.program_, plan_.plans.front().passes.size(), parts_.input); }

 private:
  const Plan& plan_of(std::size_t part) const { return plan_.plans[plan_.strips[part].plan]; }
  std::size_t parts() const override { return plan_.strips.size(); }
  bool reads_input(std::size_t pass, std::size_t part) const override {
    return nn::reads_input(*runner_.program_, plan_of(part).passes[pass]);
  }

  Status begin_mean(const Statistic& mean) override {
    mean_.emplace(runner_.team_->size(), plan_.plans.front().layout[index(mean.source.tensor)].stride);
    return ok();
  }
  Status finish_mean(const Statistic& mean) override {
    const Extent e = plan_.extent[index(mean.source.tensor)];
    vectors_.set(mean.blob, mean_->mean(mean.channels, static_cast<double>(e.width) * e.height));
    mean_.reset();
    return ok();
  }
  Status make_part(std::size_t number, std::size_t part) override {
    const Strip& strip = plan_.strips[part];
    const Pass& pass = plan_of(part).passes[number];
    const int result = pass.targets.front();
    const PassMemory memory{*runner_.program_, plan_of(part), pass, runner_.arena_.data(), runner_.zero_row_.data()};
    const Columns own = plan_.own(strip, result);
    const int left = plan_.left(strip, result);
    const StripShare share{
        strip.reads.first, {own.first - left, own.last - left}, own.first, mean_ ? &*mean_ : nullptr};
    PassOps ops{memory, *runner_.kernels_, *runner_.team_, packed_, vectors_, runner_.scratch_};
    return PassRun{std::move(ops), parts_, share}.run();
  }

  Runner& runner_;
  const StripPlan& plan_;
  const Packed& packed_;
  const RunParts& parts_;
  Vectors vectors_;
  std::optional<MeanSum> mean_;  // of the pass, if it is for one
};

Status Runner::run(const Packed& packed, InputRows& input, const OutputRows& output, const RunControl& control) {
  const RunParts parts{*graph_, *kernels_, file_ ? &*file_ : nullptr, input, output, control};
  return Walk{*this, packed, parts}.run();
}

}  // namespace weir::nn
