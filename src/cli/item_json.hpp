#pragma once

#include <nlohmann/json.hpp>

#include "jobs/run.hpp"

namespace weir::cli {

/// Returns the JSON of one item: the fields of the result, then those fields of the task's report that the result does
/// not have.
nlohmann::ordered_json item_json(const jobs::Item& item, const jobs::ItemResult& result);

}  // namespace weir::cli
