#include "nn/cpu/passes.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace weir::nn {

namespace {

/// Returns, by op, the index of the first pass in which all means that the op and its inputs need are known.
std::vector<int> first_passes(const Program& program) {
  std::vector<int> first;
  for (const Op& op : program.ops) {
    int pass = count_required_means(program, op);
    for_each_input(op, [&](int t) { pass = std::max(pass, first[to_index(program.tensors[to_index(t)].producer)]); });
    first.push_back(pass);
  }
  return first;
}

/// Makes the passes of a program: sets the targets, the stored tensors and the role of each op.
class PassMaker {
 public:
  PassMaker(const Program& program, const std::vector<TensorReuse>& reuse)
      : program_{program}, reuse_{reuse}, available_(program.tensors.size(), false) {}

  std::vector<Pass> make() {
    const int count = static_cast<int>(program_.means.size()) + 1;
    for (int p = 0; p < count; ++p) {
      const bool last = p + 1 == count;
      Pass pass;
      pass.mean_index = last ? -1 : p;
      pass.role.assign(program_.ops.size(), OpRole::skip);
      pass.targets = {last ? program_.output : program_.means[to_index(p)].source.tensor};
      set_roles(pass.targets.front(), pass, p);
      if (!last) store(pass);
      passes_.push_back(std::move(pass));
    }
    drop_unused();
    return std::move(passes_);
  }

 private:
  /// Sets the roles of the ops that the pass needs for `tensor`: of the op that makes it, and of those that this op
  /// needs. `pass_index` is the index of the pass.
  void set_roles(int tensor, Pass& pass, int pass_index) {
    const std::size_t producer = to_index(program_.tensors[to_index(tensor)].producer);
    if (pass.role[producer] != OpRole::skip) return;
    if (available_[to_index(tensor)]) {
      if (reuse_[to_index(tensor)] == TensorReuse::disk) pass.role[producer] = OpRole::load;
      stored_reads_.insert({pass_index, tensor});
      return;
    }
    pass.role[producer] = OpRole::run;
    for_each_input(program_.ops[producer], [&](int t) { set_roles(t, pass, pass_index); });
  }

  /// Makes the pass store every tensor that it computes and that `reuse_` keeps.
  void store(Pass& pass) {
    const int first_target = pass.targets.front();
    for (std::size_t o = 0; o < program_.ops.size(); ++o) {
      const int tensor = program_.ops[o].output;
      if (pass.role[o] != OpRole::run || reuse_[to_index(tensor)] == TensorReuse::recompute) continue;
      pass.stored_tensors.push_back(tensor);
      if (tensor != first_target) pass.targets.push_back(tensor);
      available_[to_index(tensor)] = true;
    }
  }

  /// Removes stored tensors that no later pass reads.
  void drop_unused() {
    for (std::size_t p = 0; p < passes_.size(); ++p) {
      const auto unused = [&](int tensor) {
        for (std::size_t later = p + 1; later < passes_.size(); ++later) {
          if (stored_reads_.count({static_cast<int>(later), tensor}) != 0) return false;
        }
        return true;
      };
      Pass& pass = passes_[p];
      std::erase_if(pass.targets, [&](int t) { return t != pass.targets.front() && unused(t); });
      std::erase_if(pass.stored_tensors, unused);
    }
  }

  const Program& program_;
  const std::vector<TensorReuse>& reuse_;
  std::vector<bool> available_;                 // by tensor: an earlier pass stored it
  std::set<std::pair<int, int>> stored_reads_;  // (pass, tensor): the pass reads this tensor, which an earlier pass
                                                // stored in memory or on disk
  std::vector<Pass> passes_;
};

/// Returns the tensors that the pass reads and that an earlier pass stored completely in memory.
std::vector<int> whole_inputs(const Program& program, const Pass& pass) {
  std::set<int> found;
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    if (pass.role[o] != OpRole::run) continue;
    for_each_input(program.ops[o], [&](int t) {
      if (pass.role[to_index(program.tensors[to_index(t)].producer)] == OpRole::skip) found.insert(t);
    });
  }
  return {found.begin(), found.end()};
}

}  // namespace

std::vector<Pass> make_passes(const Program& program, const std::vector<TensorReuse>& reuse) {
  return PassMaker{program, reuse}.make();
}

std::vector<int> shared_tensors(const Program& program) {
  const std::vector<int> first = first_passes(program);
  std::set<int> shared;
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    for_each_input(program.ops[o], [&](int t) {
      const std::size_t producer = to_index(program.tensors[to_index(t)].producer);
      if (program.ops[producer].kind != OpKind::input && first[producer] < first[o]) shared.insert(t);
    });
  }
  return {shared.begin(), shared.end()};
}

bool reads(const Op& op, int tensor) {
  bool found = false;
  for_each_input(op, [&](int t) { found = found || t == tensor; });
  return found;
}

bool reads_input(const Program& program, const Pass& pass) {
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    if (program.ops[o].kind == OpKind::input && pass.role[o] == OpRole::run) return true;
  }
  return false;
}

RowsHeld find_rows_held(const Program& program, const std::vector<Extent>& extent, const Pass& pass, int band) {
  RowsHeld held;
  held.max_rows.assign(program.tensors.size(), 0);
  for (const int from : whole_inputs(program, pass)) {
    // lag_rows begins with the smallest possible value; the schedule below raises it.
    for (const int to : pass.targets) held.overlaps.push_back({from, to, -extent[to_index(from)].height});
  }
  RowSchedule schedule{program, extent, pass.role, band};
  schedule.run(pass.targets, [&](int op_index, RowRange rows) {
    const int tensor = program.ops[to_index(op_index)].output;
    const int first_held = std::min(rows.first, schedule.first_needed_row(tensor));
    held.max_rows[to_index(tensor)] = std::max(held.max_rows[to_index(tensor)], rows.end - first_held);
    for (RowsHeld::TensorOverlap& overlap : held.overlaps) {
      if (overlap.to != tensor) continue;
      const double ratio =
          static_cast<double>(extent[to_index(overlap.from)].height) / extent[to_index(overlap.to)].height;
      const int from_row = static_cast<int>(rows.end * ratio) + 1;  // the row of `from` at the same place as rows.end
      overlap.lag_rows = std::max(overlap.lag_rows, from_row - schedule.first_needed_row(overlap.from));
    }
    return true;
  });
  return held;
}

int find_read_ahead_rows(const Program& program, const std::vector<Extent>& extent, const Pass& pass, int band) {
  int input = -1;
  for (const Op& op : program.ops) {
    if (op.kind == OpKind::input) input = op.output;
  }
  const double height = extent[to_index(input)].height;
  const double out_height = extent[to_index(program.output)].height;
  RowSchedule schedule{program, extent, pass.role, band};
  int rows_ahead = 0;
  schedule.run(pass.targets, [&](int op_index, RowRange rows) {
    if (program.ops[to_index(op_index)].output == program.output) {
      const int input_row = static_cast<int>(rows.first * height / out_height);  // at the same place as rows.first
      rows_ahead = std::max(rows_ahead, schedule.rows_made(input) - input_row);
    }
    return true;
  });
  return rows_ahead;
}

}  // namespace weir::nn
