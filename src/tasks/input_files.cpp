#include "tasks/input_files.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/paths.hpp"
#include "base/text.hpp"
#include "jobs/json.hpp"
#include "jobs/record.hpp"
#include "tasks/output_names.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;

/// Returns the checkpoint of an output (the record of how an earlier run made it), if it exists and is readable.
std::optional<jobs::Record> checkpoint_of(const fs::path& output, const FileKind& kind, const OutputPlace& place) {
  if (!place.checkpoint_folder) return std::nullopt;
  jobs::Item item;
  item.task = kind.task;
  item.outputs = {output};
  auto record = jobs::read_record(jobs::record_paths(item, *place.checkpoint_folder).done);
  return record ? *std::move(record) : std::nullopt;
}

/// Returns the input that a checkpoint names; empty for standard input.
fs::path input_of(const jobs::Record& record) {
  return record.inputs.empty() ? fs::path{} : jobs::decode_path(record.inputs.front().path);
}

/// Collects the files of all inputs that the user gave.
struct InputFinder {
  const FileKind& kind;
  const OutputPlace& place;
  std::string output_identity = {};
  std::vector<FoundInput> files = {};
  SkippedEntries skipped = {};
  bool folder_among_inputs = false;

  void add_file(const fs::path& path, const fs::path& relative_path) {
    files.push_back({.path = path, .relative_path = relative_path, .identity = file_identity(path)});
  }
  void add_problem(const fs::path& path, Error error) {
    files.push_back({.path = path, .relative_path = path.filename(), .identity = {}, .problem = std::move(error)});
  }
  void add_folder(const fs::path& folder, const fs::path& relative_path);
  /// Adds one entry of a folder, or counts why it is skipped. `is_in_output_folder`: the entry is in the output folder
  /// or below it, so that it may be a result of an earlier run.
  void add_entry(const fs::directory_entry& entry, const fs::path& relative_path, bool is_in_output_folder);
  void add_subfolder(const fs::path& folder, const fs::path& relative_path);
  void add_path(const fs::path& path);
  void add_input(const std::string& input);
  bool is_earlier_result(const fs::path& path) const;
};

bool is_hidden(const fs::path& name) { return name.native().starts_with('.'); }

/// Returns true for a folder in which weir keeps its own files: that of a run, or that of a film (".NAME.weir").
bool is_weir_folder(const fs::path& name) {
  return name == ".weir" || (is_hidden(name) && name.extension() == ".weir");
}

bool is_within(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder.ends_with('/') ? folder : folder + '/');
}

/// Returns true if the file is an output that weir made from another file.
bool InputFinder::is_earlier_result(const fs::path& path) const {
  const auto record = checkpoint_of(path, kind, place);
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
  } else if (!kind.has_extension(name.extension().native())) {
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
    const std::size_t before = files.size();
    add_folder(path, {});
    if (files.size() == before) add_problem(path, {Errc::io, fmt::format("no {} in this folder", kind.noun)});
  } else if (!fs::exists(status)) {
    add_problem(path, {Errc::io, problem && problem != std::errc::no_such_file_or_directory ? problem.message()
                                                                                            : "no such file"});
  } else if (!fs::is_regular_file(status)) {
    add_problem(path, {Errc::io, "a pipe, socket or device, not a file; give - to read standard input"});
  } else {
    add_file(path, path.filename());
  }
}

void InputFinder::add_input(const std::string& input) {
  std::error_code problem;
  if (input == "-") {
    files.push_back({.path = "-", .relative_path = "stdin", .identity = {}, .is_standard_input = true});
    return;
  }
  if (!has_wildcard(input) || fs::exists(input, problem)) return add_path(input);
  const auto matches = expand_pattern(input);
  if (matches.empty()) add_problem(input, {Errc::io, "nothing matches this pattern"});
  for (const auto& match : matches) add_path(match);
}

/// Removes each input that is the same file as an earlier one and has the same relative path.
void drop_repeated(std::vector<FoundInput>& files) {
  std::map<std::string, fs::path> known;
  std::erase_if(files, [&](const FoundInput& input) {
    if (input.identity.empty()) return false;
    const auto [entry, is_new] =
        known.emplace(input.identity + '\0' + input.relative_path.native(), input.relative_path);
    return !is_new;
  });
}

/// Returns true if the output is, or will be created as, a folder. `is_multiple`: there are several inputs or an input
/// folder. Errors: invalid_argument if it must be a folder and cannot be one.
Result<bool> is_output_folder(const FileKind& kind, const OutputPlace& place, bool is_multiple) {
  std::error_code problem;
  // Without slashes at the end, with which the path of a file cannot be looked up.
  const std::size_t last_character = place.output.find_last_not_of('/');
  const fs::file_status status = fs::status(
      last_character == std::string::npos ? place.output : place.output.substr(0, last_character + 1), problem);
  if (fs::is_directory(status)) return true;
  if (!is_multiple && !place.output.ends_with('/')) return false;
  if (fs::exists(status) || place.output == "-")
    return Error{Errc::invalid_argument,
                 fmt::format("the output must be a folder here, and {} is not one", printable(place.output))};
  if (!place.output.ends_with('/') && kind.has_extension(fs::path{place.output}.extension().native()))
    return Error{Errc::invalid_argument,
                 fmt::format("the output must be a folder here, and {} is named as a {}; write {}/ if it is to be one",
                             printable(place.output), kind.noun, printable(place.output))};
  return true;
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
  OriginFinder(const std::vector<NamingInput>& inputs, const FileKind& kind, const OutputPlace& place)
      : inputs_{inputs}, kind_{kind}, place_{place} {
    for (const NamingInput& input : inputs) input_identities_.insert(input.identity);
  }
  OutputOrigin operator()(std::size_t index, const fs::path& output) const {
    const auto record = checkpoint_of(output, kind_, place_);
    if (!record) return OutputOrigin::none;
    const fs::path made_from = input_of(*record);
    const fs::path input_path{inputs_[index].identity};
    if (made_from == input_path) return OutputOrigin::this_input;
    if (made_from.filename() != input_path.filename() || input_identities_.contains(made_from.native()))
      return OutputOrigin::other_input;
    std::error_code ignored;
    const bool origin_exists = fs::exists(made_from, ignored);
    return origin_exists && !has_contents(input_path, record->inputs.front()) ? OutputOrigin::other_input
                                                                              : OutputOrigin::none;
  }

 private:
  const std::vector<NamingInput>& inputs_;
  const FileKind& kind_;
  const OutputPlace& place_;
  std::set<std::string> input_identities_;
};

}  // namespace

Result<FoundInputs> find_inputs(const std::vector<std::string>& inputs, const FileKind& kind,
                                const OutputPlace& place) {
  if (std::count(inputs.begin(), inputs.end(), "-") > 1)
    return Error{Errc::invalid_argument, "standard input (-) can be given once only"};
  if (std::find(inputs.begin(), inputs.end(), "") != inputs.end())
    return Error{Errc::invalid_argument, "the name of an input is empty"};
  InputFinder finder{.kind = kind, .place = place, .output_identity = file_identity(place.output)};
  for (const std::string& input : inputs) finder.add_input(input);
  drop_repeated(finder.files);
  const auto writes_to_folder =
      is_output_folder(kind, place, inputs.size() > 1 || finder.files.size() > 1 || finder.folder_among_inputs);
  if (!writes_to_folder) return writes_to_folder.error();
  return FoundInputs{std::move(finder.files), finder.skipped, *writes_to_folder};
}

std::vector<OutputName> name_outputs(const std::vector<FoundInput>& files, const std::vector<std::string>& extensions,
                                     const FileKind& kind, const OutputPlace& place) {
  std::vector<NamingInput> inputs;
  std::vector<OutputName> outputs(files.size());
  std::vector<std::size_t> named;  // index in `files` of each of `inputs`
  inputs.reserve(files.size());
  named.reserve(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    NamingInput input{.path = files[i].path,
                      .identity = files[i].identity,
                      .relative_path = files[i].relative_path,
                      .output_extension = extensions[i],
                      .has_own_extension = kind.has_extension(files[i].relative_path.extension().native())};
    outputs[i].path = short_output_name(input, place.output);
    if (files[i].problem) continue;
    inputs.push_back(std::move(input));
    named.push_back(i);
  }
  const OriginFinder earlier{inputs, kind, place};
  auto chosen = choose_output_names(inputs, place.output,
                                    [&](std::size_t index, const fs::path& output) { return earlier(index, output); });
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    OutputName& output = outputs[named[i]];
    output = {.path = chosen[i], .is_renamed = chosen[i] != output.path};
  }
  return outputs;
}

std::optional<Error> find_output_problem(const fs::path& output) {
  std::error_code ignored;
  const fs::file_status status = fs::status(output, ignored);
  if (fs::is_directory(status))
    return Error{Errc::io, fmt::format("the output {} is a folder", printable(output.native()))};
  if (fs::exists(status) && !fs::is_regular_file(status))
    return Error{Errc::io, fmt::format("the output {} is a pipe, socket or device; give a file, or - for standard "
                                       "output",
                                       printable(output.native()))};
  return std::nullopt;
}

}  // namespace weir::tasks
