#include "enhance/picture_planner.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "compute/kernels/kernels.hpp"
#include "enhance/result_converter.hpp"
#include "enhance/source_window.hpp"
#include "nn/cpu/runner.hpp"

namespace weir::enhance {

namespace {

using compute::Arithmetic;
using compute::ElementType;

constexpr int kBlockSide = 4;         // the CPU kernels compute 3x3 convolutions in blocks of 4 x 4 pixels
constexpr int kMinBand = kBlockSide;  // smallest number of rows in a step
/// Main memory that the driver of a GPU uses when it compiles and runs kernels. Measured with Mesa's software driver
/// (docs/gpu.md); not measured with other drivers.
constexpr Bytes kDriverSlack = 64_MiB;

/// Returns the memory of the network's result as a whole: three float32 values per pixel.
Bytes result_bytes(const Stage& stage) {
  return Bytes{static_cast<std::uint64_t>(stage.out.width) * 3 * sizeof(float)} *
         static_cast<std::uint64_t>(stage.out.height);
}

/// Plans one picture, for plan_picture(). The functions that plan a part append its memory to UpscalePlan::parts.
class PicturePlanner {
 public:
  explicit PicturePlanner(const PlannerContext& context)
      : network_{context.network},
        program_{context.program},
        kernels_{context.kernels},
        settings_{context.settings},
        weights_{context.weights},
        device_{context.device},
        process_{context.process} {}

  /// Plans the parts that all modes have, then each application of the network, and then adds up the parts.
  Result<UpscalePlan> plan(ExecutionMode mode, const media::PictureInfo& picture, const media::MediaNeed& decoder,
                           const media::WriteOptions& output) {
    const Arithmetic arithmetic = mode.arithmetic;
    const nn::Family& family = network_.family;
    auto details = std::make_shared<RunPlan>();
    details->mode = mode;
    details->output = output;
    UpscalePlan plan;
    plan.input_width = picture.width;
    plan.input_height = picture.height;
    plan.output_width = output.final_width > 0 ? output.final_width : output.row_format.width;
    plan.output_height = output.final_height > 0 ? output.final_height : output.row_format.height;
    plan.resized = plan.output_width != output.row_format.width || plan.output_height != output.row_format.height;
    plan.precision = arithmetic == Arithmetic::int16 ? "int16" : "float32";
    plan.instruction_set = kernels_.name;
    plan.network_runs = network_runs(network_, picture, settings_);

    const Bytes weights = mode.on_device ? Bytes{} : weights_.need(arithmetic);
    const Bytes scratch =
        mode.on_device ? Bytes{} : nn::Runner::scratch_bytes(program_, network_.graph, kernels_, settings_.threads);
    const media::MediaNeed encoder = media::PictureWriter::need(output);
    plan.parts = {{"program and network file", process_.resident - device_.kept_host_memory() + kWorkingSlack, {}},
                  {"weights", weights, {}},
                  {"scratch of threads", scratch, {}},
                  {"decoder", decoder.ram, decoder.disk},
                  // Memory that decoder and encoder share counts only once.
                  {"encoder", encoder.ram - std::min(encoder.shared_ram, decoder.shared_ram), encoder.disk}};
    if (mode.on_device) plan.parts.push_back({"driver of the GPU", kDriverSlack, {}});
    // Without --spill, the decoder's file is in the system's folder for temporary files.
    if (const Bytes disk = sum_disk(plan.parts); !settings_.spill_folder.empty() && disk > settings_.spill_limit) {
      return Error{Errc::over_budget,
                   fmt::format("{}x{}: reading it takes {} in the --spill folder, the limit is {}; raise the size of "
                               "--spill",
                               picture.width, picture.height, to_text(disk), to_text(settings_.spill_limit))};
    }
    media::PictureInfo source = picture;  // the picture that the next stage enlarges
    for (int run = 0; run < plan.network_runs; ++run) {
      Stage stage;
      stage.geometry = geometry_of(family, source.width, source.height);
      stage.in = source;
      stage.out = source;
      stage.out.width *= family.scale;
      stage.out.height *= family.scale;
      const bool last = run + 1 == plan.network_runs;
      stage.out.bits = last ? picture.bits : 16;  // a second run reads 16 bits, whatever the picture has
      if (auto status = plan_stage(stage, last, plan, *details); !status) return status.error();
      source = stage.out;
      details->stages.push_back(std::move(stage));
    }
    // The precision check runs before the picture, so only the larger of their peaks counts: if the check needs more
    // memory, a part for the difference is added.
    const Bytes picture_peak = sum_ram(plan.parts);
    if (process_.planned_check_peak > picture_peak)
      plan.parts.push_back({"check of int16", process_.planned_check_peak - picture_peak, {}});
    finish(plan, *details);
    if (settings_.ram != Bytes{} && plan.ram > settings_.ram) return over_budget_error(plan);
    plan.run_plan = std::move(details);
    return plan;
  }

 private:
  static Bytes sum_ram(const std::vector<PlanPart>& parts) {
    Bytes sum;
    for (const PlanPart& part : parts) sum += part.ram;
    return sum;
  }
  static Bytes sum_disk(const std::vector<PlanPart>& parts) {
    Bytes sum;
    for (const PlanPart& part : parts) sum += part.disk;
    return sum;
  }
  /// Returns the error of a plan above the memory limit; its text lists the parts of at least 1 MiB.
  Error over_budget_error(const UpscalePlan& plan) const {
    std::string parts;
    for (const PlanPart& part : plan.parts) {
      if (part.ram >= 1_MiB) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", part.name, to_text(part.ram));
    }
    return Error{Errc::over_budget, fmt::format("{}x{} to {}x{} needs {} at least, the limit is {} ({}); raise --ram{}",
                                                plan.input_width, plan.input_height, plan.output_width,
                                                plan.output_height, to_text(plan.ram), to_text(settings_.ram), parts,
                                                settings_.spill_limit == Bytes{} ? " or give --spill" : "")};
  }

  /// Plans one application of the network within the rest of the memory limit, and adds its parts. Uses strips only if
  /// rows of the whole width do not fit, because the results of strips need a store.
  Status plan_stage(Stage& stage, bool last, UpscalePlan& plan, RunPlan& details) {
    using Parts = std::vector<PlanPart>;
    if (details.mode.on_device)
      return add_stage(stage, last, settings_.tta, plan, details,
                       [&](Parts& parts) { return plan_on_device(stage, plan, parts); });
    auto whole = add_stage(stage, last, settings_.tta, plan, details, [&](Parts& parts) {
      return plan_rows(nn::plan_single_strip, stage, details.mode.arithmetic, plan, parts);
    });
    if (whole || whole.error().code != Errc::over_budget) return whole;
    const auto strips = add_stage(stage, last, /*collects_result=*/true, plan, details, [&](Parts& parts) {
      return plan_rows(nn::plan_strips, stage, details.mode.arithmetic, plan, parts);
    });
    return strips ? strips : whole;
  }

  /// Plans one application of the network: calls plan_network(parts), which appends the parts of the network, and adds
  /// all parts to the plan. `last`: this is the last application. `collects_result`: the result is collected in a store
  /// before it is converted.
  template <class PlanNetwork>
  Status add_stage(Stage& stage, bool last, bool collects_result, UpscalePlan& plan, RunPlan& details,
                   PlanNetwork&& plan_network) {
    std::vector<PlanPart> parts;
    const int rows_at_once =
        details.mode.on_device ? nn::vulkan::kMaxOutputRows : rows_per_step(stage.geometry.input_width);
    parts.push_back({"rows being converted", ResultConverter::need(stage.out, rows_at_once), {}});
    if (collects_result) add_store("network's result", result_bytes(stage), plan, parts, stage.result_on_disk);
    if (!last) {
      const Bytes bytes = Bytes{stage.out.row_bytes()} * static_cast<std::uint64_t>(stage.out.height);
      add_store("picture between two runs", bytes, plan, parts, details.intermediate_on_disk);
    }
    if (auto planned = plan_network(parts); !planned) return planned;
    plan.parts.insert(plan.parts.end(), parts.begin(), parts.end());
    plan.multiplications += stage.multiplications() * (settings_.tta ? kOrientations : 1);
    return ok();
  }

  /// Returns the memory within the limit that is left if `taken` is in use; the largest number if there is no limit.
  Bytes remaining_ram(Bytes taken) const {
    return settings_.ram == Bytes{} ? Bytes{~std::uint64_t{0}} : settings_.ram - std::min(settings_.ram, taken);
  }

  /// Returns the disk space within the limit that is left beside the files of the plan and of these parts.
  Bytes remaining_disk(const UpscalePlan& plan, const std::vector<PlanPart>& parts) const {
    return settings_.spill_limit - sum_disk(plan.parts) - sum_disk(parts);
  }

  /// Plans tiles on the device, within its memory and the rest of the memory limit.
  Status plan_on_device(Stage& stage, UpscalePlan& plan, std::vector<PlanPart>& parts) {
    const nn::Extent input{stage.geometry.input_height, stage.geometry.input_width};
    const Bytes taken = sum_ram(plan.parts) + sum_ram(parts);
    // If the CPU still has to process the result, the GPU must return floats instead of 8-bit samples.
    const bool returns_samples = stage.in.bits == 8 && stage.out.bits == 8 && stage.out.colours == 3 && !settings_.tta;
    const nn::vulkan::TransferFormat transfer = returns_samples
                                                    ? nn::vulkan::sample_transfer(network_.family)
                                                    : nn::vulkan::TransferFormat{.input_samples = stage.in.bits == 8};
    // The number of picture rows to keep follows from the size of the tiles; these rows reduce the memory that is left
    // for tiles. So plan again until both fit. If they still do not fit in the last attempt, plan() finds that the sum
    // is above the memory limit.
    Bytes picture_rows;
    for (int attempt = 0;; ++attempt) {
      constexpr int kLastAttempt = 8;
      auto found = device_.plan(input, remaining_ram(taken + picture_rows), transfer);
      if (!found) {
        const char* advice = found.error().code == Errc::over_budget ? "; raise --vram or --ram" : "";
        return Error{found.error().code,
                     fmt::format("{}x{} with {} on {}: {}{}", stage.in.width, stage.in.height, network_.name,
                                 device_.engine().device_name(), found.error().what, advice)};
      }
      stage.device_plan = *std::move(found);
      const Bytes needed = SourceWindow::need(stage.in, stage.geometry, stage.device_plan->read_ahead_rows);
      if (needed <= picture_rows || attempt == kLastAttempt) break;
      picture_rows = needed;
    }
    const nn::vulkan::DeviceLimits limits = device_.engine().limits({});
    const nn::vulkan::DevicePlan& tiles = *stage.device_plan;
    parts.push_back({"picture rows", SourceWindow::need(stage.in, stage.geometry, tiles.read_ahead_rows), {}});
    parts.push_back({"rows of tiles", tiles.host_memory(limits), {}});
    for (const auto& [name, bytes] :
         {std::pair{"device: weights", tiles.weights}, std::pair{"device: activations", tiles.activations},
          std::pair{"device: parameters", tiles.parameters},
          std::pair{"device: staging", limits.staging_on_device ? tiles.staging : Bytes{}}}) {
      parts.push_back({name, {}, {}, bytes});
    }
    plan.device_name = device_.engine().device_name();
    plan.tile = tiles.tile;
    plan.precision = tiles.half ? "float16" : "float32";
    return ok();
  }

  /// Plans rows on the CPU, within the rest of the memory limit. `make_plan` is nn::plan_single_strip or
  /// nn::plan_strips.
  Status plan_rows(decltype(nn::plan_single_strip)& make_plan, Stage& stage, Arithmetic arithmetic,
                   const UpscalePlan& plan, std::vector<PlanPart>& parts) {
    nn::PlanLimits limits;
    limits.disk = remaining_disk(plan, parts);
    limits.band = useful_band(stage.geometry.input_width);
    // The number of rows that the SourceWindow must keep follows from the plan: start with a guess and repeat with the
    // true number. If no plan fits with the useful band, use the smallest band. The loop ends, because the band is
    // reduced at most once, and every other attempt raises the number of rows, which is at most the height.
    int read_ahead_rows = 64;  // the guess
    while (true) {
      const Bytes taken =
          sum_ram(plan.parts) + sum_ram(parts) + SourceWindow::need(stage.in, stage.geometry, read_ahead_rows);
      limits.memory = remaining_ram(taken);
      auto found = make_plan(network_.graph, program_, {stage.geometry.input_height, stage.geometry.input_width},
                             arithmetic == Arithmetic::int16 ? ElementType::float16 : ElementType::float32, limits);
      if (!found && limits.band > kMinBand) {
        limits.band = kMinBand;
        continue;
      }
      if (!found) {
        std::string what =
            fmt::format("{}x{} with {}: {}", stage.in.width, stage.in.height, network_.name, found.error().what);
        if (found.error().code == Errc::over_budget) {
          what += fmt::format(" (other parts take {} of {}); raise --ram{}", to_text(taken), to_text(settings_.ram),
                              settings_.spill_limit == Bytes{} ? ", or give --spill" : "");
        }
        return Error{found.error().code, std::move(what)};
      }
      stage.cpu_plan = *std::move(found);
      if (stage.cpu_plan.read_ahead_rows <= read_ahead_rows) break;
      read_ahead_rows = stage.cpu_plan.read_ahead_rows;
    }
    parts.push_back({"picture rows", SourceWindow::need(stage.in, stage.geometry, stage.cpu_plan.read_ahead_rows), {}});
    parts.push_back({"network rows", stage.cpu_plan.arena - stage.cpu_plan.stored_bytes, {}});
    parts.push_back({"stored rows", stage.cpu_plan.stored_bytes, stage.cpu_plan.disk});
    return ok();
  }
  /// Returns the number of rows per step with which every thread gets at least kBlocksPerThread blocks of pixels in a
  /// step, at most kMaxBand. More rows would not be faster and would need more memory.
  int useful_band(int width) const {
    constexpr int kBlocksPerThread = 96;
    constexpr int kMaxBand = 16;
    const int blocks_across = (width + kBlockSide - 1) / kBlockSide;
    const int rows_of_blocks = (settings_.threads * kBlocksPerThread + blocks_across - 1) / blocks_across;
    return std::min(kBlockSide * rows_of_blocks, kMaxBand);
  }
  /// Returns the largest number of rows of the result in one step: a band, or the rows of one input row if these are
  /// more.
  int rows_per_step(int input_width) const {
    return std::max({useful_band(input_width), compute::kMaxShuffleFactor, compute::kMaxPatchFactor});
  }
  /// Adds a store for a whole picture: in memory if it takes at most half of the rest of the memory limit, or if it
  /// exceeds what is left of the disk space; otherwise on disk. Sets `on_disk`.
  void add_store(const char* name, Bytes bytes, const UpscalePlan& plan, std::vector<PlanPart>& parts,
                 bool& on_disk) const {
    const Bytes free = remaining_ram(sum_ram(plan.parts) + sum_ram(parts));
    on_disk = remaining_disk(plan, parts) >= bytes && bytes * 2 > free;
    parts.push_back({name, on_disk ? Bytes{} : bytes, on_disk ? bytes : Bytes{}});
  }

  /// Sets the sums of the parts, and the fields that follow from the stages.
  void finish(UpscalePlan& plan, const RunPlan& details) const {
    plan.ram = sum_ram(plan.parts);
    for (const PlanPart& part : plan.parts) {
      plan.disk += part.disk;
      plan.device_memory += part.device_memory;
    }
    const Stage& stage = details.stages.back();
    if (stage.device_plan) return finish_on_device(plan, details);
    plan.band_height = stage.cpu_plan.plans.front().band;
    plan.strip_width = stage.cpu_plan.strips.size() == 1 ? stage.geometry.width : stage.cpu_plan.strip_width;
    plan.strip_halo = stage.cpu_plan.halo;
    plan.passes = 0;
    for (const Stage& s : details.stages)
      plan.passes += static_cast<int>(s.cpu_plan.plans.front().passes.size()) * (settings_.tta ? kOrientations : 1);
    set_expected_time(plan, multiplications_per_second_and_thread(details.mode.arithmetic) * settings_.threads);
  }
  /// Returns the speed of the CPU kernels; rough values, measured (docs/measurements.md) except that of NEON: half of
  /// AVX2's, as its vectors are half as long.
  double multiplications_per_second_and_thread(Arithmetic arithmetic) const {
    const bool is_int16 = arithmetic == Arithmetic::int16;
    if (kernels_.name == "avx512_vnni") return is_int16 ? 2e11 : 1e11;
    if (kernels_.name == "avx2") return is_int16 ? 1e11 : 6e10;
    if (kernels_.name == "neon") return is_int16 ? 5e10 : 3e10;
    return 8e9;
  }
  /// Sets the expected time: the time of the multiplications, plus a measured time per pixel of the result for reading,
  /// conversions and the writing of PNG.
  static void set_expected_time(UpscalePlan& plan, double multiplications_per_second) {
    constexpr double kSecondsPerPixel = 4e-8;
    plan.expected_time = std::chrono::duration<double>{plan.multiplications / multiplications_per_second +
                                                       kSecondsPerPixel * plan.output_width * plan.output_height};
  }

  /// Sets the fields that follow from the stages, for a plan on the GPU.
  void finish_on_device(UpscalePlan& plan, const RunPlan& details) const {
    const Stage& stage = details.stages.back();
    plan.band_height = std::min(stage.device_plan->tile, stage.geometry.input_height);
    plan.strip_width = std::min(stage.device_plan->tile, stage.geometry.input_width);
    plan.passes = 0;
    for (const Stage& s : details.stages)
      plan.passes += static_cast<int>(s.device_plan->passes.size()) * (settings_.tta ? kOrientations : 1);
    // Measured for Mesa's software driver on two threads; a cautious guess for a GPU.
    const double multiplications_per_second =
        settings_.gpu->info.kind == compute::vulkan::DeviceKind::software ? 3e9 : 1e12;
    set_expected_time(plan, multiplications_per_second);
  }

  const nn::Network& network_;
  const nn::Program& program_;
  const compute::Kernels& kernels_;
  const UpscaleSettings& settings_;
  const PackedWeightCache& weights_;
  UpscaleDevice& device_;
  ProcessMemory process_;
};

}  // namespace

Result<UpscalePlan> plan_picture(const PlannerContext& context, ExecutionMode mode, const media::PictureInfo& picture,
                                 const media::MediaNeed& decoder, const media::WriteOptions& output) {
  return PicturePlanner{context}.plan(mode, picture, decoder, output);
}

}  // namespace weir::enhance
