#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// The names that a module imports and exports.

namespace weir::audit::python {
namespace {

constexpr int kMaxNesting = 3;  // nested lists and dictionaries around a constant

/// Returns the value without the ranges of literals, which belong to another file; unknown if it is not entirely
/// constant.
Value without_literal_ranges(const Value& value, int depth = 0) {
  const PossibleValue* alternative = value.single_alternative();
  if (alternative == nullptr || depth > kMaxNesting) return {};
  PossibleValue bare = *alternative;
  bare.literal = {};
  if (is_constant(*alternative)) return bare;
  const bool is_container =
      alternative->kind == PossibleValue::Kind::sequence || alternative->kind == PossibleValue::Kind::dictionary;
  if (!is_container || alternative->items == nullptr) return {};
  auto items = std::make_shared<Items>();
  for (const auto& [key, item] : alternative->items->values)
    items->values.emplace(key, without_literal_ranges(item, depth + 1));
  bare.items = std::move(items);
  return bare;
}

/// Returns whether "import *" of this module imports no device.
bool is_harmless_star(std::string_view module) {
  constexpr std::array<std::string_view, 8> kStandard{"math",    "typing",      "ctypes", "tkinter",
                                                      "os.path", "dataclasses", "numpy",  "collections"};
  return find_library(module) != nullptr || std::find(kStandard.begin(), kStandard.end(), module) != kStandard.end();
}

/// Returns whether the code sets names of a module in ways that are not followed.
bool sets_module_names(std::string_view text) {
  constexpr std::array<std::string_view, 5> kForms{"globals()", "exec(", "__getattr__", "sys.modules", "vars()"};
  return std::any_of(kForms.begin(), kForms.end(),
                     [&](std::string_view form) { return text.find(form) != std::string_view::npos; });
}

}  // namespace

/// Returns the value of a name of another module, or of a class in it: "settings.DEVICE", "base.Base.DEVICE". Unknown
/// if `imports_` does not contain the name.
Value Reader::imported_value(const std::string& full) const {
  if (imports_.empty()) return {};
  std::size_t dot = full.rfind('.');
  for (int parts = 0; parts < 2 && dot != std::string::npos; ++parts) {
    // The leading dots of "..settings" belong to the module.
    const std::string module = full.substr(0, full.find_first_not_of('.') == dot + 1 ? dot + 1 : dot);
    const auto names = imports_.find(module);
    if (names != imports_.end()) {
      const auto found = names->second.find(full.substr(dot + 1));
      return found == names->second.end() ? Value{} : found->second;
    }
    if (dot == 0) break;
    dot = full.rfind('.', dot - 1);
  }
  return {};
}

/// Binds the names of "import *". After an unknown module, names from earlier "import *" become unknown.
void Reader::import_star(const std::string& module) {
  const auto names = imports_.find(module);
  if (names == imports_.end()) {
    if (!is_harmless_star(module))
      for (const std::string& name : star_imported_names_) assign_name(name, new_symbol());
    return;
  }
  const auto all = names->second.find("__all__");
  const PossibleValue* list =
      all == names->second.end() ? nullptr : all->second.single_alternative(PossibleValue::Kind::sequence);
  const auto listed = list == nullptr ? std::vector<Value>{} : elements_of(*list);
  for (const auto& [name, value] : names->second) {
    const auto is_this = [&own = name](const Value& one) { return one.as_text() == own; };
    const bool hidden = list == nullptr ? name.starts_with('_') : std::none_of(listed.begin(), listed.end(), is_this);
    if (hidden || name.find('.') != std::string::npos) continue;
    star_imported_names_.insert(name);
    assign_name(name, value);
  }
  gpu_library_imported_ =
      gpu_library_imported_ || std::any_of(names->second.begin(), names->second.end(), [](const auto& entry) {
        const PossibleValue* library = entry.second.single_alternative(PossibleValue::Kind::qualified_name);
        return library != nullptr && find_library(library->text) != nullptr;
      });
}

/// Exports the constants of the module and of its classes, its functions and classes, and the names that it imports
/// with absolute (not relative) imports.
void Reader::export_names() {
  const Names& own = scopes_.front()->names;
  const auto all = own.find("__all__");  // a computed __all__ is unknown
  if (sets_module_names(text_) || (all != own.end() && without_literal_ranges(all->second).is_unknown())) return;
  for (const auto& [name, value] : own) {
    if (unexported_names_.contains(name)) continue;
    Value known = without_literal_ranges(value);
    const PossibleValue* alternative = value.single_alternative();
    const bool imported = alternative != nullptr && alternative->kind == PossibleValue::Kind::qualified_name &&
                          alternative->number != kUnbound && !alternative->text.starts_with('.');
    if (imported) known = value;
    if (known.is_unknown() && alternative != nullptr &&
        (alternative->kind == PossibleValue::Kind::function || alternative->kind == PossibleValue::Kind::class_))
      known = *alternative;
    if (!known.is_unknown()) content_.exported_names.emplace(name, std::move(known));
  }
  for (const auto& [name, value] : attributes_) {
    Value known = without_literal_ranges(value);
    if (!known.is_unknown()) content_.exported_names.emplace(name, std::move(known));
  }
}

}  // namespace weir::audit::python
