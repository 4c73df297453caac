#include "nn/row_schedule.hpp"

#include <algorithm>
#include <utility>

#include "nn/op_traits.hpp"

namespace weir::nn {

RowSchedule::RowSchedule(const Program& program, std::vector<Extent> extent, std::vector<OpRole> role, int band)
    : program_{program},
      extent_{std::move(extent)},
      role_{std::move(role)},
      made_(program.tensors.size(), 0),
      uses_(program.tensors.size()),
      band_{band} {
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    if (role_[o] != OpRole::run) continue;
    const Op& op = program.ops[o];
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      uses_[static_cast<std::size_t>(op.inputs[i].tensor)].push_back(Use{static_cast<int>(o), i});
    }
    if (op.epilogue.has_residual) {
      uses_[static_cast<std::size_t>(op.epilogue.residual.tensor)].push_back(
          Use{static_cast<int>(o), op.inputs.size()});
    }
  }
}

RowRange needed_input_rows(const Op& op, std::size_t i, RowRange out, const AxisExtents& axis) {
  const bool is_residual = i == op.inputs.size();
  const TensorView& view = is_residual ? op.epilogue.residual : op.inputs[i];
  RowRange rows = out;
  if (!is_residual && op.kind.traits->input_rows != nullptr) rows = op.kind.traits->input_rows(op, out, axis);
  const int offset = axis.is_columns ? view.left : view.top;  // the rows so far are counted in the view
  const int first = std::clamp(rows.first + offset, 0, axis.input);
  return {first, std::clamp(rows.end + offset, first, axis.input)};
}

RowRange RowSchedule::needed_rows(const Op& op, std::size_t i, RowRange out) const {
  const TensorView& view = i == op.inputs.size() ? op.epilogue.residual : op.inputs[i];
  return needed_input_rows(op, i, out, {extent(view.tensor).height, extent(op.output).height});
}

int RowSchedule::step_end(const Op& op, int first) const {
  const int height = extent(op.output).height;
  const auto step_end_of_kind = op.kind.traits->step_end;
  const int end = step_end_of_kind != nullptr ? step_end_of_kind(op, first, band_) : (first / band_ + 1) * band_;
  return std::min(std::max(end, first + 1), height);
}

int RowSchedule::first_needed_row(int tensor) const {
  int first_needed = extent(tensor).height;
  for (const Use& use : uses_[static_cast<std::size_t>(tensor)]) {
    const Op& op = program_.ops[static_cast<std::size_t>(use.op)];
    const int made = made_[static_cast<std::size_t>(op.output)];
    if (made >= extent(op.output).height) continue;
    first_needed = std::min(first_needed, needed_rows(op, use.input, {made, step_end(op, made)}).first);
  }
  return first_needed;
}

}  // namespace weir::nn
