#include "audit/fix/selection.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "audit/mask.hpp"
#include "audit/project/execution.hpp"
#include "audit/source/words.hpp"

namespace weir::audit {
namespace {

using Kind = Event::Kind;

struct Write {
  std::string text;  ///< the kind of write, the value, and the branches that contain the write
  bool is_certain;   ///< the write happens on every path
};

/// For each variable the writes that may be in force: the last certain write, then all later writes that may happen.
using Masks = std::map<std::string, std::vector<Write>>;

/// Returns the known value, or the code of the event if the value is unknown.
std::string value_text(const Module& module, const Event& event, const Value& value) {
  const auto text = value.as_text();
  return text ? *text : fmt::format("<{}>", module.source.text(event.range));
}

/// Returns a text for comparisons of one mask write: its kind, variable and value.
std::string write_text(const Module& module, const Event& event, const Value& value) {
  return fmt::format("{} {} {}={}|", static_cast<int>(event.kind), static_cast<int>(event.mode), event.name,
                     value_text(module, event, value));
}

/// A number for each branch id, in the order of the first appearance among the writes: the ids themselves change when
/// an edit adds or removes another branch.
using BranchNumbers = std::map<std::uint32_t, std::size_t>;

/// Returns the arms that contain the step, default arms excepted, as a text.
std::string branches_text(const Step& step, BranchNumbers& branches) {
  std::string text;
  for (const Arm& arm : step.arms) {
    if (!arm.is_default)
      text += fmt::format(" {}.{}", branches.emplace(arm.branch_id, branches.size()).first->second, arm.index);
  }
  return text;
}

/// Adds the mask write of a step to `masks`, the writes that may be in force.
void add_write(const Step& step, Masks& masks, BranchNumbers& branches) {
  auto& writes = masks[step.event->name];
  const std::string arms = branches_text(step, branches);
  const bool is_certain = arms.empty();
  const bool removes = step.event->kind == Kind::remove_variable;
  const bool is_set = !writes.empty() && writes.front().is_certain;
  const bool sets_if_unset = step.event->mode == Event::Mode::set_if_unset && !removes;
  if (sets_if_unset && is_set) return;
  const bool may_keep_earlier = sets_if_unset && !writes.empty();
  if (is_certain && !may_keep_earlier) writes.clear();
  // Without an earlier write set_if_unset has the same effect as assign, if the variable is not set from outside.
  const std::string_view how = removes ? "removed" : may_keep_earlier ? "keep " : "";
  writes.push_back(
      {fmt::format("{}{}{}", how, removes ? std::string{} : value_text(*step.module, *step.event, step.value), arms),
       is_certain});
}

/// Returns the masks of all variables as one text for comparisons.
std::string text_of(const Masks& masks) {
  std::string text;
  for (const auto& [name, writes] : masks) {
    text += name + '=';
    for (const Write& write : writes) text += write.text + '|';
    text += '\n';
  }
  return text;
}

/// Returns whether the event sets or removes a mask of the program's own process.
bool event_writes_mask(const Event& event) {
  const bool writes = event.kind == Kind::set_variable || event.kind == Kind::remove_variable;
  return writes && event.mode != Event::Mode::child_environment && is_mask_variable(event.name);
}

/// Returns whether the mask after this step is uncertain: the step may write unknown variables, or it is a mask write
/// that a failing import may skip.
bool makes_mask_uncertain(const Step& step) {
  return step.event->kind == Kind::change_environment ||
         (event_writes_mask(*step.event) &&
          std::any_of(step.arms.begin(), step.arms.end(), [](const Arm& arm) { return arm.is_default; }));
}

/// Returns whether the text contains the word, with no letter, digit or underscore beside it. The definition of a
/// function ("def WORD") does not count.
bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = find_word(text, word); at != std::string_view::npos; at = find_word(text, word, at + 1)) {
    if (!text.substr(0, at).ends_with("def ")) return true;
  }
  return false;
}

/// The functions of a project that write masks, and the modules that name them; computed once for all programs.
class MaskWriters {
 public:
  explicit MaskWriters(const Project& project) {
    for (const Module& module : project.modules()) {
      for (const Function& function : module.functions) {
        const bool writes = std::any_of(function.events.begin(), function.events.end(), event_writes_mask);
        if (function.key.empty() || !writes) continue;
        writers_[&module].push_back(&function);
        names_.insert(name_of(function));
      }
    }
    for (const Module& module : project.modules()) {
      if (module.kind != FileKind::python || writes_of(module).empty()) continue;
      mask_files_.emplace_back(&module, stem_of(module));
      names_.insert(mask_files_.back().second);
    }
    for (const Module& module : project.modules()) {
      for (const std::string_view name : names_)
        if (has_word(module.source.text(), name)) named_[&module].insert(name);
    }
  }

  /// Returns a text with the mask writes in functions of loaded modules that may run at any time, although no followed
  /// call reaches them: properties, callbacks, functions in threads or tables. Empty if there is none.
  std::string uncalled_writes(const Execution& execution) const {
    std::string text;
    for (const Module* module : execution.loaded_modules) {
      const auto found = writers_.find(module);
      if (found == writers_.end()) continue;
      for (const Function* function : found->second) {
        if (execution.followed_functions.contains(function) || !may_be_called(*function, execution)) continue;
        for (const Event& event : function->events)
          if (event_writes_mask(event)) text += write_text(*module, event, event.value);
      }
    }
    return text;
  }

  /// Returns a text with the mask writes of files that a program may run by name (runpy, importlib, exec), and adds the
  /// paths of these files to `files`. Empty if there is none.
  std::string writes_of_named_files(const Execution& execution, std::set<std::string>& files) const {
    const bool may_run_files = std::any_of(execution.steps.begin(), execution.steps.end(), [](const Step& step) {
      return step.event->kind == Kind::change_environment && step.module->kind != FileKind::shell;
    });
    std::string text;
    for (const auto& [module, stem] : mask_files_) {
      if (!may_run_files || execution.loaded_modules.contains(module) || !is_named(stem, execution)) continue;
      text += writes_of(*module);
      files.insert(module->source.path().native());
    }
    return text;
  }

 private:
  static std::string writes_of(const Module& module) {
    std::string text;
    for (const Function& function : module.functions) {
      for (const Event& event : function.events)
        if (event_writes_mask(event)) text += write_text(module, event, event.value);
    }
    return text;
  }

  static std::string_view stem_of(const Module& module) {
    std::string_view name = module.source.name();
    name = name.substr(name.rfind('/') + 1);
    return name.substr(0, name.find('.'));
  }

  static std::string_view name_of(const Function& function) {
    const std::string_view key = function.key;
    return key.substr(key.rfind('.') + 1);
  }

  /// Returns whether the function may run: Python itself calls functions whose names start with two underscores; the
  /// name of another function must occur in a loaded module.
  bool may_be_called(const Function& function, const Execution& execution) const {
    const std::string_view name = name_of(function);
    return name.starts_with("__") || is_named(name, execution);
  }

  /// Returns whether the name occurs in a loaded module.
  bool is_named(std::string_view name, const Execution& execution) const {
    return std::any_of(execution.loaded_modules.begin(), execution.loaded_modules.end(), [&](const Module* module) {
      const auto found = named_.find(module);
      return found != named_.end() && found->second.contains(name);
    });
  }

  std::map<const Module*, std::vector<const Function*>> writers_;  ///< functions of each module that write masks
  std::vector<std::pair<const Module*, std::string_view>>
      mask_files_;                    ///< Python files that write masks, with their names without ".py"
  std::set<std::string_view> names_;  ///< names of the functions in writers_ and the files in mask_files_
  std::map<const Module*, std::set<std::string_view>> named_;  ///< for each module: which of `names_` its text contains
};

/// Returns the selection of one execution.
DeviceSelection selection_of(const Execution& execution, const MaskWriters& writers) {
  DeviceSelection selection;
  std::string writes = writers.uncalled_writes(execution) + writers.writes_of_named_files(execution, selection.files);
  for (const Module* module : execution.loaded_modules) selection.files.insert(module->source.path().native());
  bool is_uncertain = execution.is_truncated || !writes.empty();
  Masks masks;
  BranchNumbers branches;
  std::optional<std::string> at_first_use;
  for (const Step& step : execution.steps) {
    selection.files.insert(step.module->source.path().native());
    is_uncertain = is_uncertain || makes_mask_uncertain(step);
    if (event_writes_mask(*step.event)) {
      add_write(step, masks, branches);
      writes += write_text(*step.module, *step.event, step.value);
    }
    if (step.event->kind == Kind::start_driver && !at_first_use) at_first_use = text_of(masks);
    if (step.event->kind == Kind::start_process && !masks.empty()) selection.masks += text_of(masks) + "--\n";
  }
  // If no followed call starts the driver, the mask at the end of the program counts as the mask at its start.
  selection.masks += at_first_use.value_or(text_of(masks)) + "--\n" + text_of(masks);
  // If other code may write masks in between, an edit must change none of the writes.
  if (is_uncertain) selection.masks += writes;
  return selection;
}

}  // namespace

std::map<std::string, DeviceSelection> collect_selections(const Project& project) {
  std::map<std::string, DeviceSelection> all;
  const MaskWriters writers{project};
  for_each_execution(project, [&](const Execution& execution) {
    const std::string function = execution.function == nullptr ? std::string{} : execution.function->key;
    all.insert_or_assign(fmt::format("{}#{}", execution.program->source.path().native(), function),
                         selection_of(execution, writers));
  });
  return all;
}

}  // namespace weir::audit
