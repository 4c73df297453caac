#pragma once

#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/result.hpp"
#include "device/device.hpp"

namespace weir::tasks {

/// The list of devices that a run no longer uses because memory that no process holds stays in use there. All workers
/// of the run share the list. It is stored in an open file without a name, whose file descriptor the workers inherit;
/// the file disappears at the end of the run. Several processes and threads may use the list at the same time, because
/// each entry is one line that is appended in a single write.
class Quarantine {
 public:
  /// Creates the file of an empty list. Errors: io.
  static Result<FileDescriptor> make_file();
  /// `fd`: descriptor of the list's file, which must stay open; -1: there is no file and the list stays empty.
  explicit Quarantine(int fd) : fd_{fd} {}

  struct Entry {
    std::string pattern;  ///< pattern that matches the device, for device::Policy::exclusions
    std::string why;      ///< reason, one line
  };
  /// Returns all entries; an empty list if the file cannot be read.
  std::vector<Entry> entries() const;
  /// Appends the device with the reason `why`. A write error is ignored.
  void add(const device::Device& device, const std::string& why) const;

 private:
  int fd_;
};

}  // namespace weir::tasks
