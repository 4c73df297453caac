#pragma once

#include <functional>

#include "base/result.hpp"
#include "jobs/record.hpp"

namespace weir::jobs {

/// Time that publish() takes. (To publish an item means to rename its finished temporary files to their final names, so
/// that each output appears complete or not at all.)
struct PublishTimes {
  double sync_s = 0;  ///< time in fsync
};

/// Publishes the outputs of an item. Its temporary files must be written and synced. The order of the steps lets the
/// next run find out, after a kill at any point, which steps are done:
/// 1. write and sync an intent record (RecordPaths::intent) with the outputs' hashes,
/// 2. rename the temporary files and sync their folders,
/// 3. rename the intent record to the done record.
/// Without `replace` it never replaces an existing output. `record` is complete except for its outputs. Errors: io,
/// disk_full, exists; the temporary files are then removed. `progress` (may be empty) is called while files are read.
Result<PublishTimes> publish(const Item& item, Record record, const RecordPaths& paths, bool replace,
                             const std::function<void()>& progress = {});

/// Publishes the outputs without writing records. Errors: as publish().
Result<PublishTimes> publish_without_records(const Item& item, bool replace);

/// Writes the record of a failed item (RecordPaths::failed). Creates its folder if it is missing. Errors: io,
/// disk_full.
Status write_failure(const Record& record, const RecordPaths& paths);

/// Completes the publishing that a killed run started: does the remaining steps of publish() and returns true. This
/// needs an intent record, and for every output a file, under the final or the temporary name, with the size and the
/// hash in that record. An existing output is replaced only if the done record of an earlier run describes it. If any
/// of this is not the case, or a step fails, removes the intent record and the temporary files, and returns false.
bool finish_intent(const Item& item, const RecordPaths& paths);

/// Removes the item's temporary files, which an earlier run may have left.
void remove_temporaries(const Item& item);

}  // namespace weir::jobs
