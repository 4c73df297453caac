#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace weir::observe {

/// A counter only grows; a gauge may also fall.
enum class MetricType { counter, gauge };

/// Definition of one metric: a row in the tables in which weir declares its metrics.
struct MetricDefinition {
  std::string_view name;  ///< includes the unit: "weir_queue_bytes"
  MetricType type;
  std::string_view help;  ///< one sentence for people
};

/// A set of metrics by name and labels, exported in the Prometheus text format (exposition format 0.0.4). A metric
/// takes at most 256 combinations of labels; all further combinations share one more value, with the label
/// overflow="true". Thread-safe.
class Metrics {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  /// Adds `value` to the metric's value for these labels.
  void add(const MetricDefinition& metric, double value, const Labels& labels = {});
  /// Sets the metric's value for these labels.
  void set(const MetricDefinition& metric, double value, const Labels& labels = {});
  /// Returns all metrics in the Prometheus text format.
  std::string text() const;
  /// Checks that write() would not replace a file of another kind. Errors: exists.
  static Status check_file(const std::filesystem::path& path);
  /// Replaces the file atomically, for the textfile collector of the node exporter. Errors: exists, if
  /// the file is no file of metrics; io, disk_full.
  Status write(const std::filesystem::path& path) const;
  /// Returns why the last write() failed; empty if it succeeded. Earlier failures are not kept, because each write
  /// replaces the whole file.
  std::optional<Error> last_write_error() const;

 private:
  /// A metric with its values for all combinations of labels (Prometheus: metric family).
  struct Family {
    MetricType type = MetricType::gauge;
    std::string help;
    std::map<std::string, double> values;  // values by their formatted labels
  };
  /// Returns the value of a metric for these labels, added as 0 if it is new; called with the lock held.
  double& find_or_add_value(const MetricDefinition& metric, const Labels& labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
  mutable std::optional<Error> last_write_error_;
};

/// Returns the labels as `{a="1",b="x\"y"}`; an empty text if there are none.
std::string format_labels(const Metrics::Labels& labels);

}  // namespace weir::observe
