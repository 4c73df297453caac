#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/anonymous_mapping.hpp"
#include "base/result.hpp"
#include "base/scratch_file.hpp"
#include "compute/kernels/kernels.hpp"
#include "compute/thread_team.hpp"
#include "nn/cpu/packed_weights.hpp"
#include "nn/cpu/strips.hpp"
#include "nn/multi_pass_run.hpp"
#include "nn/rows.hpp"

namespace weir::nn {

/// Runs a program on pictures of one extent by rows: every op keeps only the rows that others still need.
/// Owns the arena and the scratch; keeps them from picture to picture. Not thread-safe.
class Runner {
 public:
  /// Everything given must outlive the runner. Errors: over_budget, io (row file).
  static Result<Runner> create(const Graph& graph, const Program& program, const StripPlan& plan,
                               const compute::Kernels& kernels, compute::ThreadTeam& team,
                               const std::filesystem::path& spill_folder);
  static Bytes scratch_bytes(const Program& program, const Graph& graph, const compute::Kernels& kernels, int threads);

  /// Errors: those of input and output; cancelled; bad_values when a value was NaN or infinite ("not a number in layer X").
  Status run(const PackedWeights& packed, InputRows& input, const OutputRows& output, const RunControl& control);

 private:
  class StripwiseRun;
  Runner() = default;

  const Graph* graph_ = nullptr;
  const Program* program_ = nullptr;
  const StripPlan* plan_ = nullptr;
  const compute::Kernels* kernels_ = nullptr;
  compute::ThreadTeam* team_ = nullptr;
  AnonymousMapping arena_;
  compute::AlignedArray<std::byte> zero_row_;
  std::vector<compute::AlignedArray<std::byte>> scratch_;  // by member of the team
  std::optional<ScratchFile> file_;
};

}  // namespace weir::nn
