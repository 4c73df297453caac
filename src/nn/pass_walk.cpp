#include "nn/pass_walk.hpp"

#include <set>

namespace weir::nn {

Status RunControl::may_go_on() const {
  if (stop.stop_requested()) return Error{Errc::cancelled, "stopped"};
  return ok();
}

void RunControl::done(double multiplications) const {
  if (progress) progress(multiplications);
}

Status PassWalk::walk(const Program& program, std::size_t passes, InputRows& input) {
  for (std::size_t p = 0; p < passes; ++p) {
    const Statistic* mean = p + 1 < passes ? &program.statistics[p] : nullptr;
    auto status = mean != nullptr ? begin_mean(*mean) : ok();
    for (std::size_t part = 0; status && part < parts(); ++part) {
      // Of the last pass always: what becomes of its result may look at the picture.
      if (mean == nullptr || reads_input(p, part)) status = input.begin();
      if (status) status = make_part(p, part);
    }
    if (status && mean != nullptr) status = finish_mean(*mean);
    if (!status) return status;
  }
  return ok();
}

std::vector<std::size_t> vector_ops_after(const Program& program, int blob) {
  std::set<int> known{blob};
  std::vector<std::size_t> numbers;
  for (std::size_t v = 0; v < program.vector_ops.size(); ++v) {
    if (!known.contains(program.vector_ops[v].input)) continue;
    numbers.push_back(v);
    known.insert(program.vector_ops[v].output);
  }
  return numbers;
}

}  // namespace weir::nn
