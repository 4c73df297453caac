#include <algorithm>
#include <cctype>
#include <optional>

#include <fmt/format.h>

#include "audit/fix/edits.hpp"
#include "audit/fix/module_imports.hpp"
#include "audit/mask.hpp"
#include "audit/python/gpu_names.hpp"
#include "audit/rules/checks.hpp"

// When the driver reads the masks, and who comes before it: G01, G02, G03, G23.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

/// The first step before `index` that is sure to have happened and satisfies `is`.
template <class Is>
const Step* first_before(const Execution& execution, std::size_t index, Is is) {
  for (std::size_t i = 0; i < index; ++i) {
    const Step& step = execution.steps[i];
    if (is(step) && always_before(step, execution.steps[index])) return &step;
  }
  return nullptr;
}

/// Moves a statement of the outermost block above another of them, with `import os` if it is needed there.
std::vector<Edit> move_above(const Module& module, const Event& event, const Event& place) {
  const auto moved = moved_lines(module.source, event.statement, place.top.begin);
  if (moved.empty()) return {};
  std::vector<Edit> edits = imported_above(module, "os", place.top.begin);
  edits.insert(edits.end(), moved.begin(), moved.end());
  return edits;
}

/// Another write of the variable, or its removal, stands between the import and this step: moved, the other would count. Or a process
/// is started there, which would be given the variable.
bool is_written_between(const Execution& execution, const Step& import, std::size_t index) {
  const auto begin = execution.steps.begin() + (&import - execution.steps.data());
  const auto end = execution.steps.begin() + static_cast<std::ptrdiff_t>(index);
  return std::any_of(begin, end, [&](const Step& other) {
    if (other.event->kind == Kind::change_environment || other.event->kind == Kind::start_process) return true;
    const bool writes = other.event->kind == Kind::set_variable || other.event->kind == Kind::remove_variable;
    return writes && other.event->mode != Event::Mode::child && other.event->name == execution.steps[index].event->name;
  });
}

/// A module that the program loads speaks of the variable: it may be passed, and look at it.
bool others_name(const Execution& execution, std::string_view variable) {
  return std::any_of(execution.modules.begin(), execution.modules.end(), [&](const Module* module) {
    return module != execution.program && module->source.text().find(variable) != std::string_view::npos;
  });
}

/// The first statement of the program's own text that brings one of the libraries.
const Event* first_import(const Execution& execution) {
  for (const Step& step : execution.steps) {
    if (loads_gpu_library(step)) return step.entry;
  }
  return nullptr;
}

/// Offers to move the write above the first import of the program. `proved`: what the edit is where nothing that the write passes can
/// notice.
void offer_to_move(Finding& found, const Execution& execution, std::size_t index, const Step& import, Fixing proved,
                   const Judging& judging) {
  const Step& step = execution.steps[index];
  const Event& event = *step.event;
  const Event* place = first_import(execution);
  const bool own = step.module == execution.program && step.function == &step.module->body() && step.entry == &event &&
                   event.editable && event.outermost && step.arms.empty();
  if (place == nullptr || !own || place->top.begin >= event.top.begin || is_written_between(execution, import, index))
    return;
  const Movable movable = judging.statements.movable_above(*step.module, place->top, event);
  if (movable == Movable::no || (movable == Movable::unproved && others_name(execution, event.name))) return;
  found.edits = move_above(*step.module, event, *place);
  if (!found.edits.empty()) found.fixing = movable == Movable::yes ? proved : Fixing::unsafe;
}

std::string read_at(const Execution& execution, const Step& cause, const Step& step) {
  std::string text = place_text(*step.module, *cause.module, cause.event->where);
  if (cause.entry != cause.event && cause.module != execution.program)
    text += fmt::format(", through {}", place_text(*step.module, *execution.program, cause.entry->where));
  return text;
}

void too_late(const Execution& execution, std::size_t index, const Step& import, const Judging& judging) {
  const Step& step = execution.steps[index];
  const Event& event = *step.event;
  const Step* earlier = first_before(execution, index, [&](const Step& other) {
    return other.event->kind == Kind::set_variable && other.event->name == event.name &&
           other.event->mode != Event::Mode::child && &other < &import && other.event != &event;
  });
  const bool touches = python::find_library(import.event->name)->at_import == python::AtImport::touches;
  const std::string after =
      fmt::format("`{}` ({})", code_text(*import.module, import.event->where), read_at(execution, import, step));
  if (earlier != nullptr) {
    const bool equal = is_constant(step.value) && earlier->value.as_text() == step.value.as_text();
    if (event.mode == Event::Mode::keep) return;
    auto found = finding_of("G02", *step.module, event.where,
                            fmt::format("{} was set at {} and is set again after {}", event.name,
                                        place_text(*step.module, *earlier->module, earlier->event->where), after),
                            equal ? "delete this copy" : "decide for one of the two values, above the import");
    if (equal) found.severity = Severity::style;
    if (equal) remove_repeated(found, step, judging);
    judging.findings.add(std::move(found));
    return;
  }
  auto found = finding_of(
      "G01", *step.module, event.where,
      touches
          ? fmt::format("{} is set after {}, which starts the driver when it is imported: no effect", event.name, after)
          : fmt::format("{} is set after {}: too late if anything has used the driver by then", event.name, after),
      step.in_call ? "set it before the import, in the program itself, or start the program with it"
                   : "move it above the import");
  if (touches) found.severity = Severity::dead;
  // There the mask begins to count where it did not: that is for the owner to decide.
  const Fixing fixing = touches ? Fixing::unsafe : Fixing::safe;
  offer_to_move(found, execution, index, import, fixing, judging);
  judging.findings.add(std::move(found));
}

/// Set again to what it is, after the driver has read it.
Finding repeated(const Step& step, const Step& earlier, const Judging& judging) {
  auto found = finding_of("G07", *step.module, step.event->where,
                          fmt::format("{} is repeated: it has this value since {}", step.event->name,
                                      place_text(*step.module, *earlier.module, earlier.event->where)),
                          "delete this copy");
  remove_repeated(found, step, judging);
  return found;
}

/// The function that holds the write is no program's own call: Python may run it by itself, or what is above the touch may have handed it
/// to somebody who does.
bool may_run_before(const Execution& execution, const Step& write, const Step& touch) {
  if (execution.function == nullptr || write.module != touch.module || touch.function == write.function) return false;
  const std::string_view key = execution.function->key;
  const std::string_view name = key.substr(key.rfind('.') + 1);
  if (name.starts_with("__") && name != "__init__" && name != "__call__") return true;
  const std::string_view above = touch.module->source.text().substr(0, touch.event->where.begin);
  const auto is_named_beside_its_definition = [&](std::string_view word) {
    const auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    int count = 0;
    for (std::size_t at = above.find(word); at != std::string_view::npos; at = above.find(word, at + 1)) {
      const bool begins = at == 0 || !is_part(above[at - 1]);
      const std::size_t end = at + word.size();
      count += begins && (end == above.size() || !is_part(above[end])) ? 1 : 0;
    }
    return count > 1;
  };
  const std::string_view first = key.substr(0, key.find('.'));
  return is_named_beside_its_definition(name) || is_named_beside_its_definition(first);
}

bool happened_before(const Execution& execution, std::size_t index) {
  return std::any_of(execution.steps.begin(), execution.steps.begin() + static_cast<std::ptrdiff_t>(index),
                     [&](const Step& other) { return other.event == execution.steps[index].event; });
}

void check_selection(const Execution& execution, std::size_t index, const Judging& judging) {
  const Step& step = execution.steps[index];
  if (happened_before(execution, index)) return;  // the first time decides
  const Vendor vendor = find_variable(step.event->name)->vendor;
  const Step* touch = sure_touch_before(execution, index, vendor);
  if (touch == nullptr) touch = touch_before(execution, index, vendor);
  if (touch != nullptr) {
    const Step* earlier = same_variable_before(execution, index);
    const bool constant = is_constant(step.value);
    if (earlier != nullptr && constant && earlier->value.as_text() == step.value.as_text()) {
      // The driver has read this value already: nothing is lost, and nothing is gained.
      auto found = repeated(step, *earlier, judging);
      judging.findings.add(std::move(found));
      return;
    }
    const bool maybe = may_leave_driver_alone(*touch);
    auto found =
        finding_of("G03", *step.module, step.event->where,
                   fmt::format("{} is set after `{}` ({}) {}", step.event->name,
                               code_text(*touch->module, touch->event->where), read_at(execution, *touch, step),
                               maybe ? "has asked for the cards: PyTorch before 1.13 has started the driver by then "
                                       "(no effect in this process), and before 2.4 it keeps the old count"
                                     : "has started the driver: no effect in this process"),
                   "set it before the first use, or start a process with it (weir run, subprocess with env=)");
    if (maybe) found.severity = Severity::fragile;
    if (may_run_before(execution, step, *touch)) {
      found.severity = Severity::fragile;
      found.what += ", unless this runs before it";
    } else {
      judging.findings.note_dead(*step.module, step.event->where);
    }
    judging.findings.add(std::move(found));
    return;
  }
  const auto loads = [&](const Step& other) {
    if (!loads_gpu_library(other)) return false;
    const auto whose = python::vendor_of(other.event->name);
    return !whose || *whose == vendor || (*whose == Vendor::nvidia && vendor == Vendor::amd);
  };
  if (const Step* import = first_before(execution, index, loads)) too_late(execution, index, *import, judging);
}

void check_allocator(const Execution& execution, std::size_t index, const Judging& judging) {
  const Step& step = execution.steps[index];
  const auto text = step.value.as_text();
  if (text && text->find("max_split_size_mb") != std::string::npos &&
      text->find("expandable_segments:True") != std::string::npos) {
    auto found = finding_of("G23", *step.module, step.event->where,
                            "max_split_size_mb has no effect together with expandable_segments", "keep one of the two");
    judging.findings.add(std::move(found));
    return;
  }
  const auto is_torch = [](const Step& other) {
    return loads_gpu_library(other) && other.event->name.starts_with("torch");
  };
  const Step* touch = touch_before(execution, index, find_variable(step.event->name)->vendor);
  const Step* import = first_before(execution, index, is_torch);
  if (import == nullptr) return;
  auto found =
      finding_of("G23", *step.module, step.event->where,
                 fmt::format("{} is set after `{}` ({}){}", step.event->name,
                             code_text(*import->module, import->event->where), read_at(execution, *import, step),
                             touch != nullptr ? ", and the driver is in use already: no effect" : ""),
                 "set it above the import");
  if (touch != nullptr) found.severity = Severity::dead;
  offer_to_move(found, execution, index, *import, Fixing::safe, judging);
  judging.findings.add(std::move(found));
}

}  // namespace

bool is_for_processes(const Execution& execution, std::size_t index) {
  for (std::size_t i = index + 1; i < execution.steps.size(); ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind != Kind::start_process || exclusive(step, execution.steps[index])) continue;
    const bool workers = step.event->name.find("multiprocessing") != std::string::npos ||
                         step.event->name.find("Process") != std::string::npos;
    if (workers || step.function == execution.steps[index].function) return true;
  }
  return false;
}

void check_order(const Execution& execution, const Judging& judging) {
  for (std::size_t i = execution.own_from; i < execution.steps.size(); ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind != Kind::set_variable || step.event->mode == Event::Mode::child) continue;
    const Variable* variable = find_variable(step.event->name);
    if (is_for_processes(execution, i)) continue;
    if (variable->role == Variable::Role::mask || variable->role == Variable::Role::order)
      check_selection(execution, i, judging);
    else if (variable->role == Variable::Role::allocator)
      check_allocator(execution, i, judging);
  }
}

}  // namespace weir::audit
