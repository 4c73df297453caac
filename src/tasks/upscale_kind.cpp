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

/// Bytes of the file: what its samples take, for formats with loss a quarter of it, but not beyond sixteen times what the
/// input's pixels take in its file, which is more than PNG needs for the pixels of a JPEG: a small file that claims to be
/// a huge picture does not keep others waiting. Wrong only for how long a full disk is waited for.
Bytes expected_output(const enhance::UpscalePlan& plan, const PictureItem& picture, const media::PictureInfo& input) {
  const double pixels = 1.0 * plan.output_width * plan.output_height;
  const int bytes = input.channels() * (input.bits / 8);
  const double samples = pixels * bytes / (media::is_lossless(picture.format) ? 1 : 4);
  std::error_code ignored;
  const auto in_file =
      picture.source.bytes ? picture.source.bytes->size() : std::filesystem::file_size(picture.source.path, ignored);
  const double per_pixel = static_cast<double>(in_file) / (1.0 * plan.input_width * plan.input_height);
  return Bytes{static_cast<std::uint64_t>(std::min(samples, 16 * per_pixel * pixels + (1 << 20)))};
}

jobs::Pixels pixels_of(const enhance::UpscalePlan& plan) {
  if (plan.device == "cpu") return {"cpu", plan.precision, "", plan.instruction_set};
  return {"vulkan", plan.precision, plan.device, ""};
}

/// One network of the variants.
struct NetworkVariant {
  std::string name;
  NetworkShelf shelf;
};

class UpscaleTask final : public jobs::Task {
 public:
  UpscaleTask(UpscaleRequest request, std::vector<NetworkVariant> variants)
      : request_{std::move(request)}, variants_{std::move(variants)}, identity_{variants_.front().shelf, request_.upscale} {
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
    use(variant);
    settings_.dry_run = true;
    PictureItem picture = picture_of(item, request_);
    picture.output = jobs::temporary_of(item, item.outputs.front());
    settings_.overwrite = true;  // what a killed run left there is taken away before the work
    const PictureOutcome outcome = run_picture(picture, settings_, {});
    if (outcome.error) return *outcome.error;
    const auto& plan = *outcome.plan;
    return jobs::Estimate{.cost = plan.multiplications,
                          .seconds = plan.expected_time.count(),
                          .ram = plan.ram,
                          .device = plan.device_memory,
                          .output = expected_output(plan, picture, *outcome.picture),
                          .size = std::to_string(plan.input_width) + "x" + std::to_string(plan.input_height),
                          .pixels = pixels_of(plan)};
  }

  jobs::Product run(const jobs::Attempt& attempt) override {
    use(attempt.variant);
    settings_.dry_run = false;
    settings_.overwrite = false;
    PictureItem picture = picture_of(attempt.item, request_);
    picture.output = attempt.outputs.front();
    PictureWatch watch;
    watch.stop = attempt.stop;
    watch.progress = [&](const enhance::Progress& progress) {
      if (attempt.progress) attempt.progress({progress.fraction, progress.pixels * 1e-6});
    };
    const PictureOutcome outcome = run_picture(picture, settings_, watch);
    picture.output = attempt.item.outputs.front();
    return product_of(picture, outcome);
  }

 private:
  /// The networks of the other variants are given back first: one is in memory at a time.
  void use(std::size_t variant) {
    if (used_ == variant && settings_.upscalers) return;
    settings_.upscalers = nullptr;
    NetworkShelf& shelf = variants_.at(variant).shelf;
    settings_.upscalers = make_upscaler_source([&shelf](double scale) { return shelf.get(scale); }, settings_.upscale);
    if (used_ != variant) variants_.at(used_).shelf.forget();
    used_ = variant;
  }

  jobs::Product product_of(const PictureItem& picture, const PictureOutcome& outcome) {
    jobs::Product product;
    product.error = outcome.error;
    product.fault = outcome.fault;
    product.report = picture_json(picture, outcome);
    if (outcome.picture) product.facts = {{"width", outcome.picture->width}, {"height", outcome.picture->height}};
    product.identity = identity_.now(product.facts);
    if (outcome.upscaler) product.facts["network"] = outcome.upscaler->network().name;
    if (outcome.plan) product.pixels = pixels_of(*outcome.plan);
    product.damaged = damage_text(outcome);
    product.takes_damaged = request_.damaged == media::Damaged::use;
    if (!outcome.file.lost.empty()) product.notes.push_back(lost_text(outcome.file.lost));
    product.notes.insert(product.notes.end(), outcome.events.begin(), outcome.events.end());
    const double reading = outcome.reading.count();
    const double writing = outcome.writing.count();
    product.seconds = {{"decode", reading}, {"network", outcome.time.count() - reading - writing}, {"encode", writing}};
    if (const auto use = outcome.upscaler ? outcome.upscaler->device_report() : std::nullopt) {
      const nn::vulkan::EngineMemory& memory = use->memory;
      product.pool = {{"allocated", static_cast<double>(memory.allocated.count())},
                      {"in_use", static_cast<double>((memory.allocated - memory.idle).count())},
                      {"idle", static_cast<double>(memory.idle.count())},
                      {"peak", static_cast<double>(memory.peak.count())},
                      {"hits", static_cast<double>(memory.hits)},
                      {"misses", static_cast<double>(memory.misses)}};
    }
    if (!outcome.error) product.amount = 1e-6 * outcome.plan->output_width * outcome.plan->output_height;
    return product;
  }

  UpscaleRequest request_;
  std::vector<NetworkVariant> variants_;
  NetworkIdentity identity_;
  PictureSettings settings_;
  std::size_t used_ = 0;
};

}  // namespace

Result<std::string> prove_device(const std::string& device) {
  if (!is_gpu(device)) return jobs::prove_cpu(device);
  const auto gpu = nn::vulkan::find_gpu(device);
  if (!gpu) return gpu.error();
  const auto& info = (*gpu)->info;
  return info.pci.empty() ? info.uuid : info.uuid + " at pci:" + info.pci;
}

Result<std::unique_ptr<jobs::Task>> make_upscale_task(UpscaleRequest request, const jobs::Means& means) {
  request.upscale.ram = means.ram;
  request.upscale.threads = means.threads;
  std::vector<NetworkVariant> variants;
  auto first = NetworkShelf::open(request.network);
  if (!first) return first.error();
  variants.push_back({"first choice", *std::move(first)});
  for (const std::string& name : request.variants) {
    NetworkWish wish = request.network;
    wish.name = name;
    auto shelf = NetworkShelf::open(std::move(wish));
    if (!shelf) return Error{shelf.error().code, "--variants: " + shelf.error().what};
    variants.push_back({name, *std::move(shelf)});
  }
  return std::unique_ptr<jobs::Task>{std::make_unique<UpscaleTask>(std::move(request), std::move(variants))};
}

jobs::IdentityNow upscale_identity(const NetworkShelf& shelf, const UpscaleRequest& request) {
  const auto identity = std::make_shared<NetworkIdentity>(shelf, request.upscale);
  return [identity](const jobs::Item&, const jobs::Json& facts) { return identity->now(facts); };
}

Result<std::unique_ptr<jobs::Task>> upscale_task_of(const jobs::Json& settings, const jobs::Means& means) {
  auto request = upscale_request_of(settings);
  if (!request) return request.error();
  request->upscale.device.memory = means.vram;
  if (is_gpu(means.device)) {
    auto gpu = nn::vulkan::find_gpu(means.device);
    if (!gpu) return gpu.error();
    request->upscale.gpu = *std::move(gpu);
  }
  return make_upscale_task(*std::move(request), means);
}

}  // namespace weir::tasks
