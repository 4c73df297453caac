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

/// All files of one audit. Read-only after construction; thread-safe.
class Project {
 public:
  explicit Project(std::vector<Module> modules);

  const std::vector<Module>& modules() const { return modules_; }
  /// Returns the module in which findings are reported: the module itself, or the target if it is a symbolic link.
  const Module& reported_module(const Module& module) const;
  /// Moves the modules out of the project.
  std::vector<Module> take() && { return std::move(modules_); }
  /// Returns the modules that `import name` in `importer` runs, packages first; empty if the name is not in this
  /// project. A name that starts with dots is relative to the importer's package. Other names are searched in the
  /// importer's folder and in each folder above it (at most 32 folders), and in their "src" folders, as with a usual
  /// sys.path.
  std::vector<const Module*> resolve_import(const Module& importer, std::string_view name) const;
  /// A function and its module; both null if there is no such function in this project.
  struct ResolvedFunction {
    const Module* module = nullptr;
    const Function* function = nullptr;
  };
  /// Returns the function that a full dotted name means in `importer`; for the name of a class, its constructor. Null
  /// if it is not in this project.
  ResolvedFunction find_function(const Module& importer, std::string_view name) const;
  /// Returns the instance that a class creates from constructor arguments, with the attributes that its constructor and
  /// the constructors of its base classes set. `name` is the class as `importer` names it. Unknown if the class is not
  /// in this project.
  Value make_instance(const Module& importer, std::string_view name, const std::vector<Argument>& args) const;
  /// Returns the instance that the class of this constructor creates.
  Value make_instance_from(const ResolvedFunction& constructor, const std::vector<Argument>& args) const;

 private:
  // `budget` is the number of further steps through imports and base classes, which may be cyclic.
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
  std::unordered_map<std::string, const Module*> by_path_;         ///< Python modules by normalized path
  std::unordered_map<const Module*, const Module*> link_targets_;  ///< symbolic links and their targets
  std::unordered_set<std::string> first_names_;  ///< names of files and folders: only these can begin an import
  /// For each module, the names that it imports and their full names: "Trainer" -> ".trainer.Trainer".
  std::unordered_map<const Module*, std::map<std::string, std::string, std::less<>>> imported_names_;
};

}  // namespace weir::audit
