#pragma once

#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/result.hpp"
#include "device/device.hpp"

namespace weir::tasks {

/// The devices that a run does not use any more, known to all its workers: an open file without a name that they inherit and
/// that is gone with the run. A view of that file; thread-safe, as whole lines are written at its end.
class Quarantine {
 public:
  /// The file. Errors: io.
  static Result<FileDescriptor> make_file();
  /// -1: there is none; nothing is ever in it.
  explicit Quarantine(int fd) : fd_{fd} {}

  struct Entry {
    std::string pattern;  ///< of a device::Policy
    std::string why;      ///< one line
  };
  std::vector<Entry> entries() const;
  void add(const device::Device& device, const std::string& why) const;

 private:
  int fd_;
};

}  // namespace weir::tasks
