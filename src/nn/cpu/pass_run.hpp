#pragma once

#include <vector>

#include "nn/cpu/mean_sum.hpp"
#include "nn/cpu/pass_ops.hpp"
#include "nn/cpu/run.hpp"

namespace weir::nn {

/// What all passes of a run have in common.
struct RunParts {
  const Graph& graph;
  const compute::Kernels& kernels;
  ScratchFile* file;  ///< for tensors that the plan keeps on disk; may be null if it keeps none there
  InputRows& input;
  const OutputRows& output;
  const RunControl& control;
};

/// What a pass over one strip takes from the picture and gives back. The result is the pass's first target.
struct StripShare {
  int input_left = 0;       ///< the picture's column of the strip's first input column
  Columns counted;          ///< columns of the result, in the strip, that are its own
  int result_left = 0;      ///< the picture's column of counted.first
  MeanSum* mean = nullptr;  ///< takes the result's values; null: the result is given out
};

/// One pass over one strip: the schedule's steps, carried out. Used once. Everything given must outlive it.
class PassRun : private PassOps {
 public:
  PassRun(PassOps ops, const RunParts& parts, const StripShare& strip);

  /// Errors: those of Runner::run.
  Status run();

 private:
  bool kept_in_memory(int t) const;
  void clear_rings() const;
  bool step(int o, Rows rows);
  Status fill_input(int t, Rows rows);
  Status give_out(int t, Rows rows);
  void add_to_mean(int t, Rows rows);

  const RunParts& parts_;
  const StripShare& strip_;
  std::vector<bool> stored_;  // by tensor: this pass keeps it
  Status status_ = ok();
};

}  // namespace weir::nn
