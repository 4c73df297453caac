#pragma once

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "audit/project/project.hpp"

namespace weir::audit {

/// The targets of all imports and calls of a project, found once. It also stores which functions are relevant: those
/// that contain an event that a rule checks, or that call or import code with such an event. `project` must outlive it.
class CallGraph {
 public:
  explicit CallGraph(const Project& project);

  const Project& project() const { return project_; }
  /// Returns the modules of the project that an import event runs, packages first; empty if the project has none.
  const std::vector<const Module*>& imported_modules(const Event& event) const;
  /// Returns whether the event imports a known GPU library.
  bool loads_library(const Event& event) const { return libraries_.contains(&event); }
  /// Returns the function that an event calls, or runs in a thread or child process; null if it is not in the project.
  Project::ResolvedFunction find_callee(const Event& event) const;
  /// The event, with its module, that passes a function to a pool whose workers each run it many times.
  struct PoolUse {
    const Module* module = nullptr;
    const Event* event = nullptr;
  };
  /// Returns the first event that passes the function to a pool; both pointers are null if there is none.
  PoolUse find_pool(const Function& function) const;
  /// Returns whether another module of the project imports the module; running it as a program does not count.
  bool is_imported(const Module& module) const { return imported_.contains(&module); }
  /// Returns whether the function, or code that it calls or imports, contains an event with is_relevant_event().
  bool is_relevant(const Function& function) const { return relevant_.contains(&function); }

 private:
  const Project& project_;
  std::unordered_map<const Event*, std::vector<const Module*>> imports_;
  std::unordered_map<const Event*, Project::ResolvedFunction> calls_;
  std::unordered_set<const Event*> libraries_;  ///< imports of GPU libraries
  std::unordered_map<const Function*, PoolUse> pools_;
  std::unordered_set<const Function*> relevant_;
  std::unordered_set<const Module*> imported_;
};

/// Returns whether the event makes another process run a function of the program.
bool is_worker_start(const Event& event);
/// Returns whether rules check the event itself. False for calls and for imports of modules that are no GPU libraries:
/// rules check the events that these lead to. Also false for change_paths (os.chdir, sys.path.insert) and for calls
/// that free memory.
bool is_relevant_event(const Event& event);

}  // namespace weir::audit
