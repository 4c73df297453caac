#pragma once

#include <chrono>
#include <vector>

#include "cli/command.hpp"
#include "enhance/picture_upscaler.hpp"
#include "jobs/coordinator.hpp"
#include "tasks/network_cache.hpp"
#include "tasks/upscale_kind.hpp"

namespace weir::cli {

// What the commands that enlarge something (pictures, films) make of their flags.

/// Returns the devices of --device. Errors: device_lost, if the flags forbid or do not find one.
Result<std::vector<jobs::WorkerDevice>> named_devices(const Arguments& args);
/// Replaces the names of GPUs by their identities, and logs the notes about masks. Errors: those of
/// tasks::resolve_gpus().
Status resolve_devices(const Arguments& args, std::vector<jobs::WorkerDevice>& devices);

/// Binds this process to the processors of the first device. For runs in which this process does the work itself. Errors: those
/// of bind_to_cpus().
Status bind_to_first_device(const Arguments& args);
/// Finds the GPU of the first device, if it is one, and stores it in `upscale`. Errors: those of
/// nn::vulkan::find_gpu().
Status add_gpu(const Arguments& args, enhance::UpscaleSettings& upscale);

/// Returns the settings of the flags. Errors: invalid_argument, for the folder of --spill.
Result<enhance::UpscaleSettings> upscale_settings(const Arguments& args);
/// Returns the request that workers receive.
tasks::UpscaleRequest upscale_request(const Invocation& invocation, enhance::UpscaleSettings upscale);
/// Finds the network of the request, and its variants. Errors: those of tasks::NetworkCache.
Result<tasks::NetworkCache> open_networks(const tasks::UpscaleRequest& request);
/// Returns the settings of a run on workers.
jobs::RunSettings make_upscale_run_settings(const Invocation& invocation, std::vector<jobs::WorkerDevice> devices);

/// Grace period after a signal: time in which the work may end by itself. With this value, the process ends within two
/// seconds of the signal.
inline constexpr std::chrono::milliseconds kUpscaleGrace{1600};
/// Called by SignalStopSource when the grace period is over.
void print_interrupted();

/// Makes the command's result for an error before the work.
ExitResult make_refusal(const Error& error);

}  // namespace weir::cli
