#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "cli/guard_arguments.hpp"
#include "enhance/picture_upscaler.hpp"
#include "media/picture/picture.hpp"
#include "runs/named_device.hpp"

namespace weir::cli {

/// What the words of the command line and the settings say, checked one by one but not yet against each other or the
/// world. A command uses the fields that its table of flags fills.
struct Arguments {
  std::vector<std::string> operands;
  std::string output;
  std::string model;
  std::string name;
  std::string models;
  std::optional<int> noise;

  struct Size {  ///< the last of --scale, --resize, --width that was applied
    double scale = 0;
    int width = 0, height = 0;
  } size;
  std::optional<media::Format> format;
  int quality = -1;

  std::optional<Bytes> ram;
  struct Spill {
    std::string folder;
    std::optional<Bytes> limit;
  } spill;
  std::optional<int> threads;
  std::vector<runs::NamedDevice> devices{runs::NamedDevice{}};  ///< never empty
  std::optional<Bytes> vram;
  int tile = 0;  ///< 0: chosen
  std::optional<int> max_commands, max_idle;
  bool strict_device = false;
  enhance::Precision precision = enhance::Precision::automatic;
  bool tta = false;

  media::DamagePolicy damaged = media::DamagePolicy::use;
  bool overwrite = false;
  bool dry_run = false;

  struct Checkpoints {
    bool enabled = true;
    std::string folder;  ///< empty: beside the outputs
    bool verify = false, explain = false, upgrade = false, retry_failed = false;
  } checkpoints;
  struct Batch {
    std::vector<std::string> variants;
    bool no_cpu = false;
    bool same_pixels = false;
    double stall_s = 120;
    int max_items_per_worker = 0;
    bool stop_on_full_disk = false;
    std::string pause_file, log, metrics, metrics_file;
  } batch;
  int channel_fd = -1;        ///< of a worker
  std::string worker_device;  ///< of a worker

  bool json = false;
  bool quiet = false;

  GuardArguments guard;
  struct Audit {  ///< of `weir audit`
    std::string policy, explain;
    std::vector<std::string> select, ignore;
    std::string format = "text";
    std::string baseline, check, tests;
    bool stats = false, fix = false, unsafe = false, diff = false, backup = false, write_baseline = false;
    int jobs = 1, pairs = 0;
  } audit{};

  struct Train {  ///< of `weir train`
    std::string recipe, folder;
    bool resume = false;
    std::optional<double> hours;
    std::optional<int> steps;
  } train{};

  bool help = false;
  bool man = false;
  std::string completion;
};

}  // namespace weir::cli
