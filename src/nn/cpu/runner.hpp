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

/// Runs a program on pictures of one extent on the CPU, in one or more strips (ranges of columns), and each strip row
/// by row. Of each tensor it keeps only the rows that ops still need, except for the tensors that the plan stores for
/// later passes. Owns the arena (the memory for rows and stored tensors) and the scratch memory of the kernels, and
/// reuses both for the next picture. Not thread-safe.
class Runner {
 public:
  /// Allocates the memory of the plan and, if it keeps tensors on disk, creates a scratch file in `spill_folder`. All
  /// arguments except `spill_folder` must outlive the runner. Errors: over_budget; io, disk_full (scratch file).
  static Result<Runner> create(const Graph& graph, const Program& program, const StripPlan& plan,
                               const compute::Kernels& kernels, compute::ThreadTeam& team,
                               const std::filesystem::path& spill_folder);
  /// Returns the scratch memory that the kernels need for `threads` threads.
  static Bytes scratch_bytes(const Program& program, const Graph& graph, const compute::Kernels& kernels, int threads);

  /// Runs the program on one picture. Errors: those of input and output; io, disk_full (scratch file); cancelled;
  /// bad_values, naming the layer, if int16 arithmetic finds a value that is NaN or infinite (float32 does not check
  /// this).
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
  std::vector<compute::AlignedArray<std::byte>> scratch_;  // by thread of the team
  std::optional<ScratchFile> file_;
};

}  // namespace weir::nn
