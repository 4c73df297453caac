#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "audit/fix/edits.hpp"
#include "audit/fix/module_imports.hpp"
#include "audit/mask.hpp"
#include "audit/python/gpu_names.hpp"
#include "audit/rules/checks.hpp"
#include "audit/source/words.hpp"

// The order of driver starts and writes of masks, device orders and allocator settings: G01, G02, G03, G07, G23. The
// driver reads masks and device orders once, when it starts in a process; PyTorch's allocator reads its settings when
// it is first used.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

/// Returns the first step before `index` that has certainly happened and satisfies `matches`; null if there is none.
template <class Matches>
const Step* first_before(const Execution& execution, std::size_t index, Matches matches) {
  for (std::size_t i = 0; i < index; ++i) {
    const Step& step = execution.steps[i];
    if (matches(step) && is_always_before(step, execution.steps[index])) return &step;
  }
  return nullptr;
}

/// Returns edits that move the statement of `event` above the outermost statement that contains `place`, with `import
/// os` above the new position. Both are in the module's body. Empty if the moved statement shares a line with other
/// code.
std::vector<Edit> move_above(const Module& module, const Event& event, const Event& place) {
  const auto moved = move_statement(module.source, event.statement, place.top_statement.begin);
  if (moved.empty()) return {};
  std::vector<Edit> edits = import_above(module, "os", place.top_statement.begin);
  edits.insert(edits.end(), moved.begin(), moved.end());
  return edits;
}

/// Returns whether a step between the import and the write at the step `index` makes a move of the write above the
/// import unsafe. Such a step writes or removes the same variable or unknown variables, so that it would take effect
/// last, or starts a process, which would receive the variable.
bool is_move_unsafe(const Execution& execution, const Step& import, std::size_t index) {
  const auto begin = execution.steps.begin() + (&import - execution.steps.data());
  const auto end = execution.steps.begin() + static_cast<std::ptrdiff_t>(index);
  return std::any_of(begin, end, [&](const Step& other) {
    if (other.event->kind == Kind::change_environment || other.event->kind == Kind::start_process) return true;
    const bool writes = other.event->kind == Kind::set_variable || other.event->kind == Kind::remove_variable;
    return writes && other.event->mode != Event::Mode::child_environment &&
           other.event->name == execution.steps[index].event->name;
  });
}

/// Returns whether another loaded module mentions the variable, so that its code may read the variable before the
/// write.
bool others_mention(const Execution& execution, std::string_view variable) {
  return std::any_of(execution.loaded_modules.begin(), execution.loaded_modules.end(), [&](const Module* module) {
    return module != execution.program && module->source.text().find(variable) != std::string_view::npos;
  });
}

/// Returns the event of the program's own file that first leads to the import of a GPU library; null if there is none.
const Event* first_import(const Execution& execution) {
  for (const Step& step : execution.steps) {
    if (loads_gpu_library(step)) return step.entry_event;
  }
  return nullptr;
}

/// Adds edits that move the write, the step `index`, above the first import of a GPU library, if this is possible. The
/// fixability becomes `if_proved` if no statement that the write passes can notice the move, otherwise unsafe.
void add_move(Finding& found, const Execution& execution, std::size_t index, const Step& import, Fixability if_proved,
              const RuleContext& context) {
  const Step& step = execution.steps[index];
  const Event& event = *step.event;
  const Event* import_event = first_import(execution);
  const bool is_in_body = step.module == execution.program && step.function == &step.module->body() &&
                          step.entry_event == &event && event.is_editable && event.is_top_level && step.arms.empty();
  if (import_event == nullptr || !is_in_body || import_event->top_statement.begin >= event.top_statement.begin ||
      is_move_unsafe(execution, import, index))
    return;
  const MoveSafety movable = context.statements.move_safety(*step.module, import_event->top_statement, event);
  if (movable == MoveSafety::no || (movable == MoveSafety::unproved && others_mention(execution, event.name))) return;
  found.edits = move_above(*step.module, event, *import_event);
  if (!found.edits.empty()) found.fixability = movable == MoveSafety::yes ? if_proved : Fixability::unsafe;
}

/// Returns the location of `cause` for a message about `step`. If `cause` is not in the program's own file, adds the
/// line of the program that leads to it.
std::string cause_location(const Execution& execution, const Step& cause, const Step& step) {
  std::string text = location_text(*step.module, *cause.module, cause.event->range);
  if (cause.entry_event != cause.event && cause.module != execution.program)
    text += fmt::format(", through {}", location_text(*step.module, *execution.program, cause.entry_event->range));
  return text;
}

/// Reports a write after the import of a GPU library: G02 if the variable was set before the import, too, otherwise
/// G01.
void report_late_write(const Execution& execution, std::size_t index, const Step& import, const RuleContext& context) {
  const Step& step = execution.steps[index];
  const Event& event = *step.event;
  const Step* earlier = first_before(execution, index, [&](const Step& other) {
    return other.event->kind == Kind::set_variable && other.event->name == event.name &&
           other.event->mode != Event::Mode::child_environment && &other < &import && other.event != &event;
  });
  const bool starts_driver =
      python::find_library(import.event->name)->mask_read_time == python::MaskReadTime::at_import;
  const std::string import_text =
      fmt::format("`{}` ({})", code_text(*import.module, import.event->range), cause_location(execution, import, step));
  if (earlier != nullptr) {
    const bool is_same_value = is_constant(step.value) && earlier->value.as_text() == step.value.as_text();
    if (event.mode == Event::Mode::set_if_unset) return;
    auto found =
        make_finding("G02", *step.module, event.range,
                     fmt::format("{} was set at {} and is set again after {}", event.name,
                                 location_text(*step.module, *earlier->module, earlier->event->range), import_text),
                     is_same_value ? "delete this copy" : "set only the intended value, above the import");
    if (is_same_value) found.severity = Severity::style;
    if (is_same_value) remove_repeated_write(found, step, context);
    context.findings.add(std::move(found));
    return;
  }
  auto found = make_finding(
      "G01", *step.module, event.range,
      starts_driver ? fmt::format("{} is set after {}, which starts the driver when it is imported: no effect",
                                  event.name, import_text)
                    : fmt::format("{} is set after {}: too late if anything has used the driver by then", event.name,
                                  import_text),
      step.in_call ? "set it before the import, in the program itself, or start the program with it"
                   : "move it above the import");
  if (starts_driver) found.severity = Severity::dead;
  // If the import starts the driver, the move makes a mask effective that had no effect; a person must decide this.
  const Fixability fixability = starts_driver ? Fixability::unsafe : Fixability::safe;
  add_move(found, execution, index, import, fixability, context);
  context.findings.add(std::move(found));
}

/// Makes the finding for the write `step` of a value that the write `earlier` has set and the driver has already read.
Finding repeated_write_finding(const Step& step, const Step& earlier, const RuleContext& context) {
  auto found = make_finding("G07", *step.module, step.event->range,
                            fmt::format("{} is repeated: it has this value since {}", step.event->name,
                                        location_text(*step.module, *earlier.module, earlier.event->range)),
                            "delete this copy");
  remove_repeated_write(found, step, context);
  return found;
}

/// Returns whether the function with the write may run before the driver's start although no followed call runs it
/// then: Python may call the function itself, or code above the driver's start names it and may register it as a
/// callback.
bool may_run_before(const Execution& execution, const Step& write, const Step& driver_start) {
  if (execution.function == nullptr || write.module != driver_start.module || driver_start.function == write.function)
    return false;
  const std::string_view key = execution.function->key;
  const std::string_view name = key.substr(key.rfind('.') + 1);
  if (name.starts_with("__") && name != "__init__" && name != "__call__") return true;
  const std::string_view above = driver_start.module->source.text().substr(0, driver_start.event->range.begin);
  // A name that occurs once is only defined; it is used if it occurs more often.
  const auto is_named_beside_its_definition = [&](std::string_view word) {
    const std::size_t first = find_word(above, word);
    return first != std::string_view::npos && find_word(above, word, first + 1) != std::string_view::npos;
  };
  const std::string_view outermost_name = key.substr(0, key.find('.'));
  return is_named_beside_its_definition(name) || is_named_beside_its_definition(outermost_name);
}

/// Returns whether an earlier step has the same event as the step `index`.
bool happened_before(const Execution& execution, std::size_t index) {
  return std::any_of(execution.steps.begin(), execution.steps.begin() + static_cast<std::ptrdiff_t>(index),
                     [&](const Step& other) { return other.event == execution.steps[index].event; });
}

/// Checks G01, G02, G03 and G07 for one write of a mask or a device order.
void check_selection(const Execution& execution, std::size_t index, const RuleContext& context) {
  const Step& step = execution.steps[index];
  if (happened_before(execution, index)) return;  // the first step with this event decides
  const Vendor vendor = find_device_variable(step.event->name)->vendor;
  const Step* driver_start = certain_driver_start_before(execution, index, vendor);
  if (driver_start == nullptr) driver_start = driver_start_before(execution, index, vendor);
  if (driver_start != nullptr) {
    const Step* earlier = previous_write(execution, index);
    if (earlier != nullptr && is_constant(step.value) && earlier->value.as_text() == step.value.as_text()) {
      // The driver already read this value, so the second write has no effect.
      auto found = repeated_write_finding(step, *earlier, context);
      context.findings.add(std::move(found));
      return;
    }
    const bool is_uncertain = may_avoid_driver(*driver_start);
    auto found = make_finding(
        "G03", *step.module, step.event->range,
        fmt::format("{} is set after `{}` ({}) {}", step.event->name,
                    code_text(*driver_start->module, driver_start->event->range),
                    cause_location(execution, *driver_start, step),
                    is_uncertain ? "has counted the cards: PyTorch before 1.13 has started the driver by then "
                                   "(no effect in this process), and before 2.4 it keeps the old count"
                                 : "has started the driver: no effect in this process"),
        "set it before the first use, or start a process with it (weir run, subprocess with env=)");
    if (is_uncertain) found.severity = Severity::fragile;
    if (may_run_before(execution, step, *driver_start)) {
      found.severity = Severity::fragile;
      found.message += ", unless this runs before it";
    } else {
      context.findings.note_ineffective(*step.module, step.event->range);
    }
    context.findings.add(std::move(found));
    return;
  }
  const auto loads_library_of_vendor = [&](const Step& other) {
    if (!loads_gpu_library(other)) return false;
    const auto library_vendor = python::vendor_of(other.event->name);
    // PyTorch for AMD cards uses the name "cuda", too.
    return !library_vendor || *library_vendor == vendor || (*library_vendor == Vendor::nvidia && vendor == Vendor::amd);
  };
  if (const Step* import = first_before(execution, index, loads_library_of_vendor))
    report_late_write(execution, index, *import, context);
}

/// Checks G23 for one write of PyTorch's allocator settings.
void check_allocator(const Execution& execution, std::size_t index, const RuleContext& context) {
  const Step& step = execution.steps[index];
  const auto text = step.value.as_text();
  if (text && text->find("max_split_size_mb") != std::string::npos &&
      text->find("expandable_segments:True") != std::string::npos) {
    auto found =
        make_finding("G23", *step.module, step.event->range,
                     "max_split_size_mb has no effect together with expandable_segments", "keep one of the two");
    context.findings.add(std::move(found));
    return;
  }
  const auto is_torch = [](const Step& other) {
    return loads_gpu_library(other) && other.event->name.starts_with("torch");
  };
  const Step* driver_start = driver_start_before(execution, index, find_device_variable(step.event->name)->vendor);
  const Step* import = first_before(execution, index, is_torch);
  if (import == nullptr) return;
  auto found = make_finding(
      "G23", *step.module, step.event->range,
      fmt::format("{} is set after `{}` ({}){}", step.event->name, code_text(*import->module, import->event->range),
                  cause_location(execution, *import, step),
                  driver_start != nullptr ? ", and the driver is in use already: no effect" : ""),
      "set it above the import");
  if (driver_start != nullptr) found.severity = Severity::dead;
  add_move(found, execution, index, *import, Fixability::safe, context);
  context.findings.add(std::move(found));
}

}  // namespace

bool may_be_for_processes(const Execution& execution, std::size_t index) {
  for (std::size_t i = index + 1; i < execution.steps.size(); ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind != Kind::start_process || are_exclusive(step, execution.steps[index])) continue;
    // Worker processes are often started far from the code that sets their variables, in any function.
    const bool starts_workers = step.event->name.find("multiprocessing") != std::string::npos ||
                                step.event->name.find("Process") != std::string::npos;
    if (starts_workers || step.function == execution.steps[index].function) return true;
  }
  return false;
}

void check_write_timing(const Execution& execution, const RuleContext& context) {
  for (std::size_t i = execution.first_new_step; i < execution.steps.size(); ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind != Kind::set_variable || step.event->mode == Event::Mode::child_environment) continue;
    const DeviceVariable* variable = find_device_variable(step.event->name);
    if (may_be_for_processes(execution, i)) continue;
    if (variable->role == DeviceVariable::Role::mask || variable->role == DeviceVariable::Role::order)
      check_selection(execution, i, context);
    else if (variable->role == DeviceVariable::Role::allocator)
      check_allocator(execution, i, context);
  }
}

}  // namespace weir::audit
