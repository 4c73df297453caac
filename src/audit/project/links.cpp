#include "audit/project/links.hpp"

#include <string_view>
#include <utility>

#include "audit/python/gpu_names.hpp"

namespace weir::audit {

bool starts_worker(const Event& event) {
  return event.kind == Event::Kind::process_target || event.kind == Event::Kind::pool_task;
}

bool matters_itself(const Event& event) {
  switch (event.kind) {
    case Event::Kind::call:
    case Event::Kind::header_noise:
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
  return event.kind == Event::Kind::call || starts_worker(event) || event.kind == Event::Kind::thread_target;
}

}  // namespace

Links::Links(const Project& project) : project_{project} {
  std::unordered_map<const Function*, std::vector<const Function*>> callers;
  std::vector<const Function*> found;
  const auto leads_to = [&](const Function& from, const Function& to) { callers[&to].push_back(&from); };
  for (const Module& module : project.modules()) {
    for (const Function& function : module.functions) {
      bool own = false;
      for (const Event& event : function.events) {
        const bool matters = matters_itself(event);
        own = own || matters;
        if (event.kind == Event::Kind::import_module) {
          if (matters) libraries_.insert(&event);
          auto modules = project.imported(module, event.name);
          for (const Module* imported : modules) leads_to(function, imported->body());
          if (!modules.empty() && modules.back() != &module && !event.as_program) imported_.insert(modules.back());
          if (!modules.empty()) imports_.emplace(&event, std::move(modules));
        } else if (leads_to_function(event)) {
          const bool local = event.name.starts_with(':');
          const Project::Found callee =
              local ? Project::Found{&module, module.find_function(std::string_view{event.name}.substr(1))}
                    : project.function(module, event.name);
          if (callee.function == nullptr) continue;
          leads_to(function, *callee.function);
          calls_.emplace(&event, callee);
          if (event.kind == Event::Kind::pool_task) pools_.emplace(callee.function, Place{&module, &event});
        }
      }
      if (own && relevant_.insert(&function).second) found.push_back(&function);
    }
  }
  while (!found.empty()) {
    const Function* function = found.back();
    found.pop_back();
    for (const Function* caller : callers[function]) {
      if (relevant_.insert(caller).second) found.push_back(caller);
    }
  }
}

const std::vector<const Module*>& Links::imports(const Event& event) const {
  static const std::vector<const Module*> kNone;
  const auto at = imports_.find(&event);
  return at == imports_.end() ? kNone : at->second;
}

Links::Place Links::pool_of(const Function& function) const {
  const auto at = pools_.find(&function);
  return at == pools_.end() ? Place{} : at->second;
}

Project::Found Links::call(const Event& event) const {
  const auto at = calls_.find(&event);
  return at == calls_.end() ? Project::Found{} : at->second;
}

}  // namespace weir::audit
