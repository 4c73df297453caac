#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/disk_space.hpp"
#include "base/result.hpp"

namespace weir::jobs {

/// The memory on which the admission of an item to a device depends.
struct MemoryAvailability {
  Bytes free;      ///< free memory now, including what the worker itself already holds
  Bytes reserved;  ///< memory that other running items were admitted for and have not allocated yet
  Bytes running;   ///< memory that other running items were admitted for, and release when they end
  Bytes margin;    ///< memory that always stays free
};

/// The decision whether an item may start now.
enum class Admission {
  start,
  wait,         ///< the item fits later, once running items have released memory or disk space
  does_not_fit  ///< the item must get a smaller variant, be tried again later, or end
};

/// Decides whether the memory suffices for an item that needs `need` bytes. Returns
/// - `start` if `need`, `memory.reserved` and `memory.margin` together are at most `memory.free`,
/// - `wait` if they are more, but `need` and `memory.margin` together are at most `memory.free` plus `memory.running`.
///   This is the most that can be free when the running items have ended: how much of `running` they have allocated, so
///   that it is missing in `free`, is known only from their last heartbeats,
/// - `does_not_fit` otherwise, so always if too little is free while no other item runs.
Admission admit_memory(Bytes need, const MemoryAvailability& memory);

/// Decides whether the disk space suffices for an item that is expected to write `output` bytes while the running items
/// write `running_output` bytes. `space`: the space of the file system of the outputs; empty: not known. Returns
/// - `start` if `output`, `running_output` and a margin of 16 MiB together are free. Also `start` if the file system is
///   read-only or `space` is empty, because the item itself then reports the problem,
/// - `does_not_fit` if `output` is larger than the whole file system,
/// - `wait` otherwise.
Admission admit_output(Bytes output, Bytes running_output, const std::optional<DiskSpace>& space);

/// Stores memory needs learned from earlier items. The key of a need is a variant (such as a network), an input size
/// (Estimate::size) and a device. A need is either a planned need, raised after an item ran out of memory, or measured
/// memory, where no plan exists. Keeps the latest 1024 entries in a small JSON file; an unreadable file counts as
/// empty. Not thread-safe.
/// In all functions, `variant` and `device` are names, `size` is Estimate::size, and `planned` is Estimate::ram.
class LearnedNeeds {
 public:
  /// Reads the JSON file `file`. If `file` is empty, the needs are kept in this object only.
  explicit LearnedNeeds(std::filesystem::path file);

  /// Returns the learned need, but at least `planned`; returns `planned` if nothing was learned.
  Bytes need(const std::string& variant, const std::string& size, const std::string& device, Bytes planned) const;
  /// Raises the need to five quarters of what need() returns, after an item ran out of memory. Writes the file.
  /// Errors: io, disk_full; the need is then kept in this object only.
  Status raise_need(const std::string& variant, const std::string& size, const std::string& device, Bytes planned);
  /// Replaces the need by measured memory. Writes the file. Errors: as raise_need().
  Status store_measured(const std::string& variant, const std::string& size, const std::string& device, Bytes measured);

 private:
  struct LearnedNeed {
    Bytes need;
    std::uint64_t sequence_number = 0;  ///< increases with every stored need; of too many, the smallest is dropped
  };
  Status store(const std::string& key, Bytes need);
  Status save() const;

  std::filesystem::path file_;
  std::map<std::string, LearnedNeed> needs_;
  std::uint64_t last_sequence_number_ = 0;
};

}  // namespace weir::jobs
