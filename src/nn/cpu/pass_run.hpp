#pragma once

#include <vector>

#include "nn/cpu/mean_sum.hpp"
#include "nn/cpu/pass_ops.hpp"
#include "nn/cpu/runner.hpp"

namespace weir::nn {

/// The objects that all passes of a run share.
struct RunContext {
  const Graph& graph;
  const compute::Kernels& kernels;
  ScratchFile* scratch_file;  ///< file for tensors that the plan keeps on disk; may be null if it keeps none on disk
  InputRows& input;
  const OutputRows& output;
  const RunControl& control;
};

/// The columns that a pass over one strip (a range of columns of the picture) reads and writes. The result of a pass is
/// its first target, Pass::targets[0].
struct StripTask {
  int input_first_column = 0;   ///< column of the picture where the strip's input begins
  ColumnRange own_columns;      ///< columns of the result that belong to this strip, counted in the strip
  int result_first_column = 0;  ///< column of the whole picture's result that is own_columns.first
  MeanSum* mean_sum = nullptr;  ///< receives the result's values; null: the result goes to the output
};

/// Executes one pass over one strip: all steps of the pass's schedule. An object is used once. `context` and `strip`,
/// and the arguments with which `ops` was made, must outlive it.
class PassRun : private PassOps {
 public:
  PassRun(PassOps ops, const RunContext& context, const StripTask& strip);

  /// Runs the pass. Errors: those of Runner::run.
  Status run();

 private:
  /// Returns true if this pass stores all rows of tensor `t` in memory for later passes.
  bool is_kept_in_memory(int t) const;
  /// Sets the margins of the rows in ring buffers to zero.
  void clear_rings() const;
  /// Runs one step of the schedule: rows of the op with index `o`. Returns false after an error, which is in status_.
  bool run_step(int o, RowRange rows);
  /// Fills rows of the input tensor `t` from the picture.
  Status fill_input(int t, RowRange rows);
  /// Passes the strip's own columns of rows of tensor `t`, the result, to the output.
  Status write_output(int t, RowRange rows);
  /// Adds the strip's own columns of rows of tensor `t` to the sums for means.
  void add_to_means(int t, RowRange rows);

  const RunContext& context_;
  const StripTask& strip_;
  std::vector<bool> is_stored_;  // by tensor: this pass stores it for later passes
  Status status_ = ok();
};

}  // namespace weir::nn
