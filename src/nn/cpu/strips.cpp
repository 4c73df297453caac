#include "nn/cpu/strips.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/round_up.hpp"
#include "nn/taps.hpp"

namespace weir::nn {

namespace {

// The width of the input that is_good_column() assumes for every op, so that no edge of the picture is near: 16 times
// as many columns (the largest scale) still fit an int, and a quarter of it is a whole number.
constexpr int kFar = 1 << 26;

/// Returns the column of a tensor that corresponds to a column of the input. `scale` is the tensor's columns per column
/// of the input.
int scaled(int column, double scale) { return static_cast<int>(std::lround(column * scale)); }

/// Returns the output columns that are computed together with column x. A 3x3 convolution in int16 rounds the values of
/// a tile together, so that a wrong input value can change every column of the tile.
ColumnRange columns_made_together(const Op& op, int x) {
  if (op.kind != OpKind::conv3x3) return {x, x + 1};
  return {x / 4 * 4, x / 4 * 4 + 4};
}

/// Returns true if every input column that column x of the op's output depends on is correct. `good` has, by tensor,
/// the columns that are correct.
bool is_good_column(const Op& op, int x, const std::vector<ColumnRange>& good) {
  const ColumnRange made = columns_made_together(op, x);
  const auto input_count = op.inputs.size() + (op.epilogue.has_residual ? 1 : 0);  // the residual is the last one
  // Far from the edges, the ratio of the widths matters only to a resize.
  const int out_width =
      op.kind == OpKind::resize ? scaled(kFar, static_cast<double>(std::get<Interp>(op.layer_operation).scale)) : kFar;
  for (std::size_t i = 0; i < input_count; ++i) {
    const TensorView& view = i < op.inputs.size() ? op.inputs[i] : op.epilogue.residual;
    const RowRange read = needed_input_rows(op, i, {made.first, made.end}, {kFar, out_width, /*is_columns=*/true});
    const ColumnRange& correct = good[to_index(view.tensor)];
    if (read.first < correct.first || read.end > correct.end) return false;
  }
  return true;
}

/// Returns, by tensor, the columns (counted in the whole picture) that equal a run of the whole picture, if the strip's
/// input begins at column `first`, its tensors have the extents `extent`, and both its edges are far from the picture's
/// edges.
std::vector<ColumnRange> find_good_columns(const Program& program, const std::vector<double>& scale, int first,
                                           const std::vector<Extent>& extent) {
  std::vector<ColumnRange> good(program.tensors.size());
  for (const Op& op : program.ops) {
    const std::size_t t = to_index(op.output);
    ColumnRange& columns = good[t];
    columns.first = scaled(first, scale[t]);
    columns.end = columns.first + extent[t].width;
    if (op.kind == OpKind::input) continue;
    while (columns.first < columns.end && !is_good_column(op, columns.first, good)) ++columns.first;
    while (columns.first < columns.end && !is_good_column(op, columns.end - 1, good)) --columns.end;
  }
  return good;
}

/// Returns, by tensor, its columns per column of the input; 0 for all tensors if the graph has no consistent scales.
std::vector<double> tensor_scales(const Graph& graph, const Program& program) {
  const auto blobs = blob_scales(graph);
  std::vector<double> scale(program.tensors.size(), 0);
  if (!blobs) return scale;
  for (std::size_t t = 0; t < scale.size(); ++t) scale[t] = (*blobs)[to_index(program.tensors[t].blob)];
  return scale;
}

/// Returns true if a cut at a multiple of kStripGrid input columns is at the edge of a tile in every tensor. `scale` is
/// by tensor; 0 for a tensor whose scale is not known.
bool can_be_cut(const std::vector<double>& scale) {
  return std::all_of(scale.begin(), scale.end(), [](double tensor_scale) {
    const double tiles = kStripGrid * tensor_scale / 4;  // tiles of four columns between two possible cuts
    return tensor_scale > 0 && tiles == std::floor(tiles);
  });
}

/// Checks that a resize of a strip equals the same part of a resize of the whole picture: both must have the same step.
/// Errors: over_budget.
Status check_exact_steps(const Program& program, const std::vector<Extent>& extent) {
  for (const Op& op : program.ops) {
    if (op.kind != OpKind::resize) continue;
    const int in = extent[to_index(op.inputs[0].tensor)].width;
    if (has_exact_step(std::get<Interp>(op.layer_operation), in, extent[to_index(op.output)].width)) continue;
    return Error{Errc::over_budget, fmt::format("a resize of {} columns by {} cannot be cut into strips", in,
                                                std::get<Interp>(op.layer_operation).scale)};
  }
  return ok();
}

/// Returns the extents by tensor; `blobs` has them by blob index.
std::vector<Extent> tensor_extents(const Program& program, const std::vector<Extent>& blobs) {
  std::vector<Extent> extents;
  for (const ProgramTensor& t : program.tensors) extents.push_back(blobs[to_index(t.blob)]);
  return extents;
}

/// Cuts `width` columns of input into strips of `own` own columns; the last strip can have another number.
std::vector<Strip> cut_into_strips(int width, int own, Halo halo) {
  std::vector<Strip> strips;
  for (int first = 0; first < width; first += own) {
    Strip strip;
    // A further strip narrower than the halo could have no own columns after the border is removed, so this strip takes
    // its columns too.
    const bool last = first + own + halo.right >= width;
    strip.own_columns = {first, last ? width : first + own};
    strip.read_columns = {std::max(0, first - halo.left), last ? width : std::min(width, first + own + halo.right)};
    strips.push_back(strip);
    if (last) break;
  }
  return strips;
}

/// Makes the plans of the strips of one picture. Strips of the same width share one plan.
class StripPlanner {
 public:
  StripPlanner(const Graph& graph, const Program& program, Extent input, compute::ElementType element_type,
               const PlanLimits& limits)
      : graph_{graph}, program_{program}, input_{input}, element_type_{element_type}, limits_{limits} {}

  /// Sets all fields of `result` except the columns of its strips, strip_width and halo. Errors: those of make_plan.
  Status plan(StripPlan& result) const {
    auto blobs = infer_extents(graph_, input_);
    if (!blobs) return blobs.error();
    result.input = input_;
    result.extent = tensor_extents(program_, *blobs);
    result.scale = tensor_scales(graph_, program_);
    for (Strip& strip : result.strips) {
      if (auto status = plan_strip(strip, result); !status) return status;
    }
    return ok();
  }

 private:
  /// Sets strip.plan_index, makes the plan if no other strip has this width, and updates the maxima and sums of
  /// `result`.
  Status plan_strip(Strip& strip, StripPlan& result) const {
    const int width = strip.read_columns.count();
    const auto found = std::find_if(result.plans.begin(), result.plans.end(),
                                    [&](const Plan& plan) { return plan.input.width == width; });
    strip.plan_index = static_cast<std::size_t>(found - result.plans.begin());
    if (found == result.plans.end()) {
      auto plan = make_plan(graph_, program_, {input_.height, width}, element_type_, limits_);
      if (!plan) return plan.error();
      result.plans.push_back(*std::move(plan));
    }
    const Plan& plan = result.plans[strip.plan_index];
    result.arena = std::max(result.arena, plan.arena);
    result.stored_bytes = std::max(result.stored_bytes, plan.stored_bytes);
    result.disk = std::max(result.disk, plan.disk);
    result.read_ahead_rows = std::max(result.read_ahead_rows, plan.read_ahead_rows);
    result.multiplications += plan.multiplications;
    return ok();
  }

  const Graph& graph_;
  const Program& program_;
  Extent input_;
  compute::ElementType element_type_;
  const PlanLimits& limits_;
};

}  // namespace

ColumnRange StripPlan::own_columns(const Strip& strip, int tensor) const {
  const double tensor_scale = scale[to_index(tensor)];
  const int width = extent[to_index(tensor)].width;
  const bool last = strip.own_columns.end == input.width;
  return {std::min(scaled(strip.own_columns.first, tensor_scale), width),
          last ? width : std::min(scaled(strip.own_columns.end, tensor_scale), width)};
}

int StripPlan::first_column(const Strip& strip, int tensor) const {
  return scaled(strip.read_columns.first, scale[to_index(tensor)]);
}

Result<Halo> find_halo(const Graph& graph, const Program& program) {
  // Follows one strip that is so wide, and so far from the picture's edges, that no network reaches from one of its
  // edges to the other, or from them to an edge of the picture.
  constexpr int kFirst = 1 << 16;  // first column of the strip
  constexpr int kWidth = 1 << 17;
  const std::vector<double> scale = tensor_scales(graph, program);
  if (!can_be_cut(scale)) return Error{Errc::unsupported, "this network's columns cannot be cut into strips"};
  const auto blobs = infer_extents(graph, {kWidth, kWidth});
  if (!blobs) return blobs.error();
  const std::vector<ColumnRange> good = find_good_columns(program, scale, kFirst, tensor_extents(program, *blobs));
  std::vector<int> results{program.output};
  for (const ChannelMeans& mean : program.means) results.push_back(mean.source.tensor);
  Halo halo;
  for (const int tensor : results) {
    const ColumnRange& correct = good[to_index(tensor)];
    // The first and the end column of the input for which the tensor is correct.
    const int first = static_cast<int>(std::ceil(correct.first / scale[to_index(tensor)]));
    const int end = static_cast<int>(std::floor(correct.end / scale[to_index(tensor)]));
    halo.left = std::max(halo.left, first - kFirst);
    halo.right = std::max(halo.right, kFirst + kWidth - end);
  }
  return Halo{round_up(halo.left, kStripGrid), round_up(halo.right, kStripGrid)};
}

Result<StripPlan> plan_single_strip(const Graph& graph, const Program& program, Extent input,
                                    compute::ElementType element_type, const PlanLimits& limits) {
  StripPlan result;
  result.strips = {Strip{{0, input.width}, {0, input.width}}};
  result.strip_width = input.width;
  if (auto status = StripPlanner{graph, program, input, element_type, limits}.plan(result); !status)
    return status.error();
  return result;
}

Result<StripPlan> plan_strips(const Graph& graph, const Program& program, Extent input,
                              compute::ElementType element_type, const PlanLimits& limits) {
  const auto found = find_halo(graph, program);
  if (!found) return found.error();
  const Halo halo = *found;
  const auto blobs = infer_extents(graph, input);
  if (!blobs) return blobs.error();
  if (auto status = check_exact_steps(program, tensor_extents(program, *blobs)); !status) return status.error();
  PlanLimits strip_limits = limits;
  // Each pass computes all strips, one after the other in the same arena, so a strip overwrites what others would keep.
  strip_limits.may_keep_tensors = false;
  // With fewer own columns, a strip would read more than four times as many columns of halo.
  const int narrowest = std::max(4 * kStripGrid, (halo.left + halo.right) / 4 / kStripGrid * kStripGrid);
  Error error{Errc::over_budget, fmt::format("{} columns are too few to be cut into strips", input.width)};
  for (int own = input.width;;) {
    own = std::max(narrowest, own * 3 / 4 / kStripGrid * kStripGrid);
    StripPlan result;
    result.strips = cut_into_strips(input.width, own, halo);
    result.strip_width = own;
    result.halo = std::max(halo.left, halo.right);
    if (result.strips.size() > 1) {
      const Status status = StripPlanner{graph, program, input, element_type, strip_limits}.plan(result);
      if (status) return result;
      error = status.error();
      if (error.code != Errc::over_budget) return error;
    }
    if (own == narrowest) return error;
  }
}

}  // namespace weir::nn
