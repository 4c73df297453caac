#include <fmt/format.h>

#include "audit/mask.hpp"
#include "audit/rules/checks.hpp"

// The workers of a pool stay for the next task, and keep the driver that the first has started: G03.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

/// The first use of the driver behind a step, in the same run of the task.
const Step* touch_behind(const Execution& execution, std::size_t index) {
  for (std::size_t i = index + 1; i < execution.steps.size(); ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind == Kind::touch && !exclusive(step, execution.steps[index])) return &step;
  }
  return nullptr;
}

bool may_use_gpu(const Execution& execution) {
  for (const Step& step : execution.steps)
    if (loads_gpu_library(step) || step.event->kind == Kind::use_device) return true;
  return false;
}

}  // namespace

void check_workers(const Execution& execution, const Judging& judging) {
  if (execution.pool == nullptr) return;
  for (std::size_t i = execution.own_from; i < execution.steps.size(); ++i) {
    const Step& step = execution.steps[i];
    const Event& event = *step.event;
    const bool anew = sets_own_mask(step) && event.mode == Event::Mode::assign && !event.guarded &&
                      !is_constant(step.value) && !is_for_processes(execution, i);
    if (!anew) continue;
    const Step* touch = touch_behind(execution, i);
    if (touch == nullptr && !may_use_gpu(execution)) continue;
    const std::string pool = place_text(*step.module, *execution.pool_module, execution.pool->where);
    auto found = finding_of(
        "G03", *step.module, event.where,
        touch != nullptr
            ? fmt::format("a worker of the pool ({}) runs this for each of its tasks: from the second on `{}` ({}) has "
                          "started the driver, and {} has no effect",
                          pool, code_text(*touch->module, touch->event->where),
                          place_text(*step.module, *touch->module, touch->event->where), event.name)
            : fmt::format("a worker of the pool ({}) runs this for each of its tasks: {} has no effect once a task has "
                          "used the driver",
                          pool, event.name),
        "set it once a worker (initializer=), or give each task a process of its own (maxtasksperchild=1)");
    if (touch == nullptr) found.severity = Severity::fragile;
    judging.findings.add(std::move(found));
  }
}

}  // namespace weir::audit
