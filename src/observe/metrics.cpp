#include "observe/metrics.hpp"

#include <cmath>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/file_facts.hpp"

namespace weir::observe {
namespace {

constexpr std::size_t kMaxLabelSets = 256;  // largest number of label combinations of a metric

/// Escapes backslash and newline, and with `quotes` also the double quote: in label values, but not in help texts.
/// Source  Prometheus documentation, "Exposition formats"
std::string escape(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\\' || (c == '"' && quotes))
      out += std::string{'\\', c};
    else
      out += c;
  }
  return out;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

std::string format_labels(const Metrics::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, escape(value, /*quotes=*/true));
  return text.empty() ? text : '{' + text + '}';
}

double& Metrics::find_or_add_value(const MetricDefinition& metric, const Labels& labels) {
  Family& family = families_[std::string{metric.name}];
  family.type = metric.type;
  family.help = metric.help;
  const std::string key = format_labels(labels);
  if (family.values.size() >= kMaxLabelSets && !family.values.contains(key))
    return family.values["{overflow=\"true\"}"];
  return family.values[key];
}

void Metrics::add(const MetricDefinition& metric, double value, const Labels& labels) {
  const std::lock_guard lock{mutex_};
  find_or_add_value(metric, labels) += value;
}

void Metrics::set(const MetricDefinition& metric, double value, const Labels& labels) {
  const std::lock_guard lock{mutex_};
  find_or_add_value(metric, labels) = value;
}

std::string Metrics::text() const {
  const std::lock_guard lock{mutex_};
  std::string text;
  for (const auto& [name, family] : families_) {
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escape(family.help, /*quotes=*/false), name,
                        family.type == MetricType::counter ? "counter" : "gauge");
    for (const auto& [labels, value] : family.values)
      text += fmt::format("{}{} {}\n", name, labels, number_text(value));
  }
  return text;
}

Status Metrics::check_file(const std::filesystem::path& path) {
  return check_own_file(path, "# HELP ", "file of metrics");
}

Status Metrics::write(const std::filesystem::path& path) const {
  Status written = check_file(path);
  if (written) written = write_file(path, text());
  const std::lock_guard lock{mutex_};
  last_write_error_ = written ? std::nullopt : std::optional{written.error()};
  return written;
}

std::optional<Error> Metrics::last_write_error() const {
  const std::lock_guard lock{mutex_};
  return last_write_error_;
}

}  // namespace weir::observe
