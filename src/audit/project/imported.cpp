#include "audit/project/imported.hpp"

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

/// A name, or a text, that speaks of devices.
bool speaks_of_devices(std::string_view text) {
  constexpr std::array<std::string_view, 10> kWords{"gpu",    "GPU",    "cuda", "CUDA",    "device",
                                                    "Device", "DEVICE", "CARD", "VISIBLE", "card"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// May be a device, a number of one, or a mask; or a list or dictionary of such.
bool may_select(std::string_view name, const Value& value) {
  const Atom* atom = value.single();
  if (atom == nullptr) return false;
  if (atom->kind == Atom::Kind::number) return atom->number >= 0 && atom->number < 16 && speaks_of_devices(name);
  if (atom->kind == Atom::Kind::text) {
    const bool numbers = !atom->text.empty() && atom->text.find_first_not_of("0123456789, ") == std::string::npos;
    return (numbers && speaks_of_devices(name)) || atom->text.starts_with("cuda") ||
           parse_device(atom->text).has_value();
  }
  if (atom->items == nullptr) return false;
  const auto& items = atom->items->values;
  return std::any_of(items.begin(), items.end(), [&](const auto& item) {
    return may_select(atom->kind == Atom::Kind::sequence ? name : item.first, item.second);
  });
}

std::string described(const Value& value) {
  std::string text;
  for (const Atom& atom : value.atoms()) {
    text += std::to_string(static_cast<int>(atom.kind)) + atom.text + '=' + std::to_string(atom.number);
    if (atom.items == nullptr) continue;
    for (const auto& [key, item] : atom.items->values) text += '{' + key + described(item) + '}';
  }
  return text;
}

std::string described(const ImportedNames& names) {
  std::string text;
  for (const auto& [module, values] : names) {
    for (const auto& [name, value] : values) text += fmt::format("{} {} {}\n", module, name, described(value));
  }
  return text;
}

/// What modules have for others, without what somebody writes over.
class Exports {
 public:
  explicit Exports(const Project& project) {
    for (const Module& module : project.modules()) rewritten_.insert(module.rewritten.begin(), module.rewritten.end());
    for (const Module& module : project.modules()) {
      const auto selects = [&](const auto& entry) {
        return may_select(entry.first, entry.second) && stays(entry.first);
      };
      if (!std::any_of(module.names.begin(), module.names.end(), selects)) continue;
      const auto path = module.source.path();
      stems_.insert((path.stem() == "__init__" ? path.parent_path().filename() : path.stem()).native());
    }
  }

  /// A module of that name may have something: only then is it looked for.
  bool may_have(std::string_view name) const {
    const std::string_view last = name.substr(name.rfind('.') + 1);
    return !stems_.empty() && (last.empty() || stems_.contains(last));
  }

  NamedValues of(const Module& module, bool all) const {
    NamedValues names;
    for (const auto& [name, value] : module.names)
      if (stays(name) && (all || may_select(name, value))) names.emplace(name, value);
    return names;
  }

 private:
  bool stays(const std::string& name) const { return !rewritten_.contains(name.substr(name.rfind('.') + 1)); }

  std::set<std::string> rewritten_;
  std::set<std::string, std::less<>> stems_;
};

/// A function or a class of another module by its full name.
Value by_full_name(const std::string& module, const std::string& name, const Value& value) {
  const Atom* atom = value.single();
  const bool own = atom != nullptr && (atom->kind == Atom::Kind::function || atom->kind == Atom::Kind::class_);
  if (!own) return value;
  return kind_value(Atom::Kind::name, module.ends_with('.') ? module + name : module + '.' + name);
}

/// Speaks of devices, or brings all names of another module.
bool may_import(const Module& module) {
  const std::string_view text = module.source.text();
  return speaks_of_devices(text) || text.find("import *") != std::string_view::npos;
}

ImportedNames names_for(const Project& project, const Exports& exports, const Module& module) {
  std::set<std::string_view> imported;
  for (const Function& function : module.functions)
    for (const Event& event : function.events)
      if (event.kind == Event::Kind::import_module) imported.insert(event.name);
  ImportedNames names;
  for (const std::string_view name : imported) {
    if (name.ends_with('*')) continue;
    const bool star = imported.contains(std::string{name} + (name.ends_with('.') ? "*" : ".*"));
    if (!star && !exports.may_have(name)) continue;
    const auto modules = project.imported(module, name);
    if (modules.empty() || modules.back() == &module) continue;
    const NamedValues known = exports.of(*modules.back(), star);
    if (known.empty()) continue;
    NamedValues& all = names[std::string{name}];
    for (const auto& [one, value] : known) all.emplace(one, by_full_name(std::string{name}, one, value));
  }
  return names;
}

/// Reads a module with the names that it imports.
void read_again(Module& module, const ImportedNames& names, std::string described_names) {
  auto again = read_module(module.kind, module.source, names);
  if (!again) return;
  again->entry_point = again->entry_point || module.entry_point;
  again->link_target = std::move(module.link_target);
  module = *std::move(again);
  module.read_with = std::move(described_names);
}

}  // namespace

std::unique_ptr<Project> linked_project(std::vector<Module> modules) {
  constexpr int kMostRounds = 3;
  auto project = std::make_unique<Project>(std::move(modules));
  for (int round = 0; round < kMostRounds; ++round) {
    const Exports exports{*project};
    std::vector<std::pair<std::size_t, ImportedNames>> changed;
    for (std::size_t i = 0; i < project->modules().size(); ++i) {
      const Module& module = project->modules()[i];
      if (module.kind != FileKind::python) continue;
      ImportedNames names = names_for(*project, exports, module);
      if (!names.empty() && !may_import(module)) continue;
      if (described(names) != module.read_with) changed.emplace_back(i, std::move(names));
    }
    if (changed.empty()) break;
    modules = std::move(*project).take();
    for (const auto& [i, names] : changed) read_again(modules[i], names, described(names));
    project = std::make_unique<Project>(std::move(modules));
  }
  return project;
}

}  // namespace weir::audit
