#pragma once

#include <vector>

#include "nn/cpu/plan.hpp"

namespace weir::nn {

/// Columns first..last-1.
struct ColumnRange {
  int first = 0, end = 0;
  int count() const { return end - first; }
};

/// Some columns of a picture, run as a picture of their own. It reads more than its share: at a cut the columns within
/// reach of the network are wrong, and are made again by the neighbour.
struct Strip {
  ColumnRange read_columns;    ///< of the bordered picture
  ColumnRange own_columns;     ///< likewise: what it adds to means and to the result
  std::size_t plan_index = 0;  ///< number of the plan for its width
};

/// How a picture is run: in one strip, or in several where a line is too short for rows of the whole width. Grids of
/// tiles are the same in all of them, so that the result does not depend on the strips.
struct StripPlan {
  Extent input;
  std::vector<Extent> extent;  ///< by tensor, of the whole picture
  std::vector<double> scale;   ///< by tensor: its columns for one of the input
  std::vector<Plan> plans;     ///< one for every width of strips; all have the same number of passes
  std::vector<Strip> strips;   ///< from left to right
  int strip_width = 0;         ///< own columns of a strip
  int halo = 0;                ///< columns that a strip reads on either side beside its own, at most
  Bytes arena;                 ///< the most of any strip
  Bytes stored_bytes;
  Bytes disk;
  double multiplications = 0;
  int read_ahead_rows = 0;

  /// The columns of `tensor`, in the picture, that are the strip's own.
  ColumnRange own_columns(const Strip& strip, int tensor) const;
  /// The picture's column of the first column of `tensor` in the strip.
  int first_column(const Strip& strip, int tensor) const;
};

/// One strip. Errors: those of make_plan.
Result<StripPlan> plan_single_strip(const Graph& graph, const Program& program, Extent input,
                                    compute::ElementType element_type, const PlanLimits& limits);

/// As few strips as the limits allow; no tensor is kept from pass to pass. Errors: those of make_plan for the narrowest
/// strip that is worth its halo; unsupported if the network's columns cannot be cut.
Result<StripPlan> plan_strips(const Graph& graph, const Program& program, Extent input,
                              compute::ElementType element_type, const PlanLimits& limits);

/// Columns beside its own that a strip must read.
struct Halo {
  int left = 0, right = 0;
};
/// Found by following wrong columns from the cut through every operation, in whole tiles. A multiple of kStripGrid.
/// Errors: unsupported if the network's columns cannot be cut.
Result<Halo> find_halo(const Graph& graph, const Program& program);

/// Cuts are at multiples of this: tiles of four at a quarter of the size too.
inline constexpr int kStripGrid = 16;

}  // namespace weir::nn
