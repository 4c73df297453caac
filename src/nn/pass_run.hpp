#pragma once

#include <optional>
#include <vector>

#include "nn/mean_sum.hpp"
#include "nn/pass_ops.hpp"
#include "nn/run.hpp"

namespace weir::nn {

/// One pass: the schedule's steps, carried out. Used once. Everything given must outlive it.
class PassRun : private PassOps {
 public:
  /// `file`: for tensors that the plan keeps on disk; may be null if it keeps none there.
  PassRun(PassOps ops, const Graph& graph, compute::Team& team, const compute::Kernels& kernels, Vectors& vectors,
          ScratchFile* file, InputRows& input, const OutputRows& output, const RunControl& control);

  /// Errors: those of Runner::run.
  Status run();

 private:
  bool kept_in_memory(int t) const;
  void clear_rings() const;
  bool reads_input() const;
  bool step(int o, Rows rows);
  void add_to_mean(int t, Rows rows);
  void finish_mean();

  const Graph& graph_;
  const compute::Kernels& kernels_;
  Vectors& vectors_;
  ScratchFile* file_;
  InputRows& input_;
  const OutputRows& output_;
  const RunControl& control_;
  std::vector<bool> stored_;     // by tensor: this pass keeps it
  std::optional<MeanSum> mean_;  // that this pass finds
  Status status_ = ok();
};

}  // namespace weir::nn
