#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.hpp"
#include "jobs/json.hpp"
#include "tasks/network_cache.hpp"

namespace weir::tasks {

/// SHA-256 of a network's two files, the text first, as 64 hexadecimal digits. Errors: io.
Result<std::string> hash_network(const std::filesystem::path& param_path);

/// Says which network an item would be enlarged with: {"network": name, "sha256": ...}. Files are hashed once; a file that
/// changes during a run is not seen. Not thread-safe.
class NetworkIdentifier {
 public:
  NetworkIdentifier(const NetworkCache& cache, enhance::UpscaleSettings settings)
      : cache_{cache}, settings_{std::move(settings)} {}
  /// `facts` hold width and height of the input where the scale depends on them. Empty if it cannot be told.
  jobs::Json identify(const jobs::Json& facts);
  jobs::Json identify_for_scale(double scale);

 private:
  const NetworkCache& cache_;
  enhance::UpscaleSettings settings_;
  std::map<std::filesystem::path, std::string> hashes_;
};

}  // namespace weir::tasks
