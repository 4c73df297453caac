#pragma once

#include <memory>
#include <string>
#include <thread>

#include "base/atomic_file.hpp"
#include "observe/metrics.hpp"

namespace weir::observe {

/// Answers `GET /metrics` over HTTP/1.1 with Metrics::text(), and other requests with status 404; serves one connection
/// at a time. A request must arrive within two seconds, else the connection is closed without an answer; only the first
/// 4 KiB of a request are read. Runs on its own thread, which ends when the object is destroyed.
class MetricsEndpoint {
 public:
  /// Starts to listen. `address` is, for example, "127.0.0.1:9090" or "[::1]:9090"; port 0 selects a free port.
  /// `metrics` must outlive the endpoint.
  /// Errors: invalid_argument (invalid address), io (address in use, or no thread can be started).
  static Result<std::unique_ptr<MetricsEndpoint>> open(const std::string& address, const Metrics& metrics);
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;
  int port() const { return port_; }  ///< the port that the endpoint listens on

 private:
  MetricsEndpoint(FileDescriptor listener, int port);
  Status start(const Metrics& metrics);

  FileDescriptor listener_;
  int port_;
  std::jthread thread_;
};

}  // namespace weir::observe
