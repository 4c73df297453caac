#pragma once

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "audit/project/project.hpp"

namespace weir::audit {

/// Where the imports and calls of a project lead, found once, and which functions lead to anything that a rule looks at.
class CallGraph {
 public:
  explicit CallGraph(const Project& project);

  const Project& project() const { return project_; }
  /// Modules of the project that an import runs, packages first.
  const std::vector<const Module*>& imported_modules(const Event& event) const;
  /// An import of a GPU library that is known.
  bool loads_library(const Event& event) const { return libraries_.contains(&event); }
  /// The function that a call runs; null if it is none of the project's.
  Project::ResolvedFunction find_callee(const Event& event) const;
  /// Where a pool is given the function, to be run many times by each worker; null if none is.
  struct PoolUse {
    const Module* module = nullptr;
    const Event* event = nullptr;
  };
  PoolUse find_pool(const Function& function) const;
  /// Another module of the project imports it.
  bool is_imported(const Module& module) const { return imported_.contains(&module); }
  /// Something in it, or in what it calls and imports, matters to a rule.
  bool is_relevant(const Function& function) const { return relevant_.contains(&function); }

 private:
  const Project& project_;
  std::unordered_map<const Event*, std::vector<const Module*>> imports_;
  std::unordered_map<const Event*, Project::ResolvedFunction> calls_;
  std::unordered_set<const Event*> libraries_;
  std::unordered_map<const Function*, PoolUse> pools_;
  std::unordered_set<const Function*> relevant_;
  std::unordered_set<const Module*> imported_;
};

/// A function runs in another process from here on.
bool is_worker_start(const Event& event);
/// The event is more than a step to others.
bool is_relevant_event(const Event& event);

}  // namespace weir::audit
