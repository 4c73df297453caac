// The flags of the commands that lease devices: devices, doctor, lease, run and leak.

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/common_flags.hpp"
#include "cli/flag_values.hpp"
#include "cli/flags.hpp"
#include "cli/profile.hpp"
#include "device/lease_file.hpp"
#include "device/policy.hpp"

namespace weir::cli {

Status set_time(std::string_view text, std::chrono::milliseconds& target) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  constexpr std::array kUnits{Unit{"ms", 0.001}, Unit{"s", 1}, Unit{"m", 60}, Unit{"h", 3600}, Unit{"d", 86400}};
  constexpr double kWeekSeconds = 7 * 86400;
  const std::size_t digits = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, digits);
  const std::string_view name = digits == std::string_view::npos ? "s" : text.substr(digits);
  const auto* const unit =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& each) { return each.name == name; });
  const auto count = number == "0" ? Result<double>{0.0} : parse_positive(number);
  if (unit == kUnits.end() || !count)
    return Error{Errc::invalid_argument, fmt::format("'{}' is no time; write 90, 90s, 10m or 2h", printable(text))};
  const double seconds = *count * unit->seconds;
  if (seconds > kWeekSeconds)
    return Error{Errc::invalid_argument, fmt::format("'{}' is more than a week", printable(text))};
  target = std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
  return ok();
}

namespace {

Status set_patterns(std::string_view text, std::vector<std::string>& target) {
  target = device::split_list(text);
  if (target.empty()) return invalid("no pattern is given");
  for (const std::string& pattern : target)
    if (auto good = device::check_pattern(pattern); !good) return good;
  return ok();
}

template <class T>
Status set_bytes(std::string_view text, T& target) {
  const auto bytes = parse_bytes(text);
  if (!bytes) return bytes.error();
  target = *bytes;
  return ok();
}

constexpr Flag kRole{FlagGroup::policy,
                     "--role",
                     0,
                     "NAME",
                     "Apply the settings of [roles.NAME] in weir.toml, which override the general ones.",
                     "none",
                     "role",
                     [](std::string_view text, Arguments& args) {
                       args.guard.role = text;
                       return ok();
                     }};
constexpr Flag kDevice{FlagGroup::device,
                       "--device",
                       0,
                       "PATTERN[,PATTERN]...",
                       "The device of this run, within the policy: a part of the name, a pattern such as '*RTX 3090', "
                       "a UUID, pci:0000:01:00.0; '!PATTERN' excludes.",
                       "any that the policy allows",
                       "",
                       [](std::string_view text, Arguments& args) { return set_patterns(text, args.guard.device); }};
constexpr Flag kAllow{FlagGroup::policy,
                      "--allow",
                      0,
                      "PATTERN[,PATTERN]...",
                      "The devices that may be used.",
                      "every GPU",
                      "allow",
                      [](std::string_view text, Arguments& args) { return set_patterns(text, args.guard.allow); }};
constexpr Flag kDeny{FlagGroup::policy,
                     "--deny",
                     0,
                     "PATTERN[,PATTERN]...",
                     "The devices that are never used; overrides --allow.",
                     "none",
                     "deny",
                     [](std::string_view text, Arguments& args) { return set_patterns(text, args.guard.deny); }};
constexpr Flag kPrefer{FlagGroup::policy,
                       "--prefer",
                       0,
                       "PATTERN[,PATTERN]...",
                       "The devices to choose first, in this order.",
                       "discrete cards first, then the most free memory",
                       "prefer",
                       [](std::string_view text, Arguments& args) { return set_patterns(text, args.guard.prefer); }};
constexpr Flag kMinMemory{
    FlagGroup::policy,
    "--min-memory",
    0,
    "SIZE",
    "The least total memory that a device must have, as in 20G (a card sold with 24 GB has 23.6G).",
    "any",
    "min-memory",
    [](std::string_view text, Arguments& args) { return set_bytes(text, args.guard.min_memory); }};
constexpr Flag kNeed{FlagGroup::device,
                     "--need",
                     0,
                     "SIZE",
                     "The free memory on the device that the work needs, as in 5G.",
                     "no requirement",
                     "",
                     [](std::string_view text, Arguments& args) { return set_bytes(text, args.guard.need); }};
constexpr Flag kTrustUnknown{
    FlagGroup::policy,
    "--trust-unknown",
    0,
    "",
    "Also use a device whose free memory is not known, or for which only a lower bound of the used memory is known.",
    "",
    "trust-unknown",
    [](std::string_view text, Arguments& args) { return set_switch(text, args.guard.trust_unknown); },
    [](const Arguments&) { return std::string{"false"}; }};
constexpr Flag kCudaNames{
    FlagGroup::device,
    "--cuda-names",
    0,
    "uuid|index",
    "How NVIDIA cards are named in CUDA_VISIBLE_DEVICES: by index for libraries that cannot read a UUID.",
    "",
    "cuda-names",
    [](std::string_view text, Arguments& args) {
      if (text != "uuid" && text != "index")
        return Status{invalid(fmt::format("'{}' is neither uuid nor index", printable(text)))};
      args.guard.cuda_index = text == "index";
      return ok();
    },
    [](const Arguments&) { return std::string{"uuid"}; }};
constexpr Flag kTorchAllocator{
    FlagGroup::device,
    "--torch-allocator",
    0,
    "SETTINGS",
    "Settings of PyTorch's allocator (PYTORCH_CUDA_ALLOC_CONF) if the environment does not set them; '': none.",
    "",
    "torch-allocator",
    [](std::string_view text, Arguments& args) {
      args.guard.torch_allocator = text;
      return ok();
    },
    [](const Arguments& args) { return args.guard.torch_allocator; }};
constexpr Flag kWait{FlagGroup::lease,
                     "--wait",
                     0,
                     "TIME",
                     "How long to wait for a device; 0: not at all.",
                     "",
                     "wait",
                     [](std::string_view text, Arguments& args) { return set_time(text, args.guard.wait); },
                     [](const Arguments&) { return std::string{"30m"}; }};
constexpr Flag kSlots{FlagGroup::lease,
                      "--slots",
                      0,
                      "N",
                      "Share the device with at most N-1 other programs that share it too.",
                      "exclusive use",
                      "slots",
                      [](std::string_view text, Arguments& args) {
                        const auto slots = parse_integer(text, 1, device::kMaxSlots);
                        if (!slots) return Status{slots.error()};
                        args.guard.slots = *slots;
                        return ok();
                      }};
constexpr Flag kJob{FlagGroup::lease,
                    "--job",
                    0,
                    "NAME",
                    "A name for the lease, which others see while they wait.",
                    "none",
                    "",
                    [](std::string_view text, Arguments& args) {
                      args.guard.job = text;
                      return ok();
                    }};
constexpr Flag kQuiet{FlagGroup::reports,
                      "--quiet",
                      'q',
                      "",
                      "No warnings or notes; errors are still printed.",
                      "",
                      "",
                      [](std::string_view text, Arguments& args) { return set_switch(text, args.quiet); }};

constexpr Flag kDevicesFlags[] = {kRole,   kDevice, kAllow,        kDeny,     kMinMemory,
                                  kPrefer, kNeed,   kTrustUnknown, kJsonFlag, kHelpFlag};
constexpr Flag kDoctorFlags[] = {kRole, kDevice,       kAllow,     kDeny,           kMinMemory, kPrefer,
                                 kNeed, kTrustUnknown, kCudaNames, kTorchAllocator, kJsonFlag,  kHelpFlag};
constexpr Flag kGrace{FlagGroup::limits,
                      "--grace",
                      0,
                      "TIME",
                      "How long an interrupted command has between the signal that is passed on to it (SIGINT for "
                      "Ctrl-C) and SIGTERM; SIGKILL follows five seconds later.",
                      "",
                      "grace",
                      [](std::string_view text, Arguments& args) { return set_time(text, args.guard.grace); },
                      [](const Arguments&) { return std::string{"5s"}; }};
constexpr Flag kLeaseJson{
    FlagGroup::reports,
    "--json",
    0,
    "",
    "Print one JSON object per line on standard output; nothing with hold -- COMMAND, because that output belongs to "
    "COMMAND.",
    "",
    "",
    kJsonFlag.set};
constexpr Flag kLeaseFlags[] = {kRole, kDevice,       kAllow,     kDeny,           kMinMemory, kPrefer,
                                kNeed, kTrustUnknown, kCudaNames, kTorchAllocator, kWait,      kSlots,
                                kJob,  kGrace,        kLeaseJson, kQuiet,          kHelpFlag};

constexpr Flag kRuns{FlagGroup::work,
                     "--runs",
                     0,
                     "N",
                     "How often the command is run.",
                     "",
                     "",
                     [](std::string_view text, Arguments& args) {
                       const auto runs = parse_integer(text, 1, 1000);
                       if (!runs) return Status{runs.error()};
                       args.guard.runs = *runs;
                       return ok();
                     },
                     [](const Arguments&) { return std::string{"3"}; }};
constexpr Flag kMaxLeak{FlagGroup::limits,
                        "--max-leak",
                        0,
                        "SIZE",
                        "Memory that is not freed is a leak if it is more than this.",
                        "",
                        "max-leak",
                        [](std::string_view text, Arguments& args) { return set_bytes(text, args.guard.max_leak); },
                        [](const Arguments&) { return std::string{"100M"}; }};
constexpr Flag kReport{FlagGroup::reports,
                       "--report",
                       0,
                       "FILE",
                       "Write the report to this file as Markdown.",
                       "none",
                       "",
                       [](std::string_view text, Arguments& args) {
                         if (text.empty()) return Status{invalid("the name is empty")};
                         args.guard.report = text;
                         return ok();
                       }};
constexpr Flag kStrictDevice{
    FlagGroup::device,
    "--strict-device",
    0,
    "",
    "Also fail if it cannot be proved on which device the work ran.",
    "",
    "strict-device",
    [](std::string_view text, Arguments& args) { return set_switch(text, args.guard.strict_device); },
    [](const Arguments&) { return std::string{"false"}; }};
constexpr Flag kVariants{FlagGroup::work,
                         "--variants",
                         0,
                         "NAME=SIZE[,NAME=SIZE]...",
                         "Variants of the work and the free memory that each needs, the largest first. The first that "
                         "fits is used; its name replaces {variant} in COMMAND and is set as WEIR_VARIANT.",
                         "none",
                         "",
                         [](std::string_view text, Arguments& args) {
                           auto variants = tasks::parse_variants(text);
                           if (!variants) return Status{variants.error()};
                           args.guard.variants = *std::move(variants);
                           return ok();
                         }};
constexpr Flag kRetries{FlagGroup::work,
                        "--retries",
                        0,
                        "N",
                        "Retry a command up to N times if it failed, timed out or did not find enough free memory.",
                        "",
                        "retries",
                        [](std::string_view text, Arguments& args) {
                          const auto retries = parse_integer(text, 0, 100);
                          if (!retries) return Status{retries.error()};
                          args.guard.retries = *retries;
                          return ok();
                        },
                        [](const Arguments&) { return std::string{"0"}; }};
constexpr Flag kTimeout{FlagGroup::limits,
                        "--timeout",
                        0,
                        "TIME",
                        "End an attempt that takes longer: 90, 90s, 10m, 2h.",
                        "none",
                        "timeout",
                        [](std::string_view text, Arguments& args) {
                          std::chrono::milliseconds limit{};
                          if (auto set = set_time(text, limit); !set) return set;
                          args.guard.time_limit = limit;
                          return ok();
                        }};
constexpr Flag kRunJson{
    FlagGroup::reports,
    "--json",
    0,
    "",
    "Print the figures as one JSON object on standard error at the end; with items, one object per item on standard "
    "output.",
    "",
    "",
    [](std::string_view text, Arguments& args) { return set_switch(text, args.json); }};
constexpr Flag kEndOrphans{
    FlagGroup::lease,
    "--end-orphans",
    0,
    "",
    "End your processes that an earlier lease of the device left running; without this flag they are only reported.",
    "",
    "",
    [](std::string_view text, Arguments& args) { return set_switch(text, args.guard.end_orphans); }};

Status set_count(std::string_view text, int max, int& target) {
  const auto count = parse_integer(text, 1, max);
  if (!count) return count.error();
  target = *count;
  return ok();
}

Status set_text(std::string_view text, std::string& target) {
  if (text.empty()) return invalid("the name is empty");
  target = text;
  return ok();
}

constexpr Flag kLog{FlagGroup::reports,
                    "--log",
                    0,
                    "FILE",
                    "Append the events of the run to this file, one JSON object per line (docs/events.md).",
                    "none",
                    "log",
                    [](std::string_view text, Arguments& args) { return set_text(text, args.batch.log); }};
constexpr Flag kProfile{
    FlagGroup::reports,
    "--profile",
    0,
    "dev|ci|production",
    "A named set of settings (docs/guard.md): dev and production write a log to the user's state folder if --log is "
    "not given.",
    "none",
    "profile",
    [](std::string_view text, Arguments& args) {
      if (find_profile(text) == nullptr)
        return Status{invalid(fmt::format("'{}' is none of dev, ci and production", printable(text)))};
      args.guard.profile = text;
      return ok();
    }};
constexpr Flag kMaxFragmentation{
    FlagGroup::limits,
    "--max-fragmentation",
    0,
    "SIZE",
    "Unused memory that an allocator may hold after a scope; more is reported.",
    "",
    "max-fragmentation",
    [](std::string_view text, Arguments& args) { return set_bytes(text, args.guard.max_fragmentation); },
    [](const Arguments&) { return std::string{"1G"}; }};
constexpr Flag kScopeFlags[] = {kLog, kProfile, kMaxFragmentation, kWait};

constexpr int kMaxJobs = 256;
constexpr Flag kRunNeed{FlagGroup::device,
                        "--need",
                        0,
                        "SIZE",
                        kNeed.help,
                        "the memory that earlier runs of the command used, if known",
                        "",
                        kNeed.set};
constexpr Flag kRunFlags[] = {
    kDevice,
    kRunNeed,
    kVariants,
    {FlagGroup::work, "--jobs", 'j', "N", "Number of commands that run at once. Only with items.", "", "jobs",
     [](std::string_view text, Arguments& args) { return set_count(text, kMaxJobs, args.guard.jobs); },
     [](const Arguments&) { return std::string{"1"}; }},
    {FlagGroup::work, "--gpu-jobs", 0, "N", "Number of commands that run on GPUs at once. Only with items.", "",
     "gpu-jobs",
     [](std::string_view text, Arguments& args) { return set_count(text, device::kMaxSlots, args.guard.gpu_jobs); },
     [](const Arguments&) { return std::string{"1"}; }},
    {FlagGroup::work, "--gpu", 0, "whole|inside",
     "Whether a command holds its device from start to end, or only for a part that takes the lease itself ('weir "
     "lease hold --', weir.gpu_context(lease=True)). Only with items.",
     "", "gpu",
     [](std::string_view text, Arguments& args) {
       if (text != "whole" && text != "inside")
         return Status{invalid(fmt::format("'{}' is neither whole nor inside", printable(text)))};
       args.guard.gpu_inside = text == "inside";
       return ok();
     },
     [](const Arguments&) { return std::string{"whole"}; }},
    {FlagGroup::output, "--output", 'o', "DIR",
     "The folder for the output of the commands (ITEM.log), the files that {out} names, and the checkpoints. Only "
     "with items.",
     "weir-run", "", [](std::string_view text, Arguments& args) { return set_text(text, args.output); }},
    {FlagGroup::resuming, "--resume", 0, "",
     "Skip items that are done, and items that failed and have not changed since. Only with items.", "", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.guard.resume); }},
    {FlagGroup::resuming, "--retry-failed", 0, "", "Retry items that failed. Only with --resume.", "", "",
     [](std::string_view text, Arguments& args) { return set_switch(text, args.checkpoints.retry_failed); }},
    {FlagGroup::resuming, "--upgrade", 0, "",
     "Do items again that were done with a smaller variant. Only with "
     "--resume.",
     "", "", [](std::string_view text, Arguments& args) { return set_switch(text, args.checkpoints.upgrade); }},
    {FlagGroup::output, "--overwrite", 0, "",
     "Also replace files in the folder that weir did not make. Only with "
     "items.",
     "", "", [](std::string_view text, Arguments& args) { return set_switch(text, args.overwrite); }},
    {FlagGroup::resuming, "--explain", 0, "",
     "Report for each item why it is done, skipped or done again. Only with "
     "items.",
     "", "", [](std::string_view text, Arguments& args) { return set_switch(text, args.checkpoints.explain); }},
    {FlagGroup::reports, "--junit", 0, "FILE", "Write the results to this file as JUnit XML. Only with items.", "none",
     "", [](std::string_view text, Arguments& args) { return set_text(text, args.guard.junit); }},
    kLog,
    kProfile,
    {FlagGroup::reports, "--metrics", 0, "HOST:PORT", "Serve metrics for Prometheus at this address. Only with items.",
     "none", "metrics", [](std::string_view text, Arguments& args) { return set_text(text, args.batch.metrics); }},
    {FlagGroup::reports, "--metrics-file", 0, "FILE", "Write the same metrics to this file.", "none", "metrics-file",
     [](std::string_view text, Arguments& args) { return set_text(text, args.batch.metrics_file); }},
    {FlagGroup::work, "--pause-file", 0, "FILE", "The run is paused while this file exists. Only with items.", "none",
     "pause-file", [](std::string_view text, Arguments& args) { return set_text(text, args.batch.pause_file); }},
    kRetries,
    kTimeout,
    kGrace,
    kMaxLeak,
    kStrictDevice,
    kEndOrphans,
    kRole,
    kAllow,
    kDeny,
    kMinMemory,
    kPrefer,
    kTrustUnknown,
    kCudaNames,
    kTorchAllocator,
    kWait,
    kSlots,
    kJob,
    kRunJson,
    kQuiet,
    kHelpFlag};
constexpr Flag kLeakFlags[] = {kRuns,           kMaxLeak,   kReport,   kRole,  kDevice,       kAllow,
                               kDeny,           kMinMemory, kPrefer,   kNeed,  kTrustUnknown, kCudaNames,
                               kTorchAllocator, kWait,      kJsonFlag, kQuiet, kHelpFlag};

}  // namespace

std::span<const Flag> devices_flags() { return kDevicesFlags; }
std::span<const Flag> doctor_flags() { return kDoctorFlags; }
std::span<const Flag> lease_flags() { return kLeaseFlags; }
std::span<const Flag> run_flags() { return kRunFlags; }
std::span<const Flag> leak_flags() { return kLeakFlags; }
std::span<const Flag> scope_flags() { return kScopeFlags; }

}  // namespace weir::cli
