#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "device/device.hpp"

namespace weir::tasks {

/// What commands took on a device the last time that they ended well there, for admission where no need is given. Kept per
/// command, folder, variant, device and driver in a small file of the user's state folder, for the last 1024 of them. Several
/// processes may use one file; one that cannot be read counts as empty.
class CommandNeeds {
 public:
  /// `file` empty: nothing is kept.
  explicit CommandNeeds(std::filesystem::path file) : file_{std::move(file)} {}

  struct Key {
    std::string variant, command, device;
  };
  /// Of the words as they are run, in the current folder.
  static Key key_of(const std::vector<std::string>& words, const std::string& variant, const device::Device& device);

  std::optional<Bytes> last(const Key& key) const;
  /// Errors: io, disk_full; busy for a second: timed_out. The old value stays.
  Status remember(const Key& key, Bytes took) const;

 private:
  std::filesystem::path file_;
};

}  // namespace weir::tasks
