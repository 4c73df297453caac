#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/result.hpp"
#include "training/held_out_set.hpp"

namespace weir::training {

/// One line of metrics.jsonl: the state of a training after a step.
struct Metric {
  std::uint64_t step = 0;        ///< number of steps so far
  double loss = 0, rate = 0;     ///< loss and learning rate of the last step
  double seconds = 0;            ///< training time so far, in all runs
  std::optional<PsnrGain> gain;  ///< gain on the held-out pictures; empty if it was not measured after this step
};

/// The file metrics.jsonl of a training: one JSON object per line.
class MetricsLog {
 public:
  /// Opens or creates the file. Removes the first line that is incomplete or belongs to a step after `step`, the step
  /// of the last checkpoint, and all lines after it: a run that was killed after its last checkpoint has left them.
  /// Errors: io, disk_full.
  static Result<MetricsLog> open(const std::filesystem::path& path, std::uint64_t step);
  /// Appends a line. Errors: io, disk_full.
  Status add(const Metric& metric);
  /// Returns all lines of the file.
  const std::vector<Metric>& metrics() const { return metrics_; }

 private:
  std::filesystem::path path_;
  std::vector<Metric> metrics_;
  FileDescriptor file_;
};

/// Returns an SVG picture with two diagrams over the steps: the loss (as log10), and the gains in dB.
std::string make_curves_svg(const std::vector<Metric>& metrics);

}  // namespace weir::training
