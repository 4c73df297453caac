#include "tasks/upscale_kind.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "jobs/device.hpp"
#include "jobs/record.hpp"
#include "nn/vulkan/gpu.hpp"
#include "tasks/gpu_worker.hpp"
#include "tasks/network_identity.hpp"
#include "tasks/picture_report.hpp"

namespace weir::tasks {
namespace {

/// Estimates the size of the output file. It is the size of the samples (a quarter of it for lossy formats), but at
/// most 1 MiB plus sixteen times the input file's bytes per pixel for each output pixel, which is more than PNG needs
/// for the pixels of a JPEG. Without this maximum, a small file whose header claims a huge picture could make other
/// items wait. The estimate only decides whether an item must wait for disk space.
Bytes expected_output(const enhance::UpscalePlan& plan, const PictureItem& picture, const media::PictureInfo& input) {
  const double pixels = 1.0 * plan.output_width * plan.output_height;
  const int bytes_per_pixel = input.channels() * (input.bits / 8);
  const double sample_bytes = pixels * bytes_per_pixel / (media::is_lossless(picture.format) ? 1 : 4);
  std::error_code ignored;
  const auto input_bytes =
      picture.source.bytes ? picture.source.bytes->size() : std::filesystem::file_size(picture.source.path, ignored);
  const double input_bytes_per_pixel = static_cast<double>(input_bytes) / (1.0 * plan.input_width * plan.input_height);
  return Bytes{static_cast<std::uint64_t>(std::min(sample_bytes, 16 * input_bytes_per_pixel * pixels + (1 << 20)))};
}

/// Enlarges one picture per item with upscale_picture().
class UpscaleTask final : public jobs::Task {
 public:
  UpscaleTask(UpscaleRequest request, std::vector<NetworkVariant> variants)
      : request_{std::move(request)},
        variants_{std::move(variants)},
        identity_{variants_.front().cache, request_.upscale} {
    settings_.upscale = request_.upscale;
    settings_.quality = request_.quality;
    settings_.damaged = request_.damaged;
  }

  std::vector<std::string> variants() const override {
    std::vector<std::string> names;
    for (const NetworkVariant& variant : variants_) names.push_back(variant.name);
    return names;
  }

  Result<jobs::Estimate> estimate(const jobs::Item& item, std::size_t variant) override {
    select_variant(variant);
    settings_.dry_run = true;
    PictureItem picture = picture_from_item(item, request_);
    picture.output = jobs::temporary_path(item, item.outputs.front());
    settings_.overwrite = true;  // files of a killed run are removed before the work starts
    const PictureResult picture_result = upscale_picture(picture, settings_, {});
    if (picture_result.error) return *picture_result.error;
    const auto& plan = *picture_result.plan;
    return jobs::Estimate{.cost = plan.multiplications,
                          .seconds = plan.expected_time.count(),
                          .ram = plan.ram,
                          .device = plan.device_memory,
                          .output = expected_output(plan, picture, *picture_result.input_info),
                          .input_size = std::to_string(plan.input_width) + "x" + std::to_string(plan.input_height),
                          .compute_config = compute_config_of(plan)};
  }

  jobs::AttemptResult run(const jobs::Attempt& attempt) override {
    select_variant(attempt.variant);
    settings_.dry_run = false;
    settings_.overwrite = false;
    PictureItem picture = picture_from_item(attempt.item, request_);
    picture.output = attempt.outputs.front();
    PictureCallbacks callbacks;
    callbacks.stop = attempt.stop;
    callbacks.progress = [&](const enhance::Progress& progress) {
      if (attempt.progress) attempt.progress({progress.fraction, progress.pixels * 1e-6});
    };
    const PictureResult picture_result = upscale_picture(picture, settings_, callbacks);
    picture.output = attempt.item.outputs.front();
    return make_attempt_result(picture, picture_result);
  }

 private:
  /// Switches to the variant. Releases the network of the previous variant, so that only one network is in memory.
  void select_variant(std::size_t variant) {
    if (current_variant_ == variant && settings_.upscalers) return;
    settings_.upscalers = nullptr;
    NetworkCache& cache = variants_.at(variant).cache;
    settings_.upscalers = make_upscaler_source([&cache](double scale) { return cache.load(scale); }, settings_.upscale);
    if (current_variant_ != variant) variants_.at(current_variant_).cache.release();
    current_variant_ = variant;
  }

  jobs::AttemptResult make_attempt_result(const PictureItem& picture, const PictureResult& picture_result) {
    jobs::AttemptResult result;
    result.error = picture_result.error;
    result.internal_error = picture_result.internal_error;
    result.report = picture_json(picture, picture_result);
    if (picture_result.input_info)
      result.facts = {{"width", picture_result.input_info->width}, {"height", picture_result.input_info->height}};
    result.identity = identity_.identify(result.facts);
    if (picture_result.upscaler) result.facts["network"] = picture_result.upscaler->network().name;
    if (picture_result.plan) result.compute_config = compute_config_of(*picture_result.plan);
    result.damage = damage_text(picture_result);
    result.allows_damaged_input = request_.damaged == media::DamagePolicy::use;
    if (!picture_result.write_report.lost.empty()) result.notes.push_back(lost_text(picture_result.write_report.lost));
    result.notes.insert(result.notes.end(), picture_result.events.begin(), picture_result.events.end());
    const double reading = picture_result.read_wait.count();
    const double writing = picture_result.write_wait.count();
    result.stage_seconds = {
        {"decode", reading}, {"network", picture_result.total_time.count() - reading - writing}, {"encode", writing}};
    if (const auto device_report = picture_result.upscaler ? picture_result.upscaler->device_report() : std::nullopt) {
      const nn::vulkan::EngineMemory& memory = device_report->memory;
      result.pool_statistics = {{"allocated", static_cast<double>(memory.allocated.count())},
                                {"in_use", static_cast<double>((memory.allocated - memory.idle).count())},
                                {"idle", static_cast<double>(memory.idle.count())},
                                {"peak", static_cast<double>(memory.peak.count())},
                                {"hits", static_cast<double>(memory.hits)},
                                {"misses", static_cast<double>(memory.misses)}};
    }
    if (!picture_result.error)
      result.amount = 1e-6 * picture_result.plan->output_width * picture_result.plan->output_height;
    return result;
  }

  UpscaleRequest request_;
  std::vector<NetworkVariant> variants_;
  NetworkIdentifier identity_;
  PictureSettings settings_;
  std::size_t current_variant_ = 0;
};

}  // namespace

jobs::ComputeConfig compute_config_of(const enhance::UpscalePlan& plan) {
  if (plan.device_name == "cpu")
    return {.backend = "cpu", .precision = plan.precision, .driver = "", .instruction_set = plan.instruction_set};
  return {.backend = "vulkan", .precision = plan.precision, .driver = plan.device_name, .instruction_set = ""};
}

Result<std::string> bind_device(const std::string& device) {
  if (!is_gpu_name(device)) return jobs::bind_cpu(device);
  const auto gpu = nn::vulkan::find_gpu(device);
  if (!gpu) return gpu.error();
  const auto& info = (*gpu)->info;
  // make_gpu_worker() (gpu_worker.cpp) makes the same text for the coordinator.
  return info.pci.empty() ? info.uuid : info.uuid + " at pci:" + info.pci;
}

Result<std::unique_ptr<jobs::Task>> make_upscale_task(UpscaleRequest request, const jobs::WorkerResources& resources) {
  request.upscale.ram = resources.ram;
  request.upscale.threads = resources.threads;
  auto variants = open_variants(request.network_options, request.variants);
  if (!variants) return variants.error();
  return std::unique_ptr<jobs::Task>{std::make_unique<UpscaleTask>(std::move(request), *std::move(variants))};
}

jobs::IdentitySource make_identity_source(const NetworkCache& cache, const UpscaleRequest& request) {
  const auto identity = std::make_shared<NetworkIdentifier>(cache, request.upscale);
  return [identity](const jobs::Item&, const jobs::Json& facts) { return identity->identify(facts); };
}

Result<std::unique_ptr<jobs::Task>> make_upscale_task_from_json(const jobs::Json& settings,
                                                                const jobs::WorkerResources& resources) {
  auto request = parse_upscale_request(settings);
  if (!request) return request.error();
  request->upscale.device_settings.memory = resources.vram;
  if (is_gpu_name(resources.device)) {
    auto gpu = nn::vulkan::find_gpu(resources.device);
    if (!gpu) return gpu.error();
    request->upscale.gpu = *std::move(gpu);
  }
  return make_upscale_task(*std::move(request), resources);
}

}  // namespace weir::tasks
