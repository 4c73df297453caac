#include "tasks/picture_list.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/paths.hpp"
#include "base/standard_streams.hpp"
#include "base/text.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;

/// An input file and where it goes below the output folder.
struct Found {
  PictureItem item;
  fs::path below;        ///< with the input's own name
  std::string identity;  ///< of the input; empty for standard input
};

struct Finder {
  std::vector<Found> found;
  std::size_t skipped = 0;
  bool folder_among_inputs = false;
  std::string output_identity;

  void add_file(const fs::path& path, const fs::path& below) {
    PictureItem item;
    item.source.path = path;
    found.push_back({std::move(item), below, identity(path)});
  }
  void add_problem(const fs::path& path, Error error) {
    PictureItem item;
    item.source.path = path;
    item.problem = std::move(error);
    found.push_back({std::move(item), path.filename(), {}});
  }
  void add_folder(const fs::path& folder, const fs::path& below);
  void add_entry(const fs::directory_entry& entry, const fs::path& below);
  void add_path(const fs::path& path);
  void add_input(const std::string& input, const OutputRule& rule);
  void add_standard_input(const OutputRule& rule);
};

bool is_hidden(const fs::path& name) { return name.native().starts_with('.'); }

void Finder::add_entry(const fs::directory_entry& entry, const fs::path& below) {
  std::error_code problem;
  const fs::path name = entry.path().filename();
  if (entry.is_directory(problem) && !entry.is_symlink(problem)) {
    if (is_hidden(name))
      ++skipped;
    else if (identity(entry.path()) != output_identity)
      add_folder(entry.path(), below / name);  // not what we wrote before
  } else if (is_hidden(name) || !entry.is_regular_file(problem) ||
             !media::format_of_extension(name.extension().native())) {
    ++skipped;
  } else {
    add_file(entry.path(), below / name);
  }
}

void Finder::add_folder(const fs::path& folder, const fs::path& below) {
  std::error_code problem;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator at{folder, problem}, end; !problem && at != end; at.increment(problem))
    entries.push_back(*at);
  if (problem) return add_problem(folder, {Errc::io, fmt::format("cannot list the folder: {}", problem.message())});
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.path().native() < b.path().native(); });
  for (const auto& entry : entries) add_entry(entry, below);
}

void Finder::add_path(const fs::path& path) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (fs::is_directory(status)) {
    folder_among_inputs = true;
    const std::size_t before = found.size();
    add_folder(path, {});
    if (found.size() == before) add_problem(path, {Errc::io, "no picture in this folder"});
  } else if (!fs::exists(status)) {
    add_problem(path, {Errc::io, problem && problem != std::errc::no_such_file_or_directory ? problem.message()
                                                                                            : "no such file"});
  } else {
    add_file(path, path.filename());
  }
}

void Finder::add_standard_input(const OutputRule& rule) {
  PictureItem item;
  item.source.path = "-";
  auto bytes = read_standard_input(rule.standard_input_limit, rule.stop);
  if (bytes)
    item.source.bytes = std::make_shared<const std::vector<std::byte>>(*std::move(bytes));
  else
    item.problem = bytes.error();
  found.push_back({std::move(item), "stdin", {}});
}

void Finder::add_input(const std::string& input, const OutputRule& rule) {
  std::error_code problem;
  if (input == "-") return add_standard_input(rule);
  if (!has_pattern(input) || fs::exists(input, problem)) return add_path(input);
  const auto matches = expand_pattern(input);
  if (matches.empty()) add_problem(input, {Errc::io, "nothing matches this pattern"});
  for (const auto& match : matches) add_path(match);
}

std::string shown(const PictureItem& item) { return printable(item.source.path.native()); }

/// The input's own format, from its extension; of standard input, from its first bytes.
std::optional<media::Format> input_format(const Found& found) {
  if (!found.item.source.bytes) return media::format_of_extension(found.below.extension().native());
  auto reader = media::PictureReader::open(found.item.source);
  if (!reader) return std::nullopt;
  return (*reader)->info().format;
}

media::Format default_format(const Found& found) {
  const auto own = input_format(found);
  return own && media::is_lossless(*own) ? *own : media::Format::png;
}

Result<media::Format> format_for_file(const fs::path& output, const OutputRule& rule, const Found& found) {
  const std::string extension = output.extension().native();
  const auto named = extension.empty() ? std::nullopt : media::format_of_extension(extension);
  if (named && rule.format && rule.format_demanded && *named != *rule.format)
    return Error{Errc::invalid_argument, fmt::format("--format {} contradicts the output's name {}",
                                                     media::name_of(*rule.format), printable(output.native()))};
  if (named && !media::can_write(*named))
    return Error{Errc::invalid_argument,
                 fmt::format("{} pictures cannot be written: {}; png, jpg, webp, avif, jxl and tiff can",
                             media::name_of(*named), printable(output.native()))};
  if (named) return *named;
  if (rule.format) return *rule.format;
  if (!extension.empty())
    return Error{Errc::invalid_argument, fmt::format("the extension of the output {} is not a picture's; give --format",
                                                     printable(output.native()))};
  return default_format(found);
}

/// Extensions as users write them: the input's own is kept where the format stays the same ("page.JPG", "scan.tif").
std::string extension_for(const Found& found, media::Format format) {
  std::string own = found.below.extension().native();
  if (media::format_of_extension(own) == format) return own;
  return fmt::format(".{}", media::name_of(format));
}

void name_below(const fs::path& folder, const OutputRule& rule, Found& found) {
  found.item.format = rule.format.value_or(default_format(found));
  const std::string extension = extension_for(found, found.item.format);
  const bool has_own = media::format_of_extension(found.below.extension().native()).has_value();
  const std::string stem = (has_own ? found.below.stem() : found.below.filename()).native();
  found.item.output = folder / found.below.parent_path() / fit_name(stem, extension);
}

/// The same file named twice is one item; two files for one output, or an output upon another input, are refused.
Status check_collisions(std::vector<Found>& all) {
  std::map<std::string, const Found*> outputs;
  std::map<std::string, const Found*> inputs;
  for (const Found& found : all) {
    if (!found.identity.empty()) inputs.emplace(found.identity, &found);
  }
  for (const Found& found : all) {
    if (found.item.problem || found.item.output == "-") continue;
    const std::string output = identity(found.item.output);
    const auto [before, fresh] = outputs.emplace(output, &found);
    const std::string name = printable(found.item.output.native());
    if (!fresh)
      return Error{Errc::invalid_argument,
                   fmt::format("{} and {} would both become {}", shown(before->second->item), shown(found.item), name)};
    if (const auto replaced = inputs.find(output); replaced != inputs.end() && replaced->first != found.identity)
      return Error{Errc::invalid_argument,
                   fmt::format("{} would become {}, which is another input", shown(found.item), name)};
  }
  return ok();
}

void drop_repeated(std::vector<Found>& all) {
  std::map<std::string, fs::path> seen;
  std::erase_if(all, [&](const Found& found) {
    if (found.identity.empty()) return false;
    const auto [first, fresh] = seen.emplace(found.identity + '\0' + found.below.native(), found.below);
    return !fresh;
  });
}

/// True if the output is to be a folder. Errors: something else stands there.
Result<bool> is_folder(const OutputRule& rule, bool several) {
  std::error_code problem;
  const std::size_t last = rule.output.find_last_not_of('/');
  const fs::file_status status =
      fs::status(last == std::string::npos ? rule.output : rule.output.substr(0, last + 1), problem);
  if (fs::is_directory(status)) return true;
  if (!several && !rule.output.ends_with('/')) return false;
  if (fs::exists(status) || rule.output == "-")
    return Error{Errc::invalid_argument,
                 fmt::format("the output must be a folder here, and {} is not one", printable(rule.output))};
  return true;
}

}  // namespace

Result<PictureList> list_pictures(const std::vector<std::string>& inputs, const OutputRule& rule) {
  Finder finder;
  finder.output_identity = identity(rule.output);
  if (std::count(inputs.begin(), inputs.end(), "-") > 1)
    return Error{Errc::invalid_argument, "standard input (-) can be given once only"};
  if (rule.format && !media::can_write(*rule.format))
    return Error{Errc::invalid_argument,
                 fmt::format("{} pictures cannot be written; png, jpg, webp, avif, jxl and tiff can",
                             media::name_of(*rule.format))};
  for (const std::string& input : inputs) finder.add_input(input, rule);
  drop_repeated(finder.found);
  const auto folder = is_folder(rule, inputs.size() > 1 || finder.found.size() > 1 || finder.folder_among_inputs);
  if (!folder) return folder.error();
  PictureList list;
  list.skipped = finder.skipped;
  for (Found& found : finder.found) {
    if (*folder) {
      name_below(rule.output, rule, found);
      continue;
    }
    found.item.output = rule.output;
    if (rule.output == "-") {
      found.item.format = rule.format.value_or(default_format(found));
      continue;
    }
    const auto format = format_for_file(rule.output, rule, found);
    if (!format) return format.error();
    found.item.format = *format;
  }
  if (auto apart = check_collisions(finder.found); !apart) return apart.error();
  for (Found& found : finder.found) list.items.push_back(std::move(found.item));
  return list;
}

}  // namespace weir::tasks
