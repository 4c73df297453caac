#pragma once

#include <functional>
#include <optional>
#include <string>

#include "jobs/record.hpp"

namespace weir::jobs {

/// How a run uses records (the checkpoints of items, jobs::Record) and existing outputs.
struct RecordRules {
  bool write_records = true;     ///< write and read records
  std::filesystem::path folder;  ///< folder of the records; empty: beside each output
  bool overwrite = false;        ///< process every item again and replace existing outputs
  bool redo = false;             ///< process items again whose outputs weir made; keep all other existing outputs
  bool verify = false;           ///< hash inputs and outputs instead of trusting size and mtime
  bool upgrade = false;          ///< process items again that were made with a smaller variant
  bool retry_failed = false;     ///< process items again that failed before
  /// Use the intact part of damaged inputs. If false, an item that was made from a damaged input is processed again,
  /// and then fails.
  bool use_damaged = false;
  bool read_only = false;                        ///< change no file, not even those that a killed run left
  std::optional<ComputeConfig> required_config;  ///< results made with another configuration are processed again
};

/// Returns the identity that a result made now would have (AttemptResult::identity), to compare it with the identity in
/// the item's record. `facts`: the facts in that record (AttemptResult::facts), for task kinds whose identity depends
/// on the input. If the function is empty, identities are not compared.
using IdentitySource = std::function<Json(const Item& item, const Json& facts)>;

/// What a run does with an item.
enum class Action {
  skip,           ///< the item was done before
  work,           ///< the item is processed
  keep_existing,  ///< the item fails: its output exists, and no record describes this output as it is now
  fail            ///< the item fails: Item::problem is set, or the item failed before and nothing has changed since
};

/// The decision about one item.
struct Decision {
  Action action = Action::work;
  std::string why;       ///< the reason, for messages; may be empty
  bool replace = false;  ///< an existing output may be replaced
  /// decide_item() has just published a result that a killed run had finished. With RecordRules::overwrite the item is
  /// processed again all the same.
  bool adopted = false;
  /// With Action::work: another version of weir wrote the record, in a format that this version does not read.
  bool record_has_other_format = false;
  std::string damage;            ///< with Action::skip: the part of an input that was missing; empty: none
  std::optional<Error> failure;  ///< set with Action::fail and Action::keep_existing
};

/// Reads the item's files and records and decides what to do with the item. Before that it completes what a killed run
/// left unfinished (finish_intent()), unless rules.read_only is set. Never throws. Changes no file that weir did not
/// make. Thread-safe for different items.
Decision decide_item(const Item& item, const RecordRules& rules, const IdentitySource& identity_source);

}  // namespace weir::jobs
