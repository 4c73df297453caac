#pragma once

#include "jobs/json.hpp"
#include "jobs/run.hpp"
#include "jobs/task.hpp"

namespace weir::jobs {

// Conversions of the messages from workers to the coordinator (docs/jobs.md). A field that is missing or has another
// type reads as zero or empty.

Json to_json(const Estimate& estimate);
Estimate estimate_from_json(const Json& json);

/// Returns the texts of an array field; leaves out elements that are no texts. Unlike encoded_texts_field() it does not
/// decode them.
std::vector<std::string> text_list_field(const Json& message, const char* key);

/// Returns `result` with the fields of `message` (of type "finished") added. The caller sets the status.
ItemResult read_item_result(ItemResult result, const Json& message);

}  // namespace weir::jobs
