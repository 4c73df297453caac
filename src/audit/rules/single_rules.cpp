#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "audit/fix/edits.hpp"
#include "audit/fix/rewrites.hpp"
#include "audit/mask.hpp"
#include "audit/rules/checks.hpp"

// What one place shows by itself: G15, G16, G21, G22, G25, G29, G31, G32.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

Finding renamed_call(const Module& module, const Event& event) {
  const std::string_view code = module.source.text(event.where);
  const std::string old_name = event.name.substr(event.name.rfind('.') + 1);
  const std::string new_name = event.value.as_text().value_or("");
  auto found = finding_of("G22", module, event.where, fmt::format("{}() is deprecated", event.name),
                          fmt::format("{}()", new_name));
  // A name alone was brought by an import that would have to change, too.
  if (code.ends_with("." + old_name) && !module.error) {
    found.edits = {{{event.where.end - static_cast<std::uint32_t>(old_name.size()), event.where.end}, new_name}};
    found.fixing = Fixing::safe;
  }
  return found;
}

Finding future_import(const Module& module, const Event& event) {
  auto found = finding_of("G32", module, event.where,
                          "this file does not compile: an import from __future__ stands below other code",
                          "move it up, below the docstring");
  const auto lines = own_lines(module.source, event.statement);
  if (lines && event.outermost && !module.error) {
    std::string moved{module.source.text(*lines)};
    if (!moved.ends_with('\n') && !moved.ends_with('\r')) moved += module.source.line_break();
    found.edits = {{{module.header_at, module.header_at}, std::move(moved)}, {*lines, {}}};
    found.fixing = Fixing::safe;
  }
  return found;
}

bool hides_or_is_empty(const Value& value) {
  const auto mask = parse_mask(value);
  return !mask || mask->hides_all();
}

/// A finding of a rule that may rewrite the event's text.
Finding rewritten(Finding found, std::vector<Edit> edits) {
  found.edits = std::move(edits);
  found.fixing = found.edits.empty() ? Fixing::manual : Fixing::unsafe;
  return found;
}

/// Garbage that is collected after the cache was emptied stays in the cache.
void check_cleanup(const Module& module, const Function& function, const Judging& judging) {
  const Event* emptied = nullptr;
  for (const Event& event : function.events) {
    if (event.kind != Kind::memory_cleanup) continue;
    const bool collects = event.name == "gc.collect";
    if (!collects) emptied = &event;
    // "if is_available(): empty_cache()" right above counts, too.
    const auto line = [&](const Event& one) { return module.source.place(one.where.begin).line; };
    const bool nearby = emptied != nullptr && line(event) - line(*emptied) <= 6 &&
                        event.arms.size() < emptied->arms.size() &&
                        std::equal(event.arms.begin(), event.arms.end(), emptied->arms.begin());
    if (!collects || emptied == nullptr || (event.arms != emptied->arms && !nearby)) continue;
    const bool again = std::any_of(&event, function.events.data() + function.events.size(), [](const Event& later) {
      return later.kind == Kind::memory_cleanup && later.name != "gc.collect";
    });
    if (again) continue;
    auto found = finding_of("G22", module, event.where,
                            fmt::format("what gc.collect() frees stays in the cache, which was emptied before ({})",
                                        place_text(module, module, emptied->where)),
                            "gc.collect() first, then empty_cache()");
    found.edits = swapped(module, *emptied, event);
    found.fixing = found.edits.empty() ? Fixing::manual : Fixing::safe;
    judging.findings.add(std::move(found));
    emptied = nullptr;
  }
}

/// A mask within a container or a job that is given cards already.
Finding inner_mask(const Module& module, const Event& event) {
  auto found =
      finding_of("G28", module, event.where,
                 fmt::format("{} selects already ({}); inside, the cards count from 0 and {} means another, or none",
                             event.name.starts_with("the ") ? "the scheduler" : "the container", event.name,
                             event.value.as_text().value_or("the mask")),
                 "leave the inner mask out");
  if (!event.target.empty() && !module.error) {
    std::uint32_t begin = event.target.begin;
    while (begin > 0 && module.source.text()[begin - 1] == ' ') --begin;
    found.edits = {{{begin, event.target.end}, {}}};
  } else if (event.editable && !module.error) {
    found.edits = removal(module.source, event.statement);
  }
  found.fixing = found.edits.empty() ? Fixing::manual : Fixing::unsafe;
  return found;
}

/// The function that a process or a thread starts with; null if it is none of this project.
Project::Found started(const Project& project, const Module& module, const Event& event) {
  if (!event.name.starts_with(':')) return project.function(module, event.name);
  return {&module, module.find_function(std::string_view{event.name}.substr(1))};
}

/// Every process of a loop gets the same mask of several cards.
void check_processes(const Module& module, const Event& event, const Judging& judging) {
  const auto [home, target] = started(judging.project, module, event);
  if (target == nullptr || !event.in_loop) return;
  for (const Event& inner : target->events) {
    const auto mask = inner.name == "ZE_AFFINITY_MASK" ? parse_mask(inner.value) : std::nullopt;
    if (inner.kind == Kind::set_variable && mask && is_constant(inner.value) && mask->entries.size() > 1)
      judging.findings.add(finding_of("G26", *home, inner.where, all_cards_text(*inner.value.as_text()),
                                      "one card for each worker: its own index"));
  }
}

void check_threads(const Module& module, const Event& event, const Judging& judging) {
  const auto [home, target] = started(judging.project, module, event);
  if (target == nullptr) return;
  for (const Event& inner : target->events) {
    if (inner.kind == Kind::set_variable && inner.mode != Event::Mode::child && is_mask(inner.name))
      judging.findings.add(finding_of(
          "G25", *home, inner.where,
          fmt::format("{} is set in a function that runs in a thread ({}): the environment belongs to the process",
                      inner.name, place_text(*home, module, event.where)),
          "a process for each card, with env="));
  }
}

/// It sets (whatever was there) or removes the variable in this process.
bool changes(const Module& module, const Event& event, std::string_view variable) {
  if (event.kind == Kind::set_variable || event.kind == Kind::remove_variable)
    return event.name == variable && event.mode == Event::Mode::assign;
  return event.kind == Kind::change_environment &&
         module.source.text(event.where).find(variable) != std::string_view::npos;
}

bool any_changes(const Module& module, const Function& function, std::string_view variable) {
  return std::any_of(function.events.begin(), function.events.end(),
                     [&](const Event& event) { return changes(module, event, variable); });
}

/// What is compared was set by the program itself, in this function before it or by a function that it calls before; of a test, by
/// anything in its file (a decorator, setUp()). It asks what our own code did, not what somebody has set.
bool is_own_work(const Judging& judging, const Module& module, const Function& function, const Event& compared) {
  const auto does = [&](const Event& event) {
    if (event.where.begin >= compared.where.begin) return false;
    if (event.kind != Kind::call) return changes(module, event, compared.name);
    const auto [home, callee] = started(judging.project, module, event);
    return callee != nullptr && any_changes(*home, *callee, compared.name);
  };
  if (std::any_of(function.events.begin(), function.events.end(), does)) return true;
  const std::string_view key = function.key;
  const bool test = key.substr(key.rfind('.') + 1).starts_with("test");
  return test && std::any_of(module.functions.begin(), module.functions.end(),
                             [&](const Function& other) { return any_changes(module, other, compared.name); });
}

/// A mask that is compared with a literal: the policy's own is right for this machine, and only hard to keep right.
Finding compared_mask(const Module& module, const Event& event, const Policy& policy) {
  auto found = finding_of(
      "G15", module, event.where,
      fmt::format(
          "{} is compared with the text {}: the right card may be spelled otherwise (UUID, a scheduler's index)",
          event.name, event.value.as_text().value_or("?")),
      "compare the UUID of the device in use");
  if (const auto mask = parse_mask(event.value); mask && names_policy_card(*mask, policy))
    found.severity = Severity::style;
  return found;
}

void check_event(const Module& module, const Function& function, const Event& event, const Judging& judging) {
  const auto add = [&](Finding found) { judging.findings.add(std::move(found)); };
  switch (event.kind) {
    case Kind::mask_as_number:
      add(rewritten(
          finding_of("G29", module, event.where,
                     fmt::format("{} is read as a number: it may hold UUIDs, several entries, none or -1", event.name),
                     "under a mask the devices count from 0; take its entries as text"),
          first_visible(module, event)));
      break;
    case Kind::compare_mask:
      if (!hides_or_is_empty(event.value) && !is_own_work(judging, module, function, event))
        add(compared_mask(module, event, judging.policy));
      break;
    case Kind::compare_name:
      add(finding_of("G16", module, event.where,
                     fmt::format("the product name {} is part of the program", event.value.as_text().value_or("?")),
                     "name the card in the policy, and look there"));
      break;
    case Kind::cpu_fallback:
      add(rewritten(
          finding_of("G21", module, event.where, "the CPU is taken in silence when no GPU is seen", "stop, or say so"),
          without_fallback(module, event)));
      break;
    case Kind::deprecated_call:
      if (!event.fallback) add(renamed_call(module, event));
      break;
    case Kind::free_memory:
      add(rewritten(finding_of("G31", module, event.where,
                               "this difference is not the free memory of the card: other processes are not in it",
                               "torch.cuda.mem_get_info(), or NVML"),
                    asked_free_memory(module, event)));
      break;
    case Kind::late_future:
      add(future_import(module, event));
      break;
    case Kind::container:
      add(inner_mask(module, event));
      break;
    case Kind::process_target:
      check_processes(module, event, judging);
      break;
    case Kind::thread_target:
      check_threads(module, event, judging);
      break;
    default:
      break;
  }
}

}  // namespace

void check_single_events(const Judging& judging) {
  for (const Module& module : judging.project.modules()) {
    for (const Function& function : module.functions) {
      for (const Event& event : function.events) check_event(module, function, event, judging);
      check_cleanup(module, function, judging);
    }
  }
}

}  // namespace weir::audit
