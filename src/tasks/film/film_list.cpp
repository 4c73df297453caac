#include "tasks/film/film_list.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/paths.hpp"
#include "base/text.hpp"
#include "media/film/display.hpp"
#include "media/film/film_files.hpp"
#include "media/film/film_reader.hpp"
#include "media/film/stream_plan.hpp"

namespace weir::film {
namespace {

namespace fs = std::filesystem;

/// Extensions by which films are found in folders. A film that is given by its own name may have any.
constexpr std::array<std::string_view, 26> kExtensions{"3gp", "asf", "avi", "dv",   "f4v", "flv",  "m2ts", "m2v", "m4v",
                                                       "mkv", "mov", "mp4", "mpeg", "mpg", "mts",  "mxf",  "nut", "ogm",
                                                       "ogv", "qt",  "rm",  "ts",   "vob", "webm", "wmv",  "y4m"};

constexpr tasks::FileKind kFilms{.task = kFilmKind, .noun = "film", .has_extension = [](std::string_view extension) {
                                   const std::string lower =
                                       lower_case(extension.starts_with('.') ? extension.substr(1) : extension);
                                   return std::find(kExtensions.begin(), kExtensions.end(), lower) != kExtensions.end();
                                 }};

/// Checks the name of a single output. Errors: invalid_argument.
Status check_name(const fs::path& output, const FilmListOptions& options) {
  const auto named = container_of(output);
  const std::string name = printable(output.native());
  if (!named)
    return Error{
        Errc::invalid_argument,
        fmt::format("the extension of the output {} is not that of a container; mkv, mp4, mov, webm and nut are",
                    name)};
  if (options.container && *options.container != *named)
    return Error{Errc::invalid_argument,
                 fmt::format("--format {} contradicts the output's name {}", name_of(*options.container), name)};
  return ok();
}

/// Checks that the film has the part to enlarge, where its header tells the duration. Errors: invalid_argument.
Status check_range(const AVFormatContext& input, const FilmRequest& request) {
  constexpr double kTolerance = 1;  // of headers, in seconds; the index pass is exact
  const double seconds = static_cast<double>(input.duration) / AV_TIME_BASE;
  const bool is_known = input.duration > 0 && input.duration_estimation_method != AVFMT_DURATION_FROM_BITRATE;
  if (!request.from || !is_known || *request.from < seconds + kTolerance) return ok();
  return Error{Errc::invalid_argument,
               fmt::format("it has no frame from {} s on: it is {:.3f} s long", *request.from, seconds)};
}

/// Returns why a film cannot be done, as far as its headers tell. Sets FilmItem::segments.
std::optional<Error> inspect(FilmItem& item, const FilmRequest& request, const tasks::NetworkCache& network_cache) {
  if (file_identity(item.film) == file_identity(item.output))
    return Error{Errc::invalid_argument, "the output would replace the film itself"};
  if (auto problem = tasks::find_output_problem(item.output)) return problem;
  const auto input = open_input(item.film);
  if (!input) return input.error();
  const int stream = find_video_stream(**input);
  if (stream < 0) return Error{Errc::unsupported, "it has no video stream"};
  const AVStream& video = *(*input)->streams[stream];
  const bool is_turned = pixel_turn(orientation_of(video), item.output) != Orientation{};
  const PlanRequest plan{.container = *container_of(item.output),
                         .codec = request.encode.codec,
                         .orientation = is_turned ? Orientation{} : orientation_of(video),
                         .audio = request.audio};
  const auto streams = plan_streams(**input, plan, printable(item.film.native()));
  if (!streams) return streams.error();
  if (auto checked = check_range(**input, request); !checked) return checked.error();
  const double scale = tasks::required_scale(request.upscale.upscale, video.codecpar->width, video.codecpar->height);
  const auto network = network_cache.select(scale);
  if (!network) return network.error();
  const double pixels = static_cast<double>(video.codecpar->width) * video.codecpar->height;
  item.segments = segment_rules(network->multiplications_per_pixel * pixels);
  return std::nullopt;
}

}  // namespace

SegmentRules segment_rules(double multiplications) {
  constexpr double kPerSegment = 24e12;  // about two minutes of two processor cores
  SegmentRules rules;
  const double frames = kPerSegment / std::max(multiplications, 1.0);
  rules.longest = static_cast<FrameNumber>(
      std::clamp(frames, static_cast<double>(rules.shortest), static_cast<double>(rules.longest)));
  return rules;
}

Result<FilmList> list_films(const std::vector<std::string>& inputs, const FilmListOptions& options,
                            const FilmRequest& request, const tasks::NetworkCache& network_cache) {
  const auto found = tasks::find_inputs(inputs, kFilms, options.place);
  if (!found) return found.error();
  FilmList list;
  list.skipped = found->skipped;
  list.items.reserve(found->files.size());
  for (const tasks::FoundInput& input : found->files) {
    if (input.is_standard_input) return Error{Errc::invalid_argument, "a film on standard input must be the only one"};
    list.items.push_back({.film = input.path, .output = options.place.output, .problem = input.problem});
  }
  if (found->writes_to_folder) {
    const std::string extension = fmt::format(".{}", name_of(options.container.value_or(Container::mkv)));
    auto names = tasks::name_outputs(found->files, std::vector<std::string>(found->files.size(), extension), kFilms,
                                     options.place);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].is_renamed) list.renamed.push_back({list.items[i].film, names[i].path});
      list.items[i].output = std::move(names[i].path);
    }
  } else if (auto named = check_name(options.place.output, options); !named) {
    return named.error();
  }
  for (FilmItem& item : list.items)
    if (!item.problem) item.problem = inspect(item, request, network_cache);
  return list;
}

}  // namespace weir::film
