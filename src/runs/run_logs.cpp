#include "runs/run_logs.hpp"

#include <utility>

namespace weir::runs {

Status RunLogs::serve_metrics(const std::string& address) {
  if (address.empty()) return ok();
  auto opened = observe::MetricsEndpoint::open(address, metrics);
  if (!opened) return opened.error();
  endpoint_ = *std::move(opened);
  return ok();
}

}  // namespace weir::runs
