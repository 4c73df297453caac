#include "jobs/coordinator.hpp"

#include <fmt/format.h>

#include "base/process_memory.hpp"
#include "jobs/coordinator_run.hpp"

namespace weir::jobs {
namespace {

// Memory that the coordinator allocates after its start for messages, state and log lines.
constexpr Bytes kCoordinatorMargin = 6_MiB;
constexpr Bytes kRamPerItem{512};       // memory of the coordinator for the state of one item
constexpr Bytes kMinWorkerRam = 8_MiB;  // smallest share of a worker: what it uses without items

Bytes coordinator_ram(std::size_t items) { return resident_memory() + kCoordinatorMargin + kRamPerItem * items; }

}  // namespace

Bytes ram_of_run(Bytes worker_ram, std::size_t workers, std::size_t items) {
  return coordinator_ram(items + kMaxPlannedPrerequisites) + worker_ram * std::max<std::size_t>(workers, 1);
}

Result<Bytes> ram_per_worker(Bytes ram, std::size_t workers, std::size_t items) {
  const Bytes coordinator = coordinator_ram(items);
  const Bytes share{(ram - coordinator).count() / std::max<std::size_t>(workers, 1)};
  if (share >= kMinWorkerRam) return share;
  return Error{
      Errc::over_budget,
      fmt::format("the memory limit of {} is too small for a coordinator ({}) and {} worker{} of at least {} each",
                  to_text(ram), to_text(coordinator), workers, workers == 1 ? "" : "s", to_text(kMinWorkerRam))};
}

Coordinator::Coordinator(const RunSettings& settings, const std::vector<Item>& items, IdentitySource identity_source,
                         RunObserver& observer, observe::EventLog& events, observe::Metrics& metrics)
    : run_{std::make_unique<Run>(settings, items, std::move(identity_source), observer, events, metrics)} {}
Coordinator::~Coordinator() = default;
Result<Totals> Coordinator::run() { return run_->run(); }

}  // namespace weir::jobs
