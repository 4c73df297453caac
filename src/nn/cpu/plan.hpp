#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "compute/kernels/kernels.hpp"
#include "nn/cpu/passes.hpp"
#include "nn/program.hpp"

namespace weir::nn {

/// How a tensor's rows lie in memory. Margins of columns on both sides are zero: what a padded convolution reads there.
struct RowLayout {
  std::size_t row_bytes = 0;
  int stride = 1;              ///< elements from pixel to pixel (feature rows)
  int plane_stride = 0;        ///< floats from plane to plane (planar rows)
  std::size_t first_byte = 0;  ///< of column 0 in a row
};

struct PlanLimits {
  Bytes memory;                  ///< for rows and stored tensors together
  Bytes disk;                    ///< for stored tensors
  int band = 4;                  ///< rows per step, a multiple of 4
  bool may_keep_tensors = true;  ///< tensors that several passes need may be kept whole
};

/// Everything that running a program on one picture takes, known before the first row. A value; the program and graph
/// that it was made from must outlive it.
struct Plan {
  Extent input;
  std::vector<Extent> extent;              ///< by tensor
  std::vector<RowLayout> layout;           ///< by tensor
  std::vector<TensorReuse> reuse;          ///< by tensor
  std::vector<std::uint64_t> disk_offset;  ///< by tensor
  std::vector<Pass> passes;
  compute::ElementType element_type = compute::ElementType::float16;
  int band = 4;
  Bytes arena;         ///< rows, stored tensors
  Bytes stored_bytes;  ///< of these, the stored tensors at their most
  Bytes disk;
  double multiplications = 0;  ///< as direct convolution, over all passes
  int read_ahead_rows = 0;     ///< input rows that the last pass reads ahead of the output, at most
};

/// The fastest plan within the limits. What is kept where never changes a result.
/// Errors: over_budget with the least that would do; invalid_argument if the input is too small for the network.
Result<Plan> make_plan(const Graph& graph, const Program& program, Extent input, compute::ElementType element_type,
                       const PlanLimits& limits);

}  // namespace weir::nn
