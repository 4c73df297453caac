#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "cli/guard_arguments.hpp"
#include "enhance/picture_upscaler.hpp"
#include "media/picture/picture.hpp"
#include "runs/named_device.hpp"

namespace weir::cli {

/// The values of the command line and the settings. Each value is checked alone, but not yet against other values or
/// the devices and files of the machine. The flags in the tables of cli/flags.hpp set the fields. A field without a
/// comment has the name of its flag; the help text of the flag explains it. A command uses only the fields that its own
/// table of flags sets.
struct Arguments {
  std::vector<std::string> operands;  ///< arguments that are not flags
  std::string output;
  std::string model;
  std::string name;
  std::string models;
  std::optional<int> noise;

  struct Size {  ///< size of the result: set by --scale, --resize or --width; 0: not given
    double scale = 0;
    int width = 0, height = 0;
  } size;
  std::optional<media::Format> format;
  int quality = -1;  ///< -1: the format's default

  std::optional<Bytes> ram;
  struct Spill {  ///< --spill: folder for data that does not fit into the memory limit, and limit of its size
    std::string folder;
    std::optional<Bytes> limit;
  } spill;
  std::optional<int> threads;
  std::vector<runs::NamedDevice> devices{runs::NamedDevice{}};  ///< never empty
  std::optional<Bytes> vram;
  int tile = 0;                               ///< 0: chosen by the planner
  std::optional<int> max_commands, max_idle;  ///< settings stream.max-commands and pool.max-idle; they have no flags
  bool strict_device = false;
  enhance::Precision precision = enhance::Precision::automatic;
  bool tta = false;

  media::DamagePolicy damaged = media::DamagePolicy::use;
  bool overwrite = false;
  bool dry_run = false;

  struct Checkpoints {
    bool enabled = true;  ///< false with --no-checkpoints
    std::string folder;   ///< --checkpoints; empty: beside the outputs
    bool verify = false, explain = false, upgrade = false, retry_failed = false;
  } checkpoints;
  struct Batch {  ///< flags for runs of several items
    std::vector<std::string> variants;
    bool no_cpu = false;
    bool same_pixels = false;
    double stall_s = 120;
    int max_items_per_worker = 0;    ///< 0: no limit
    bool stop_on_full_disk = false;  ///< --on-full-disk stop
    std::string pause_file, log, metrics, metrics_file;
  } batch;
  int channel_fd = -1;        ///< `weir worker --channel`: file descriptor of the socket to the coordinator
  std::string worker_device;  ///< `weir worker --device`: name of the device that the worker process uses

  bool json = false;
  bool quiet = false;

  GuardArguments guard;
  struct Audit {  ///< flags of `weir audit`
    std::string policy, explain;
    std::vector<std::string> select, ignore;
    std::string format = "text";
    std::string baseline, check, tests;
    bool stats = false, fix = false, unsafe = false, diff = false, backup = false, write_baseline = false;
    int jobs = 1, pairs = 0;
  } audit{};

  struct Train {                 ///< flags of `weir train`
    std::string recipe, folder;  ///< folder: --out
    bool resume = false;
    std::optional<double> hours;
    std::optional<int> steps;
  } train{};

  struct Film {             ///< flags of `weir film`
    std::string container;  ///< --format: "mkv", "mp4", "mov", "webm", "nut", "y4m"; empty: by the output's name
    std::string codec = "x264";
    std::optional<int> crf;
    std::string preset;                                                ///< empty: the codec's default
    std::vector<std::pair<std::string, std::string>> encoder_options;  ///< name and value
    std::string audio = "copy";
    std::optional<double> from_s, to_s;  ///< --from and --to, in seconds
    std::string deinterlace = "auto";
    std::optional<int> limit;         ///< most frames of a film
    std::optional<double> preview_s;  ///< --preview: time of the film, in seconds
  } film{};

  bool help = false;
  bool man = false;
  std::string completion;
};

}  // namespace weir::cli
