#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "jobs/json.hpp"

namespace weir::jobs {

/// One piece of work of a worklist. What it means is known to its task kind alone.
struct Item {
  std::string task = {};                            ///< the kind, as in the names of checkpoints: "upscale"
  std::vector<std::filesystem::path> inputs = {};   ///< a change of one of them means that the item is done again
  std::vector<std::filesystem::path> outputs = {};  ///< at least one; each appears whole or not at all
  std::string name = {};                            ///< for people, in the coordinator alone; empty: the first input
  std::string parameters = "{}";      ///< a JSON object: what the kind needs beside, and what decides the result
  std::optional<Error> problem = {};  ///< known before the work: no such file
};

/// For messages: the name, else the first input, or the first output, in one line.
std::string display_name(const Item& item);

Json to_json(const Item& item);                 ///< without name and problem
Result<Item> item_from_json(const Json& json);  ///< Errors: corrupt

/// A number that depends on the item alone, for kinds that draw random numbers: the same on every device and in every run.
std::uint64_t seed_of(const Item& item);

}  // namespace weir::jobs
