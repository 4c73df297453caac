#include "nn/cpu/pass_run.hpp"

#include <utility>

#include <fmt/format.h>

namespace weir::nn {

PassRun::PassRun(PassOps ops, const RunContext& context, const StripTask& strip)
    : PassOps{std::move(ops)}, context_{context}, strip_{strip}, is_stored_(program_.tensors.size(), false) {
  for (const int t : pass_.stored_tensors) is_stored_[static_cast<std::size_t>(t)] = true;
}

Status PassRun::run() {
  clear_rings();
  RowSchedule schedule{program_, plan_.extent, pass_.role, plan_.band};
  schedule.run(pass_.targets, [&](int o, RowRange rows) { return run_step(o, rows); });
  return status_;
}

bool PassRun::is_kept_in_memory(int t) const {
  return is_stored_[static_cast<std::size_t>(t)] && plan_.reuse[static_cast<std::size_t>(t)] == TensorReuse::memory;
}

/// Clears the margins of all ring buffers. Does not clear those of tensors that are kept in memory: their memory may
/// still contain rows of another tensor that is being read, so run_step() clears the margins of each row.
void PassRun::clear_rings() const {
  for (std::size_t o = 0; o < program_.ops.size(); ++o) {
    const int t = program_.ops[o].output;
    if (pass_.role[o] == OpRole::skip || is_kept_in_memory(t)) continue;
    clear_margins(t, {0, pass_.row_count[static_cast<std::size_t>(t)]});
  }
}

bool PassRun::run_step(int o, RowRange rows) {
  if (status_ = context_.control.check_stop(); !status_) return false;
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  if (pass_.role[static_cast<std::size_t>(o)] == OpRole::load) {
    status_ = read_from_disk(*context_.scratch_file, t, rows);
    return static_cast<bool>(status_);
  }
  // Margins are cleared after the rows are computed, so that the computing threads are the first to touch new pages of
  // memory. Filler channels are cleared before, because this clears whole rows.
  const bool has_filler = has_filler_channels(t);
  if (is_kept_in_memory(t) && has_filler) clear_margins(t, rows);
  if (op.kind == OpKind::input) {
    status_ = fill_input(t, rows);
  } else {
    compute_rows(o, rows);
  }
  if (is_kept_in_memory(t) && !has_filler) clear_margins(t, rows);
  if (!status_) return false;
  if (has_bad_values()) {
    status_ = Error{Errc::bad_values,
                    fmt::format("layer {}: a value that is not a number near row {}",
                                context_.graph.layers[static_cast<std::size_t>(op.layer)].name, rows.first)};
    return false;
  }
  if (is_stored_[static_cast<std::size_t>(t)] && plan_.reuse[static_cast<std::size_t>(t)] == TensorReuse::disk) {
    status_ = write_to_disk(*context_.scratch_file, t, rows);
  } else if (pass_.mean_index < 0 && t == program_.output) {
    status_ = write_output(t, rows);
  }
  if (strip_.mean_sum != nullptr && t == pass_.targets.front()) add_to_means(t, rows);
  context_.control.report_progress(op.multiplications * (rows.end - rows.first) * extent(t).width);
  return static_cast<bool>(status_);
}

Status PassRun::fill_input(int t, RowRange rows) {
  PlanarRows planar = planar_rows(t, rows);
  planar.left = strip_.input_first_column;
  return context_.input.fill(planar);
}

Status PassRun::write_output(int t, RowRange rows) {
  PlanarRows planar = planar_rows(t, rows);
  planar.left = strip_.result_first_column;
  planar.width = strip_.own_columns.count();
  for (float*& row : planar.row) row += strip_.own_columns.first;
  return context_.output(planar);
}

void PassRun::add_to_means(int t, RowRange rows) {
  constexpr int kGrain = 32;  // columns
  parallel_for(
      rows.end - rows.first, strip_.own_columns.count(), kGrain, [&](int row, int first, int last, int member) {
        strip_.mean_sum->add(context_.kernels, plan_.element_type,
                             read_address(t, rows.first + row, strip_.own_columns.first + first), last - first, member);
      });
}

}  // namespace weir::nn
