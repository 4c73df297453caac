#pragma once

#include "base/result.hpp"
#include "jobs/record.hpp"

namespace weir::jobs {

/// Where the time of publishing goes: on small items it is most of the work.
struct PublishTimes {
  double sync_s = 0;  ///< in fsync
};

/// Gives the temporary files of an item, which are written and synced, their final names, so that at every moment the next
/// run can tell what was reached: an intent record with the outputs' hashes is written and synced, the files are renamed,
/// the folder is synced, and the intent becomes the checkpoint. Without `replace` an output that is there is never
/// replaced. `record` is complete but for its outputs. Errors: io, disk_full, exists; then the temporary files are gone.
Result<PublishTimes> publish(const Item& item, Record record, const RecordPaths& paths, bool replace);

/// The same without records.
Result<PublishTimes> publish_without_records(const Item& item, bool replace);

/// Remembers a failure. Makes the folder if it is missing. Errors: io, disk_full.
Status write_failure(const Record& record, const RecordPaths& paths);

/// Ends what a killed run began: if every output, under its final or its temporary name, is the one that the intent record
/// describes by size and hash, the rest of publish() is done and true returned. Otherwise the intent and the temporary
/// files go away. Never replaces a file that no record knows.
bool finish_intent(const Item& item, const RecordPaths& paths);

/// Takes away temporary files that nobody finishes any more.
void remove_temporaries(const Item& item);

}  // namespace weir::jobs
