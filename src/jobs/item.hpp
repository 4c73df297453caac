#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "jobs/json.hpp"

namespace weir::jobs {

/// One piece of work of a run, such as one picture. Its task kind (an implementation of jobs::Task) decides what the
/// inputs, outputs and parameters mean.
struct Item {
  std::string task = {};                            ///< name of the task kind, also part of record names: "upscale"
  std::vector<std::filesystem::path> inputs = {};   ///< the item is processed again when one of them changes
  std::vector<std::filesystem::path> outputs = {};  ///< at least one; each is published complete or not at all
  std::string name = {};                            ///< display name, not sent to workers; empty: see display_name()
  std::string parameters = "{}";      ///< text of a JSON object: the other settings that affect the result
  std::optional<Error> problem = {};  ///< error known before the work, such as a missing file
  /// The outputs are files of weir that no user looks for: those that are not as weir left them are made again.
  bool is_intermediate = false;
};

/// Returns the name for messages: `name`, else the first input, else the first output, in one line.
std::string display_name(const Item& item);

/// Converts the item to JSON, without `name`, `problem` and `is_intermediate`.
Json to_json(const Item& item);
/// Reads an item from its JSON. Errors: corrupt.
Result<Item> item_from_json(const Json& json);

/// Returns a seed for task kinds that use random numbers. It depends only on the task kind and the file name of the
/// first output, so it is the same on every device and in every run.
std::uint64_t seed_of(const Item& item);

}  // namespace weir::jobs
