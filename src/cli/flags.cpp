// The flags of most commands, and functions for all flags. The flags of `weir audit` and `weir train` and those of the
// commands that lease devices are in audit_flags.cpp, train_flags.cpp and guard_flags.cpp.

#include "cli/flags.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/system_cpus.hpp"
#include "base/text.hpp"
#include "cli/common_flags.hpp"
#include "cli/defaults.hpp"
#include "cli/flag_values.hpp"
#include "device/policy.hpp"

namespace weir::cli {

namespace {

/// Parses one of two texts; `is_second` becomes true for the second one.
Status set_choice(std::string_view text, std::string_view first, std::string_view second, bool& is_second) {
  if (text != first && text != second)
    return invalid(fmt::format("'{}' is neither {} nor {}", printable(text), first, second));
  is_second = text == second;
  return ok();
}

/// Parses "WIDTH" or "WIDTHxHEIGHT".
Status set_size(std::string_view text, Arguments& args) {
  constexpr int kMaxSide = 10'000'000;  // pixels; a larger number is probably a typing error
  const std::size_t separator = text.find('x');
  const auto width = parse_integer(text.substr(0, separator), 1, kMaxSide);
  if (!width) return width.error();
  if (separator == std::string_view::npos) {
    args.size = {.scale = 0, .width = *width, .height = 0};
    return ok();
  }
  const auto height = parse_integer(text.substr(separator + 1), 1, kMaxSide);
  if (!height) return height.error();
  args.size = {.scale = 0, .width = *width, .height = *height};
  return ok();
}

Status set_resize(std::string_view text, Arguments& args) {
  if (text.find('x') == std::string_view::npos)
    return invalid(fmt::format("'{}' is not a size; write 1920x1080", printable(text)));
  return set_size(text, args);
}

Status set_width(std::string_view text, Arguments& args) {
  if (text.find('x') != std::string_view::npos)
    return invalid(fmt::format("'{}' is not a width; write 1920", printable(text)));
  return set_size(text, args);
}

Status set_scale(std::string_view text, Arguments& args) {
  constexpr double kMaxScale = 4'194'304;  // no picture has more pixels on a side
  const auto scale = parse_positive(text);
  if (!scale) return scale.error();
  if (*scale > kMaxScale) return invalid(fmt::format("'{}' is above {}", printable(text), kMaxScale));
  args.size = {.scale = *scale, .width = 0, .height = 0};
  return ok();
}

/// Parses a time like set_time(), which must be above 0, and stores it in seconds.
Status set_seconds(std::string_view text, double& target) {
  std::chrono::milliseconds time{};
  if (auto set = set_time(text, time); !set) return set;
  if (time.count() == 0) return invalid("the time must be above 0");
  target = std::chrono::duration<double>{time}.count();
  return ok();
}

Status set_format(std::string_view text, Arguments& args) {
  const auto format = media::format_of_extension(text);
  if (!format || !media::can_write(*format))
    return invalid(fmt::format("'{}' cannot be written; {} can", printable(text), media::list_written_formats()));
  args.format = format;
  return ok();
}

/// Parses DIR or DIR:SIZE. The text after the last colon is the size if it is a valid size; else it belongs to DIR.
/// Errors: invalid_argument for an empty text, and for a number without a unit after the colon. Such a number is no
/// error if a file or folder has the whole text as its name.
Status set_spill(std::string_view text, Arguments& args) {
  if (text.empty()) return invalid("the name is empty");
  const std::size_t colon = text.rfind(':');
  const bool has_colon = colon != std::string_view::npos && colon > 0;
  const std::string_view after_colon = has_colon ? text.substr(colon + 1) : std::string_view{};
  const auto limit = has_colon ? parse_bytes(after_colon) : Result<Bytes>{invalid("")};
  std::error_code ignored;
  if (!limit && !after_colon.empty() && after_colon.find_first_not_of("0123456789.") == std::string_view::npos &&
      !std::filesystem::exists(text, ignored))
    return limit.error();  // a size without its unit
  if (limit)
    args.spill = {.folder = std::string{text.substr(0, colon)}, .limit = *limit};
  else
    args.spill = {.folder = std::string{text}, .limit = std::nullopt};
  return ok();
}

/// Splits a list such as "cpu:0,2,cpu:4". A part with only digits and dashes belongs to the processor list before it.
std::vector<std::string> split_devices(std::string_view text) {
  std::vector<std::string> names;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const bool more_cores = !names.empty() && names.back().starts_with("cpu:") && !part.empty() &&
                            part.find_first_not_of("0123456789-") == std::string_view::npos;
    if (more_cores)
      names.back() += ',' + std::string{part};
    else
      names.emplace_back(part);
    if (comma == std::string_view::npos) return names;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace

Status set_device(std::string_view text, Arguments& args) {
  args.devices.clear();
  std::set<int> named_cpus;
  for (std::string& name : split_devices(text)) {
    runs::NamedDevice device{std::move(name), {}};
    if (device.name.empty()) return invalid("the name is empty");
    if (auto good = device::check_pattern(device.name); !good) return good;
    if (device.name.starts_with("cpu:")) {
      if (auto set = assign_parsed(parse_cpu_list(std::string_view{device.name}.substr(4)), device.cpus); !set)
        return set;
    }
    // A processor may be named once only: by its number, or by an entry "cpu", which stands for all processors.
    const std::size_t before = named_cpus.size();
    named_cpus.insert(device.cpus.begin(), device.cpus.end());
    const bool is_cpu_repeated = named_cpus.size() - before != device.cpus.size();
    args.devices.push_back(std::move(device));
    const auto is_cpu = [](const auto& each) { return !each.is_gpu(); };
    const auto cpu_entries = std::count_if(args.devices.begin(), args.devices.end(), is_cpu);
    const bool names_all_cpus = std::any_of(args.devices.begin(), args.devices.end(),
                                            [](const auto& each) { return !each.is_gpu() && each.cpus.empty(); });
    if (is_cpu_repeated || (names_all_cpus && cpu_entries > 1)) return invalid("a processor is named twice");
  }
  return ok();
}

namespace {

Status set_vram(std::string_view text, Arguments& args) {
  const auto vram = parse_bytes(text);
  if (!vram) return vram.error();
  if (*vram == Bytes{}) return invalid("the memory limit must be above 0");
  args.vram = *vram;
  return ok();
}

Status set_names(std::string_view text, std::vector<std::string>& target) {
  target.clear();
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    if (comma == 0 || rest.empty()) return invalid(fmt::format("'{}' has an empty name", printable(text)));
    target.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) return ok();
    rest.remove_prefix(comma + 1);
  }
}

Status set_ram(std::string_view text, Arguments& args) {
  const auto ram = parse_bytes(text);
  if (!ram) return ram.error();
  if (*ram == Bytes{}) return invalid("the memory limit must be above 0");
  args.ram = *ram;
  return ok();
}

const std::string kFormats = media::list_written_formats("|", "|");
const std::string kQualityHelp = fmt::format("Quality of {}, 1 to 100.", media::list_lossy_formats());

constexpr Flag kOutput{FlagGroup::output,
                       "--output",
                       'o',
                       "OUTPUT",
                       "Where to write the result. A folder if it exists as one, ends in '/', or there are several "
                       "inputs or a folder; otherwise a file; '-' is standard output.",
                       "none; it must be given",
                       "",
                       [](std::string_view text, Arguments& args) { return set_path(text, args.output); }};
constexpr Flag kModel{FlagGroup::network,
                      "--model",
                      0,
                      "DIR|FILE",
                      "The network: a .param file with its .bin beside it, or a folder to choose from.",
                      "networks are searched in $WEIR_MODELS, ~/.local/share/weir/models and the installed folder",
                      "model",
                      [](std::string_view text, Arguments& args) { return set_path(text, args.model); }};
constexpr Flag kModels{FlagGroup::network,
                       "--models",
                       0,
                       "DIR[:DIR]...",
                       "Folders with networks, separated by colons; searched before the user's folder and the "
                       "installed one, unless --model is given.",
                       "none",
                       "models",
                       [](std::string_view text, Arguments& args) { return set_path(text, args.models); }};

const Flag kUpscaleFlags[] = {
    kOutput,
    kModel,
    {FlagGroup::network, "--name", 0, "NAME",
     "The network of this name, as 'weir models' prints it: NAME, FOLDER/NAME, FOLDER, or a part of them.",
     "the one that fits --scale and --noise best", "name",
     [](std::string_view text, Arguments& args) { return set_path(text, args.name); }},
    kModels,
    {FlagGroup::network, "--noise", 0, "N",
     "How much noise the network removes, -1 (none, conservative) to 3, if the folder has networks for it.",
     "the network that removes the least noise", "noise",
     [](std::string_view text, Arguments& args) { return assign_parsed(parse_integer(text, -1, 3), args.noise); }},
    {FlagGroup::size, "--scale", 0, "N",
     "Enlarge N times on each axis, any number above 0. The network's own scale is used once, or twice when that is "
     "not enough; the rest is a resize in linear light.",
     "the network's own scale", "scale", set_scale},
    {FlagGroup::size, "--resize", 0, "WxH", "Enlarge to exactly this size in pixels.", "the size that --scale gives",
     "", set_resize},
    {FlagGroup::size, "--width", 0, "W", "Enlarge to this width in pixels; the height follows.",
     "the size that --scale gives", "", set_width},
    {FlagGroup::output, "--format", 0, kFormats, "Format of the output.",
     "the output's extension, else the input's format if it can be written without loss, else PNG", "format",
     set_format},
    {FlagGroup::output, "--quality", 0, "Q", kQualityHelp, "the format's", "quality",
     [](std::string_view text, Arguments& args) { return assign_parsed(parse_integer(text, 1, 100), args.quality); }},
    {FlagGroup::limits, "--ram", 0, "SIZE",
     "The memory limit: the most memory that the process may use, as in 640M "
     "or 1.5G.",
     "half of the free memory", "ram", set_ram, effective_ram_text},
    {FlagGroup::limits, "--spill", 0, "DIR[:SIZE]",
     "Folder for temporary data that does not fit into the memory limit, and the most disk space to use there, "
     "by all processes together.",
     "nothing is spilled", "spill", set_spill},
    {FlagGroup::work, "--threads", 0, "N", "Threads of the network.", "the processors that the process may use",
     "threads",
     [](std::string_view text, Arguments& args) { return assign_parsed(parse_integer(text, 1, 1024), args.threads); },
     effective_threads_text},
    {FlagGroup::device, "--device", 0, "DEVICE[,DEVICE]...",
     "What to run on: the processors, as in cpu, cpu:0-3 or cpu:0,2; or a GPU by a part of its name, by GPU-UUID, by "
     "pci:0000:01:00.0, or gpu for the best one; NAME#2 is the second of several. An unknown name lists all GPUs. "
     "Several devices, as in cpu:0-3,cpu:4-7, have one worker process each and share the items and --ram.",
     "", "device", set_device, [](const Arguments&) { return std::string{"cpu"}; }},
    {FlagGroup::limits, "--vram", 0, "SIZE", "The most GPU memory to use, as in 2G.",
     "its free memory minus a margin of at most 256 MiB", "vram", set_vram},
    {FlagGroup::device, "--tile", 0, "N",
     "Side of the GPU's tiles in pixels of the picture, 16 to 16384; tiles never change a result.",
     "the fastest that fits", "tile",
     [](std::string_view text, Arguments& args) { return assign_parsed(parse_integer(text, 16, 16384), args.tile); }},
    {FlagGroup::device, "", 0, "N", "Commands of one submission to the GPU, 1 to 1000.", "", "stream.max-commands",
     [](std::string_view text, Arguments& args) {
       return assign_parsed(parse_integer(text, 1, 1000), args.max_commands);
     },
     [](const Arguments&) { return std::string{"100"}; }},
    {FlagGroup::device, "", 0, "N",
     "Number of unused GPU memory blocks of one size that are kept for reuse, 0 to 10000.", "", "pool.max-idle",
     [](std::string_view text, Arguments& args) { return assign_parsed(parse_integer(text, 0, 10000), args.max_idle); },
     [](const Arguments&) { return std::string{"50"}; }},
    {FlagGroup::device, "--strict-device", 0, "",
     "A GPU error makes the picture fail. Without this flag the work is repeated with smaller tiles, in 32-bit "
     "floating point, with the GPU opened again, and finally on the processors; each step is reported.",
     "", "strict-device", [](std::string_view text, Arguments& args) { return set_switch(text, args.strict_device); },
     [](const Arguments&) { return std::string{"false"}; }},
    {FlagGroup::network, "--precision", 0, "auto|exact",
     "auto: the fast kernels, within 55 dB of exact; exact: 32-bit floating point.", "", "precision",
     [](std::string_view text, Arguments& args) {
       bool exact = false;
       auto set = set_choice(text, "auto", "exact", exact);
       if (set) args.precision = exact ? enhance::Precision::exact : enhance::Precision::automatic;
       return set;
     },
     [](const Arguments&) { return std::string{"auto"}; }},
    {FlagGroup::network, "--tta", 0, "", "Average the results of the eight orientations; takes eight times as long.",
     "", "tta", [](std::string_view text, Arguments& args) { return set_switch(text, args.tta); },
     [](const Arguments&) { return std::string{"false"}; }},
    {FlagGroup::work, "--damaged", 0, "use|refuse",
     "How to handle a damaged file. use: the readable rows are used, the rest is filled with the last readable row "
     "(or as the format's decoder fills it), the damage is reported, and the exit status is 1; a file without one "
     "whole readable row fails. refuse: any damage makes the picture fail.",
     "", "damaged",
     [](std::string_view text, Arguments& args) {
       bool refuse = false;
       auto set = set_choice(text, "use", "refuse", refuse);
       if (set) args.damaged = refuse ? media::DamagePolicy::refuse : media::DamagePolicy::use;
       return set;
     },
     [](const Arguments&) { return std::string{"use"}; }},
    {FlagGroup::output, "--overwrite", 0, "",
     "Do every picture again and replace existing outputs. Without this flag finished pictures are skipped, and a "
     "picture fails if its output exists and is not the file that weir made.",
     "", "", [](std::string_view text, Arguments& args) { return set_switch(text, args.overwrite); }},
    {FlagGroup::resuming, "--explain", 0, "", "Report for each picture why it is done, skipped or done again.", "", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.checkpoints.explain); }},
    {FlagGroup::resuming, "--verify", 0, "",
     "Compare inputs and outputs with their checkpoints by their contents, not by size and time.", "", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.checkpoints.verify); }},
    {FlagGroup::resuming, "--retry-failed", 0, "", "Retry pictures that failed permanently in an earlier run.", "", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.checkpoints.retry_failed); }},
    {FlagGroup::resuming, "--upgrade", 0, "", "Do pictures again that were done with a smaller variant.", "", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.checkpoints.upgrade); }},
    {FlagGroup::resuming, "--checkpoints", 0, "DIR", "Keep the checkpoints in this folder.",
     "hidden files beside each output", "checkpoints",
     [](std::string_view text, Arguments& args) { return set_path(text, args.checkpoints.folder); }},
    {FlagGroup::resuming, "--no-checkpoints", 0, "",
     "Write and read no checkpoints: an existing output makes its picture fail, and an interrupted run cannot be "
     "resumed.",
     "", "",
     [](std::string_view text, Arguments& args) {
       bool none = false;
       auto set = set_switch(text, none);
       args.checkpoints.enabled = !none;
       return set;
     }},
    {FlagGroup::work, "--variants", 0, "NAME[,NAME]...",
     "Smaller networks that may be used, in this order, for a picture that does not fit into the memory limit; each "
     "use is reported, recorded and counted.",
     "none; such a picture fails", "variants",
     [](std::string_view text, Arguments& args) { return set_names(text, args.batch.variants); }},
    {FlagGroup::device, "--no-cpu", 0, "", "Refuse rather than run on the CPU.", "", "no-cpu",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.batch.no_cpu); },
     [](const Arguments&) { return std::string{"false"}; }},
    {FlagGroup::work, "--same-pixels", 0, "",
     "Use only workers whose results are equal byte for byte (one backend, precision, driver and instruction set), "
     "and do again results that were made differently.",
     "", "", [](std::string_view text, Arguments& args) { return set_switch(text, args.batch.same_pixels); }},
    {FlagGroup::limits, "--stall", 0, "TIME",
     "A worker without a heartbeat for this time is ended and its picture tried again; the time is longer, in "
     "proportion, for a picture that is expected to take more than ten minutes.",
     "", "stall", [](std::string_view text, Arguments& args) { return set_seconds(text, args.batch.stall_s); },
     [](const Arguments&) { return std::string{"2m"}; }},
    {FlagGroup::limits, "--wait", 0, "TIME",
     "With several pictures: how long a worker waits for a GPU that another program has leased; 0: not at all. The "
     "other workers continue meanwhile.",
     "", "wait", [](std::string_view text, Arguments& args) { return set_time(text, args.guard.wait); },
     [](const Arguments&) { return std::string{"30m"}; }},
    {FlagGroup::work, "--max-items-per-worker", 0, "N", "Replace a worker process after this many pictures.",
     "only if its memory grows", "max-items-per-worker",
     [](std::string_view text, Arguments& args) {
       return assign_parsed(parse_integer(text, 1, 1'000'000'000), args.batch.max_items_per_worker);
     }},
    {FlagGroup::work, "--pause-file", 0, "FILE", "The run and its workers are paused while this file exists.", "none",
     "pause-file", [](std::string_view text, Arguments& args) { return set_path(text, args.batch.pause_file); }},
    {FlagGroup::work, "--on-full-disk", 0, "wait|stop",
     "What to do if the disk has no space for the next output: wait until it has, or stop so that the run can be "
     "resumed.",
     "", "on-full-disk",
     [](std::string_view text, Arguments& args) {
       return set_choice(text, "wait", "stop", args.batch.stop_on_full_disk);
     },
     [](const Arguments&) { return std::string{"wait"}; }},
    {FlagGroup::reports, "--log", 0, "FILE",
     "Append the events of the run to this file, one JSON object per line "
     "(docs/events.md).",
     "none", "log", [](std::string_view text, Arguments& args) { return set_path(text, args.batch.log); }},
    {FlagGroup::reports, "--metrics", 0, "HOST:PORT",
     "Serve metrics for Prometheus at this address, as in 127.0.0.1:9090.", "none", "metrics",
     [](std::string_view text, Arguments& args) { return set_path(text, args.batch.metrics); }},
    {FlagGroup::reports, "--metrics-file", 0, "FILE",
     "Write the same metrics to this file, for the node exporter's textfile collector.", "none", "metrics-file",
     [](std::string_view text, Arguments& args) { return set_path(text, args.batch.metrics_file); }},
    {FlagGroup::output, "--dry-run", 0, "",
     "Print the plan: sizes, network, memory and disk by part, expected time. Nothing is written.", "", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.dry_run); }},
    {FlagGroup::reports, "--json", 0, "", "Print one JSON object per picture on standard output.", "", "",
     kJsonFlag.set},
    {FlagGroup::reports, "--quiet", 'q', "", "No progress, warnings or summary; errors are still printed.", "", "quiet",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.quiet); },
     [](const Arguments&) { return std::string{"false"}; }},
    kHelpFlag,
};

constexpr Flag kModelsFlags[] = {
    kModel,
    kModels,
    {FlagGroup::reports, "--json", 0, "", "Print one JSON object per network on standard output.", "", "",
     kJsonFlag.set},
    kHelpFlag,
};

constexpr bool is_setting(const Flag& flag) { return !flag.setting_key.empty(); }

/// Returns the settings of all commands (for each key the first flag with it) and --help. A name that another setting has
/// too, such as --format, is that of the first one.
std::vector<Flag> make_config_flags() {
  std::vector<Flag> flags;
  const auto is_taken = [&](auto field, const Flag& flag) {
    return std::any_of(flags.begin(), flags.end(), [&](const Flag& other) { return other.*field == flag.*field; });
  };
  for (const auto& table : {upscale_flags(), film_flags(), lease_flags(), run_flags(), leak_flags(), scope_flags()}) {
    for (const Flag& flag : table) {
      if (!is_setting(flag) || is_taken(&Flag::setting_key, flag)) continue;
      const bool has_new_name = flag.name.empty() || !is_taken(&Flag::name, flag);
      flags.push_back(flag);
      if (!has_new_name) flags.back().name = {};
    }
  }
  flags.push_back(kHelpFlag);
  return flags;
}

constexpr Flag kHelpFlags[] = {
    {FlagGroup::output, "--man", 0, "", "Print the manual page in roff.", "", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.man); }},
    {FlagGroup::output, "--completion", 0, "bash|zsh|fish", "Print the completions for a shell.", "none", "",
     [](std::string_view text, Arguments& args) {
       if (text != "bash" && text != "zsh" && text != "fish")
         return Status{invalid(fmt::format("'{}' is none of bash, zsh and fish", printable(text)))};
       args.completion = text;
       return ok();
     }},
    kHelpFlag,
};

constexpr Flag kVersionFlags[] = {kHelpFlag};

constexpr Flag kWorkerFlags[] = {
    {FlagGroup::work, "--channel", 0, "FD", "The open socket to the coordinator.", "none; it must be given", "",
     [](std::string_view text, Arguments& args) {
       return assign_parsed(parse_integer(text, 0, 1 << 20), args.channel_fd);
     }},
    {FlagGroup::device, "--device", 0, "DEVICE", "The device to run on, whose identity the worker proves.",
     "none; it must be given", "",
     [](std::string_view text, Arguments& args) { return set_path(text, args.worker_device); }},
    kHelpFlag,
};

constexpr Flag kStatusFlags[] = {
    {FlagGroup::reports, "--json", 0, "", "Print the state as one JSON object.", "", "", kJsonFlag.set},
    kHelpFlag,
};

constexpr Flag kReportFlags[] = {
    {FlagGroup::output, "--output", 'o', "OUTPUT", "The HTML file.", "report.html in the current folder", "",
     [](std::string_view text, Arguments& args) { return set_path(text, args.output); }},
    kHelpFlag,
};

}  // namespace

std::span<const Flag> upscale_flags() { return kUpscaleFlags; }
std::span<const Flag> models_flags() { return kModelsFlags; }
std::span<const Flag> config_flags() {
  static const std::vector<Flag> kFlags = make_config_flags();
  return kFlags;
}
std::span<const Flag> help_flags() { return kHelpFlags; }
std::span<const Flag> version_flags() { return kVersionFlags; }
std::span<const Flag> worker_flags() { return kWorkerFlags; }
std::span<const Flag> status_flags() { return kStatusFlags; }
std::span<const Flag> report_flags() { return kReportFlags; }

std::string_view group_heading(FlagGroup group) {
  switch (group) {
    case FlagGroup::network:
      return "Network";
    case FlagGroup::size:
      return "Size";
    case FlagGroup::device:
      return "Device";
    case FlagGroup::policy:
      return "Policy";
    case FlagGroup::lease:
      return "Lease";
    case FlagGroup::work:
      return "Work";
    case FlagGroup::limits:
      return "Limits";
    case FlagGroup::resuming:
      return "Resuming";
    case FlagGroup::rules:
      return "Rules";
    case FlagGroup::fixing:
      return "Fixing";
    case FlagGroup::campaign:
      return "Campaign";
    case FlagGroup::output:
      return "Output";
    case FlagGroup::reports:
      return "Reports";
    case FlagGroup::help:
      return "Help";
  }
  return {};
}

std::span<const FlagGroup> all_groups() {
  static constexpr std::array kGroups{FlagGroup::network, FlagGroup::size,   FlagGroup::device,   FlagGroup::policy,
                                      FlagGroup::lease,   FlagGroup::work,   FlagGroup::limits,   FlagGroup::resuming,
                                      FlagGroup::rules,   FlagGroup::fixing, FlagGroup::campaign, FlagGroup::output,
                                      FlagGroup::reports, FlagGroup::help};
  return kGroups;
}

std::string describe_default(const Flag& flag) {
  if (flag.is_switch()) return {};
  if (!flag.default_text.empty()) return std::string{flag.default_text};
  return flag.default_value == nullptr ? std::string{} : flag.default_value(Arguments{});
}

std::string environment_name(std::string_view setting) {
  std::string name = "WEIR_";
  for (const char c : setting) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : '_';
  return name;
}

std::vector<std::string_view> list_choices(std::string_view value_name) {
  std::vector<std::string_view> choices;
  if (value_name.find('|') == std::string_view::npos) return choices;
  for (std::string_view rest = value_name; !rest.empty();) {
    const std::size_t bar = rest.find('|');
    choices.push_back(rest.substr(0, bar));
    rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
  }
  const bool only_words = std::all_of(value_name.begin(), value_name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '|';
  });
  return only_words ? choices : std::vector<std::string_view>{};
}

}  // namespace weir::cli
