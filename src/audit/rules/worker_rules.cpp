#include <fmt/format.h>

#include "audit/mask.hpp"
#include "audit/rules/checks.hpp"

// G03 (the driver is used before the mask is set) for pools: a worker process of a pool executes many tasks, and the
// driver that the first task started keeps the mask of the first task.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

/// Returns the first driver start after the step `index` that can happen together with this step; null if there is
/// none.
const Step* driver_start_after(const Execution& execution, std::size_t index) {
  for (std::size_t i = index + 1; i < execution.steps.size(); ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind == Kind::start_driver && !are_exclusive(step, execution.steps[index])) return &step;
  }
  return nullptr;
}

bool may_use_gpu(const Execution& execution) {
  for (const Step& step : execution.steps)
    if (loads_gpu_library(step) || step.event->kind == Kind::use_device) return true;
  return false;
}

}  // namespace

void check_workers(const Execution& execution, const RuleContext& context) {
  if (execution.pool_event == nullptr) return;
  for (std::size_t i = execution.first_new_step; i < execution.steps.size(); ++i) {
    const Step& step = execution.steps[i];
    const Event& event = *step.event;
    const bool sets_new_mask = sets_own_mask(step) && event.mode == Event::Mode::assign &&
                               !event.variable_read_before && !is_constant(step.value) &&
                               !may_be_for_processes(execution, i);
    if (!sets_new_mask) continue;
    const Step* driver_start = driver_start_after(execution, i);
    if (driver_start == nullptr && !may_use_gpu(execution)) continue;
    const std::string pool = location_text(*step.module, *execution.pool_module, execution.pool_event->range);
    auto found = make_finding(
        "G03", *step.module, event.range,
        driver_start != nullptr
            ? fmt::format("a worker of the pool ({}) runs this for each of its tasks: from the second on `{}` ({}) has "
                          "started the driver, and {} has no effect",
                          pool, code_text(*driver_start->module, driver_start->event->range),
                          location_text(*step.module, *driver_start->module, driver_start->event->range), event.name)
            : fmt::format("a worker of the pool ({}) runs this for each of its tasks: {} has no effect once a task has "
                          "used the driver",
                          pool, event.name),
        "set it once per worker (initializer=), or start a new process for each task (maxtasksperchild=1)");
    if (driver_start == nullptr) found.severity = Severity::fragile;
    context.findings.add(std::move(found));
  }
}

}  // namespace weir::audit
