#include "audit/project/links.hpp"

#include <string_view>
#include <utility>

#include "audit/python/gpu_names.hpp"

namespace weir::audit {

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

Links::Links(const Project& project) {
  std::unordered_map<const Function*, std::vector<const Function*>> callers;
  std::vector<const Function*> found;
  const auto leads_to = [&](const Function& from, const Function& to) { callers[&to].push_back(&from); };
  for (const Module& module : project.modules()) {
    for (const Function& function : module.functions) {
      bool own = false;
      for (const Event& event : function.events) {
        own = own || matters_itself(event);
        if (event.kind == Event::Kind::import_module) {
          auto modules = project.imported(module, event.name);
          for (const Module* imported : modules) leads_to(function, imported->body());
          if (!modules.empty() && modules.back() != &module) imported_.insert(modules.back());
          if (!modules.empty()) imports_.emplace(&event, std::move(modules));
        } else if (event.kind == Event::Kind::call) {
          const bool local = event.name.starts_with(':');
          const Project::Found callee =
              local ? Project::Found{&module, module.find_function(std::string_view{event.name}.substr(1))}
                    : project.function(module, event.name);
          if (callee.function == nullptr) continue;
          leads_to(function, *callee.function);
          calls_.emplace(&event, callee);
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

Project::Found Links::call(const Event& event) const {
  const auto at = calls_.find(&event);
  return at == calls_.end() ? Project::Found{} : at->second;
}

}  // namespace weir::audit
