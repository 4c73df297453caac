#include "audit/project/link_project.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "audit/audit.hpp"
#include "audit/mask.hpp"

namespace weir::audit {
namespace {

/// Returns whether a name or a text contains a word for devices.
bool mentions_devices(std::string_view text) {
  constexpr std::array<std::string_view, 10> kWords{"gpu",    "GPU",    "cuda", "CUDA",    "device",
                                                    "Device", "DEVICE", "CARD", "VISIBLE", "card"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// Returns whether the value may be a device, a device number or a mask, or a list or dictionary of these.
bool may_select(std::string_view name, const Value& value) {
  const PossibleValue* alternative = value.single_alternative();
  if (alternative == nullptr) return false;
  if (alternative->kind == PossibleValue::Kind::number)
    return alternative->number >= 0 && alternative->number < 16 && mentions_devices(name);
  if (alternative->kind == PossibleValue::Kind::text) {
    const bool has_only_numbers =
        !alternative->text.empty() && alternative->text.find_first_not_of("0123456789, ") == std::string::npos;
    return (has_only_numbers && mentions_devices(name)) || alternative->text.starts_with("cuda") ||
           parse_device(alternative->text).has_value();
  }
  if (alternative->items == nullptr) return false;
  const auto& items = alternative->items->values;
  return std::any_of(items.begin(), items.end(), [&](const auto& item) {
    return may_select(alternative->kind == PossibleValue::Kind::sequence ? name : item.first, item.second);
  });
}

/// Returns a text for comparisons; equal values have equal texts.
std::string text_of(const Value& value) {
  std::string text;
  for (const PossibleValue& alternative : value.alternatives()) {
    text += std::to_string(static_cast<int>(alternative.kind)) + alternative.text + '=' +
            std::to_string(alternative.number);
    if (alternative.items == nullptr) continue;
    for (const auto& [key, item] : alternative.items->values) text += '{' + key + text_of(item) + '}';
  }
  return text;
}

std::string text_of(const ImportedNames& names) {
  std::string text;
  for (const auto& [module, values] : names) {
    for (const auto& [name, value] : values) text += fmt::format("{} {} {}\n", module, name, text_of(value));
  }
  return text;
}

/// The exported names of all modules. Names that another module overwrites are excluded, because their values may
/// change.
class Exports {
 public:
  explicit Exports(const Project& project) {
    for (const Module& module : project.modules())
      overwritten_.insert(module.overwritten_attributes.begin(), module.overwritten_attributes.end());
    for (const Module& module : project.modules()) {
      const auto selects = [&](const auto& entry) {
        return may_select(entry.first, entry.second) && is_kept(entry.first);
      };
      if (!std::any_of(module.exported_names.begin(), module.exported_names.end(), selects)) continue;
      const auto path = module.source.path();
      stems_.insert((path.stem() == "__init__" ? path.parent_path().filename() : path.stem()).native());
    }
  }

  /// Returns false if no module of that name exports a device or mask; a quick test.
  bool may_export(std::string_view name) const {
    const std::string_view last = name.substr(name.rfind('.') + 1);
    return !stems_.empty() && (last.empty() || stems_.contains(last));
  }

  /// Returns the exported names of a module: all, or those that may be devices or masks.
  NamedValues values_of(const Module& module, bool all) const {
    NamedValues names;
    for (const auto& [name, value] : module.exported_names)
      if (is_kept(name) && (all || may_select(name, value))) names.emplace(name, value);
    return names;
  }

 private:
  bool is_kept(const std::string& name) const { return !overwritten_.contains(name.substr(name.rfind('.') + 1)); }

  std::set<std::string> overwritten_;
  std::set<std::string, std::less<>> stems_;  // last names of the modules that export a device or mask
};

/// Returns a function or class of another module as a Kind::qualified_name with its full name; other values unchanged.
Value with_full_name(const std::string& module, const std::string& name, const Value& value) {
  const PossibleValue* alternative = value.single_alternative();
  const bool is_definition = alternative != nullptr && (alternative->kind == PossibleValue::Kind::function ||
                                                        alternative->kind == PossibleValue::Kind::class_);
  if (!is_definition) return value;
  return value_of_kind(PossibleValue::Kind::qualified_name,
                       module.ends_with('.') ? module + name : module + '.' + name);
}

/// Returns whether the module mentions devices, or imports all names of another module.
bool may_import(const Module& module) {
  const std::string_view text = module.source.text();
  return mentions_devices(text) || text.find("import *") != std::string_view::npos;
}

/// Returns the names that a module imports and their values, as far as other modules export them.
ImportedNames names_for(const Project& project, const Exports& exports, const Module& module) {
  std::set<std::string_view> imported;
  for (const Function& function : module.functions)
    for (const Event& event : function.events)
      if (event.kind == Event::Kind::import_module) imported.insert(event.name);
  ImportedNames names;
  for (const std::string_view name : imported) {
    if (name.ends_with('*')) continue;
    const bool imports_all = imported.contains(std::string{name} + (name.ends_with('.') ? "*" : ".*"));
    if (!imports_all && !exports.may_export(name)) continue;
    const auto modules = project.resolve_import(module, name);
    if (modules.empty() || modules.back() == &module) continue;
    const NamedValues known = exports.values_of(*modules.back(), imports_all);
    if (known.empty()) continue;
    NamedValues& all = names[std::string{name}];
    for (const auto& [one, value] : known) all.emplace(one, with_full_name(std::string{name}, one, value));
  }
  return names;
}

/// Reads a module again, with the names that it imports.
void read_again(Module& module, const ImportedNames& names, std::string imports_text) {
  auto again = read_module(module.kind, module.source, names);
  if (!again) return;
  again->is_entry_point = again->is_entry_point || module.is_entry_point;
  again->link_target = std::move(module.link_target);
  module = *std::move(again);
  module.imports_text = std::move(imports_text);
}

}  // namespace

std::unique_ptr<Project> link_project(std::vector<Module> modules) {
  constexpr int kMaxRounds = 3;
  auto project = std::make_unique<Project>(std::move(modules));
  for (int round = 0; round < kMaxRounds; ++round) {
    const Exports exports{*project};
    std::vector<std::pair<std::size_t, ImportedNames>> changed;
    for (std::size_t i = 0; i < project->modules().size(); ++i) {
      const Module& module = project->modules()[i];
      if (module.kind != FileKind::python) continue;
      ImportedNames names = names_for(*project, exports, module);
      if (!names.empty() && !may_import(module)) continue;
      if (text_of(names) != module.imports_text) changed.emplace_back(i, std::move(names));
    }
    if (changed.empty()) break;
    modules = std::move(*project).take();
    for (const auto& [i, names] : changed) read_again(modules[i], names, text_of(names));
    project = std::make_unique<Project>(std::move(modules));
  }
  return project;
}

}  // namespace weir::audit
