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

/// An input file and its path below the output folder.
struct FoundInput {
  PictureItem item;
  fs::path relative_path;  ///< with the input's own file name
  std::string identity;    ///< file identity of the input; empty for standard input
};

/// Returns the checkpoint of an output (the record of how an earlier run made it), if it exists and is readable.
std::optional<jobs::Record> checkpoint_of(const fs::path& output, const OutputOptions& options) {
  if (!options.checkpoint_folder) return std::nullopt;
  jobs::Item item;
  item.task = kUpscaleKind;
  item.outputs = {output};
  auto record = jobs::read_record(jobs::record_paths(item, *options.checkpoint_folder).done);
  return record ? *std::move(record) : std::nullopt;
}

/// Returns the input that a checkpoint names; empty for standard input.
fs::path input_of(const jobs::Record& record) {
  return record.inputs.empty() ? fs::path{} : jobs::decode_path(record.inputs.front().path);
}

/// Collects the pictures of all inputs that the user gave in `inputs`.
struct InputFinder {
  const OutputOptions& options;
  std::string output_identity;
  std::vector<FoundInput> inputs = {};
  SkippedEntries skipped = {};
  bool folder_among_inputs = false;

  void add_file(const fs::path& path, const fs::path& relative_path) {
    PictureItem item;
    item.source.path = path;
    inputs.push_back({std::move(item), relative_path, file_identity(path)});
  }
  void add_problem(const fs::path& path, Error error) {
    PictureItem item;
    item.source.path = path;
    item.problem = std::move(error);
    inputs.push_back({.item = std::move(item), .relative_path = path.filename(), .identity = {}});
  }
  void add_folder(const fs::path& folder, const fs::path& relative_path);
  /// Adds one entry of a folder, or counts why it is skipped. `is_in_output_folder`: the entry is in the output folder
  /// or below it, so that it may be a result of an earlier run.
  void add_entry(const fs::directory_entry& entry, const fs::path& relative_path, bool is_in_output_folder);
  void add_subfolder(const fs::path& folder, const fs::path& relative_path);
  void add_path(const fs::path& path);
  void add_input(const std::string& input);
  void add_standard_input();
  bool is_earlier_result(const fs::path& path) const;
};

bool is_hidden(const fs::path& name) { return name.native().starts_with('.'); }

/// Returns true for the folder in which weir keeps its own files.
bool is_weir_folder(const fs::path& name) { return name == ".weir"; }

bool is_within(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder.ends_with('/') ? folder : folder + '/');
}

/// Returns true if the file is an output that weir made from another file.
bool InputFinder::is_earlier_result(const fs::path& path) const {
  const auto record = checkpoint_of(path, options);
  return record && input_of(*record) != file_identity(path);
}

void InputFinder::add_subfolder(const fs::path& folder, const fs::path& relative_path) {
  if (is_weir_folder(folder.filename()) || file_identity(folder) == output_identity) return;  // files that weir wrote
  if (is_hidden(folder.filename()))
    ++skipped.hidden_folders;
  else
    add_folder(folder, relative_path);
}

void InputFinder::add_entry(const fs::directory_entry& entry, const fs::path& relative_path, bool is_in_output_folder) {
  std::error_code problem;
  const fs::path& path = entry.path();
  const fs::path name = path.filename();
  const bool is_link = entry.is_symlink(problem);
  const fs::file_status status = entry.status(problem);
  const bool is_picture = media::format_of_extension(name.extension().native()).has_value();
  if (fs::is_directory(status)) {
    if (!is_link) return add_subfolder(path, relative_path / name);
    ++skipped.folder_links;
  } else if (is_hidden(name)) {
    if (!jobs::is_record_name(name.native())) ++skipped.hidden_files;
  } else if (status.type() == fs::file_type::not_found || problem == std::errc::too_many_symbolic_link_levels) {
    if (is_link) ++skipped.broken_links;  // otherwise the file was removed meanwhile
  } else if (status.type() == fs::file_type::none || status.type() == fs::file_type::unknown) {
    add_problem(path, {Errc::io, problem ? problem.message() : "its type cannot be read"});
  } else if (!fs::is_regular_file(status)) {
    ++skipped.special_files;
  } else if (!is_picture) {
    ++skipped.other_files;
  } else if (is_in_output_folder && is_earlier_result(path)) {
    ++skipped.earlier_results;
  } else {
    add_file(path, relative_path / name);
  }
}

void InputFinder::add_folder(const fs::path& folder, const fs::path& relative_path) {
  std::error_code problem;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator at{folder, problem}, end; !problem && at != end; at.increment(problem))
    entries.push_back(*at);
  if (problem) return add_problem(folder, {Errc::io, fmt::format("cannot list the folder: {}", problem.message())});
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.path().native() < b.path().native(); });
  const bool is_in_output_folder = is_within(file_identity(folder), output_identity);
  for (const auto& entry : entries) add_entry(entry, relative_path, is_in_output_folder);
}

void InputFinder::add_path(const fs::path& path) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (fs::is_directory(status)) {
    folder_among_inputs = true;
    const std::size_t before = inputs.size();
    add_folder(path, {});
    if (inputs.size() == before) add_problem(path, {Errc::io, "no picture in this folder"});
  } else if (!fs::exists(status)) {
    add_problem(path, {Errc::io, problem && problem != std::errc::no_such_file_or_directory ? problem.message()
                                                                                            : "no such file"});
  } else if (!fs::is_regular_file(status)) {
    add_problem(path, {Errc::io, "a pipe, socket or device, not a file; give - to read standard input"});
  } else {
    add_file(path, path.filename());
  }
}

void InputFinder::add_standard_input() {
  PictureItem item;
  item.source.path = "-";
  auto bytes = read_standard_input(options.standard_input_limit, options.stop);
  if (bytes)
    item.source.bytes = std::make_shared<const std::vector<std::byte>>(*std::move(bytes));
  else
    item.problem = bytes.error();
  inputs.push_back({.item = std::move(item), .relative_path = "stdin", .identity = {}});
}

void InputFinder::add_input(const std::string& input) {
  std::error_code problem;
  if (input == "-") return add_standard_input();
  if (!has_wildcard(input) || fs::exists(input, problem)) return add_path(input);
  const auto matches = expand_pattern(input);
  if (matches.empty()) add_problem(input, {Errc::io, "nothing matches this pattern"});
  for (const auto& match : matches) add_path(match);
}

/// Returns the input's format: by its extension; for standard input, by its content.
std::optional<media::Format> input_format(const FoundInput& input) {
  if (!input.item.source.bytes) return media::format_of_extension(input.relative_path.extension().native());
  auto reader = media::PictureReader::open(input.item.source);
  if (!reader) return std::nullopt;
  return (*reader)->info().format;
}

/// Returns the input's own format if it is lossless; else PNG.
media::Format default_format(const FoundInput& input) {
  const auto format = input_format(input);
  return format && media::is_lossless(*format) ? *format : media::Format::png;
}

/// Returns the format of a single output file: by its extension, else --format, else the input's. Errors:
/// invalid_argument.
Result<media::Format> format_for_file(const fs::path& output, const OutputOptions& options, const FoundInput& input) {
  const std::string extension = output.extension().native();
  const auto named = extension.empty() ? std::nullopt : media::format_of_extension(extension);
  if (named && options.format && options.format_required && *named != *options.format)
    return Error{Errc::invalid_argument, fmt::format("--format {} contradicts the output's name {}",
                                                     media::name_of(*options.format), printable(output.native()))};
  if (named && !media::can_write(*named))
    return Error{Errc::invalid_argument,
                 fmt::format("{} pictures cannot be written: {}; {} can", media::name_of(*named),
                             printable(output.native()), media::list_written_formats())};
  if (named) return *named;
  if (options.format) return *options.format;
  if (!extension.empty())
    return Error{Errc::invalid_argument, fmt::format("the extension of the output {} is not a picture's; give --format",
                                                     printable(output.native()))};
  return default_format(input);
}

/// Returns the extension of the output for a format, with its dot. If the input has the same format, returns the
/// input's own extension, such as ".JPG" or ".tif".
std::string extension_for(const FoundInput& input, media::Format format) {
  std::string input_extension = input.relative_path.extension().native();
  if (media::format_of_extension(input_extension) == format) return input_extension;
  return fmt::format(".{}", media::name_of(format));
}

NamingInput make_naming_input(const FoundInput& input) {
  return {.path = input.item.source.path,
          .identity = input.identity,
          .relative_path = input.relative_path,
          .output_extension = extension_for(input, input.item.format),
          .has_picture_extension = media::format_of_extension(input.relative_path.extension().native()).has_value()};
}

/// Returns true if the file has the size and hash in the checkpoint.
bool has_contents(const fs::path& path, const jobs::RecordedFile& recorded) {
  const auto facts = file_facts(path);
  if (!facts || facts->size != recorded.facts.size) return false;
  const auto hash = hash_file(path);
  return hash && *hash == recorded.hash;
}

/// Finds the OutputOrigin of earlier outputs by their checkpoints. If the checkpoint names a file in another folder
/// with the same file name as this input, the input may have been moved or copied from there. The origin is then
/// `none`, so that the input can get the name, if that file is gone or this input has its recorded contents, and that
/// file is not an input itself.
class OriginFinder {
 public:
  OriginFinder(const std::vector<const FoundInput*>& inputs, const OutputOptions& options)
      : inputs_{inputs}, options_{options} {
    for (const FoundInput* input : inputs) input_identities_.insert(input->identity);
  }
  OutputOrigin operator()(std::size_t index, const fs::path& output) const {
    const auto record = checkpoint_of(output, options_);
    if (!record) return OutputOrigin::none;
    const fs::path made_from = input_of(*record);
    const fs::path input_path{inputs_[index]->identity};
    if (made_from == input_path) return OutputOrigin::this_input;
    if (made_from.filename() != input_path.filename() || input_identities_.contains(made_from.native()))
      return OutputOrigin::other_input;
    std::error_code ignored;
    const bool origin_exists = fs::exists(made_from, ignored);
    return origin_exists && !has_contents(input_path, record->inputs.front()) ? OutputOrigin::other_input
                                                                              : OutputOrigin::none;
  }

 private:
  const std::vector<const FoundInput*>& inputs_;
  const OutputOptions& options_;
  std::set<std::string> input_identities_;
};

/// Chooses the names of all outputs in the output folder. Inputs with a problem get their short name.
void name_outputs(std::vector<FoundInput>& found_inputs, const OutputOptions& options,
                  std::vector<RenamedOutput>& renamed) {
  std::vector<NamingInput> inputs;
  std::vector<const FoundInput*> named;
  for (FoundInput& input : found_inputs) {
    input.item.format = options.format.value_or(default_format(input));
    input.item.output = short_output_name(make_naming_input(input), options.output);
    if (input.item.problem) continue;
    inputs.push_back(make_naming_input(input));
    named.push_back(&input);
  }
  const OriginFinder earlier{named, options};
  auto outputs = choose_output_names(inputs, options.output,
                                     [&](std::size_t index, const fs::path& output) { return earlier(index, output); });
  std::size_t next_output = 0;  // `outputs` has none for inputs with a problem
  for (FoundInput& input : found_inputs) {
    if (input.item.problem) continue;
    fs::path& output = outputs[next_output++];
    if (output != input.item.output) renamed.push_back({input.item.source.path, output});
    input.item.output = std::move(output);
  }
}

/// Removes each input that is the same file as an earlier one and has the same relative path.
void drop_repeated(std::vector<FoundInput>& found_inputs) {
  std::map<std::string, fs::path> known;
  std::erase_if(found_inputs, [&](const FoundInput& input) {
    if (input.identity.empty()) return false;
    const auto [entry, is_new] =
        known.emplace(input.identity + '\0' + input.relative_path.native(), input.relative_path);
    return !is_new;
  });
}

/// Returns true if the output is, or will be created as, a folder. `is_multiple`: there are several inputs or an input
/// folder. Errors: invalid_argument if it must be a folder and cannot be one.
Result<bool> is_output_folder(const OutputOptions& options, bool is_multiple) {
  std::error_code problem;
  // Without slashes at the end, with which the path of a file cannot be looked up.
  const std::size_t last_character = options.output.find_last_not_of('/');
  const fs::file_status status = fs::status(
      last_character == std::string::npos ? options.output : options.output.substr(0, last_character + 1), problem);
  if (fs::is_directory(status)) return true;
  if (!is_multiple && !options.output.ends_with('/')) return false;
  if (fs::exists(status) || options.output == "-")
    return Error{Errc::invalid_argument,
                 fmt::format("the output must be a folder here, and {} is not one", printable(options.output))};
  if (!options.output.ends_with('/') && media::format_of_extension(fs::path{options.output}.extension().native()))
    return Error{
        Errc::invalid_argument,
        fmt::format("the output must be a folder here, and {} is named as a picture; write {}/ if it is to be one",
                    printable(options.output), printable(options.output))};
  return true;
}

/// Sets the problem of items whose output path exists and is not a file, since --overwrite does not replace it.
void check_output_paths(std::vector<PictureItem>& items) {
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

/// Sets the output of a single picture to the path that the user gave, and its format. Errors: invalid_argument if the
/// extension or the format cannot be written.
Status set_single_output(FoundInput& input, const OutputOptions& options) {
  input.item.output = options.output;
  if (options.output == "-") {
    input.item.format = options.format.value_or(default_format(input));
    return ok();
  }
  const auto format = format_for_file(options.output, options, input);
  if (!format) return format.error();
  input.item.format = *format;
  return ok();
}

}  // namespace

Result<PictureList> list_pictures(const std::vector<std::string>& inputs, const OutputOptions& options) {
  InputFinder finder{.options = options, .output_identity = file_identity(options.output)};
  if (std::count(inputs.begin(), inputs.end(), "-") > 1)
    return Error{Errc::invalid_argument, "standard input (-) can be given once only"};
  if (options.format && !media::can_write(*options.format))
    return Error{Errc::invalid_argument, fmt::format("{} pictures cannot be written; {} can",
                                                     media::name_of(*options.format), media::list_written_formats())};
  if (std::find(inputs.begin(), inputs.end(), "") != inputs.end())
    return Error{Errc::invalid_argument, "the name of an input is empty"};
  for (const std::string& input : inputs) finder.add_input(input);
  drop_repeated(finder.inputs);
  const auto writes_to_folder =
      is_output_folder(options, inputs.size() > 1 || finder.inputs.size() > 1 || finder.folder_among_inputs);
  if (!writes_to_folder) return writes_to_folder.error();
  PictureList list;
  list.skipped = finder.skipped;
  if (*writes_to_folder) {
    name_outputs(finder.inputs, options, list.renamed);
  } else {
    for (FoundInput& input : finder.inputs) {
      if (auto named = set_single_output(input, options); !named) return named.error();
    }
  }
  for (FoundInput& input : finder.inputs) list.items.push_back(std::move(input.item));
  check_output_paths(list.items);
  return list;
}

}  // namespace weir::tasks
