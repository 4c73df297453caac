#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jobs/decision.hpp"
#include "jobs/task.hpp"
#include "tasks/network_cache.hpp"
#include "tasks/picture_task.hpp"

namespace weir::tasks {

inline constexpr char kUpscaleKind[] = "upscale";  ///< the kind's name, also in the names of checkpoints

/// What a run of pictures was asked for; a value that travels to the workers as JSON.
struct UpscaleRequest {
  NetworkOptions network_options;
  std::vector<std::string> variants;  ///< names of smaller networks that may be used where the first does not fit
  enhance::UpscaleSettings upscale;   ///< ram and threads come from the worker's means
  int quality = -1;
  media::DamagePolicy damaged = media::DamagePolicy::use;        ///< what becomes of inputs that are damaged
  std::shared_ptr<const std::vector<std::byte>> standard_input;  ///< the bytes of the item that has no input file
  int standard_input_fd = -1;                                    ///< the same in a worker: an open file
};

jobs::Json to_json(const UpscaleRequest& request);
/// Reads the standard input's bytes if there are any. Errors: io.
Result<UpscaleRequest> parse_upscale_request(const jobs::Json& json);

/// The picture as an item of the kind "upscale". Its parameters are what decides the result beside input and network.
jobs::Item make_upscale_item(const PictureItem& picture, const UpscaleRequest& request);

/// The way back, for messages and reports.
PictureItem picture_from_item(const jobs::Item& item, const UpscaleRequest& request);

/// Errors: those of NetworkShelf::open.
Result<std::unique_ptr<jobs::Task>> make_upscale_task(UpscaleRequest request, const jobs::WorkerResources& resources);

/// For settle(). The shelf must outlive it.
jobs::IdentitySource make_identity_source(const NetworkCache& cache, const UpscaleRequest& request);

/// Of processors (jobs::prove_cpu) and of GPUs, which prove their UUID and PCI address. Errors: those of both.
Result<std::string> bind_device(const std::string& device);

/// The kind from its settings, in a worker. Errors: those of the request, of its network and of its GPU.
Result<std::unique_ptr<jobs::Task>> make_upscale_task_from_json(const jobs::Json& settings,
                                                                const jobs::WorkerResources& resources);

}  // namespace weir::tasks
