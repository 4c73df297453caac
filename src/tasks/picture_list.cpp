#include "tasks/picture_list.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/paths.hpp"
#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "jobs/json.hpp"
#include "jobs/record.hpp"
#include "tasks/output_names.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;

/// An input file and where it goes below the output folder.
struct Found {
  PictureItem item;
  fs::path below;        ///< with the input's own name
  std::string identity;  ///< of the input; empty for standard input
};

/// The checkpoint of an output, if there is one that can be read.
std::optional<jobs::Record> checkpoint_of(const fs::path& output, const OutputRule& rule) {
  if (!rule.checkpoints) return std::nullopt;
  jobs::Item item;
  item.task = kUpscale;
  item.outputs = {output};
  auto record = jobs::read_record(jobs::record_places(item, *rule.checkpoints).done);
  return record ? *std::move(record) : std::nullopt;
}

/// The input that a checkpoint names; empty for standard input.
fs::path input_of(const jobs::Record& record) {
  return record.inputs.empty() ? fs::path{} : jobs::decode_path(record.inputs.front().path);
}

struct Finder {
  const OutputRule& rule;
  std::string output_identity;
  std::vector<Found> found = {};
  Skipped skipped = {};
  bool folder_among_inputs = false;

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
  void add_entry(const fs::directory_entry& entry, const fs::path& below, bool among_outputs);
  void add_subfolder(const fs::path& folder, const fs::path& below);
  void add_path(const fs::path& path);
  void add_input(const std::string& input);
  void add_standard_input();
  bool is_earlier_result(const fs::path& path) const;
};

bool is_hidden(const fs::path& name) { return name.native().starts_with('.'); }

bool is_own_folder(const fs::path& name) { return name == ".weir"; }

bool is_within(const std::string& place, const std::string& folder) {
  return place == folder || place.starts_with(folder.ends_with('/') ? folder : folder + '/');
}

/// True for an output that weir made from another file.
bool Finder::is_earlier_result(const fs::path& path) const {
  const auto record = checkpoint_of(path, rule);
  return record && input_of(*record) != identity(path);
}

void Finder::add_subfolder(const fs::path& folder, const fs::path& below) {
  if (is_own_folder(folder.filename()) || identity(folder) == output_identity) return;  // what we wrote before
  if (is_hidden(folder.filename()))
    ++skipped.hidden_folders;
  else
    add_folder(folder, below);
}

void Finder::add_entry(const fs::directory_entry& entry, const fs::path& below, bool among_outputs) {
  std::error_code problem;
  const fs::path& path = entry.path();
  const fs::path name = path.filename();
  const bool link = entry.is_symlink(problem);
  const fs::file_status status = entry.status(problem);
  const bool picture = media::format_of_extension(name.extension().native()).has_value();
  if (fs::is_directory(status)) {
    if (!link) return add_subfolder(path, below / name);
    ++skipped.folder_links;
  } else if (is_hidden(name)) {
    if (!jobs::is_record_name(name.native())) ++skipped.hidden_files;
  } else if (status.type() == fs::file_type::not_found || problem == std::errc::too_many_symbolic_link_levels) {
    if (link) ++skipped.broken_links;  // otherwise it went away meanwhile
  } else if (status.type() == fs::file_type::none || status.type() == fs::file_type::unknown) {
    add_problem(path, {Errc::io, problem ? problem.message() : "cannot be looked at"});
  } else if (!fs::is_regular_file(status)) {
    ++skipped.special;
  } else if (!picture) {
    ++skipped.other_files;
  } else if (among_outputs && is_earlier_result(path)) {
    ++skipped.results;
  } else {
    add_file(path, below / name);
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
  const bool among_outputs = is_within(identity(folder), output_identity);
  for (const auto& entry : entries) add_entry(entry, below, among_outputs);
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
  } else if (!fs::is_regular_file(status)) {
    add_problem(path, {Errc::io, "a pipe, socket or device, not a file; give - to read standard input"});
  } else {
    add_file(path, path.filename());
  }
}

void Finder::add_standard_input() {
  PictureItem item;
  item.source.path = "-";
  auto bytes = read_standard_input(rule.standard_input_limit, rule.stop);
  if (bytes)
    item.source.bytes = std::make_shared<const std::vector<std::byte>>(*std::move(bytes));
  else
    item.problem = bytes.error();
  found.push_back({std::move(item), "stdin", {}});
}

void Finder::add_input(const std::string& input) {
  std::error_code problem;
  if (input == "-") return add_standard_input();
  if (!has_pattern(input) || fs::exists(input, problem)) return add_path(input);
  const auto matches = expand_pattern(input);
  if (matches.empty()) add_problem(input, {Errc::io, "nothing matches this pattern"});
  for (const auto& match : matches) add_path(match);
}

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
                 fmt::format("{} pictures cannot be written: {}; {} can", media::name_of(*named),
                             printable(output.native()), media::written_formats())};
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

NamedInput named_input(const Found& found) {
  return {.path = found.item.source.path,
          .place = found.identity,
          .below = found.below,
          .extension = extension_for(found, found.item.format),
          .is_picture_name = media::format_of_extension(found.below.extension().native()).has_value()};
}

/// True if the file has the contents that a checkpoint tells.
bool has_contents(const fs::path& path, const jobs::RecordedFile& recorded) {
  const auto facts = file_facts(path);
  if (!facts || facts->size != recorded.facts.size) return false;
  const auto hash = hash_file(path);
  return hash && *hash == recorded.hash;
}

/// Whose the output of an earlier run is. A checkpoint that names a file of the same name elsewhere speaks of this input
/// where that file is gone (it was moved) or has the same contents (it was copied), and is no input itself.
class EarlierOutputs {
 public:
  EarlierOutputs(const std::vector<const Found*>& all, const OutputRule& rule) : all_{all}, rule_{rule} {
    for (const Found* found : all) places_.insert(found->identity);
  }
  Earlier operator()(std::size_t index, const fs::path& output) const {
    const auto record = checkpoint_of(output, rule_);
    if (!record) return Earlier::nothing;
    const fs::path made_from = input_of(*record);
    const fs::path asked{all_[index]->identity};
    if (made_from == asked) return Earlier::of_this_input;
    if (made_from.filename() != asked.filename() || places_.contains(made_from.native())) return Earlier::of_another;
    std::error_code ignored;
    const bool copied = fs::exists(made_from, ignored);
    return copied && !has_contents(asked, record->inputs.front()) ? Earlier::of_another : Earlier::nothing;
  }

 private:
  const std::vector<const Found*>& all_;
  const OutputRule& rule_;
  std::set<std::string> places_;
};

/// Names the outputs below the folder; those that have no problem.
void name_outputs(std::vector<Found>& all, const OutputRule& rule, std::vector<Renamed>& renamed) {
  std::vector<NamedInput> inputs;
  std::vector<const Found*> named;
  for (Found& found : all) {
    found.item.format = rule.format.value_or(default_format(found));
    found.item.output = short_output_name(named_input(found), rule.output);
    if (found.item.problem) continue;
    inputs.push_back(named_input(found));
    named.push_back(&found);
  }
  const EarlierOutputs earlier{named, rule};
  auto outputs = output_names(inputs, rule.output,
                              [&](std::size_t index, const fs::path& output) { return earlier(index, output); });
  std::size_t next = 0;
  for (Found& found : all) {
    if (found.item.problem) continue;
    fs::path& output = outputs[next++];
    if (output != found.item.output) renamed.push_back({found.item.source.path, output});
    found.item.output = std::move(output);
  }
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
  if (!rule.output.ends_with('/') && media::format_of_extension(fs::path{rule.output}.extension().native()))
    return Error{
        Errc::invalid_argument,
        fmt::format("the output must be a folder here, and {} is named as a picture; write {}/ if it is to be one",
                    printable(rule.output), printable(rule.output))};
  return true;
}

/// Outputs are files; what is there and can be none is in the way of its input, with --overwrite too.
void check_places(std::vector<PictureItem>& items) {
  for (PictureItem& item : items) {
    if (item.problem || item.output == "-") continue;
    std::error_code ignored;
    const fs::file_status status = fs::status(item.output, ignored);
    if (fs::is_directory(status))
      item.problem = Error{Errc::io, fmt::format("the output {} is a folder", printable(item.output.native()))};
    else if (fs::exists(status) && !fs::is_regular_file(status))
      item.problem = Error{Errc::io, fmt::format("the output {} is a pipe, socket or device; give a file, or - for "
                                                 "standard output",
                                                 printable(item.output.native()))};
  }
}

/// The one output that the user names. Errors: its extension or the format cannot be written.
Status name_the_output(Found& found, const OutputRule& rule) {
  found.item.output = rule.output;
  if (rule.output == "-") {
    found.item.format = rule.format.value_or(default_format(found));
    return ok();
  }
  const auto format = format_for_file(rule.output, rule, found);
  if (!format) return format.error();
  found.item.format = *format;
  return ok();
}

}  // namespace

Result<PictureList> list_pictures(const std::vector<std::string>& inputs, const OutputRule& rule) {
  Finder finder{.rule = rule, .output_identity = identity(rule.output)};
  if (std::count(inputs.begin(), inputs.end(), "-") > 1)
    return Error{Errc::invalid_argument, "standard input (-) can be given once only"};
  if (rule.format && !media::can_write(*rule.format))
    return Error{Errc::invalid_argument, fmt::format("{} pictures cannot be written; {} can",
                                                     media::name_of(*rule.format), media::written_formats())};
  if (std::find(inputs.begin(), inputs.end(), "") != inputs.end())
    return Error{Errc::invalid_argument, "the name of an input is empty"};
  for (const std::string& input : inputs) finder.add_input(input);
  drop_repeated(finder.found);
  const auto folder = is_folder(rule, inputs.size() > 1 || finder.found.size() > 1 || finder.folder_among_inputs);
  if (!folder) return folder.error();
  PictureList list;
  list.skipped = finder.skipped;
  if (*folder) {
    name_outputs(finder.found, rule, list.renamed);
  } else {
    for (Found& found : finder.found) {
      if (auto named = name_the_output(found, rule); !named) return named.error();
    }
  }
  for (Found& found : finder.found) list.items.push_back(std::move(found.item));
  check_places(list.items);
  return list;
}

}  // namespace weir::tasks
