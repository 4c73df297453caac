#include "audit/project/call_graph.hpp"

#include <string_view>
#include <utility>

#include "audit/python/gpu_names.hpp"

namespace weir::audit {

bool is_worker_start(const Event& event) {
  return event.kind == Event::Kind::process_target || event.kind == Event::Kind::pool_task;
}

bool is_relevant_event(const Event& event) {
  switch (event.kind) {
    case Event::Kind::call:
    case Event::Kind::change_paths:
    case Event::Kind::memory_cleanup:
      return false;
    case Event::Kind::import_module:
      return python::find_library(event.name) != nullptr;
    default:
      return true;
  }
}

namespace {

bool leads_to_function(const Event& event) {
  return event.kind == Event::Kind::call || is_worker_start(event) || event.kind == Event::Kind::thread_target;
}

}  // namespace

CallGraph::CallGraph(const Project& project) : project_{project} {
  std::unordered_map<const Function*, std::vector<const Function*>> callers;
  std::vector<const Function*> pending;
  const auto add_caller = [&](const Function& from, const Function& to) { callers[&to].push_back(&from); };
  for (const Module& module : project.modules()) {
    for (const Function& function : module.functions) {
      bool has_relevant_event = false;
      for (const Event& event : function.events) {
        const bool relevant = is_relevant_event(event);
        has_relevant_event = has_relevant_event || relevant;
        if (event.kind == Event::Kind::import_module) {
          if (relevant) libraries_.insert(&event);
          auto modules = project.resolve_import(module, event.name);
          for (const Module* imported : modules) add_caller(function, imported->body());
          if (!modules.empty() && modules.back() != &module && !event.runs_as_program) imported_.insert(modules.back());
          if (!modules.empty()) imports_.emplace(&event, std::move(modules));
        } else if (leads_to_function(event)) {
          const bool local = event.name.starts_with(':');
          const Project::ResolvedFunction callee =
              local ? Project::ResolvedFunction{&module, module.find_function(std::string_view{event.name}.substr(1))}
                    : project.find_function(module, event.name);
          if (callee.function == nullptr) continue;
          add_caller(function, *callee.function);
          calls_.emplace(&event, callee);
          if (event.kind == Event::Kind::pool_task) pools_.emplace(callee.function, PoolUse{&module, &event});
        }
      }
      if (has_relevant_event && relevant_.insert(&function).second) pending.push_back(&function);
    }
  }
  while (!pending.empty()) {
    const Function* function = pending.back();
    pending.pop_back();
    for (const Function* caller : callers[function]) {
      if (relevant_.insert(caller).second) pending.push_back(caller);
    }
  }
}

const std::vector<const Module*>& CallGraph::imported_modules(const Event& event) const {
  static const std::vector<const Module*> kNone;
  const auto at = imports_.find(&event);
  return at == imports_.end() ? kNone : at->second;
}

CallGraph::PoolUse CallGraph::find_pool(const Function& function) const {
  const auto at = pools_.find(&function);
  return at == pools_.end() ? PoolUse{} : at->second;
}

Project::ResolvedFunction CallGraph::find_callee(const Event& event) const {
  const auto at = calls_.find(&event);
  return at == calls_.end() ? Project::ResolvedFunction{} : at->second;
}

}  // namespace weir::audit
