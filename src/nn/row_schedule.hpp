#pragma once

#include <vector>

#include "nn/program.hpp"

namespace weir::nn {

/// Rows first..end-1 of a tensor.
struct RowRange {
  int first = 0, end = 0;
};

/// The number of rows (or columns) of an op's input tensor and of its output tensor.
struct AxisExtents {
  int input = 0, output = 0;
  bool is_columns = false;  ///< true: the axis of columns; false: the axis of rows
};

/// Returns the rows (or columns) of input `i` that rows `out` of an op's output need, counted in the input tensor and
/// limited to its extent. `i` is an index into op.inputs; op.inputs.size() stands for the residual of the epilogue.
RowRange needed_input_rows(const Op& op, std::size_t i, RowRange out, const AxisExtents& axis);

/// The role of an op in a pass. A pass goes through the picture once from top to bottom. A run has several passes if
/// the network needs means over the whole picture.
enum class OpRole : unsigned char {
  skip,  ///< does nothing: no op of the pass reads its tensor, or the tensor is already complete in memory
  run,   ///< computes rows from its inputs
  load,  ///< reads rows back from disk
};

/// The order in which the ops of one pass over the picture compute their rows. An op computes its rows in steps of
/// about `band` rows. Before each step, the schedule runs the steps of other ops on which it depends. It stores how
/// many rows of each tensor are complete. The planner and the runner use the same schedule, so that a run does exactly
/// what was planned.
class RowSchedule {
 public:
  /// `extent` is by tensor, `role` by op. `band` is about the number of rows that an op computes in one step, a
  /// multiple of 4.
  RowSchedule(const Program& program, std::vector<Extent> extent, std::vector<OpRole> role, int band);

  /// Returns the rows of input `i` that output rows `out` of `op` need; `i` is as in needed_input_rows().
  RowRange needed_rows(const Op& op, std::size_t i, RowRange out) const;
  /// Returns the end row of the step of `op` that begins at output row `first`.
  int step_end(const Op& op, int first) const;

  /// Runs steps until rows 0..end_row-1 of `tensor` are complete. Calls `execute(op index, rows)` once for each step,
  /// after the steps that it depends on. If `execute` returns false, complete_rows() stops and returns false; otherwise
  /// it returns true.
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

  /// Runs the whole pass: computes all rows of all targets (indices of tensors). After each band of the first target,
  /// the other targets are computed to the same fraction of their height. `execute` and the return value are those of
  /// complete_rows().
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

  /// Returns the number of rows of `tensor` (an index) that are complete.
  int rows_made(int tensor) const { return made_[static_cast<std::size_t>(tensor)]; }
  /// Returns the first row of `tensor` that an op of this pass will still read; the height of the tensor if no op will
  /// read any more rows.
  int first_needed_row(int tensor) const;
  const Extent& extent(int tensor) const { return extent_[static_cast<std::size_t>(tensor)]; }
  const Program& program() const { return program_; }

 private:
  /// One op that reads a tensor.
  struct Use {
    int op;             // index of the op
    std::size_t input;  // index of the input, as in needed_input_rows()
  };
  const Program& program_;
  std::vector<Extent> extent_;
  std::vector<OpRole> role_;
  std::vector<int> made_;               // by tensor: number of complete rows
  std::vector<std::vector<Use>> uses_;  // by tensor: its uses by ops that run
  int band_;
};

}  // namespace weir::nn
