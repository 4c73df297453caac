// The flags of `weir film`: its own, and those of `weir upscale` that films share.

#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/common_flags.hpp"
#include "cli/flag_values.hpp"
#include "cli/flags.hpp"

namespace weir::cli {
namespace {

/// Stores a text that must be one of the words in `choices`, such as "on|off".
Status set_word(std::string_view text, std::string_view choices, std::string& target) {
  for (const std::string_view choice : list_choices(choices)) {
    if (choice != text) continue;
    target = text;
    return ok();
  }
  return invalid(fmt::format("'{}' is none of {}", printable(text), choices));
}

/// Parses a number of at least 0. Errors: invalid_argument.
Result<double> parse_seconds(std::string_view text) {
  const bool is_zero = !text.empty() && text.find_first_not_of("0.") == std::string_view::npos;
  return is_zero ? 0.0 : parse_positive(text);
}

/// Parses seconds, as in "90.5", or a clock, as in "1:30" and "1:02:03.5".
Status set_clock(std::string_view text, std::optional<double>& target) {
  double seconds = 0;
  std::string_view rest = text;
  for (int parts = 0;; ++parts) {
    const std::size_t colon = rest.find(':');
    const auto part = parse_seconds(rest.substr(0, colon));
    if (!part || parts == 3 || (parts > 0 && *part >= 60))
      return invalid(fmt::format("'{}' is not a time; write 90.5, 1:30 or 1:02:03", printable(text)));
    seconds = seconds * 60 + *part;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  target = seconds;
  return ok();
}

/// Parses NAME=VALUE and adds it to the options of the encoder.
Status add_encoder_option(std::string_view text, Arguments& args) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos)
    return invalid(fmt::format("'{}' is not an option of the encoder; write NAME=VALUE", printable(text)));
  args.film.encoder_options.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  return ok();
}

constexpr std::string_view kContainers = "mkv|mp4|mov|webm|nut|y4m";
constexpr std::string_view kCodecs = "x264|x265|av1|ffv1";
constexpr std::string_view kDeinterlace = "auto|on|off";

const Flag kOwnFlags[] = {
    {FlagGroup::output, "--output", 'o', "OUTPUT",
     "Where to write the result. A folder if it exists as one, ends in '/', or there are several inputs or a folder; "
     "otherwise a file, whose extension names the container; '-' is standard output.",
     "none; it must be given", "", [](std::string_view text, Arguments& args) { return set_path(text, args.output); }},
    {FlagGroup::output, "--format", 0, kContainers, "Container of the result. y4m is for standard output only.",
     "the output's extension; in a folder mkv; on standard output nut", "film.format",
     [](std::string_view text, Arguments& args) { return set_word(text, kContainers, args.film.container); }},
    {FlagGroup::output, "--codec", 0, kCodecs,
     "How the film is encoded; a film of more than 8 bits keeps its bits. ffv1 loses nothing.", "", "film.codec",
     [](std::string_view text, Arguments& args) { return set_word(text, kCodecs, args.film.codec); },
     [](const Arguments&) { return std::string{"x264"}; }},
    {.group = FlagGroup::output,
     .name = "--crf",
     .value_name = "N",
     .help = "Quality of the codec, 0 (without loss, or the best) to 63; a smaller number is better and larger.",
     .default_text = "18; for av1 30",
     .setting_key = "film.crf",
     .set = [](std::string_view text,
               Arguments& args) { return assign_parsed(parse_integer(text, 0, 63), args.film.crf); },
     .alias = "-crf"},
    {.group = FlagGroup::output,
     .name = "--preset",
     .value_name = "P",
     .help = "Speed of the encoder: ultrafast to veryslow, or 0 to 13 for av1. A slower one makes smaller files.",
     .default_text = "medium; for av1 8",
     .setting_key = "film.preset",
     .set = [](std::string_view text, Arguments& args) { return set_path(text, args.film.preset); },
     .alias = "-preset"},
    {.group = FlagGroup::output,
     .name = "--encoder-option",
     .value_name = "NAME=VALUE",
     .help = "An option of FFmpeg's encoder, as in tune=animation; may be given several times. threads=N sets the "
             "encoder's threads.",
     .default_text = "none",
     .set = add_encoder_option,
     .can_repeat = true},
    {FlagGroup::output, "--audio", 0, "copy|CODEC",
     "copy: the sound is copied as it is. CODEC: it is encoded again, as in aac, opus or flac.", "", "film.audio",
     [](std::string_view text, Arguments& args) { return set_path(text, args.film.audio); },
     [](const Arguments&) { return std::string{"copy"}; }},
    {.group = FlagGroup::work,
     .name = "--from",
     .value_name = "TIME",
     .help = "Begin at this time of the film: seconds, as in 90.5, or a clock, as in 1:02:03.",
     .default_text = "its beginning",
     .set = [](std::string_view text, Arguments& args) { return set_clock(text, args.film.from_s); },
     .alias = "-ss"},
    {.group = FlagGroup::work,
     .name = "--to",
     .value_name = "TIME",
     .help = "End before this time of the film.",
     .default_text = "its end",
     .set = [](std::string_view text, Arguments& args) { return set_clock(text, args.film.to_s); },
     .alias = "-to"},
    {FlagGroup::work, "--limit", 0, "N", "Enlarge only the first N frames, to try something.", "all", "",
     [](std::string_view text, Arguments& args) {
       return assign_parsed(parse_integer(text, 1, 1'000'000'000), args.film.limit);
     }},
    {FlagGroup::work, "--preview", 0, "TIME",
     "Make only a preview without sound: three seconds from this time of the film on, enlarged by bicubic "
     "interpolation "
     "and by several networks, side by side. The networks are the first choice and those of --variants, or else up to "
     "three of the same scale.",
     "no preview", "", [](std::string_view text, Arguments& args) { return set_clock(text, args.film.preview_s); }},
    {FlagGroup::work, "--deinterlace", 0, kDeinterlace,
     "Make whole pictures of interlaced ones, with the filter bwdif. auto: where the film's flags and its pictures "
     "both "
     "say that it is interlaced; if they contradict each other, the film fails with a message that asks for on or off.",
     "", "film.deinterlace",
     [](std::string_view text, Arguments& args) { return set_word(text, kDeinterlace, args.film.deinterlace); },
     [](const Arguments&) { return std::string{"auto"}; }},
};

/// A flag of `weir upscale` that `weir film` has too. `help`: its description for films; empty: the same.
struct SharedFlag {
  std::string_view name, help = {};
};
constexpr SharedFlag kSharedFlags[] = {
    {"--model"},
    {"--name"},
    {"--models"},
    {"--noise"},
    {"--scale"},
    {"--resize"},
    {"--width"},
    {"--precision"},
    {"--tta"},
    {"--variants",
     "Smaller networks that may be used, in this order, for a film that does not fit into the memory limit; "
     "each use is reported, recorded and counted."},
    {"--ram", "The memory limit: the most memory that all processes of the run may use, as in 640M or 1.5G."},
    {"--threads"},
    {"--device",
     "What to run on: the processors, as in cpu, cpu:0-3 or cpu:0,2; or a GPU by a part of its name, by "
     "GPU-UUID, by pci:0000:01:00.0, or gpu for the best one; NAME#2 is the second of several. An unknown "
     "name lists all GPUs. Several devices, as in cpu:0-3,cpu:4-7, share the segments of a film and --ram."},
    {"--vram"},
    {"--tile"},
    {"--strict-device",
     "A GPU error makes the segment fail. Without this flag the work is repeated with smaller tiles, in "
     "32-bit floating point, with the GPU opened again, and finally on the processors; each step is "
     "reported."},
    {"--no-cpu"},
    {"--damaged",
     "How to handle a damaged film. use: what can be decoded is used, the damage is reported, and the exit "
     "status is 1. refuse: any damage makes the film fail."},
    {"--overwrite",
     "Do every film again and replace existing outputs. Without this flag finished films are skipped, and "
     "a film fails if its output exists and is not the file that weir made."},
    {"--explain", "Report for each film and segment why it is done, skipped or done again."},
    {"--verify"},
    {"--retry-failed", "Retry films that failed permanently in an earlier run."},
    {"--upgrade", "Do films again that were done with a smaller variant."},
    {"--same-pixels"},
    {"--stall", "A worker without a heartbeat for this time is ended and its segment tried again."},
    {"--wait",
     "How long a worker waits for a GPU that another program has leased; 0: not at all. The other workers "
     "continue meanwhile."},
    {"--max-items-per-worker", "Replace a worker process after this many segments."},
    {"--pause-file"},
    {"--on-full-disk"},
    {"--log"},
    {"--metrics"},
    {"--metrics-file"},
    {"--dry-run", "Print the plan: frames, segments, memory, disk and expected time. Nothing is written."},
    {"--json", "Print one JSON object per film on standard output."},
    {"--quiet"},
    {"--help"},
};

std::vector<Flag> make_film_flags() {
  std::vector<Flag> flags{std::begin(kOwnFlags), std::end(kOwnFlags)};
  for (const Flag& flag : upscale_flags()) {
    if (flag.name.empty()) flags.push_back(flag);  // a setting without a flag
    for (const SharedFlag& shared : kSharedFlags) {
      if (flag.name != shared.name) continue;
      flags.push_back(flag);
      if (!shared.help.empty()) flags.back().help = shared.help;
    }
  }
  return flags;
}

}  // namespace

std::span<const Flag> film_flags() {
  static const std::vector<Flag> kFlags = make_film_flags();
  return kFlags;
}

}  // namespace weir::cli
