#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <vector>

#include "base/result.hpp"
#include "nn/program.hpp"
#include "nn/rows.hpp"

namespace weir::nn {

/// Callbacks and stop request of a run.
struct RunControl {
  /// Receives the number of multiplications since the last call; may be empty.
  std::function<void(double multiplications)> on_progress;
  std::stop_token stop;

  /// Returns an error once a stop is requested; called before each piece of work. Errors: cancelled.
  Status check_stop() const;
  /// Calls on_progress, if set; called after each piece of work.
  void report_progress(double multiplications) const;
};

/// Base class of one run of a program on one picture, for all backends (CPU and GPU). A program may need means of whole
/// pictures (ChannelMeans) before it can compute its result. Therefore a run goes through the picture several times, in
/// passes: one pass for each entry of Program::means, in their order, and a last pass that makes the result (or only
/// one pass, see run_passes()). A pass processes the parts of the picture one after the other. On the CPU the parts are
/// strips (ranges of columns); on a GPU the whole picture is one part. A part that reads the input reads it from top to
/// bottom.
class MultiPassRun {
 public:
  virtual ~MultiPassRun() = default;

 protected:
  /// Runs all passes. `passes` is program.means.size() + 1, or 1 if the backend computes the means within the last
  /// pass. Stops at the first error of the input or the backend and returns it.
  Status run_passes(const Program& program, std::size_t passes, InputRows& input);

 private:
  /// Starts the means of one tensor's channels: the following calls of make_part() add values to them.
  virtual Status begin_means(const ChannelMeans& mean) = 0;
  /// Completes these means: stores the vector of means, and all vectors computed from this vector, for later passes.
  virtual Status finish_means(const ChannelMeans& mean) = 0;
  /// Returns the number of parts of the picture.
  virtual std::size_t part_count() const { return 1; }
  /// Returns true if this part of this pass reads the picture. Both arguments are indices, from 0.
  virtual bool reads_input(std::size_t /*pass*/, std::size_t /*part*/) const { return true; }
  /// Computes the values of one part. Adds the values to the means, or, in the last pass, writes them to the output.
  virtual Status make_part(std::size_t pass, std::size_t part) = 0;
};

/// Returns the indices (into Program::vector_ops) of the ops that depend on the vector with index `blob`, directly or
/// through other vectors. Every op comes after the ops whose results it reads.
std::vector<std::size_t> find_dependent_vector_ops(const Program& program, int blob);

}  // namespace weir::nn
