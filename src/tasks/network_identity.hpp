#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.hpp"
#include "jobs/json.hpp"
#include "tasks/network_shelf.hpp"

namespace weir::tasks {

/// SHA-256 of a network's two files, the text first, as 64 hexadecimal digits. Errors: io.
Result<std::string> hash_network(const std::filesystem::path& param);

/// Says which network an item would be enlarged with: {"network": name, "sha256": ...}. Files are hashed once; a file that
/// changes during a run is not seen. Not thread-safe.
class NetworkIdentity {
 public:
  NetworkIdentity(const NetworkShelf& shelf, enhance::UpscaleSettings wanted)
      : shelf_{shelf}, wanted_{std::move(wanted)} {}
  /// `facts` hold width and height of the input where the scale depends on them. Empty if it cannot be told.
  jobs::Json now(const jobs::Json& facts);
  jobs::Json of(double scale);

 private:
  const NetworkShelf& shelf_;
  enhance::UpscaleSettings wanted_;
  std::map<std::filesystem::path, std::string> hashes_;
};

}  // namespace weir::tasks
