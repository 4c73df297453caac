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

enum class MetricType { counter, gauge };

/// One number that is watched. Rows of a table: name (with its unit), type, help.
struct MetricDefinition {
  std::string_view name;
  MetricType type;
  std::string_view help;
};

/// Numbers under names and labels, given out in Prometheus' text format (exposition format 0.0.4). A name takes at most
/// 256 combinations of labels, further ones are counted under the label overflow="true". Thread-safe.
class Metrics {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  void add(const MetricDefinition& metric, double value, const Labels& labels = {});
  void set(const MetricDefinition& metric, double value, const Labels& labels = {});
  std::string text() const;
  /// Replaces the file, whole, for the node exporter's textfile collector. Errors: io, disk_full.
  Status write(const std::filesystem::path& path) const;
  /// Why the last write() failed, as a file that is rewritten whole counts by its last state; empty: it did not.
  std::optional<Error> last_write_error() const;

 private:
  struct Family {
    MetricType type = MetricType::gauge;
    std::string help;
    std::map<std::string, double> values;  // by labels as text
  };
  double& find_or_add_value(const MetricDefinition& metric, const Labels& labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
  mutable std::optional<Error> last_write_error_;
};

/// `{a="1",b="x\"y"}`; empty for no labels.
std::string format_labels(const Metrics::Labels& labels);

}  // namespace weir::observe
