#include "nn/cpu/pass_run.hpp"

#include <utility>

#include <fmt/format.h>

namespace weir::nn {

PassRun::PassRun(PassOps ops, const RunParts& parts, const StripShare& strip)
    : PassOps{std::move(ops)}, parts_{parts}, strip_{strip}, stored_(program_.tensors.size(), false) {
  for (const int t : pass_.stored) stored_[static_cast<std::size_t>(t)] = true;
}

Status PassRun::run() {
  clear_rings();
  Schedule schedule{program_, plan_.extent, pass_.role, plan_.band};
  schedule.run(pass_.targets, [&](int o, Rows rows) { return step(o, rows); });
  return status_;
}

bool PassRun::kept_in_memory(int t) const {
  return stored_[static_cast<std::size_t>(t)] && plan_.keep[static_cast<std::size_t>(t)] == Keep::memory;
}

/// The rows of a tensor that is kept may still hold those of one that is not read to its end: they are cleared one by
/// one, when they are made.
void PassRun::clear_rings() const {
  for (std::size_t o = 0; o < program_.ops.size(); ++o) {
    const int t = program_.ops[o].output;
    if (pass_.role[o] == Role::absent || kept_in_memory(t)) continue;
    clear_margins(t, {0, pass_.rows[static_cast<std::size_t>(t)]});
  }
}

bool PassRun::step(int o, Rows rows) {
  if (status_ = parts_.control.may_go_on(); !status_) return false;
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  if (pass_.role[static_cast<std::size_t>(o)] == Role::load) {
    status_ = from_disk(*parts_.file, t, rows);
    return static_cast<bool>(status_);
  }
  // Fresh pages are taken by the threads that make the rows, not by this one before them.
  const bool filler = has_filler(t);
  if (kept_in_memory(t) && filler) clear_margins(t, rows);
  if (op.kind == OpKind::input) {
    status_ = fill_input(t, rows);
  } else {
    make(o, rows);
  }
  if (kept_in_memory(t) && !filler) clear_margins(t, rows);
  if (!status_) return false;
  if (met_bad_values()) {
    status_ =
        Error{Errc::bad_values, fmt::format("layer {} met a value that is not a number near row {}",
                                            parts_.graph.layers[static_cast<std::size_t>(op.layer)].name, rows.first)};
    return false;
  }
  if (stored_[static_cast<std::size_t>(t)] && plan_.keep[static_cast<std::size_t>(t)] == Keep::disk) {
    status_ = to_disk(*parts_.file, t, rows);
  } else if (pass_.statistic < 0 && t == program_.output) {
    status_ = give_out(t, rows);
  }
  if (strip_.mean != nullptr && t == pass_.targets.front()) add_to_mean(t, rows);
  parts_.control.done(op.multiplications * (rows.last - rows.first) * extent(t).width);
  return static_cast<bool>(status_);
}

Status PassRun::fill_input(int t, Rows rows) {
  PlanarRows planar = planar_rows(t, rows);
  planar.left = strip_.input_left;
  return parts_.input.fill(planar);
}

Status PassRun::give_out(int t, Rows rows) {
  PlanarRows planar = planar_rows(t, rows);
  planar.left = strip_.result_left;
  planar.width = strip_.counted.count();
  for (float*& row : planar.row) row += strip_.counted.first;
  return parts_.output(planar);
}

void PassRun::add_to_mean(int t, Rows rows) {
  constexpr int kGrain = 32;
  share(rows.last - rows.first, strip_.counted.count(), kGrain, [&](int row, int first, int last, int member) {
    strip_.mean->add(parts_.kernels, plan_.storage, at(t, rows.first + row, strip_.counted.first + first), last - first,
                     member);
  });
}

}  // namespace weir::nn
