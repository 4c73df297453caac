#include "nn/cpu/passes.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace weir::nn {

namespace {

/// By op: the first pass in which all that it needs is known.
std::vector<int> first_passes(const Program& program) {
  std::vector<int> first;
  for (const Op& op : program.ops) {
    int pass = level_of(program, op);
    for_each_read(op, [&](int t) { pass = std::max(pass, first[index(program.tensors[index(t)].producer)]); });
    first.push_back(pass);
  }
  return first;
}

class PassMaker {
 public:
  PassMaker(const Program& program, const std::vector<Keep>& keep)
      : program_{program}, keep_{keep}, available_(program.tensors.size(), false) {}

  std::vector<Pass> make() {
    const int count = static_cast<int>(program_.statistics.size()) + 1;
    for (int p = 0; p < count; ++p) {
      const bool last = p + 1 == count;
      Pass pass;
      pass.statistic = last ? -1 : p;
      pass.role.assign(program_.ops.size(), Role::absent);
      pass.targets = {last ? program_.output : program_.statistics[index(p)].source.tensor};
      visit(pass.targets.front(), pass, p);
      if (!last) store(pass);
      passes_.push_back(std::move(pass));
    }
    drop_unused();
    return std::move(passes_);
  }

 private:
  void visit(int tensor, Pass& pass, int number) {
    const std::size_t producer = index(program_.tensors[index(tensor)].producer);
    if (pass.role[producer] != Role::absent) return;
    if (available_[index(tensor)]) {
      if (keep_[index(tensor)] == Keep::disk) pass.role[producer] = Role::load;
      loads_.insert({number, tensor});
      return;
    }
    pass.role[producer] = Role::run;
    for_each_read(program_.ops[producer], [&](int t) { visit(t, pass, number); });
  }

  void store(Pass& pass) {
    const int lead = pass.targets.front();
    for (std::size_t o = 0; o < program_.ops.size(); ++o) {
      const int tensor = program_.ops[o].output;
      if (pass.role[o] != Role::run || keep_[index(tensor)] == Keep::nowhere) continue;
      pass.stored.push_back(tensor);
      if (tensor != lead) pass.targets.push_back(tensor);
      available_[index(tensor)] = true;
    }
  }

  /// What is stored and never loaded need not be stored.
  void drop_unused() {
    for (std::size_t p = 0; p < passes_.size(); ++p) {
      const auto unused = [&](int tensor) {
        for (std::size_t later = p + 1; later < passes_.size(); ++later) {
          if (loads_.count({static_cast<int>(later), tensor}) != 0) return false;
        }
        return true;
      };
      Pass& pass = passes_[p];
      std::erase_if(pass.targets, [&](int t) { return t != pass.targets.front() && unused(t); });
      std::erase_if(pass.stored, unused);
    }
  }

  const Program& program_;
  const std::vector<Keep>& keep_;
  std::vector<bool> available_;          // by tensor
  std::set<std::pair<int, int>> loads_;  // (pass, tensor)
  std::vector<Pass> passes_;
};

/// Tensors that the pass reads and does not make: they are there, whole.
std::vector<int> whole_inputs(const Program& program, const Pass& pass) {
  std::set<int> found;
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    if (pass.role[o] != Role::run) continue;
    for_each_read(program.ops[o], [&](int t) {
      if (pass.role[index(program.tensors[index(t)].producer)] == Role::absent) found.insert(t);
    });
  }
  return {found.begin(), found.end()};
}

}  // namespace

std::vector<Pass> make_passes(const Program& program, const std::vector<Keep>& keep) {
  return PassMaker{program, keep}.make();
}

std::vector<int> shared_tensors(const Program& program) {
  const std::vector<int> first = first_passes(program);
  std::set<int> wanted;
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    for_each_read(program.ops[o], [&](int t) {
      const std::size_t producer = index(program.tensors[index(t)].producer);
      if (program.ops[producer].kind != OpKind::input && first[producer] < first[o]) wanted.insert(t);
    });
  }
  return {wanted.begin(), wanted.end()};
}

bool reads(const Op& op, int tensor) {
  bool found = false;
  for_each_read(op, [&](int t) { found = found || t == tensor; });
  return found;
}

bool reads_input(const Program& program, const Pass& pass) {
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    if (program.ops[o].kind == OpKind::input && pass.role[o] == Role::run) return true;
  }
  return false;
}

RowsHeld rows_held(const Program& program, const std::vector<Extent>& extent, const Pass& pass, int band) {
  RowsHeld held;
  held.most.assign(program.tensors.size(), 0);
  for (const int from : whole_inputs(program, pass)) {
    for (const int to : pass.targets) held.handovers.push_back({from, to, -extent[index(from)].height});
  }
  Schedule schedule{program, extent, pass.role, band};
  schedule.run(pass.targets, [&](int o, Rows rows) {
    const int tensor = program.ops[index(o)].output;
    const int oldest = std::min(rows.first, schedule.oldest_needed(tensor));
    held.most[index(tensor)] = std::max(held.most[index(tensor)], rows.last - oldest);
    for (RowsHeld::Handover& h : held.handovers) {
      if (h.to != tensor) continue;
      const double ratio = static_cast<double>(extent[index(h.from)].height) / extent[index(h.to)].height;
      const int under = static_cast<int>(rows.last * ratio) + 1;
      h.lag = std::max(h.lag, under - schedule.oldest_needed(h.from));
    }
    return true;
  });
  return held;
}

int input_lead(const Program& program, const std::vector<Extent>& extent, const Pass& pass, int band) {
  int input = -1;
  for (const Op& op : program.ops) {
    if (op.kind == OpKind::input) input = op.output;
  }
  const double height = extent[index(input)].height;
  const double out_height = extent[index(program.output)].height;
  Schedule schedule{program, extent, pass.role, band};
  int lead = 0;
  schedule.run(pass.targets, [&](int o, Rows rows) {
    if (program.ops[index(o)].output == program.output) {
      lead = std::max(lead, schedule.made(input) - static_cast<int>(rows.first * height / out_height));
    }
    return true;
  });
  return lead;
}

}  // namespace weir::nn
