#pragma once

#include <vector>

#include "nn/program.hpp"

namespace weir::nn {

/// Rows first..last-1 of a tensor.
struct RowRange {
  int first = 0, end = 0;
};

/// Rows or columns of a tensor that is read and of the one that is made from it.
struct AxisExtents {
  int input = 0, output = 0;
  bool is_columns = false;
};

/// The rows of input `i` (the residual comes after the inputs) that rows `out` of an op's output need, in the input
/// tensor's own rows, cut to its extent; the same for columns.
RowRange needed_input_rows(const Op& op, std::size_t i, RowRange out, const AxisExtents& axis);

/// What an op does in a pass.
enum class OpRole : unsigned char {
  skip,  ///< its tensor is not read, or is there already, whole
  run,   ///< makes rows from its inputs
  load,  ///< brings rows back from disk
};

/// How rows of one pass depend on each other: which rows an op needs for some of its output, in which order ops run, and
/// what may be forgotten. The planner and the runner walk the same schedule, so that what was planned is what happens.
class RowSchedule {
 public:
  /// `role[op]`, `extent[tensor]`. `band`: rows that an op makes at a time, a multiple of 4.
  RowSchedule(const Program& program, std::vector<Extent> extent, std::vector<OpRole> role, int band);

  /// The rows of input `i` (the residual comes after the inputs) that output rows `out` of `op` need, in the input
  /// tensor's own rows, cut to its extent.
  RowRange needed_rows(const Op& op, std::size_t i, RowRange out) const;
  /// The end of the step of `op` that begins at output row `first`.
  int step_end(const Op& op, int first) const;

  /// Runs steps until rows 0..upto-1 of `tensor` were made. `execute(op number, rows)` is called once for each step,
  /// after everything it needs; it returns false to stop. Returns false if it was stopped.
  template <class Execute>
  bool complete_rows(int tensor, int end_row, Execute&& execute) {
    const int producer = program_.tensors[static_cast<std::size_t>(tensor)].producer;
    const OpRole role = role_[static_cast<std::size_t>(producer)];
    if (role == OpRole::skip) return true;
    const Op& op = program_.ops[static_cast<std::size_t>(producer)];
    int& made = made_[static_cast<std::size_t>(tensor)];
    while (made < end_row) {
      const RowRange rows{made, step_end(op, made)};
      for (std::size_t i = 0; role == OpRole::run && i < op.inputs.size(); ++i) {
        if (!complete_rows(op.inputs[i].tensor, needed_rows(op, i, rows).end, execute)) return false;
      }
      if (role == OpRole::run && op.epilogue.has_residual &&
          !complete_rows(op.epilogue.residual.tensor, needed_rows(op, op.inputs.size(), rows).end, execute)) {
        return false;
      }
      if (!execute(producer, rows)) return false;
      made = rows.end;
    }
    return true;
  }

  /// Runs the pass: the first target band by band, the others in step with it, all to their ends.
  template <class Execute>
  bool run(const std::vector<int>& targets, Execute&& execute) {
    const int height = extent(targets.front()).height;
    for (int row = 0; row < height; row += band_) {
      const int end_row = row + band_ < height ? row + band_ : height;
      for (const int target : targets) {
        const int target_end = static_cast<int>(static_cast<long long>(extent(target).height) * end_row / height);
        if (!complete_rows(target, target_end, execute)) return false;
      }
    }
    return true;
  }

  int rows_made(int tensor) const { return made_[static_cast<std::size_t>(tensor)]; }
  /// The first row of `tensor` that an op of this pass still has to read; its height if none does.
  int first_needed_row(int tensor) const;
  const Extent& extent(int tensor) const { return extent_[static_cast<std::size_t>(tensor)]; }
  const Program& program() const { return program_; }

 private:
  struct Use {
    int op;
    std::size_t input;
  };
  const Program& program_;
  std::vector<Extent> extent_;
  std::vector<OpRole> role_;
  std::vector<int> made_;
  std::vector<std::vector<Use>> uses_;  // of each tensor, by ops that run
  int band_;
};

}  // namespace weir::nn
