#pragma once

#include <functional>
#include <optional>
#include <string>

#include "jobs/record.hpp"

namespace weir::jobs {

/// What holds for the records of a run.
struct RecordRules {
  bool write_records = true;     ///< write and read records at all
  std::filesystem::path folder;  ///< where; empty: beside each output
  bool overwrite = false;        ///< do everything again and replace what is there
  bool redo = false;             ///< do everything again that is weir's, and leave alone what is not
  bool verify = false;           ///< hash inputs and outputs instead of trusting size and mtime
  bool upgrade = false;          ///< do results of a smaller variant again
  bool retry_failed = false;
  bool use_damaged = false;  ///< what is there of damaged inputs; else a result made from one is done again, to fail
  bool read_only = false;    ///< change nothing, not even what a killed run left
  std::optional<ComputeConfig> required_config;  ///< results made otherwise are done again
};

/// What a result made now would be made with. `facts` are those of the record, for kinds whose choice depends on the input.
using IdentitySource = std::function<Json(const Item& item, const Json& facts)>;

enum class Action {
  skip,           ///< done before
  work,           ///< to be done
  keep_existing,  ///< not to be done: something that weir did not make, or that was changed since, stands there
  fail            ///< failed before, and nothing has changed
};

struct Decision {
  Action action = Action::work;
  std::string why;       ///< for people
  bool replace = false;  ///< an output that is there may be replaced
  bool adopted = false;  ///< a result that a killed process had finished was taken over; with `overwrite` none the less
                         ///< to be done again
  bool record_has_other_format =
      false;           ///< of `work`: another version of weir wrote the checkpoint, in a form that is not read here
  std::string damage;  ///< of `skip`: what of an input was not there; empty: nothing
  std::optional<Error> failure;  ///< of `failed` and `keep`
};

/// Looks at the item's files and records, ends what a killed run left half-way (adopts its result if that matches the
/// intent by hash, else removes its temporary files), and decides. Never throws, changes no user's file. Thread-safe for
/// different items.
Decision decide_item(const Item& item, const RecordRules& rules, const IdentitySource& identity_source);

}  // namespace weir::jobs
