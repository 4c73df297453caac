#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.hpp"
#include "jobs/json.hpp"
#include "tasks/network_cache.hpp"

namespace weir::tasks {

/// Returns the SHA-256 of the contents of a network's two files, X.param and then X.bin, as 64 hexadecimal digits.
/// `param_path`: the path of X.param. Errors: io.
Result<std::string> hash_network(const std::filesystem::path& param_path);

/// Makes identities of results (jobs::AttemptResult::identity). The identity of an enlarged picture names the network
/// that enlarges it: {"network": name, "sha256": hash_network()}. Each network is hashed once; a change of its files
/// during a run is not detected. Not thread-safe.
class NetworkIdentifier {
 public:
  /// `cache` must outlive the object.
  NetworkIdentifier(const NetworkCache& cache, enhance::UpscaleSettings settings)
      : cache_{cache}, settings_{std::move(settings)} {}
  /// Returns the identity for a picture. `facts`: the picture's "width" and "height" in pixels, which are needed only
  /// if the settings give a size of the result instead of a scale. Returns {} if needed facts are missing, if no
  /// network fits, or if the fitting network cannot be read.
  jobs::Json identify(const jobs::Json& facts);
  /// Returns the identity for enlarging by `scale` (0: by the scale of the network that NetworkCache::select()
  /// chooses). Returns {} if no network fits or the fitting network cannot be read.
  jobs::Json identify_for_scale(double scale);

 private:
  const NetworkCache& cache_;
  enhance::UpscaleSettings settings_;
  std::map<std::filesystem::path, std::string> hashes_;
};

}  // namespace weir::tasks
