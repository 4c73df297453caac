#pragma once

#include <vector>

#include "nn/cpu/mean_sum.hpp"
#include "nn/cpu/pass_ops.hpp"
#include "nn/cpu/run.hpp"

namespace weir::nn {

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
  /// `file`: for tensors that the plan keeps on disk; may be null if it keeps none there.
  PassRun(PassOps ops, const Graph& graph, const compute::Kernels& kernels, ScratchFile* file, InputRows& input,
          const OutputRows& output, const StripShare& strip, const RunControl& control);

  /// Errors: those of Runner::run.
  Status run();

 private:
  bool kept_in_memory(int t) const;
  void clear_rings() const;
  bool reads_input() const;
  bool step(int o, Rows rows);
  Status fill_input(int t, Rows rows);
  Status give_out(int t, Rows rows);
  void add_to_mean(int t, Rows rows);

  const Graph& graph_;
  const compute::Kernels& kernels_;
  ScratchFile* file_;
  InputRows& input_;
  const OutputRows& output_;
  const StripShare& strip_;
  const RunControl& control_;
  std::vector<bool> stored_;  // by tensor: this pass keeps it
  Status status_ = ok();
};

}  // namespace weir::nn
