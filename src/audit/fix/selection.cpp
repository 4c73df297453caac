#include "audit/fix/selection.hpp"

#include <cstdint>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "audit/mask.hpp"
#include "audit/project/execution.hpp"

namespace weir::audit {
namespace {

using Kind = Event::Kind;

struct Write {
  std::string text;  ///< how and what, with the ways that lead to it
  bool sure;         ///< on every way
};

/// The writes of each variable that may be in force, the last sure one first.
using Masks = std::map<std::string, std::vector<Write>>;

std::string value_text(const Step& step) {
  const auto known = step.value.as_text();
  return known ? *known : fmt::format("<{}>", step.module->source.text(step.event->where));
}

/// Branches by their first appearance among the writes: others may come and go.
using Branches = std::map<std::uint32_t, std::size_t>;

std::string ways(const Step& step, Branches& branches) {
  std::string text;
  for (const Arm& arm : step.arms) {
    if (!arm.usual) text += fmt::format(" {}.{}", branches.emplace(arm.branch, branches.size()).first->second, arm.arm);
  }
  return text;
}

void apply(const Step& step, Masks& masks, Branches& branches) {
  auto& writes = masks[step.event->name];
  const std::string arms = ways(step, branches);
  const bool sure = arms.empty();
  const bool removes = step.event->kind == Kind::remove_variable;
  const bool is_set = !writes.empty() && writes.front().sure;
  const bool keeps = step.event->mode == Event::Mode::keep && !removes;
  if (keeps && is_set) return;
  if (sure && !(keeps && !writes.empty())) writes.clear();
  // Without an earlier write both ways of setting leave the same in an environment that has none.
  const std::string_view how = removes ? "removed" : keeps && !writes.empty() ? "keep " : "";
  writes.push_back({fmt::format("{}{}{}", how, removes ? std::string{} : value_text(step), arms), sure});
}

std::string text_of(const Masks& masks) {
  std::string text;
  for (const auto& [name, writes] : masks) {
    text += name + '=';
    for (const Write& write : writes) text += write.text + '|';
    text += '\n';
  }
  return text;
}

Selection selection_of(const Execution& execution) {
  Selection selection;
  Masks masks;
  Branches branches;
  std::optional<std::string> at_first_use;
  for (const Step& step : execution.steps) {
    selection.files.insert(step.module->source.path().native());
    const bool own = step.event->mode != Event::Mode::child && is_mask(step.event->name);
    const bool writes = (step.event->kind == Kind::set_variable || step.event->kind == Kind::remove_variable) && own;
    if (writes) apply(step, masks, branches);
    if (step.event->kind == Kind::touch && !at_first_use) at_first_use = text_of(masks);
    if (step.event->kind == Kind::start_process && !masks.empty()) selection.masks += text_of(masks) + "--\n";
  }
  // Without a call that is known to start a driver, whatever comes behind the end may.
  selection.masks += at_first_use.value_or(text_of(masks)) + "--\n" + text_of(masks);
  return selection;
}

}  // namespace

std::map<std::string, Selection> selections(const Project& project) {
  std::map<std::string, Selection> all;
  for_each_execution(project, [&](const Execution& execution) {
    const std::string function = execution.function == nullptr ? std::string{} : execution.function->key;
    all.insert_or_assign(fmt::format("{}#{}", execution.program->source.path().native(), function),
                         selection_of(execution));
  });
  return all;
}

}  // namespace weir::audit
