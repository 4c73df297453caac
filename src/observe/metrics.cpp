#include "observe/metrics.hpp"

#include <cmath>

#include <fmt/format.h>

#include "base/atomic_file.hpp"

namespace weir::observe {
namespace {

constexpr std::size_t kMostLabels = 256;

/// Backslash, quote and newline are escaped in label values; the quote is not in help texts.
/// Source: Prometheus documentation, "Exposition formats".
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\\' || (c == '"' && quotes))
      (out += '\\') += c;
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

std::string label_text(const Metrics::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, escaped(value, true));
  return text.empty() ? text : '{' + text + '}';
}

double& Metrics::value(const MetricName& name, const Labels& labels) {
  Family& family = families_[std::string{name.name}];
  family.type = name.type;
  family.help = name.help;
  const std::string key = label_text(labels);
  if (family.values.size() >= kMostLabels && !family.values.contains(key)) return family.values["{overflow=\"true\"}"];
  return family.values[key];
}

void Metrics::add(const MetricName& name, double amount, const Labels& labels) {
  const std::lock_guard lock{mutex_};
  value(name, labels) += amount;
}

void Metrics::set(const MetricName& name, double amount, const Labels& labels) {
  const std::lock_guard lock{mutex_};
  value(name, labels) = amount;
}

std::string Metrics::text() const {
  const std::lock_guard lock{mutex_};
  std::string text;
  for (const auto& [name, family] : families_) {
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(family.help, false), name,
                        family.type == MetricType::counter ? "counter" : "gauge");
    for (const auto& [labels, value] : family.values)
      text += fmt::format("{}{} {}\n", name, labels, number_text(value));
  }
  return text;
}

Status Metrics::write(const std::filesystem::path& path) const {
  Status written = write_file(path, text());
  const std::lock_guard lock{mutex_};
  problem_ = written ? std::nullopt : std::optional{written.error()};
  return written;
}

std::optional<Error> Metrics::problem() const {
  const std::lock_guard lock{mutex_};
  return problem_;
}

}  // namespace weir::observe
