#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/kernels/kernels.hpp"
#include "nn/cpu/passes.hpp"
#include "nn/program.hpp"

namespace weir::nn {

/// The layout of a tensor's rows in memory. In planar rows, each channel (plane) has a row of its own, in float32; in
/// feature rows, the channels of a pixel are adjacent. Rows have margins of zeros on both sides, because convolutions
/// with padding read beyond the edges of the picture.
struct RowLayout {
  std::size_t row_bytes = 0;   ///< size of a row with its margins; all planes of a planar row together
  int stride = 1;              ///< feature rows: number of values from one pixel to the next
  int plane_stride = 0;        ///< planar rows: number of floats from one plane to the next
  std::size_t first_byte = 0;  ///< offset of column 0 in a row, in bytes
};

/// The limits that a plan must respect.
struct PlanLimits {
  Bytes memory;                  ///< memory for rows and stored tensors together (the arena)
  Bytes disk;                    ///< disk space for stored tensors; zero: none is stored on disk
  int band = 4;                  ///< rows per step, a multiple of 4
  bool may_keep_tensors = true;  ///< the plan may keep whole tensors that several passes need
};

/// A plan for running a program on one picture: its passes (a pass goes through the picture once from top to bottom),
/// memory layout, and the memory and disk space that it needs. The memory of a run is one block, the arena. A value
/// type; the program and graph must outlive it.
struct Plan {
  Extent input;                            ///< extent of the network's input
  std::vector<Extent> extent;              ///< by tensor
  std::vector<RowLayout> layout;           ///< by tensor
  std::vector<TensorReuse> reuse;          ///< by tensor
  std::vector<std::uint64_t> disk_offset;  ///< by tensor: offset in the scratch file in bytes, if reuse is `disk`
  std::vector<Pass> passes;
  compute::ElementType element_type = compute::ElementType::float16;
  int band = 4;        ///< rows per step
  Bytes arena;         ///< memory for ring buffers (the rows of a tensor that ops still need) and for stored tensors
  Bytes stored_bytes;  ///< part of the arena for stored tensors: the arena less the largest ring buffers of any pass
  Bytes disk;          ///< disk space for stored tensors
  double multiplications = 0;  ///< counted as direct convolution, over all passes
  int read_ahead_rows = 0;     ///< largest number of input rows that the last pass reads ahead of the output
};

/// Returns the fastest plan within the limits that the search finds. All plans give the same result, bit by bit.
/// Errors: over_budget, with the smallest memory for which the search finds a plan, or because a tensor has more
/// columns than can be computed at once; those of infer_extents, for example if the input is too small for the network.
Result<Plan> make_plan(const Graph& graph, const Program& program, Extent input, compute::ElementType element_type,
                       const PlanLimits& limits);

}  // namespace weir::nn
