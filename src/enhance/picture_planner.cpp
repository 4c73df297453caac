#include "enhance/picture_planner.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "enhance/source_window.hpp"
#include "nn/cpu/run.hpp"

namespace weir::enhance {

namespace {

using compute::Arithmetic;
using compute::Storage;

constexpr int kLeastBand = 4;  // rows of a tile
/// What a GPU's driver takes of the host once it compiles and runs kernels. Measured with Mesa's software driver
/// (docs/gpu.md); not measured with others.
constexpr Bytes kDriverSlack = 64_MiB;

Bytes sums_bytes(const Stage& stage) {
  return Bytes{static_cast<std::uint64_t>(stage.out.width) * 3 * sizeof(float)} *
         static_cast<std::uint64_t>(stage.out.height);
}

class PicturePlanner {
 public:
  explicit PicturePlanner(const PlannerParts& parts)
      : network_{parts.network},
        program_{parts.program},
        kernels_{parts.kernels},
        settings_{parts.settings},
        weights_{parts.weights},
        device_{parts.device},
        process_{parts.process} {}

  Result<UpscalePlan> plan(Way way, const media::PictureInfo& picture, const media::MediaNeed& decoder,
                           const media::WriteOptions& output) {
    const Arithmetic arithmetic = way.arithmetic;
    const nn::Family& family = network_.family;
    auto inside = std::make_shared<RunPlan>();
    inside->way = way;
    inside->output = output;
    UpscalePlan plan;
    plan.input_width = picture.width;
    plan.input_height = picture.height;
    plan.output_width = output.final_width > 0 ? output.final_width : output.rows.width;
    plan.output_height = output.final_height > 0 ? output.final_height : output.rows.height;
    plan.resized = plan.output_width != output.rows.width || plan.output_height != output.rows.height;
    plan.precision = arithmetic == Arithmetic::int16 ? "int16" : "float32";
    plan.instruction_set = kernels_.name;
    plan.network_runs = network_runs(network_, picture, settings_);

    const Bytes weights = way.on_device ? Bytes{} : weights_.need(arithmetic);
    const Bytes scratch =
        way.on_device ? Bytes{} : nn::Runner::scratch_bytes(program_, network_.graph, kernels_, settings_.threads);
    const media::MediaNeed encoder = media::PictureWriter::need(output);
    plan.parts = {{"program and network file", process_.resident - device_.counted_twice() + kWorkingSlack, {}},
                  {"weights", weights, {}},
                  {"scratch of threads", scratch, {}},
                  {"decoder", decoder.ram, decoder.disk},
                  {"encoder", encoder.ram - std::min(encoder.shared, decoder.shared), encoder.disk}};
    if (way.on_device) plan.parts.push_back({"driver of the GPU", kDriverSlack, {}});
    media::PictureInfo in = picture;
    for (int run = 0; run < plan.network_runs; ++run) {
      Stage stage;
      stage.geometry = geometry_of(family, in.width, in.height);
      stage.in = in;
      stage.out = in;
      stage.out.width *= family.scale;
      stage.out.height *= family.scale;
      const bool last = run + 1 == plan.network_runs;
      stage.out.bits = last ? picture.bits : 16;
      if (auto status = plan_stage(stage, last, plan, *inside); !status) return status.error();
      in = stage.out;
      inside->stages.push_back(std::move(stage));
    }
    const Bytes picture_peak = sum_ram(plan.parts);
    if (process_.peak > picture_peak) plan.parts.push_back({"check of int16", process_.peak - picture_peak, {}});
    finish(plan, *inside);
    if (settings_.ram != Bytes{} && plan.ram > settings_.ram) return refusal(plan);
    plan.run = std::move(inside);
    return plan;
  }

 private:
  static Bytes sum_ram(const std::vector<PlanPart>& parts) {
    Bytes sum;
    for (const PlanPart& part : parts) sum += part.ram;
    return sum;
  }
  Error refusal(const UpscalePlan& plan) const {
    std::string parts;
    for (const PlanPart& part : plan.parts) {
      if (part.ram >= 1_MiB) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", part.name, to_text(part.ram));
    }
    return Error{Errc::over_budget, fmt::format("{}x{} to {}x{} needs {} at least, the limit is {} ({}); raise --ram{}",
                                                plan.input_width, plan.input_height, plan.output_width,
                                                plan.output_height, to_text(plan.ram), to_text(settings_.ram), parts,
                                                settings_.spill_limit == Bytes{} ? " or give --spill" : "")};
  }

  /// Plans one application within what is left of the line, and adds its parts. Strips only where rows of the whole width
  /// do not fit: their results are put together in a store of their own.
  Status plan_stage(Stage& stage, bool last, UpscalePlan& plan, RunPlan& inside) {
    using Parts = std::vector<PlanPart>;
    if (inside.way.on_device)
      return add_stage(stage, last, settings_.tta, plan, inside,
                       [&](Parts& parts) { return plan_on_device(stage, plan, parts); });
    auto whole = add_stage(stage, last, settings_.tta, plan, inside, [&](Parts& parts) {
      return plan_rows(nn::plan_whole, stage, inside.way.arithmetic, plan, parts);
    });
    if (whole || whole.error().code != Errc::over_budget) return whole;
    const auto strips = add_stage(stage, last, true, plan, inside, [&](Parts& parts) {
      return plan_rows(nn::plan_strips, stage, inside.way.arithmetic, plan, parts);
    });
    return strips ? strips : whole;
  }

  /// `sums`: the network's result is put together before it is used.
  template <class Planning>
  Status add_stage(Stage& stage, bool last, bool sums, UpscalePlan& plan, RunPlan& inside, Planning&& planning) {
    std::vector<PlanPart> parts;
    const Bytes converted =
        Bytes{stage.out.row_bytes()} * (std::uint64_t{8} * static_cast<std::uint64_t>(stage.geometry.scale));
    parts.push_back({"rows being converted", converted, {}});
    if (sums) add_store("network's result", sums_bytes(stage), plan, parts, inside.sums_on_disk);
    if (!last) {
      const Bytes bytes = Bytes{stage.out.row_bytes()} * static_cast<std::uint64_t>(stage.out.height);
      add_store("picture between two runs", bytes, plan, parts, inside.middle_on_disk);
    }
    if (auto planned = planning(parts); !planned) return planned;
    plan.parts.insert(plan.parts.end(), parts.begin(), parts.end());
    plan.multiplications += stage.multiplications() * (settings_.tta ? kOrientations : 1);
    return ok();
  }

  Bytes left_of_ram(Bytes taken) const {
    return settings_.ram == Bytes{} ? Bytes{~std::uint64_t{0}} : settings_.ram - std::min(settings_.ram, taken);
  }

  /// Tiles on the device, within what its memory and the line leave.
  Status plan_on_device(Stage& stage, UpscalePlan& plan, std::vector<PlanPart>& parts) {
    const nn::Extent input{stage.geometry.input_height, stage.geometry.input_width};
    const Bytes taken = sum_ram(plan.parts) + sum_ram(parts);
    // Whatever is still to be made of the result by the host is made of floats.
    const bool finished = stage.in.bits == 8 && stage.out.bits == 8 && stage.out.colours == 3 && !settings_.tta;
    const nn::vulkan::Transfer transfer = finished ? nn::vulkan::samples_both_ways(network_.family)
                                                   : nn::vulkan::Transfer{.input_samples = stage.in.bits == 8};
    // How much of the picture must be kept beside the tiles is known only with them: the room for them shrinks by it.
    Bytes window;
    for (int turn = 0;; ++turn) {
      constexpr int kMostTurns = 8;
      auto found = device_.plan(input, left_of_ram(taken + window), transfer);
      if (!found) {
        return Error{found.error().code,
                     fmt::format("{}x{} with {} on {}: {}; raise --vram or --ram", stage.in.width, stage.in.height,
                                 network_.name, device_.engine().device_name(), found.error().what)};
      }
      stage.device = *std::move(found);
      const Bytes needed = SourceWindow::need(stage.in, stage.geometry, stage.device->lead);
      if (needed <= window || turn == kMostTurns) break;
      window = needed;
    }
    const nn::vulkan::DeviceLimits limits = device_.engine().limits({});
    const nn::vulkan::DevicePlan& tiles = *stage.device;
    parts.push_back({"picture rows", SourceWindow::need(stage.in, stage.geometry, tiles.lead), {}});
    parts.push_back({"rows of tiles", tiles.host(limits), {}});
    for (const auto& [name, bytes] :
         {std::pair{"device: weights", tiles.weights}, std::pair{"device: activations", tiles.activations},
          std::pair{"device: parameters", tiles.parameters},
          std::pair{"device: staging", limits.shared_staging ? tiles.staging : Bytes{}}}) {
      parts.push_back({name, {}, {}, bytes});
    }
    plan.device = device_.engine().device_name();
    plan.tile = tiles.tile;
    plan.precision = tiles.half ? "float16" : "float32";
    return ok();
  }

  /// Rows on the processors, within what the line leaves.
  Status plan_rows(decltype(nn::plan_whole)& make_plan, Stage& stage, Arithmetic arithmetic, const UpscalePlan& plan,
                   std::vector<PlanPart>& parts) {
    nn::PlanLimits limits;
    limits.disk = settings_.spill_limit;
    limits.band = useful_band(stage.geometry.input_width);
    // The lead of the window is known only with the plan: a first guess, then the truth. Higher bands only where they fit.
    // Each turn but one raises the lead, which is at most the height.
    int lead = 64;
    while (true) {
      const Bytes taken = sum_ram(plan.parts) + sum_ram(parts) + SourceWindow::need(stage.in, stage.geometry, lead);
      limits.memory = left_of_ram(taken);
      auto found = make_plan(network_.graph, program_, {stage.geometry.input_height, stage.geometry.input_width},
                             arithmetic == Arithmetic::int16 ? Storage::half : Storage::single, limits);
      if (!found && limits.band > kLeastBand) {
        limits.band = kLeastBand;
        continue;
      }
      if (!found) {
        return Error{found.error().code,
                     fmt::format("{}x{} with {}: {} ({} of {} taken by the rest); raise --ram{}", stage.in.width,
                                 stage.in.height, network_.name, found.error().what, to_text(taken),
                                 to_text(settings_.ram), settings_.spill_limit == Bytes{} ? ", or give --spill" : "")};
      }
      stage.plan = *std::move(found);
      if (stage.plan.lead <= lead) break;
      lead = stage.plan.lead;
    }
    parts.push_back({"picture rows", SourceWindow::need(stage.in, stage.geometry, stage.plan.lead), {}});
    parts.push_back({"network rows", stage.plan.arena - stage.plan.stored, {}});
    parts.push_back({"stored rows", stage.plan.stored, stage.plan.disk});
    return ok();
  }
  /// Rows per step: so many that every thread finds some hundred tiles in a step; more only costs memory.
  int useful_band(int width) const {
    constexpr int kTilesPerThread = 96;
    constexpr int kMostBand = 16;
    const int tiles = (width + 3) / 4;
    const int rows_of_tiles = (settings_.threads * kTilesPerThread + tiles - 1) / tiles;
    return std::min(kLeastBand * rows_of_tiles, kMostBand);
  }
  /// Whole pictures go to memory if at least half of the line stays free, else to disk.
  void add_store(const char* name, Bytes bytes, const UpscalePlan& plan, std::vector<PlanPart>& parts,
                 bool& on_disk) const {
    const Bytes free =
        settings_.ram == Bytes{} ? Bytes{~std::uint64_t{0}} : settings_.ram - sum_ram(plan.parts) - sum_ram(parts);
    on_disk = settings_.spill_limit >= bytes && bytes * 2 > free;
    parts.push_back({name, on_disk ? Bytes{} : bytes, on_disk ? bytes : Bytes{}});
  }

  void finish(UpscalePlan& plan, const RunPlan& inside) const {
    plan.ram = sum_ram(plan.parts);
    for (const PlanPart& part : plan.parts) {
      plan.disk += part.disk;
      plan.device_memory += part.device;
    }
    const Stage& stage = inside.stages.back();
    if (stage.device) return finish_on_device(plan, inside);
    plan.band_height = stage.plan.plans.front().band;
    plan.strip_width = stage.plan.strips.size() == 1 ? stage.geometry.width : stage.plan.width;
    plan.strip_halo = stage.plan.halo;
    plan.passes = 0;
    for (const Stage& s : inside.stages)
      plan.passes += static_cast<int>(s.plan.plans.front().passes.size()) * (settings_.tta ? kOrientations : 1);
    // Multiplications per second and thread, roughly, as measured (docs/measurements.md).
    const bool ints = inside.way.arithmetic == Arithmetic::int16;
    const double rate = kernels_.name == "avx512_vnni"                    ? (ints ? 2e11 : 1e11)
                        : kernels_.lanes >= 8 && kernels_.name != "plain" ? (ints ? 1e11 : 6e10)
                                                                          : 8e9;
    set_expected_time(plan, rate * settings_.threads);
  }
  /// Reading, conversions and the writing of PNG are counted by the pixel of the result, as measured too.
  static void set_expected_time(UpscalePlan& plan, double multiplications_per_second) {
    constexpr double kSecondsPerPixel = 4e-8;
    plan.expected_time = std::chrono::duration<double>{plan.multiplications / multiplications_per_second +
                                                       kSecondsPerPixel * plan.output_width * plan.output_height};
  }

  void finish_on_device(UpscalePlan& plan, const RunPlan& inside) const {
    const Stage& stage = inside.stages.back();
    plan.band_height = std::min(stage.device->tile, stage.geometry.input_height);
    plan.strip_width = std::min(stage.device->tile, stage.geometry.input_width);
    plan.passes = 0;
    for (const Stage& s : inside.stages)
      plan.passes += static_cast<int>(s.device->passes.size()) * (settings_.tta ? kOrientations : 1);
    // Multiplications per second: of Mesa's software driver on two threads as measured, of a GPU a cautious guess.
    const double rate = settings_.gpu->info.kind == compute::vulkan::DeviceKind::software ? 3e9 : 1e12;
    set_expected_time(plan, rate);
  }

  const nn::Network& network_;
  const nn::Program& program_;
  const compute::Kernels& kernels_;
  const UpscaleSettings& settings_;
  const Weights& weights_;
  Device& device_;
  ProcessMemory process_;
};

}  // namespace

Result<UpscalePlan> plan_picture(const PlannerParts& parts, Way way, const media::PictureInfo& picture,
                                 const media::MediaNeed& decoder, const media::WriteOptions& output) {
  return PicturePlanner{parts}.plan(way, picture, decoder, output);
}

}  // namespace weir::enhance
