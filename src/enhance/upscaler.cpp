#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/process_memory.hpp"
#include "enhance/device.hpp"
#include "enhance/precision_check.hpp"
#include "enhance/result_rows.hpp"
#include "enhance/row_store.hpp"
#include "enhance/source_window.hpp"
#include "enhance/stored_picture.hpp"
#include "enhance/upscale.hpp"
#include "nn/packed.hpp"
#include "nn/program.hpp"
#include "nn/run.hpp"
#include "nn/strips.hpp"
#include "nn/vulkan/gpu.hpp"

namespace weir::enhance {

using compute::Arithmetic;
using compute::Storage;

/// One application of the network.
struct Stage {
  Geometry geometry;
  media::PictureInfo in;                         ///< what it reads
  media::PictureInfo out;                        ///< what it makes
  nn::StripPlan plan;                            ///< on the CPU
  std::optional<nn::vulkan::DevicePlan> device;  ///< on a GPU, in its stead
  double multiplications() const { return device ? device->multiplications : plan.multiplications; }
  int lead() const { return device ? device->lead : plan.lead; }
};

struct RunPlan {
  bool on_device = false;
  Arithmetic arithmetic = Arithmetic::int16;  ///< of the CPU
  std::vector<Stage> stages;
  bool middle_on_disk = false;  ///< the picture between two stages
  bool sums_on_disk = false;    ///< of the eight orientations, and what strips make one after the other
  media::WriteOptions output;   ///< what it was planned for
};

namespace {

constexpr int kOrientations = 8;
constexpr int kLeastBand = 4;  // rows of a tile
/// What the process takes once it works: stacks, pages of code and tables that were not touched at planning time,
/// the allocator's slack. Measured (docs/memory.md).
constexpr Bytes kWorkingSlack = 4_MiB;
/// What a GPU's driver takes of the host once it compiles and runs kernels. Measured with Mesa's software driver
/// (docs/gpu.md); not measured with others.
constexpr Bytes kDriverSlack = 64_MiB;

nn::Orientation orientation_of(int i) { return {(i & 1) != 0, (i & 2) != 0, (i & 4) != 0}; }

Bytes sums_bytes(const Stage& stage) {
  return Bytes{static_cast<std::uint64_t>(stage.out.width) * 3 * sizeof(float)} *
         static_cast<std::uint64_t>(stage.out.height);
}

class NetworkUpscaler final : public Upscaler {
 public:
  NetworkUpscaler(std::shared_ptr<const nn::Network> network, UpscaleSettings settings, const compute::Kernels& kernels,
                  nn::Program program)
      : network_{std::move(network)},
        settings_{std::move(settings)},
        kernels_{kernels},
        program_{std::move(program)},
        device_{network_->graph, program_, settings_} {}

  const nn::Network& network() const override { return *network_; }

  Result<UpscalePlan> plan(const media::PictureInfo& picture, const media::MediaNeed& decoder,
                           const media::WriteOptions& output) override {
    if (device_.wanted()) {
      auto opened = device_.open();
      if (opened) return plan_with(Way{true, Arithmetic::float32}, picture, decoder, output);
      if (settings_.device.strict) return opened.error();
      device_.give_up(opened.error());
    }
    return plan_on_cpu(picture, decoder, output);
  }

  std::optional<DeviceReport> device_report() const override { return device_.report(); }

  Result<std::vector<std::string>> run(const UpscaleJob& job) override {
    std::vector<std::string> events;
    if (settings_.sync == Sync::fast && network_->family.statistics > 0) {
      events.push_back("--sync fast: no cheaper way is built yet; the exact means of the whole picture were used");
    }
    std::shared_ptr<const RunPlan> plan = job.plan.run;
    int written = 0;
    auto status = run_from(job, *plan, written);
    device_.tell(events);
    if (!status && plan->on_device && is_device_fault(status.error()) && !settings_.device.strict) {
      events.push_back(fmt::format("rows from {} on were made on the CPU: {}", written, status.error().what));
      auto on_cpu = plan_on_cpu(job.reader.info(), job.reader.need(), plan->output);
      if (!on_cpu) return on_cpu.error();
      plan = on_cpu->run;
      status = run_from(job, *plan, written);
    }
    if (!status && status.error().code == Errc::bad_values && !plan->on_device &&
        plan->arithmetic == Arithmetic::int16) {
      // The rows that were written are good; the rest comes from float32.
      events.push_back(fmt::format("rows from {} on were repeated in float32: {}", written, status.error().what));
      auto exact = plan_with(Way{false, Arithmetic::float32}, job.reader.info(), job.reader.need(), plan->output);
      if (!exact) return exact.error();
      plan = exact->run;
      status = run_from(job, *plan, written);
    }
    if (!status) return status.error();
    return events;
  }

 private:
  /// What a plan is made for.
  struct Way {
    bool on_device = false;
    Arithmetic arithmetic = Arithmetic::int16;
  };
  static bool is_device_fault(const Error& error) {
    return error.code == Errc::over_budget || error.code == Errc::device_lost || error.code == Errc::bad_values;
  }
  Result<UpscalePlan> plan_on_cpu(const media::PictureInfo& picture, const media::MediaNeed& decoder,
                                  const media::WriteOptions& output) {
    auto arithmetic = arithmetic_for();
    if (!arithmetic) return arithmetic.error();
    return plan_with(Way{false, *arithmetic}, picture, decoder, output);
  }
  /// The picture's rows from `written` on, which follows what was written.
  Status run_from(const UpscaleJob& job, const RunPlan& plan, int& written) {
    Pipeline pipeline{*this, job, plan};
    pipeline.skip(written);
    auto status = pipeline.run();
    written = std::max(written, pipeline.written());
    return status;
  }

  Result<Arithmetic> arithmetic_for() {
    if (settings_.precision == Precision::exact) return Arithmetic::float32;
    if (!int16_good_) {
      auto check = check_precision(*network_, program_, kernels_, team());
      if (!check) return check.error();
      int16_good_ = check->good_enough;
    }
    return *int16_good_ ? Arithmetic::int16 : Arithmetic::float32;
  }

  compute::Team& team() {
    if (!team_) team_ = std::make_unique<compute::Team>(settings_.threads);
    return *team_;
  }
  const nn::Packed& packed(Arithmetic arithmetic, int orientation) {
    if (!packed_ || packed_arithmetic_ != arithmetic || packed_orientation_ != orientation) {
      packed_.reset();
      packed_ = nn::pack(network_->graph, program_, kernels_, arithmetic, orientation_of(orientation));
      packed_arithmetic_ = arithmetic;
      packed_orientation_ = orientation;
    }
    return *packed_;
  }

  Result<UpscalePlan> plan_with(Way way, const media::PictureInfo& picture, const media::MediaNeed& decoder,
                                const media::WriteOptions& output) {
    const Arithmetic arithmetic = way.arithmetic;
    const nn::Family& family = network_->family;
    auto inside = std::make_shared<RunPlan>();
    inside->on_device = way.on_device;
    inside->arithmetic = arithmetic;
    inside->output = output;
    UpscalePlan plan;
    plan.input_width = picture.width;
    plan.input_height = picture.height;
    plan.output_width = output.final_width > 0 ? output.final_width : output.rows.width;
    plan.output_height = output.final_height > 0 ? output.final_height : output.rows.height;
    plan.resized = plan.output_width != output.rows.width || plan.output_height != output.rows.height;
    plan.precision = arithmetic == Arithmetic::int16 ? "int16" : "float32";
    plan.instruction_set = kernels_.name;
    plan.network_runs = network_runs(*network_, picture, settings_);

    const bool have_weights = way.on_device || (packed_ && packed_arithmetic_ == arithmetic);
    const Bytes weights = have_weights ? Bytes{} : nn::packed_bytes(program_, network_->graph, kernels_, arithmetic);
    const Bytes scratch =
        way.on_device ? Bytes{} : nn::Runner::scratch_bytes(program_, network_->graph, kernels_, settings_.threads);
    const media::MediaNeed encoder = media::PictureWriter::need(output);
    plan.parts = {{"program and network file", resident() - device_.counted_twice() + kWorkingSlack, {}},
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
    finish(plan, *inside);
    if (settings_.ram != Bytes{} && plan.ram > settings_.ram) return refusal(plan);
    plan.run = std::move(inside);
    return plan;
  }

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
    if (inside.on_device)
      return add_stage(stage, last, settings_.tta, plan, inside,
                       [&](Parts& parts) { return plan_on_device(stage, plan, parts); });
    auto whole = add_stage(stage, last, settings_.tta, plan, inside, [&](Parts& parts) {
      return plan_rows(nn::plan_whole, stage, inside.arithmetic, plan, parts);
    });
    if (whole || whole.error().code != Errc::over_budget) return whole;
    const auto strips = add_stage(stage, last, true, plan, inside, [&](Parts& parts) {
      return plan_rows(nn::plan_strips, stage, inside.arithmetic, plan, parts);
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
    // How much of the picture must be kept beside the tiles is known only with them: the room for them shrinks by it.
    Bytes window;
    for (int turn = 0;; ++turn) {
      constexpr int kMostTurns = 8;
      auto found = device_.plan(input, left_of_ram(taken + window));
      if (!found) {
        return Error{found.error().code,
                     fmt::format("{}x{} with {} on {}: {}; raise --vram or --ram", stage.in.width, stage.in.height,
                                 network_->name, device_.engine().device_name(), found.error().what)};
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
      auto found = make_plan(network_->graph, program_, {stage.geometry.input_height, stage.geometry.input_width},
                             arithmetic == Arithmetic::int16 ? Storage::half : Storage::single, limits);
      if (!found && limits.band > kLeastBand) {
        limits.band = kLeastBand;
        continue;
      }
      if (!found) {
        return Error{found.error().code,
                     fmt::format("{}x{} with {}: {} ({} of {} taken by the rest); raise --ram{}", stage.in.width,
                                 stage.in.height, network_->name, found.error().what, to_text(taken),
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
    const bool ints = inside.arithmetic == Arithmetic::int16;
    const double rate = kernels_.name == "avx512_vnni"                    ? (ints ? 2.5e11 : 1.2e11)
                        : kernels_.lanes >= 8 && kernels_.name != "plain" ? (ints ? 1e11 : 6e10)
                                                                          : 8e9;
    plan.expected_time = std::chrono::duration<double>{plan.multiplications / (rate * settings_.threads)};
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
    plan.expected_time = std::chrono::duration<double>{plan.multiplications / rate};
  }

  /// The work on one picture.
  class Pipeline {
   public:
    Pipeline(NetworkUpscaler& owner, const UpscaleJob& job, const RunPlan& plan)
        : owner_{owner}, job_{job}, plan_{plan} {
      for (const Stage& stage : plan.stages)
        total_ += stage.multiplications() * (owner.settings_.tta ? kOrientations : 1);
    }
    int written() const { return written_; }
    /// Rows before `row` are not written: they were.
    void skip(int row) { skip_ = row; }

    Status run() {
      if (plan_.stages.size() == 1) return run_stage(plan_.stages[0], job_.reader, final_sink());
      const Stage& first = plan_.stages[0];
      auto store = RowStore::create(first.out.height, first.out.row_bytes(), folder(plan_.middle_on_disk));
      if (!store) return store.error();
      const auto keep = [&](int row, std::span<const std::byte> rows) -> Status {
        for (; !rows.empty(); rows = rows.subspan(first.out.row_bytes()), ++row) {
          if (auto status = store->write(row, rows.first(first.out.row_bytes())); !status) return status;
        }
        return ok();
      };
      if (auto status = run_stage(first, job_.reader, keep); !status) return status;
      StoredPicture middle{*store, first.out};
      return run_stage(plan_.stages[1], middle, final_sink());
    }

   private:
    std::filesystem::path folder(bool on_disk) const {
      return on_disk ? owner_.settings_.spill_folder : std::filesystem::path{};
    }
    SampleRows final_sink() {
      return [this](int row, std::span<const std::byte> rows) -> Status {
        const std::size_t row_bytes = plan_.stages.back().out.row_bytes();
        const int count = static_cast<int>(rows.size() / row_bytes);
        const int drop = std::clamp(skip_ - row, 0, count);
        if (drop < count) {
          if (auto status = job_.writer.write(rows.subspan(static_cast<std::size_t>(drop) * row_bytes)); !status)
            return status;
        }
        written_ = row + count;
        return ok();
      };
    }
    nn::RunControl control() {
      nn::RunControl c;
      c.stop = job_.stop;
      c.progress = [this](double done) {
        done_ += done;
        if (!job_.progress) return;
        const media::PictureInfo& out = plan_.stages.back().out;
        const double fraction = total_ > 0 ? std::min(1.0, done_ / total_) : 0;
        job_.progress({fraction, fraction * out.width * out.height});
      };
      return c;
    }

    Status run_stage(const Stage& stage, media::PictureReader& reader, const SampleRows& sink) {
      SourceWindow window{reader, stage.geometry, stage.lead()};
      ResultRows result{owner_.network_->family, stage.geometry, stage.out, window,
                        owner_.kernels_,         owner_.team(),  sink};
      if (stage.device) {
        return run_network(stage, window, result, [&](int orientation, const nn::OutputRows& output) {
          int made = 0;
          return owner_.device_.engine().run(*stage.device, orientation_of(orientation), window, output, control(),
                                             made, owner_.device_.events());
        });
      }
      auto runner = nn::Runner::create(owner_.network_->graph, owner_.program_, stage.plan, owner_.kernels_,
                                       owner_.team(), owner_.settings_.spill_folder);
      if (!runner) return runner.error();
      return run_network(stage, window, result, [&](int orientation, const nn::OutputRows& output) {
        return runner->run(owner_.packed(plan_.arithmetic, orientation), window, output, control());
      });
    }

    /// Runs the network once, laid as one of the eight orientations.
    using NetworkRun = std::function<Status(int orientation, const nn::OutputRows& output)>;

    /// What is not made row by row is put together in a store, and taken from there: strips one after the other, and the
    /// mean of eight runs, each with the network laid another way.
    Status run_network(const Stage& stage, SourceWindow& window, ResultRows& result, const NetworkRun& run_once) {
      const bool strips = stage.plan.strips.size() > 1;
      if (!owner_.settings_.tta && !strips)
        return run_once(0, [&](const nn::PlanarRows& rows) { return result.take(rows); });
      const int orientations = owner_.settings_.tta ? kOrientations : 1;
      const std::size_t row_bytes = static_cast<std::size_t>(stage.out.width) * 3 * sizeof(float);
      auto sums = RowStore::create(stage.out.height, row_bytes, folder(plan_.sums_on_disk));
      if (!sums) return sums.error();
      const auto add = [&](const nn::PlanarRows& rows) { return add_rows(stage, rows, *sums); };
      for (int i = 0; i < orientations; ++i) {
        if (auto status = run_once(i, add); !status) return status;
      }
      return take_sums(stage, *sums, 1.0F / static_cast<float>(orientations), window, result);
    }

    /// Adds the part of the rows that lies within the picture to what the store has there.
    static Status add_rows(const Stage& stage, const nn::PlanarRows& rows, RowStore& sums) {
      const int crop = stage.geometry.crop;
      const int first = std::max(rows.left, crop);
      const int last = std::min(rows.left + rows.width, crop + stage.out.width);
      if (first >= last) return ok();
      std::vector<float> sum(static_cast<std::size_t>(last - first));
      const std::span<std::byte> bytes{reinterpret_cast<std::byte*>(sum.data()), sum.size() * sizeof(float)};
      for (int k = 0; k < rows.count; ++k) {
        const int y = rows.first + k - crop;
        if (y < 0 || y >= stage.out.height) continue;
        for (int c = 0; c < 3; ++c) {
          const std::size_t at = (static_cast<std::size_t>(c) * static_cast<std::size_t>(stage.out.width) +
                                  static_cast<std::size_t>(first - crop)) *
                                 sizeof(float);
          if (auto status = sums.read(y, bytes, at); !status) return status;
          const float* plane = rows.row[static_cast<std::size_t>(k)] + c * rows.plane_stride + (first - rows.left);
          for (std::size_t x = 0; x < sum.size(); ++x) sum[x] += plane[x];
          if (auto status = sums.write(y, bytes, at); !status) return status;
        }
      }
      return ok();
    }

    static Status take_sums(const Stage& stage, RowStore& sums, float factor, SourceWindow& window,
                            ResultRows& result) {
      const auto width = static_cast<std::size_t>(stage.out.width);
      const auto crop = static_cast<std::size_t>(stage.geometry.crop);
      std::vector<float> row(crop + 3 * width);  // the columns before the picture are not looked at
      nn::PlanarRows rows;
      rows.count = 1;
      rows.width = stage.out.width;
      rows.planes = 3;
      rows.plane_stride = static_cast<std::ptrdiff_t>(width);
      rows.row = {row.data()};
      if (auto status = window.begin(); !status) return status;
      for (int y = 0; y < stage.out.height; ++y) {
        const std::span<float> values{row.data() + crop, 3 * width};
        if (auto status = sums.read(y, std::as_writable_bytes(values)); !status) return status;
        for (float& value : values) value *= factor;
        rows.first = stage.geometry.crop + y;
        if (auto status = result.take(rows); !status) return status;
      }
      return ok();
    }

    NetworkUpscaler& owner_;
    const UpscaleJob& job_;
    const RunPlan& plan_;
    int written_ = 0;
    int skip_ = 0;
    double done_ = 0;
    double total_ = 0;
  };

  std::shared_ptr<const nn::Network> network_;
  UpscaleSettings settings_;
  const compute::Kernels& kernels_;
  nn::Program program_;
  std::unique_ptr<compute::Team> team_;
  std::optional<bool> int16_good_;
  std::optional<nn::Packed> packed_;
  Arithmetic packed_arithmetic_ = Arithmetic::int16;
  int packed_orientation_ = 0;
  Device device_;
};

}  // namespace

Result<std::unique_ptr<Upscaler>> Upscaler::create(std::shared_ptr<const nn::Network> network,
                                                   const UpscaleSettings& settings, const compute::Kernels* kernels) {
  auto program = nn::lower(network->graph);
  if (!program) return Error{program.error().code, fmt::format("{}: {}", network->name, program.error().what)};
  const compute::Kernels& chosen = kernels != nullptr ? *kernels : *compute::available_kernels().front();
  std::unique_ptr<Upscaler> upscaler =
      std::make_unique<NetworkUpscaler>(std::move(network), settings, chosen, *std::move(program));
  return upscaler;
}

}  // namespace weir::enhance
