#include "enhance/runner_cache.hpp"

#include <utility>

namespace weir::enhance {

Result<nn::Runner*> RunnerCache::get(const std::shared_ptr<const RunPlan>& plan, std::size_t stage,
                                     compute::ThreadTeam& team) {
  if (plan_ != plan) {
    release();
    plan_ = plan;
    runners_.resize(plan->stages.size());
  }
  std::optional<nn::Runner>& runner = runners_[stage];
  if (!runner) {
    auto created = nn::Runner::create(graph_, program_, plan->stages[stage].cpu_plan, kernels_, team, spill_folder_);
    if (!created) return created.error();
    runner.emplace(*std::move(created));
  }
  return &*runner;
}

void RunnerCache::release() {
  runners_.clear();
  plan_ = nullptr;
}

Bytes RunnerCache::memory() const {
  Bytes sum;
  for (std::size_t stage = 0; stage < runners_.size(); ++stage) {
    if (runners_[stage]) sum += plan_->stages[stage].cpu_plan.arena;
  }
  return sum;
}

}  // namespace weir::enhance
