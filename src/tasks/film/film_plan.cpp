#include "tasks/film/film_plan.hpp"

#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/file_facts.hpp"
#include "base/text.hpp"
#include "jobs/json.hpp"
#include "jobs/record.hpp"
#include "jobs/run_folder.hpp"

namespace weir::film {
namespace {

using jobs::Json;

// Names in the work folder.
constexpr char kIndexName[] = "index";
constexpr char kPartialIndexName[] = "index.part";
constexpr char kSegmentEnding[] = ".nut";

/// Returns the settings on which the bytes of the segments depend, beside the film and the network.
Json result_settings_json(const FilmRequest& request) {
  const enhance::UpscaleSettings& upscale = request.upscale.upscale;
  Json options = Json::array();
  for (const auto& [name, value] : request.encode.options) options.push_back({name, value});
  return {{"scale", upscale.scale},
          {"width", upscale.width},
          {"height", upscale.height},
          {"precision", upscale.precision == enhance::Precision::exact ? "exact" : "auto"},
          {"tta", upscale.tta},
          {"codec", name_of(request.encode.codec)},
          {"crf", request.encode.crf ? Json(*request.encode.crf) : Json()},
          {"preset", request.encode.preset},
          {"encoder_options", options},
          {"encoder_threads", request.encoder_threads ? Json(*request.encoder_threads) : Json()},
          {"deinterlace", name_of(request.deinterlace)}};
}

/// The keys of the settings on which an index depends, in the parameters of a film's item.
constexpr std::array kIndexKeys{"longest_segment", "shortest_segment", "decoder_threads"};
/// Those that a film's item has if the user gave them.
constexpr std::array kRangeKeys{"from", "to", "limit"};

/// Returns the number with this key; empty if there is none.
std::optional<double> optional_number(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

Result<jobs::Item> make_index_item(const jobs::Item& film) {
  const auto parameters = jobs::parse_object(film.parameters);
  if (!parameters) return parameters.error();
  Json settings = Json::object();
  for (const char* key : kIndexKeys) settings[key] = jobs::count_field(*parameters, key);
  for (const char* key : kRangeKeys)
    if (parameters->contains(key)) settings[key] = (*parameters)[key];
  jobs::Item item;
  item.task = kIndexKind;
  item.inputs = film.inputs;
  item.outputs = {jobs::work_folder_of(film.outputs.front()) / kIndexName};
  item.name = fmt::format("{}: index", jobs::display_name(film));
  item.is_intermediate = true;
  item.parameters = jobs::dump(settings);
  return item;
}

jobs::Item make_segment_item(const jobs::Item& film, const FilmIndex& index, std::size_t number,
                             const FilmRequest& request) {
  const std::filesystem::path folder = jobs::work_folder_of(film.outputs.front());
  const FrameRange range = index.segment(number);
  Json parameters = result_settings_json(request);
  parameters["film"] = jobs::encode_path(film.inputs.front());
  parameters["segment"] = number;
  parameters["encoder_threads"] = request.encoder_threads.value_or(index.encoder_threads);
  const Orientation turn = pixel_turn(index.orientation, film.outputs.front());
  parameters["turn"] = {turn.is_mirrored, turn.degrees};
  jobs::Item item;
  item.task = kSegmentKind;
  item.inputs = {folder / kIndexName};  // it has the size, the time and the hashes of the film
  item.outputs = {folder / segment_name(number)};
  item.name = fmt::format("{}: frames {} to {}", jobs::display_name(film), range.first, range.end - 1);
  item.is_intermediate = true;
  item.parameters = jobs::dump(parameters);
  return item;
}

Status create_work_folder(const std::filesystem::path& output) {
  std::error_code problem;
  std::filesystem::create_directories(jobs::work_folder_of(output), problem);
  if (!problem) return ok();
  return Error{Errc::io, fmt::format("{}: {}", printable(jobs::work_folder_of(output).string()), problem.message())};
}

/// Returns the kind of item whose output has this name in the work folder, or whose record, temporary or partial file;
/// empty for other names.
std::string kind_of_file(std::string_view name) {
  if (jobs::is_record_name(name)) {  // ".00001.nut.film_segment.done"
    name = name.substr(0, name.rfind('.'));
    for (const std::string_view kind : {kIndexKind, kSegmentKind}) {
      const std::string ending = fmt::format(".{}", kind);
      if (!name.ends_with(ending)) continue;
      const std::string_view output = name.substr(1, name.size() - ending.size() - 1);
      return kind_of_file(output) == kind ? std::string{kind} : std::string{};
    }
    return {};
  }
  if (name == kIndexName || name == kPartialIndexName) return kIndexKind;
  const std::string_view number = name.substr(0, name.find('.'));
  const bool is_number =
      number.size() >= 5 && number.size() < 10 && number.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number && name.substr(number.size()) == kSegmentEnding ? kSegmentKind : std::string{};
}

/// Removes the records of an output in the work folder that are in a folder of records. Those beside it have names of
/// their own.
Status remove_records(const std::filesystem::path& output, const std::filesystem::path& records) {
  const std::string name = output.filename().string();
  if (records.empty() || jobs::is_record_name(name)) return ok();
  jobs::Item item;
  item.task = kind_of_file(name);
  item.outputs = {output};
  const jobs::RecordPaths paths = jobs::record_paths(item, records);
  for (const std::filesystem::path& record : {paths.done, paths.intent, paths.failed}) {
    if (auto removed = remove_file(record); !removed) return removed;
  }
  return ok();
}

}  // namespace

Json to_json(const FilmRequest& request) {
  Json json = tasks::to_json(request.upscale);
  json["film"] = result_settings_json(request);
  json["audio"] = request.audio;
  json["suggested_encoder_threads"] = request.suggested_encoder_threads;
  return json;
}

Result<FilmRequest> parse_film_request(const Json& json) {
  auto upscale = tasks::parse_upscale_request(json);
  if (!upscale) return upscale.error();
  FilmRequest request;
  request.upscale = *std::move(upscale);
  const Json film = jobs::object_field(json, "film");
  const auto codec = video_codec_named(jobs::text_field(film, "codec"));
  if (!codec) return Error{Errc::corrupt, "a request without a codec"};
  request.encode.codec = *codec;
  if (film.contains("crf") && film["crf"].is_number_integer()) request.encode.crf = film["crf"].get<int>();
  request.encode.preset = jobs::text_field(film, "preset");
  if (film.contains("encoder_threads") && film["encoder_threads"].is_number_integer())
    request.encoder_threads = film["encoder_threads"].get<int>();
  for (const Json& option : film.value("encoder_options", Json::array())) {
    if (option.size() == 2 && option[0].is_string() && option[1].is_string())
      request.encode.options.emplace_back(option[0].get<std::string>(), option[1].get<std::string>());
  }
  request.audio = jobs::text_field(json, "audio");
  request.deinterlace = deinterlace_named(jobs::text_field(film, "deinterlace")).value_or(Deinterlace::automatic);
  request.suggested_encoder_threads = static_cast<int>(jobs::number_field(json, "suggested_encoder_threads"));
  return request;
}

std::string segment_name(std::size_t number) { return fmt::format("{:05}{}", number, kSegmentEnding); }

std::optional<Container> container_of(const std::filesystem::path& output) {
  const std::string extension = lower_case(output.extension().string());
  return container_named(extension.empty() ? extension : extension.substr(1));
}

Orientation pixel_turn(Orientation orientation, const std::filesystem::path& output) {
  const bool can_tell = row_of(container_of(output).value_or(Container::mkv)).has_display_matrix;
  return can_tell ? Orientation{} : orientation;
}

jobs::Item make_film_item(const FilmItem& film, const FilmRequest& request) {
  jobs::Item item;
  item.task = kFilmKind;
  item.inputs = {film.film};
  item.outputs = {film.output};
  Json parameters = result_settings_json(request);
  parameters["audio"] = request.audio;
  parameters["longest_segment"] = film.segments.longest;
  parameters["shortest_segment"] = film.segments.shortest;
  parameters["decoder_threads"] = request.decoder_threads;
  if (request.from) parameters["from"] = *request.from;
  if (request.to) parameters["to"] = *request.to;
  if (request.limit) parameters["limit"] = *request.limit;
  item.parameters = jobs::dump(parameters);
  item.problem = film.problem;
  return item;
}

jobs::Prerequisites film_prerequisites(const FilmRequest& request) {
  jobs::Prerequisites prerequisites;
  prerequisites.items_of_stage = [request](const jobs::Item& item, int stage) -> Result<std::vector<jobs::Item>> {
    std::vector<jobs::Item> items;
    if (item.task != kFilmKind || stage > 1) return items;
    if (stage == 0) {
      if (auto created = create_work_folder(item.outputs.front()); !created) return created.error();
      auto index = make_index_item(item);
      if (!index) return index.error();
      items.push_back(*std::move(index));
      return items;
    }
    const std::filesystem::path path = jobs::work_folder_of(item.outputs.front()) / kIndexName;
    if (auto checked = check_intermediate(path, kIndexKind, {}); !checked) return checked.error();
    const auto index = read_film_index(path);
    if (!index) return index.error();
    if (auto decided = decide_deinterlacing(*index, request.deinterlace); !decided) return decided.error();
    for (std::size_t number = 0; number < index->segments.size(); ++number)
      items.push_back(make_segment_item(item, *index, number, request));
    return items;
  };
  prerequisites.release = [](const jobs::Item& item, const std::filesystem::path& records) -> Status {
    return item.task == kFilmKind ? remove_work_folder(item.outputs.front(), records) : ok();
  };
  return prerequisites;
}

/// The names are enough, so that a removal that was interrupted can be completed without the index.
Status remove_work_folder(const std::filesystem::path& output, const std::filesystem::path& records) {
  namespace fs = std::filesystem;
  const fs::path folder = jobs::work_folder_of(output);
  std::error_code problem;
  std::vector<fs::path> files;
  for (fs::directory_iterator entry{folder, problem}; !problem && entry != fs::directory_iterator{};
       entry.increment(problem)) {
    if (!kind_of_file(entry->path().filename().string()).empty() && !entry->is_directory(problem))
      files.push_back(entry->path());
  }
  for (const fs::path& file : files) {
    if (auto removed = remove_records(file, records); !removed) return removed;
    if (auto removed = remove_file(file); !removed) return removed;
  }
  if (fs::is_directory(fs::symlink_status(folder, problem))) fs::remove(folder, problem);  // fails if it is not empty
  return ok();
}

Status check_intermediate(const std::filesystem::path& path, const char* kind, const std::function<void()>& heartbeat) {
  jobs::Item item;
  item.task = kind;
  item.outputs = {path};
  const std::filesystem::path done = jobs::record_paths(item, {}).done;
  const auto record = jobs::read_record(done);
  const auto hash = hash_file(path, heartbeat);
  // Without a record nothing is known, and the item is decided about by its files.
  if (!hash || !record || !*record || (*record)->outputs.empty() || (*record)->outputs.front().hash == *hash)
    return ok();
  for (const std::filesystem::path& file : {path, done}) {
    if (auto removed = remove_file(file); !removed) return removed;
  }
  return Error{Errc::io,
               fmt::format("{}: its content is not what weir wrote: it was removed, and the same command makes it "
                           "again",
                           printable(path.string()))};
}

Result<FilmIndex> read_film_index(const std::filesystem::path& path) {
  const auto text = read_file(path);
  if (!text) return text.error();
  auto index = parse_film_index(*text);
  if (!index) return Error{index.error().code, fmt::format("{}: {}", printable(path.string()), index.error().what)};
  return index;
}

Result<IndexSettings> parse_index_item(const jobs::Item& item) {
  const auto parameters = jobs::parse_object(item.parameters);
  if (!parameters) return parameters.error();
  IndexSettings settings;
  settings.segments = {.longest = static_cast<FrameNumber>(jobs::count_field(*parameters, "longest_segment")),
                       .shortest = static_cast<FrameNumber>(jobs::count_field(*parameters, "shortest_segment"))};
  settings.decoder_threads = static_cast<int>(jobs::count_field(*parameters, "decoder_threads"));
  settings.from = optional_number(*parameters, "from");
  settings.to = optional_number(*parameters, "to");
  if (const auto limit = optional_number(*parameters, "limit")) settings.limit = static_cast<FrameNumber>(*limit);
  return settings;
}

Result<SegmentItem> parse_segment_item(const jobs::Item& item) {
  const auto parameters = jobs::parse_object(item.parameters);
  if (!parameters) return parameters.error();
  SegmentItem segment{jobs::decode_path(jobs::text_field(*parameters, "film")),
                      jobs::count_field(*parameters, "segment")};
  const Json turn = parameters->value("turn", Json::array());
  if (turn.size() == 2 && turn[0].is_boolean() && turn[1].is_number_integer())
    segment.turn = {turn[0].get<bool>(), turn[1].get<int>()};
  return segment;
}

}  // namespace weir::film
