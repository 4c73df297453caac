#include "nn/multi_pass_run.hpp"

#include <set>

namespace weir::nn {

Status RunControl::check_stop() const {
  if (stop.stop_requested()) return Error{Errc::cancelled, "stopped"};
  return ok();
}

void RunControl::report_progress(double multiplications) const {
  if (on_progress) on_progress(multiplications);
}

Status MultiPassRun::run_passes(const Program& program, std::size_t passes, InputRows& input) {
  for (std::size_t p = 0; p < passes; ++p) {
    const ChannelMeans* mean = p + 1 < passes ? &program.means[p] : nullptr;
    auto status = mean != nullptr ? begin_means(*mean) : ok();
    for (std::size_t part = 0; status && part < part_count(); ++part) {
      // The last pass always restarts the input: the code that receives the result may need the picture.
      if (mean == nullptr || reads_input(p, part)) status = input.rewind();
      if (status) status = make_part(p, part);
    }
    if (status && mean != nullptr) status = finish_means(*mean);
    if (!status) return status;
  }
  return ok();
}

std::vector<std::size_t> find_dependent_vector_ops(const Program& program, int blob) {
  std::set<int> dependent{blob};
  std::vector<std::size_t> indices;
  for (std::size_t v = 0; v < program.vector_ops.size(); ++v) {
    if (!dependent.contains(program.vector_ops[v].input)) continue;
    indices.push_back(v);
    dependent.insert(program.vector_ops[v].output);
  }
  return indices;
}

}  // namespace weir::nn
