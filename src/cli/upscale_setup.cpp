#include "cli/upscale_setup.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/standard_streams.hpp"
#include "base/system_cpus.hpp"
#include "base/text.hpp"
#include "cli/batch_setup.hpp"
#include "cli/defaults.hpp"
#include "cli/model_folders.hpp"
#include "nn/vulkan/gpu.hpp"
#include "observe/log.hpp"
#include "tasks/gpu_worker.hpp"

namespace weir::cli {
namespace {

/// Returns the settings with the folder of --spill, in which data is stored that does not fit in memory, and the size
/// limit of this data: the given limit, else the free disk space.
Result<enhance::UpscaleSettings> add_spill(const Arguments& args, enhance::UpscaleSettings settings) {
  if (args.spill.folder.empty()) return settings;
  std::error_code problem;
  const auto space = std::filesystem::space(args.spill.folder, problem);
  if (problem || !std::filesystem::is_directory(args.spill.folder, problem))
    return Error{Errc::invalid_argument, fmt::format("--spill: {} is not a folder", printable(args.spill.folder))};
  settings.spill_folder = args.spill.folder;
  settings.spill_limit = args.spill.limit.value_or(Bytes{space.available});
  return settings;
}

/// Logs the notes about the GPU masks.
void log_notes(const std::vector<std::string>& notes, const Arguments& args) {
  observe::Log log{args.quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  for (const std::string& note : notes) log.info(note);
}

}  // namespace

void print_interrupted() {
  constexpr std::string_view kText = "error: interrupted\n";
  write_standard_error(kText);
}

ExitResult make_refusal(const Error& error) {
  return {error.code == Errc::invalid_argument ? ExitStatus::wrong_usage : ExitStatus::nothing_started, error.what};
}

Result<std::vector<jobs::WorkerDevice>> named_devices(const Arguments& args) {
  if (args.batch.no_cpu &&
      std::any_of(args.devices.begin(), args.devices.end(), [](const auto& each) { return !each.is_gpu(); }))
    return Error{Errc::device_lost, "--no-cpu: the CPU is among the devices; name a GPU with --device"};
  auto devices = runs::make_worker_devices(args.devices, args.threads, args.vram.value_or(Bytes{}));
  if (!devices) return Error{devices.error().code, "--device: " + devices.error().what};
  return devices;
}

Status resolve_devices(const Arguments& args, std::vector<jobs::WorkerDevice>& devices) {
  std::vector<std::string> notes;
  if (auto resolved = tasks::resolve_gpus(devices, notes); !resolved)
    return Error{resolved.error().code, "--device: " + resolved.error().what};
  log_notes(notes, args);
  return ok();
}

Status bind_to_first_device(const Arguments& args) {
  const auto& cpus = args.devices.front().cpus;
  if (cpus.empty()) return ok();
  if (auto bound = bind_to_cpus(cpus); !bound) return Error{bound.error().code, "--device: " + bound.error().what};
  return ok();
}

Status add_gpu(const Arguments& args, enhance::UpscaleSettings& upscale) {
  const runs::NamedDevice& device = args.devices.front();
  if (!device.is_gpu()) return ok();
  auto gpu = nn::vulkan::find_gpu(device.name);
  if (!gpu) return Error{gpu.error().code, "--device: " + gpu.error().what};
  upscale.gpu = *std::move(gpu);
  return ok();
}

Result<enhance::UpscaleSettings> upscale_settings(const Arguments& args) {
  enhance::UpscaleSettings upscale;
  upscale.scale = args.size.scale;
  upscale.width = args.size.width;
  upscale.height = args.size.height;
  upscale.ram = effective_ram(args);
  upscale.threads = effective_threads(args);
  upscale.precision = args.precision;
  upscale.tta = args.tta;
  upscale.device_settings.memory = args.vram.value_or(Bytes{});
  upscale.device_settings.tile = args.tile;
  upscale.device_settings.max_commands = args.max_commands.value_or(upscale.device_settings.max_commands);
  upscale.device_settings.max_idle = args.max_idle.value_or(upscale.device_settings.max_idle);
  upscale.device_settings.strict = args.strict_device || args.batch.no_cpu;
  return add_spill(args, std::move(upscale));
}

tasks::UpscaleRequest upscale_request(const Invocation& invocation, enhance::UpscaleSettings upscale) {
  const Arguments& args = invocation.args();
  tasks::UpscaleRequest request;
  request.network_options = {.model = args.model,
                             .name = args.name,
                             .noise = args.noise,
                             .folders = model_search_folders(args, invocation.environment)};
  request.variants = args.batch.variants;
  request.upscale = std::move(upscale);
  request.quality = args.quality;
  request.damaged = args.damaged;
  return request;
}

Result<tasks::NetworkCache> open_networks(const tasks::UpscaleRequest& request) {
  auto network_cache = tasks::NetworkCache::open(request.network_options);
  if (!network_cache) return network_cache;
  for (const std::string& variant : request.variants) {
    if (auto found = tasks::NetworkCache::open_variant(request.network_options, variant); !found) return found.error();
  }
  return network_cache;
}

jobs::RunSettings make_upscale_run_settings(const Invocation& invocation, std::vector<jobs::WorkerDevice> devices) {
  const Arguments& args = invocation.args();
  jobs::RunSettings settings = make_run_settings(args);
  settings.rules.use_damaged = args.damaged == media::DamagePolicy::use;
  settings.devices = std::move(devices);
  settings.same_pixels = args.batch.same_pixels;
  settings.outputs = args.output;
  settings.stall_timeout = std::chrono::duration<double>{args.batch.stall_s};
  settings.max_lease_wait = args.guard.wait;
  settings.max_items_per_worker = static_cast<std::size_t>(args.batch.max_items_per_worker);
  settings.full_disk_policy = args.batch.stop_on_full_disk ? jobs::FullDiskPolicy::stop : jobs::FullDiskPolicy::wait;
  if (const auto state = user_state_folder(invocation.environment); !state.empty())
    settings.learned_needs_file = state / "needs.json";
  return settings;
}

}  // namespace weir::cli
