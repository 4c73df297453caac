#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "audit/module.hpp"

namespace weir::audit {

/// All files of one audit. Read-only once made; any thread may ask.
class Project {
 public:
  explicit Project(std::vector<Module> modules);

  const std::vector<Module>& modules() const { return modules_; }
  /// Where a module's findings are told: the module itself, or the file that it is a link to.
  const Module& reported_module(const Module& module) const;
  std::vector<Module> take() && { return std::move(modules_); }
  /// The modules that `import name` in `importer` runs, packages first; empty if the name is none of this project's.
  /// A name that starts with dots is relative. Absolute names are looked for beside the importer and in each folder
  /// above it up to the outermost that was given, as sys.path usually has it.
  std::vector<const Module*> resolve_import(const Module& importer, std::string_view name) const;
  /// The function that a full dotted name means, with its module; null if it is none of this project's.
  struct ResolvedFunction {
    const Module* module = nullptr;
    const Function* function = nullptr;
  };
  ResolvedFunction find_function(const Module& importer, std::string_view name) const;
  /// The instance that a class makes, by the name that `importer` has for it, with the attributes that its constructor and
  /// those of what it is made from leave; unknown if it is none of this project's.
  Value make_instance(const Module& importer, std::string_view name, const std::vector<Argument>& args) const;
  /// The same of a constructor that is known.
  Value make_instance_from(const ResolvedFunction& constructor, const std::vector<Argument>& args) const;

 private:
  struct Class {
    const Module* module = nullptr;
    std::string name{};
  };
  Class find_class(const Module& importer, std::string_view name, int& budget) const;
  void add_attributes(const Class& owner, const std::vector<Argument>& args, Items& items, int& budget) const;
  const std::string* find_imported_name(const Module& module, std::string_view name) const;
  const Module* module_at(const std::string& path) const;
  ResolvedFunction find_member(const Module& module, const std::string& key, int& budget) const;
  ResolvedFunction find_imported_function(const Module& importer, std::string_view name, int& budget) const;
  std::vector<const Module*> modules_below(const std::string& folder, std::string_view name) const;

  std::vector<Module> modules_;
  std::unordered_map<std::string, const Module*> by_path_;
  std::unordered_map<const Module*, const Module*> link_targets_;  ///< of links
  std::unordered_set<std::string> first_names_;
  /// What a module has by import: "Trainer" -> ".trainer.Trainer".
  std::unordered_map<const Module*, std::map<std::string, std::string, std::less<>>> imported_names_;
};

}  // namespace weir::audit
