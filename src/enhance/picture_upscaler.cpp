#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/process_memory.hpp"
#include "base/threads.hpp"
#include "compute/thread_team.hpp"
#include "enhance/picture_planner.hpp"
#include "enhance/picture_run.hpp"
#include "enhance/picture_upscaler.hpp"
#include "enhance/precision_check.hpp"

namespace weir::enhance {

namespace {

using compute::Arithmetic;

/// The only implementation of PictureUpscaler.
class NetworkUpscaler final : public PictureUpscaler {
 public:
  NetworkUpscaler(std::shared_ptr<const nn::Network> network, UpscaleSettings settings, const compute::Kernels& kernels,
                  nn::Program program)
      : network_{std::move(network)},
        settings_{std::move(settings)},
        kernels_{kernels},
        program_{std::move(program)},
        weights_{network_->graph, program_, kernels_},
        runners_{network_->graph, program_, kernels_, settings_.spill_folder},
        device_{network_->graph, program_, settings_} {}

  const nn::Network& network() const override { return *network_; }

  Result<UpscalePlan> plan(const media::PictureInfo& picture, const media::MediaNeed& decoder,
                           const media::WriteOptions& output) override {
    if (device_.is_enabled()) {
      auto opened = device_.open();
      if (opened)
        return plan_with(ExecutionMode{.on_device = true, .arithmetic = Arithmetic::float32}, process_memory(), picture,
                         decoder, output);
      if (settings_.device_settings.strict) return opened.error();
      device_.disable(opened.error());
    }
    return plan_on_cpu(picture, decoder, output);
  }

  Bytes kept_memory() const override { return runners_.memory(); }
  std::optional<DeviceReport> device_report() const override { return device_.report(); }

  Result<std::vector<std::string>> run(const UpscaleJob& job) override {
    auto events = run_with_fallbacks(job);
    if (!job.keep_memory) runners_.release();
    return events;
  }

 private:
  /// If the GPU fails, plans again and continues on the CPU. If the CPU computes values that are not numbers in int16,
  /// plans again and continues in float32. Rows that are already written stay as they are.
  Result<std::vector<std::string>> run_with_fallbacks(const UpscaleJob& job) {
    std::vector<std::string> events;
    std::shared_ptr<const RunPlan> plan = job.plan.run_plan;
    int written = 0;
    auto status = run_from(job, plan, written);
    if (auto missing = missing_threads_message(); !missing.empty()) events.push_back(std::move(missing));
    device_.move_events_to(events);
    if (!status && plan->mode.on_device && nn::vulkan::is_device_fault(status.error()) &&
        !settings_.device_settings.strict) {
      events.push_back(fmt::format("rows from {} on were made on the CPU: {}", written, status.error().what));
      auto on_cpu = plan_on_cpu(job.reader.info(), job.reader.need(), plan->output);
      if (!on_cpu) return on_cpu.error();
      plan = on_cpu->run_plan;
      status = run_from(job, plan, written);
    }
    if (!status && status.error().code == Errc::bad_values && !plan->mode.on_device &&
        plan->mode.arithmetic == Arithmetic::int16) {
      events.push_back(fmt::format("rows from {} on were repeated in float32: {}", written, status.error().what));
      auto in_float32 = plan_with(ExecutionMode{.on_device = false, .arithmetic = Arithmetic::float32},
                                  process_memory(), job.reader.info(), job.reader.need(), plan->output);
      if (!in_float32) return in_float32.error();
      plan = in_float32->run_plan;
      status = run_from(job, plan, written);
    }
    if (!status) return status.error();
    return events;
  }

  /// Returns the memory of the process for a new plan, after the memory of runs of an earlier plan is freed.
  ProcessMemory process_memory() {
    runners_.release();
    return {.resident = resident_memory(), .planned_check_peak = {}};
  }
  /// Plans for the CPU; checks the precision of int16 first if no picture was planned with it yet. The plan is the same
  /// whether the precision check runs or its verdict is cached: it uses the resident memory from before the check, and
  /// adds a fixed amount (kWorkingSlack) for what code and threads use later.
  Result<UpscalePlan> plan_on_cpu(const media::PictureInfo& picture, const media::MediaNeed& decoder,
                                  const media::WriteOptions& output) {
    ProcessMemory process = process_memory();
    if (settings_.precision == Precision::exact)
      return plan_with(ExecutionMode{.on_device = false, .arithmetic = Arithmetic::float32}, process, picture, decoder,
                       output);
    if (!int16_good_enough_) {
      if (auto checked = check_precision(process.resident); !checked) return checked.error();
    }
    process.planned_check_peak = planned_check_peak_;
    return plan_with(
        ExecutionMode{.on_device = false, .arithmetic = *int16_good_enough_ ? Arithmetic::int16 : Arithmetic::float32},
        process, picture, decoder, output);
  }
  Result<UpscalePlan> plan_with(ExecutionMode mode, ProcessMemory process, const media::PictureInfo& picture,
                                const media::MediaNeed& decoder, const media::WriteOptions& output) {
    return plan_picture({*network_, program_, kernels_, settings_, weights_, device_, process}, mode, picture, decoder,
                        output);
  }
  /// Runs the plan and writes the rows of the result from row `written` on; see run_picture().
  Status run_from(const UpscaleJob& job, const std::shared_ptr<const RunPlan>& plan, int& written) {
    return run_picture({*network_, program_, kernels_, settings_, weights_, runners_, device_, team()}, job, plan,
                       written);
  }

  /// Checks the precision within the memory limit, before any memory for the picture is allocated. Sets
  /// int16_good_enough_, and planned_check_peak_, which is the same if the verdict was cached. `resident` is the
  /// resident memory of the process.
  Status check_precision(Bytes resident) {
    const PrecisionCheckContext context{*network_, program_, kernels_};
    const Bytes taken = resident + kWorkingSlack;
    const Bytes left =
        settings_.ram == Bytes{} ? Bytes{~std::uint64_t{0}} : settings_.ram - std::min(settings_.ram, taken);
    const auto check = PrecisionCheck::plan(context, settings_.threads, left);
    if (!check) return check.error();
    const auto verdict = check->run(context, team());
    return_free_memory();
    if (!verdict) return verdict.error();
    int16_good_enough_ = verdict->good_enough;
    planned_check_peak_ = taken + check->need();
    return ok();
  }

  compute::ThreadTeam& team() {
    if (!team_) team_ = std::make_unique<compute::ThreadTeam>(settings_.threads);
    return *team_;
  }

  std::shared_ptr<const nn::Network> network_;
  UpscaleSettings settings_;
  const compute::Kernels& kernels_;
  nn::Program program_;
  PackedWeightCache weights_;
  std::unique_ptr<compute::ThreadTeam> team_;
  RunnerCache runners_;                    // after team_, which the runners use
  std::optional<bool> int16_good_enough_;  // the verdict of the precision check; nothing: not checked yet
  Bytes planned_check_peak_;               // planned peak memory of the process during the check
  UpscaleDevice device_;
};

}  // namespace

Result<std::unique_ptr<PictureUpscaler>> PictureUpscaler::create(std::shared_ptr<const nn::Network> network,
                                                                 const UpscaleSettings& settings,
                                                                 const compute::Kernels* kernels) {
  auto program = nn::lower(network->graph);
  if (!program) return Error{program.error().code, fmt::format("{}: {}", network->name, program.error().what)};
  if (const nn::Layer* uneven = settings.tta ? nn::find_uneven_layer(network->graph) : nullptr)
    return Error{Errc::unsupported,
                 fmt::format("{}: {} treats the edges of a picture differently, so that the network cannot "
                             "be turned; leave out --tta",
                             network->name, nn::describe(*uneven))};
  const compute::Kernels& chosen = kernels != nullptr ? *kernels : *compute::available_kernels().front();
  std::unique_ptr<PictureUpscaler> upscaler =
      std::make_unique<NetworkUpscaler>(std::move(network), settings, chosen, *std::move(program));
  return upscaler;
}

}  // namespace weir::enhance
