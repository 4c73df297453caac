#include "tasks/picture_list.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;

constexpr FileKind kPictures{.task = kUpscaleKind, .noun = "picture", .has_extension = [](std::string_view extension) {
                               return media::format_of_extension(extension).has_value();
                             }};

/// Makes the item of an input, without its output. Reads standard input.
PictureItem make_item(const FoundInput& input, const OutputOptions& options) {
  PictureItem item;
  item.source.path = input.path;
  item.problem = input.problem;
  if (!input.is_standard_input) return item;
  auto bytes = read_standard_input(options.standard_input_limit, options.stop);
  if (bytes)
    item.source.bytes = std::make_shared<const std::vector<std::byte>>(*std::move(bytes));
  else
    item.problem = bytes.error();
  return item;
}

/// Returns the input's format: by its extension; for standard input, by its content.
std::optional<media::Format> input_format(const PictureItem& item) {
  if (!item.source.bytes) return media::format_of_extension(item.source.path.extension().native());
  auto reader = media::PictureReader::open(item.source);
  if (!reader) return std::nullopt;
  return (*reader)->info().format;
}

/// Returns the input's own format if it is lossless; else PNG.
media::Format default_format(const PictureItem& item) {
  const auto format = input_format(item);
  return format && media::is_lossless(*format) ? *format : media::Format::png;
}

/// Returns the format of a single output file: by its extension, else --format, else the input's. Errors:
/// invalid_argument.
Result<media::Format> format_for_file(const fs::path& output, const OutputOptions& options, const PictureItem& item) {
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
  return default_format(item);
}

/// Returns the extension of the output for a format, with its dot. If the input has the same format, returns the
/// input's own extension, such as ".JPG" or ".tif".
std::string extension_for(const FoundInput& input, media::Format format) {
  std::string input_extension = input.relative_path.extension().native();
  if (media::format_of_extension(input_extension) == format) return input_extension;
  return fmt::format(".{}", media::name_of(format));
}

/// Chooses the outputs of all items in the output folder.
void set_outputs_in_folder(const FoundInputs& inputs, const OutputOptions& options, PictureList& list) {
  std::vector<std::string> extensions;
  extensions.reserve(inputs.files.size());
  for (std::size_t i = 0; i < inputs.files.size(); ++i) {
    PictureItem& item = list.items[i];
    item.format = options.format.value_or(default_format(item));
    extensions.push_back(extension_for(inputs.files[i], item.format));
  }
  const OutputPlace place{options.output, options.checkpoint_folder};
  std::vector<OutputName> names = name_outputs(inputs.files, extensions, kPictures, place);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].is_renamed) list.renamed.push_back({list.items[i].source.path, names[i].path});
    list.items[i].output = std::move(names[i].path);
  }
}

/// Sets the output of a single picture to the path that the user gave, and its format. Errors: invalid_argument if the
/// extension or the format cannot be written.
Status set_single_output(PictureItem& item, const OutputOptions& options) {
  item.output = options.output;
  if (options.output == "-") {
    item.format = options.format.value_or(default_format(item));
    return ok();
  }
  const auto format = format_for_file(options.output, options, item);
  if (!format) return format.error();
  item.format = *format;
  return ok();
}

}  // namespace

Result<PictureList> list_pictures(const std::vector<std::string>& inputs, const OutputOptions& options) {
  if (options.format && !media::can_write(*options.format))
    return Error{Errc::invalid_argument, fmt::format("{} pictures cannot be written; {} can",
                                                     media::name_of(*options.format), media::list_written_formats())};
  const auto found = find_inputs(inputs, kPictures, {options.output, options.checkpoint_folder});
  if (!found) return found.error();
  PictureList list;
  list.skipped = found->skipped;
  list.items.reserve(found->files.size());
  for (const FoundInput& input : found->files) list.items.push_back(make_item(input, options));
  if (found->writes_to_folder) {
    set_outputs_in_folder(*found, options, list);
  } else {
    for (PictureItem& item : list.items) {
      if (auto named = set_single_output(item, options); !named) return named.error();
    }
  }
  for (PictureItem& item : list.items) {
    if (!item.problem && item.output != "-") item.problem = find_output_problem(item.output);
  }
  return list;
}

}  // namespace weir::tasks
