#include "nn/cpu/run.hpp"

#include <algorithm>
#include <utility>

#include "nn/cpu/pass_run.hpp"
#include "nn/cpu/vectors.hpp"

namespace weir::nn {

Bytes Runner::scratch_bytes(const Program& program, const Graph& graph, const compute::Kernels& kernels, int threads) {
  std::size_t most = 0;
  for (const Op& op : program.ops) {
    const Layer& layer = graph.layers[static_cast<std::size_t>(op.layer)];
    if (op.kind == OpKind::conv3x3) {
      const auto& conv = std::get<Convolution>(layer.operation);
      most = std::max(most, kernels.conv3x3_scratch(compute::padded_channels(conv.in_channels)));
    } else if (op.kind == OpKind::patch) {
      int in = 0;
      if (const auto* conv = std::get_if<Convolution>(&layer.operation)) in = conv->in_channels;
      if (const auto* conv = std::get_if<Deconvolution>(&layer.operation)) in = conv->in_channels;
      most = std::max(most, kernels.patch_scratch(compute::padded_channels(in) * op.kernel * op.kernel));
    }
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

Status Runner::run(const Packed& packed, InputRows& input, const OutputRows& output, const RunControl& control) {
  Vectors vectors{*graph_, *program_};
  const std::size_t passes = plan_->plans.front().passes.size();
  for (std::size_t p = 0; p < passes; ++p) {
    const Pass& any = plan_->plans.front().passes[p];
    const int result = any.targets.front();
    std::optional<MeanSum> mean;
    if (any.statistic >= 0)
      mean.emplace(team_->size(), plan_->plans.front().layout[static_cast<std::size_t>(result)].stride);
    for (const Strip& strip : plan_->strips) {
      const Plan& plan = plan_->plans[strip.plan];
      const PassMemory memory{*program_, plan, plan.passes[p], arena_.data(), zero_row_.data()};
      const Columns own = plan_->own(strip, result);
      const int left = plan_->left(strip, result);
      const StripShare share{
          strip.reads.first, {own.first - left, own.last - left}, own.first, mean ? &*mean : nullptr};
      PassRun walk{PassOps{memory, *kernels_, *team_, packed, vectors, scratch_},
                   *graph_,
                   *kernels_,
                   file_ ? &*file_ : nullptr,
                   input,
                   output,
                   share,
                   control};
      if (auto status = walk.run(); !status) return status;
    }
    if (!mean) continue;
    const Statistic& s = program_->statistics[static_cast<std::size_t>(any.statistic)];
    const Extent e = plan_->extent[static_cast<std::size_t>(result)];
    vectors.set(s.blob, mean->mean(s.channels, static_cast<double>(e.width) * e.height));
  }
  return ok();
}

}  // namespace weir::nn
