#pragma once

#include <vector>

#include "nn/cpu/mean_sum.hpp"
#include "nn/cpu/pass_ops.hpp"
#include "nn/cpu/runner.hpp"

namespace weir::nn {

/// What all passes of a run have in common.
struct RunContext {
  const Graph& graph;
  const compute::Kernels& kernels;
  ScratchFile* scratch_file;  ///< for tensors that the plan keeps on disk; may be null if it keeps none there
  InputRows& input;
  const OutputRows& output;
  const RunControl& control;
};

/// What a pass over one strip takes from the picture and gives back. The result is the pass's first target.
struct StripTask {
  int input_first_column = 0;   ///< the picture's column of the strip's first input column
  ColumnRange own_columns;      ///< columns of the result, in the strip, that are its own
  int result_first_column = 0;  ///< the picture's column of counted.first
  MeanSum* mean_sum = nullptr;  ///< takes the result's values; null: the result is given out
};

/// One pass over one strip: the schedule's steps, carried out. Used once. Everything given must outlive it.
class PassRun : private PassOps {
 public:
  PassRun(PassOps ops, const RunContext& context, const StripTask& strip);

  /// Errors: those of Runner::run.
  Status run();

 private:
  bool is_kept_in_memory(int t) const;
  void clear_rings() const;
  bool run_step(int o, RowRange rows);
  Status fill_input(int t, RowRange rows);
  Status write_output(int t, RowRange rows);
  void add_to_means(int t, RowRange rows);

  const RunContext& context_;
  const StripTask& strip_;
  std::vector<bool> is_stored_;  // by tensor: this pass keeps it
  Status status_ = ok();
};

}  // namespace weir::nn
