#include "training/metrics_log.hpp"

#include <cerrno>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/open_file.hpp"
#include "base/text.hpp"

namespace weir::training {

namespace {

std::string to_json_line(const Metric& metric) {
  nlohmann::ordered_json json{
      {"step", metric.step}, {"loss", metric.loss}, {"rate", metric.rate}, {"seconds", metric.seconds}};
  if (metric.gain) {
    json["gain_leaves_db"] = metric.gain->leaves_db;
    json["gain_comics_db"] = metric.gain->comics_db;
  }
  return json.dump() + '\n';
}

/// Returns an empty optional if the line is no JSON object: it was not written completely.
std::optional<Metric> parse_metric(const std::string& line) {
  const auto json = nlohmann::json::parse(line, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  Metric metric{json.value("step", std::uint64_t{0}), json.value("loss", 0.0), json.value("rate", 0.0),
                json.value("seconds", 0.0), std::nullopt};
  if (json.contains("gain_leaves_db"))
    metric.gain = PsnrGain{json.value("gain_leaves_db", 0.0), json.value("gain_comics_db", 0.0)};
  return metric;
}

}  // namespace

Result<MetricsLog> MetricsLog::open(const std::filesystem::path& path, std::uint64_t step) {
  MetricsLog log;
  log.path_ = path;
  std::string kept;
  std::ifstream lines{path};
  for (std::string line; std::getline(lines, line);) {
    const auto metric = parse_metric(line);
    if (!metric || metric->step > step) break;
    kept += to_json_line(*metric);
    log.metrics_.push_back(*metric);
  }
  if (auto written = write_file(path, kept); !written) return written.error();
  log.file_ = open_to_append(path);
  if (!log.file_)
    return Error{errc_from_errno(errno), fmt::format("{}: {}", printable(path.native()), errno_text(errno))};
  return log;
}

Status MetricsLog::add(const Metric& metric) {
  metrics_.push_back(metric);
  return write_all(file_.get(), to_json_line(metric), path_);
}

}  // namespace weir::training
