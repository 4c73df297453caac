#pragma once

#include "jobs/json.hpp"
#include "jobs/run.hpp"
#include "jobs/task.hpp"

namespace weir::jobs {

// What workers write into their messages and the coordinator reads from them (docs/jobs.md). Fields that are missing or of
// another type count as zero and empty.

Json to_json(const Estimate& estimate);
Estimate estimate_from_json(const Json& json);

/// The texts of a list; what is no text is left out.
std::vector<std::string> text_list_field(const Json& message, const char* key);

/// `end` with what the message `finished` tells of the try; without an error it is not done yet.
ItemResult read_item_result(ItemResult result, const Json& message);

}  // namespace weir::jobs
