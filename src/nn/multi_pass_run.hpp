#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <vector>

#include "base/result.hpp"
#include "nn/program.hpp"
#include "nn/rows.hpp"

namespace weir::nn {

struct RunControl {
  std::function<void(double multiplications)> on_progress;  ///< done since the last call; may be empty
  std::stop_token stop;

  /// Asked before each piece of work. Errors: cancelled, once a stop is requested.
  Status check_stop() const;
  /// Told after each piece of work.
  void report_progress(double multiplications) const;
};

/// One run of a program on one picture, as all backends do it: a pass over the picture for each whole-picture mean, in the
/// order of their dependence, and one that makes the result. A pass goes over the parts of the picture, and each part
/// reads the input from the top down.
class MultiPassRun {
 public:
  virtual ~MultiPassRun() = default;

 protected:
  /// `passes`: one for each mean and one for the result; or the last alone, where the means are found on its way.
  /// Ends with the first error: of the input, of the backend.
  Status run_passes(const Program& program, std::size_t passes, InputRows& input);

 private:
  /// All that make_part() adds up from now on is of this mean.
  virtual Status begin_means(const ChannelMeans& mean) = 0;
  /// Every mean's vector, and what follows from it, is known to later passes.
  virtual Status finish_means(const ChannelMeans& mean) = 0;
  virtual std::size_t part_count() const { return 1; }
  virtual bool reads_input(std::size_t /*pass*/, std::size_t /*part*/) const { return true; }
  /// Makes the values that the pass is for, and adds them to the mean; of the last pass, gives them out.
  virtual Status make_part(std::size_t pass, std::size_t part) = 0;
};

/// Numbers of the vector ops that follow from the vector in `blob`, in an order in which each has what it reads.
std::vector<std::size_t> find_dependent_vector_ops(const Program& program, int blob);

}  // namespace weir::nn
