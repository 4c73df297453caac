#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace weir::tasks {

/// A command for many items, as it stands behind `--`.
struct CommandItems {
  std::vector<std::string>
      arguments;  ///< of the template; where no word holds {}, {.} or {/}, "{}" is added at the end
  std::vector<std::string> items;
};

/// True if the words say ::: or ::::.
bool has_item_separator(const std::vector<std::string>& arguments);

/// The lines of a file; "-" is standard input. Errors: io; over_budget.
using LineReader = std::function<Result<std::vector<std::string>>(const std::string& file)>;

/// The largest list that is read, and the longest worklist.
inline constexpr std::size_t kMaxListBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxItems = 1'000'000;

/// `COMMAND ::: ITEM...` or `COMMAND :::: FILE...`, one item a line; empty lines are no items.
/// Errors: invalid_argument (no command, no items, both ways at once, too many); those of `read`.
Result<CommandItems> split_items(const std::vector<std::string>& arguments, const LineReader& read);

/// ReadLines for the real files.
Result<std::vector<std::string>> read_lines(const std::string& file);

}  // namespace weir::tasks
