#pragma once

#include <cstddef>
#include <vector>

#include "nn/program.hpp"
#include "nn/row_schedule.hpp"

namespace weir::nn {

/// How later passes get a tensor that several passes need.
enum class TensorReuse : unsigned char {
  recompute,  ///< each pass that needs it computes it again
  memory,     ///< kept in memory
  disk,       ///< kept on disk
};

/// One pass over the picture from top to bottom. A program has one pass for each entry of Program::means (the means of
/// one tensor's channels over the whole picture), and a last pass that makes the output.
struct Pass {
  std::vector<OpRole> role;         ///< by op
  std::vector<int> targets;         ///< tensors of which all rows are computed; [0] is the result of the pass
  std::vector<int> stored_tensors;  ///< tensors that this pass stores in memory or on disk
  int mean_index = -1;              ///< index into Program::means of the means that this pass computes; -1: the output
  std::vector<int> row_count;       ///< by tensor: number of rows in memory at once; 0: not in memory in this pass
  std::vector<std::size_t> offset;  ///< by tensor: offset of its memory in the arena, in bytes
  double multiplications = 0;
};

/// Returns the passes of a program: one for each entry of Program::means, and one for the output. `reuse` is by tensor.
/// Does not set `row_count`, `offset` and `multiplications`.
std::vector<Pass> make_passes(const Program& program, const std::vector<TensorReuse>& reuse);

/// Returns the tensors that a pass can already compute, and that are read by an op which only a later pass can run. The
/// input picture is not among them. Time can be saved by keeping such a tensor instead of computing it in each pass.
std::vector<int> shared_tensors(const Program& program);

/// Calls visit(tensor index) for every tensor that an op reads, the residual included.
template <class Visit>
void for_each_input(const Op& op, Visit&& visit) {
  for (const TensorView& v : op.inputs) visit(v.tensor);
  if (op.epilogue.has_residual) visit(op.epilogue.residual.tensor);
}

/// Returns true if `op` reads `tensor`.
bool reads(const Op& op, int tensor);
/// Returns true if the pass reads the picture, and not only tensors that earlier passes stored.
bool reads_input(const Program& program, const Pass& pass);

/// The rows that a pass has in memory.
struct RowsHeld {
  std::vector<int> max_rows;  ///< by tensor: largest number of rows in use at once; 0: this pass neither computes rows
                              ///< of the tensor nor reads them back from disk
  /// Two tensors that may share memory: the pass reads `from`, which an earlier pass stored completely, and makes `to`.
  /// When row y of `to` is complete, the rows of `from` before y * (height of from / height of to) - lag_rows are no
  /// longer read.
  struct TensorOverlap {
    int from = -1, to = -1;
    int lag_rows = 0;
  };
  std::vector<TensorOverlap> overlaps;
};

/// Finds the rows that a pass has in memory: runs the schedule of the pass without computing values. `extent` is by
/// tensor; `band` is the number of rows per step.
RowsHeld find_rows_held(const Program& program, const std::vector<Extent>& extent, const Pass& pass, int band);

/// Returns how many rows the pass reads ahead at most: the largest difference between the number of input rows read and
/// the input row that corresponds to the output row being computed. The pass must be the one that makes the output.
int find_read_ahead_rows(const Program& program, const std::vector<Extent>& extent, const Pass& pass, int band);

}  // namespace weir::nn
