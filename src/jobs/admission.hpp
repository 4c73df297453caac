#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/disk_space.hpp"
#include "base/result.hpp"

namespace weir::jobs {

/// The memory that decides whether an item may start on a device.
struct MemoryAvailability {
  Bytes free;      ///< now, what the worker itself already holds included
  Bytes reserved;  ///< to items that run elsewhere on it and have not yet taken it
  Bytes margin;
};

enum class Admission {
  start,
  wait,         ///< others will give memory back
  does_not_fit  ///< it will not fit here
};

/// An item with this need with this variant. It waits only while others run and only if it fits once they are done.
Admission admit_memory(Bytes need, const MemoryAvailability& memory, bool others_run);

/// An item that is expected to write so much beside the items that run: what the disk has free less a margin decides. What
/// can never fit is no reason to wait. Where nothing can be written, or that is not known, it goes and fails by name.
Admission admit_output(Bytes output, Bytes running_output, const std::optional<DiskSpace>& space);

/// Needs that experience taught, per network (or other variant), size and device: an item that ran out of memory all the same
/// raises its need by a quarter above what was planned; where nothing is planned, what was measured is the need. At most
/// 1024 are kept, those learned last. A small JSON file in the user's state folder; one that cannot be read counts as empty.
/// Not thread-safe.
class LearnedNeeds {
 public:
  /// `file` empty: nothing is kept beyond this run.
  explicit LearnedNeeds(std::filesystem::path file);

  /// At least `planned`.
  Bytes need(const std::string& variant, const std::string& size, const std::string& device, Bytes planned) const;
  /// Errors: io, disk_full: remembered for this run alone.
  Status raise_need(const std::string& variant, const std::string& size, const std::string& device, Bytes planned);
  /// In the place of what was known. Errors: as learn().
  Status store_measured(const std::string& variant, const std::string& size, const std::string& device, Bytes measured);

 private:
  struct LearnedNeed {
    Bytes need;
    std::uint64_t sequence_number = 0;  ///< the larger the later
  };
  Status store(const std::string& key, Bytes need);
  Status save() const;

  std::filesystem::path file_;
  std::map<std::string, LearnedNeed> needs_;
  std::uint64_t last_sequence_number_ = 0;
};

}  // namespace weir::jobs
