#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "device/device.hpp"

namespace weir::tasks {

/// Stores the memory needs of commands in a small JSON file. The need of a command is the device memory that it used at
/// its last successful run, including its GPU context (the driver's data of a process). If the user gives no need, this
/// value decides whether the command fits on a device. The file keeps the last 1024 needs. Several processes may use
/// one file. An unreadable file counts as empty.
class CommandNeeds {
 public:
  /// `file`: the JSON file; empty: nothing is stored.
  explicit CommandNeeds(std::filesystem::path file) : file_{std::move(file)} {}

  /// What a need belongs to: a variant of a command on a device.
  struct Key {
    std::string variant;  ///< name of the variant; empty if the command has only one
    std::string command;  ///< start of the arguments, and a hash of all arguments and the current folder
    std::string device;   ///< lease key and driver of the device
  };
  /// Makes the key for a command that runs in the current folder. `arguments`: with all placeholders replaced.
  static Key make_key(const std::vector<std::string>& arguments, const std::string& variant,
                      const device::Device& device);

  /// Returns the stored need, or nothing if no need is stored.
  std::optional<Bytes> stored_need(const Key& key) const;
  /// Stores the need, and replaces an earlier one with the same key. Does nothing if the object has no file. Errors:
  /// io, disk_full; timed_out if another process locks the file for a second. After an error the file is unchanged.
  Status store_need(const Key& key, Bytes need) const;

 private:
  std::filesystem::path file_;
};

}  // namespace weir::tasks
