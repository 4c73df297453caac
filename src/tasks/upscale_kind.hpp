#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jobs/decision.hpp"
#include "jobs/task.hpp"
#include "tasks/network_cache.hpp"
#include "tasks/picture_task.hpp"

namespace weir::tasks {

inline constexpr char kUpscaleKind[] = "upscale";  ///< name of the task kind, also used in record names

/// Settings of a run that enlarges pictures. The coordinator of the run sends them to its worker processes as JSON.
struct UpscaleRequest {
  NetworkOptions network_options;
  /// Names of smaller networks. They are used in this order for pictures that need too much memory with the network of
  /// `network_options`.
  std::vector<std::string> variants;
  /// In a worker, jobs::WorkerResources replaces the GPU, the memory limits and the number of threads.
  enhance::UpscaleSettings upscale;
  int quality = -1;  ///< quality for lossy formats, 1 to 100; -1: the format's default
  media::DamagePolicy damaged = media::DamagePolicy::use;  ///< how damaged inputs are handled
  /// Content of standard input; null: standard input is not one of the pictures.
  std::shared_ptr<const std::vector<std::byte>> standard_input;
  int standard_input_fd = -1;  ///< descriptor of a file with this content, which workers inherit; -1: no such file
};

/// Converts the request to JSON for the workers, without `standard_input` and without the GPU, the memory limits and
/// the number of threads, which a worker gets from its jobs::WorkerResources.
jobs::Json to_json(const UpscaleRequest& request);
/// Reads the request from its JSON. Unless `standard_input_fd` is -1, reads `standard_input` from it. Errors: io.
Result<UpscaleRequest> parse_upscale_request(const jobs::Json& json);

/// Makes the item for a picture. Item::parameters contains the settings on which the pixels and the format of the
/// result depend, and a hash of the content of standard input if that is the picture. It does not contain the input
/// file and the network, which the run compares separately.
jobs::Item make_upscale_item(const PictureItem& picture, const UpscaleRequest& request);

/// Converts the item back to a picture, for messages and reports.
PictureItem picture_from_item(const jobs::Item& item, const UpscaleRequest& request);

/// Returns how the results of a plan are computed.
jobs::ComputeConfig compute_config_of(const enhance::UpscalePlan& plan);

/// Makes the task that enlarges pictures, within the memory limit `resources.ram` and with `resources.threads` threads.
/// Errors: those of NetworkCache::open.
Result<std::unique_ptr<jobs::Task>> make_upscale_task(UpscaleRequest request, const jobs::WorkerResources& resources);

/// Makes the function with which jobs::decide_item() gets the identity of a result that would be made now: the
/// network's name and hash (NetworkIdentifier). `cache` must outlive the function.
jobs::IdentitySource make_identity_source(const NetworkCache& cache, const UpscaleRequest& request);

/// Implements jobs::BindDevice. Binds the worker process to the processors that `device` names. For a GPU it finds the
/// GPU and binds nothing. Returns the identity: the result of jobs::bind_cpu, or UUID and PCI address of the GPU.
/// Errors: those of jobs::bind_cpu and nn::vulkan::find_gpu.
Result<std::string> bind_device(const std::string& device);

/// Implements jobs::TaskFactory: makes the task in a worker from the JSON of the UpscaleRequest. Errors: those of
/// parse_upscale_request, make_upscale_task and nn::vulkan::find_gpu.
Result<std::unique_ptr<jobs::Task>> make_upscale_task_from_json(const jobs::Json& settings,
                                                                const jobs::WorkerResources& resources);

}  // namespace weir::tasks
