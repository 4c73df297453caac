#pragma once

#include <memory>
#include <string>
#include <thread>

#include "base/atomic_file.hpp"
#include "observe/metrics.hpp"

namespace weir::observe {

/// Answers `GET /metrics` over HTTP/1.1, one connection at a time: a request of at most 4 KiB within two seconds. A thread
/// of its own, which ends with the object.
class MetricsEndpoint {
 public:
  /// `address`: "127.0.0.1:9090", "[::1]:9090"; port 0 takes a free one. The metrics must outlive it.
  /// Errors: invalid_argument (no such address), io (in use; no thread to be had).
  static Result<std::unique_ptr<MetricsEndpoint>> open(const std::string& address, const Metrics& metrics);
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;
  int port() const { return port_; }

 private:
  MetricsEndpoint(FileDescriptor listener, int port);
  Status start(const Metrics& metrics);

  FileDescriptor listener_;
  int port_;
  std::jthread thread_;
};

}  // namespace weir::observe
