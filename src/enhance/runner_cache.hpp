#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "compute/thread_team.hpp"
#include "enhance/run_plan.hpp"
#include "nn/cpu/runner.hpp"

namespace weir::enhance {

/// The runners of one plan on the CPU, with the memory of the network's rows. They serve every picture with this plan.
/// Not thread-safe.
class RunnerCache {
 public:
  /// Stores references to all arguments; they must outlive this object.
  RunnerCache(const nn::Graph& graph, const nn::Program& program, const compute::Kernels& kernels,
              const std::filesystem::path& spill_folder)
      : graph_{graph}, program_{program}, kernels_{kernels}, spill_folder_{spill_folder} {}

  /// Returns the runner of a stage of the plan. Creates it unless the last calls were for the same plan; the runners of
  /// another plan are destroyed first. `team` must outlive the runner. The pointer is valid until release(), or until
  /// a call for another plan. Errors: those of nn::Runner::create().
  Result<nn::Runner*> get(const std::shared_ptr<const RunPlan>& plan, std::size_t stage, compute::ThreadTeam& team);
  /// Destroys all runners.
  void release();
  /// Returns the memory of the network's rows that the runners have.
  Bytes memory() const;

 private:
  const nn::Graph& graph_;
  const nn::Program& program_;
  const compute::Kernels& kernels_;
  const std::filesystem::path& spill_folder_;
  std::shared_ptr<const RunPlan> plan_;             // the runners refer to it
  std::vector<std::optional<nn::Runner>> runners_;  // by stage
};

}  // namespace weir::enhance
