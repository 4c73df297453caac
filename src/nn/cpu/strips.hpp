#pragma once

#include <vector>

#include "nn/cpu/plan.hpp"

namespace weir::nn {

/// Columns first..end-1.
struct ColumnRange {
  int first = 0, end = 0;
  int count() const { return end - first; }
};

/// A range of columns of a picture that is run like a separate picture. Near a cut the results of a strip are wrong,
/// because the network has no values from beyond the cut there. Therefore a strip reads more columns than its own (the
/// halo), and the wrong columns of its result are not used: the neighbouring strip provides them.
struct Strip {
  ColumnRange read_columns;    ///< columns of the picture with its border that the strip reads
  ColumnRange own_columns;     ///< columns of the picture with its border for which it provides results
  std::size_t plan_index = 0;  ///< index into StripPlan::plans: the plan for its width
};

/// The plan of a picture in one strip, or in several strips if the memory limit is too small for rows of the whole
/// width. 3x3 convolutions in int16 round the values of each tile of 4 x 4 pixels together, with factors that depend on
/// all of them; all strips use the same grid of tiles, so that the result does not depend on the strips.
struct StripPlan {
  Extent input;
  std::vector<Extent> extent;  ///< by tensor, for the whole picture
  std::vector<double> scale;   ///< by tensor: its columns per column of the input
  std::vector<Plan> plans;     ///< one plan for each different width of strips; all have the same number of passes
  std::vector<Strip> strips;   ///< from left to right
  int strip_width = 0;         ///< number of own columns of every strip but the last, which can differ
  int halo = 0;                ///< largest number of columns that a strip reads on one side of its own
  // The largest value of any strip; see Plan.
  Bytes arena;
  Bytes stored_bytes;
  Bytes disk;
  double multiplications = 0;  ///< sum over all strips
  int read_ahead_rows = 0;     ///< largest value of any strip

  /// Returns the strip's own columns of `tensor`, counted in the whole picture.
  ColumnRange own_columns(const Strip& strip, int tensor) const;
  /// Returns the column of the whole picture's `tensor` that is column 0 of the strip's part.
  int first_column(const Strip& strip, int tensor) const;
};

/// Returns a plan with one strip. Errors: those of make_plan.
Result<StripPlan> plan_single_strip(const Graph& graph, const Program& program, Extent input,
                                    compute::ElementType element_type, const PlanLimits& limits);

/// Returns a plan with at least two strips that keeps no tensors between passes. Tries strips of about three quarters
/// of the width, then of three quarters of that, and so on; returns the first plan within the limits.
/// Errors: over_budget if even the narrowest strips do not fit, if the picture is too narrow to be cut, or if a resize
/// in the network would give a strip other values than the whole picture; unsupported if the network's columns cannot
/// be cut; other errors of make_plan.
Result<StripPlan> plan_strips(const Graph& graph, const Program& program, Extent input,
                              compute::ElementType element_type, const PlanLimits& limits);

/// The numbers of columns that a strip must read to the left and to the right of its own columns.
struct Halo {
  int left = 0, right = 0;
};
/// Finds the halo of a network: follows through every operation how far the wrong columns near a cut spread, in whole
/// tiles. Both numbers are multiples of kStripGrid.
/// Errors: unsupported if the network's columns cannot be cut.
Result<Halo> find_halo(const Graph& graph, const Program& program);

/// Cuts are at multiples of this many columns of the input, so that tiles of four columns stay whole also in tensors of
/// a quarter of the input's width.
inline constexpr int kStripGrid = 16;

}  // namespace weir::nn
