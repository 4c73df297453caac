#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/kernels/kernels.hpp"
#include "nn/program.hpp"
#include "nn/schedule.hpp"

namespace weir::nn {

/// Where a tensor that several passes need is kept.
enum class Keep : unsigned char {
  nowhere,  ///< made again by each pass that needs it
  memory,
  disk,
};

/// How a tensor's rows lie in memory. Margins of columns on both sides are zero: what a padded convolution reads there.
struct RowLayout {
  std::size_t row_bytes = 0;
  int stride = 1;              ///< elements from pixel to pixel (feature rows)
  int plane_stride = 0;        ///< floats from plane to plane (planar rows)
  std::size_t first_byte = 0;  ///< of column 0 in a row
};

/// One walk over the picture from top to bottom.
struct Pass {
  std::vector<Role> role;           ///< by op
  std::vector<int> targets;         ///< tensors that are made to their ends; the first leads
  std::vector<int> stored;          ///< tensors that this pass puts into memory or on disk
  int statistic = -1;               ///< the mean that this pass finds; -1: it makes the output
  std::vector<int> rows;            ///< by tensor: rows held at once; 0: not in this pass
  std::vector<std::size_t> offset;  ///< by tensor: of its first row in the arena
  double multiplications = 0;
};

struct PlanLimits {
  Bytes memory;  ///< for rows and stored tensors together
  Bytes disk;    ///< for stored tensors
  int band = 4;  ///< rows per step, a multiple of 4
};

/// Everything that running a program on one picture takes, known before the first row. A value; the program and graph
/// that it was made from must outlive it.
struct Plan {
  Extent input;
  std::vector<Extent> extent;              ///< by tensor
  std::vector<RowLayout> layout;           ///< by tensor
  std::vector<Keep> keep;                  ///< by tensor
  std::vector<std::uint64_t> disk_offset;  ///< by tensor
  std::vector<Pass> passes;
  compute::Storage storage = compute::Storage::half;
  int band = 4;
  Bytes arena;   ///< rows, stored tensors
  Bytes stored;  ///< of these, the stored tensors at their most
  Bytes disk;
  double multiplications = 0;  ///< as direct convolution, over all passes
  int lead = 0;                ///< input rows that the last pass reads ahead of the output, at most
};

/// The fastest plan within the limits. What is kept where never changes a result.
/// Errors: over_budget with the least that would do; invalid_argument if the input is too small for the network.
Result<Plan> make_plan(const Graph& graph, const Program& program, Extent input, compute::Storage storage,
                       const PlanLimits& limits);

}  // namespace weir::nn
