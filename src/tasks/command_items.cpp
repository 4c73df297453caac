#include "tasks/command_items.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/standard_streams.hpp"
#include "base/text.hpp"

namespace weir::tasks {
namespace {

Error invalid(std::string what) { return {Errc::invalid_argument, std::move(what)}; }

bool is_separator(const std::string& argument) { return argument == ":::" || argument == "::::"; }

bool has_item_placeholder(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const std::string& argument) {
    return argument.find("{}") != std::string::npos || argument.find("{.}") != std::string::npos ||
           argument.find("{/}") != std::string::npos;
  });
}

/// Returns the lines of the text that are not empty.
std::vector<std::string> non_empty_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

Status check_items(const CommandItems& list) {
  if (list.items.empty()) return invalid("there are no items");
  if (list.items.size() > kMaxItems)
    return invalid(fmt::format("{} items are more than the {} that one run takes", list.items.size(), kMaxItems));
  for (const std::string& item : list.items) {
    if (item.empty()) return invalid("an item is empty");
    if (item.find('\0') != std::string::npos)
      return invalid(fmt::format("the item '{}' holds a zero byte", printable(item)));
  }
  return ok();
}

}  // namespace

bool has_item_separator(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), is_separator);
}

Result<CommandItems> split_items(const std::vector<std::string>& arguments, const LineReader& read) {
  const auto separator = std::find_if(arguments.begin(), arguments.end(), is_separator);
  CommandItems list{.arguments = {arguments.begin(), separator}, .items = {}};
  if (list.arguments.empty()) return invalid("no command is given before the items");
  if (separator == arguments.end()) return invalid("no items are given; write ::: ITEM... or :::: FILE");
  const std::vector<std::string> rest{separator + 1, arguments.end()};
  if (has_item_separator(rest)) return invalid("give the items either after ::: or after ::::, and only once");
  if (*separator == ":::") {
    list.items = rest;
  } else {
    if (rest.empty()) return invalid("no file is given after ::::; '-' is standard input");
    for (const std::string& file : rest) {
      auto lines = read(file);
      if (!lines) return lines.error();
      list.items.insert(list.items.end(), lines->begin(), lines->end());
    }
  }
  if (auto good = check_items(list); !good) return good.error();
  if (!has_item_placeholder(list.arguments)) list.arguments.emplace_back("{}");
  return list;
}

Result<std::vector<std::string>> read_lines(const std::string& file) {
  if (file == "-") {
    const auto bytes = read_standard_input(Bytes{kMaxListBytes}, /*stop=*/{});
    if (!bytes) return Error{bytes.error().code, "standard input: " + bytes.error().what};
    return non_empty_lines({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  }
  const auto text = read_bounded_file(file, kMaxListBytes);
  if (!text) return text.error();
  if (!*text) return Error{Errc::io, fmt::format("{}: no such file", printable(file))};
  return non_empty_lines(**text);
}

}  // namespace weir::tasks
