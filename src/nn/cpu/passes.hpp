#pragma once

#include <cstddef>
#include <vector>

#include "nn/program.hpp"
#include "nn/row_schedule.hpp"

namespace weir::nn {

/// Where a tensor that several passes need is kept.
enum class TensorReuse : unsigned char {
  recompute,  ///< made again by each pass that needs it
  memory,
  disk,
};

/// One walk over the picture from top to bottom.
struct Pass {
  std::vector<OpRole> role;         ///< by op
  std::vector<int> targets;         ///< tensors that are made to their ends; the first leads
  std::vector<int> stored_tensors;  ///< tensors that this pass puts into memory or on disk
  int mean_index = -1;              ///< the mean that this pass finds; -1: it makes the output
  std::vector<int> row_count;       ///< by tensor: rows held at once; 0: not in this pass
  std::vector<std::size_t> offset;  ///< by tensor: of its first row in the arena
  double multiplications = 0;
};

/// The passes of a program: one for each statistic and one for the output. `keep` by tensor; `rows`, `offset` and
/// `multiplications` are left empty.
std::vector<Pass> make_passes(const Program& program, const std::vector<TensorReuse>& reuse);

/// Tensors that a later pass needs than the one that can make them first: what can be worth keeping.
std::vector<int> shared_tensors(const Program& program);

/// Calls look(tensor) for everything that an op reads.
template <class Visit>
void for_each_input(const Op& op, Visit&& visit) {
  for (const TensorView& v : op.inputs) visit(v.tensor);
  if (op.epilogue.has_residual) visit(op.epilogue.residual.tensor);
}

/// Whether `op` reads `tensor`.
bool reads(const Op& op, int tensor);
/// Whether the pass reads the picture, and not only what earlier ones stored.
bool reads_input(const Program& program, const Pass& pass);

/// How many rows a pass holds.
struct RowsHeld {
  std::vector<int> max_rows;  ///< by tensor: rows that are alive at once; 0: not made by the pass
  /// A tensor that is read here, whole, from an earlier pass, while `to` is made: when row y of `to` was made, the rows
  /// of `from` before y * (height of from / height of to) - lag are not read any more.
  struct TensorOverlap {
    int from = -1, to = -1;
    int lag_rows = 0;
  };
  std::vector<TensorOverlap> overlaps;
};

/// Found by walking the schedule without running anything. `extent` by tensor.
RowsHeld find_rows_held(const Program& program, const std::vector<Extent>& extent, const Pass& pass, int band);

/// How many input rows the pass has read, at most, beyond the one that lies under the output row that it makes.
int find_read_ahead_rows(const Program& program, const std::vector<Extent>& extent, const Pass& pass, int band);

}  // namespace weir::nn
