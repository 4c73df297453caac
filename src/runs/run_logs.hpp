#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "observe/event_log.hpp"
#include "observe/metrics.hpp"
#include "observe/metrics_endpoint.hpp"

namespace weir::runs {

/// The event log and the metrics of a run. Must outlive the run.
struct RunLogs {
  observe::EventLog events;
  observe::Metrics metrics;

  /// Starts to serve the metrics over HTTP at `address`; does nothing if it is empty. The form of `address` and the
  /// errors are those of observe::MetricsEndpoint::open.
  Status serve_metrics(const std::string& address);

 private:
  std::unique_ptr<observe::MetricsEndpoint> endpoint_;  // declared after `metrics`, which it reads
};

}  // namespace weir::runs
