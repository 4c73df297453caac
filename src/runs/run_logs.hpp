#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "observe/event_log.hpp"
#include "observe/metrics.hpp"
#include "observe/metrics_endpoint.hpp"

namespace weir::runs {

/// Where a run writes what happens: its events, and its figures for whoever asks over HTTP. Must outlive the run.
struct RunLogs {
  observe::EventLog events;
  observe::Metrics metrics;

  /// `address` as of observe::MetricsEndpoint::open, which says its errors; empty: nobody is answered.
  Status serve_metrics(const std::string& address);

 private:
  std::unique_ptr<observe::MetricsEndpoint> endpoint_;  // behind the metrics, which it reads
};

}  // namespace weir::runs
