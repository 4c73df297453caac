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

/// One line of metrics.jsonl.
struct Metric {
  std::uint64_t step = 0;
  double loss = 0, rate = 0, seconds = 0;  ///< seconds since the training began, all runs together
  std::optional<PsnrGain> gain;            ///< where the held-out pictures were looked at
};

/// metrics.jsonl of a training.
class MetricsLog {
 public:
  /// Keeps the lines up to `step`; what a run that was killed wrote after its checkpoint goes. Errors: io.
  static Result<MetricsLog> open(const std::filesystem::path& path, std::uint64_t step);
  /// Errors: io, disk_full.
  Status add(const Metric& metric);
  const std::vector<Metric>& metrics() const { return metrics_; }

 private:
  std::filesystem::path path_;
  std::vector<Metric> metrics_;
  FileDescriptor file_;
};

/// The curves of loss and gain as an SVG picture.
std::string make_curves_svg(const std::vector<Metric>& metrics);

}  // namespace weir::training
