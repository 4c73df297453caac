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
  for (std::size_t pass = 0; pass < passes; ++pass) {
    const ChannelMeans* mean = pass + 1 < passes ? &program.means[pass] : nullptr;  // null: the last pass
    auto status = mean != nullptr ? begin_means(*mean) : ok();
    for (std::size_t part = 0; status && part < part_count(); ++part) {
      // The last pass always restarts the input: the code that receives the result may need the picture.
      if (mean == nullptr || reads_input(pass, part)) status = input.rewind();
      if (status) status = make_part(pass, part);
    }
    if (status && mean != nullptr) status = finish_means(*mean);
    if (!status) return status;
  }
  return ok();
}

std::vector<std::size_t> find_dependent_vector_ops(const Program& program, int blob) {
  std::set<int> dependent{blob};
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < program.vector_ops.size(); ++i) {
    if (!dependent.contains(program.vector_ops[i].input)) continue;
    indices.push_back(i);
    dependent.insert(program.vector_ops[i].output);
  }
  return indices;
}

}  // namespace weir::nn
