#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace weir::tasks {

/// A command template (CommandTemplate) and the items that it runs for, from the command line of `weir run`.
struct CommandItems {
  /// Arguments of the template. split_items() appends "{}" if no argument contains {}, {.} or {/}.
  std::vector<std::string> arguments;
  std::vector<std::string> items;
};

/// Returns true if one of the arguments is the separator ::: or :::: between a command and its items.
bool has_item_separator(const std::vector<std::string>& arguments);

/// Returns the lines of a file, without empty lines; "-" means standard input. Errors: io; corrupt or over_budget if
/// the content is too long.
using LineReader = std::function<Result<std::vector<std::string>>(const std::string& file)>;

/// The largest size in bytes of one file with items, or of the items on standard input.
inline constexpr std::size_t kMaxListBytes = std::size_t{64} << 20;
/// The largest number of items in one run.
inline constexpr std::size_t kMaxItems = 1'000'000;

/// Splits the arguments `COMMAND ::: ITEM...` or `COMMAND :::: FILE...` (files with one item per line) into the
/// template and its items. Calls `read` for each FILE. Errors: invalid_argument (no command, no items, no file, more
/// than one separator, more than kMaxItems items, an item that is empty or contains a zero byte); those of `read`.
Result<CommandItems> split_items(const std::vector<std::string>& arguments, const LineReader& read);

/// The LineReader that reads real files and standard input, of at most kMaxListBytes each. Errors: io (also if there is
/// no such file); corrupt for a longer file or one that is not a regular file; over_budget for a longer standard input.
Result<std::vector<std::string>> read_lines(const std::string& file);

}  // namespace weir::tasks
