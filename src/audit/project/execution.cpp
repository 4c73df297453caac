#include "audit/project/execution.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "audit/project/links.hpp"

namespace weir::audit {
namespace {

constexpr std::size_t kMostSteps = 4000;
constexpr int kMostDepth = 24;
constexpr int kMostCallsOfOne = 3;

/// Without a known caller a parameter stays one.
Value given(const Value& value, const Function& function, const std::vector<Argument>* args) {
  return args == nullptr ? value : substituted(value, function, *args);
}

/// One more than the largest number of a branch in it.
std::uint32_t branches_in(const Function& function) {
  std::uint32_t most = 0;
  for (const Event& event : function.events) {
    for (const Arm& arm : event.arms) most = std::max(most, arm.branch + 1);
  }
  return most;
}

class Run {
 public:
  Run(const Links& links, Execution& execution, std::set<const Function*>& reached)
      : links_{links}, execution_{execution}, reached_{reached} {}
  /// What happens behind another run, which stays as it is and must stand as long.
  explicit Run(const Run* before)
      : links_{before->links_},
        execution_{before->execution_},
        reached_{before->reached_},
        before_{before},
        branches_{before->branches_} {}

  void module_body(const Module& module, const Event* entry) {
    if (before_ != nullptr && before_->modules_.contains(&module)) return;
    if (!modules_.insert(&module).second) return;
    follow(module, module.body(), nullptr, entry);
  }

  void function(const Module& module, const Function& function) { follow(module, function, nullptr, nullptr); }

 private:
  void follow(const Module& module, const Function& function, const std::vector<Argument>* args, const Event* entry) {
    if (!links_.matters(function) || depth_ >= kMostDepth || calls_of(function) >= kMostCallsOfOne) return;
    reached_.insert(&function);
    ++calls_[&function];
    ++depth_;
    const std::uint32_t offset = branches_;  // each call has branches of its own
    branches_ += branches_in(function);
    for (const Event& event : function.events) {
      if (execution_.steps.size() >= kMostSteps) break;
      if (event.main_only && (entry != nullptr || execution_.function != nullptr)) continue;
      step(module, function, event, args, entry, offset);
    }
    --depth_;
  }

  void step(const Module& module, const Function& function, const Event& event, const std::vector<Argument>* args,
            const Event* entry, std::uint32_t offset) {
    const bool matters = matters_itself(event);
    const bool leads_on = event.kind == Event::Kind::import_module || event.kind == Event::Kind::call;
    if (!matters && !leads_on) return;
    std::vector<Arm> arms = arms_;
    for (const Arm& arm : event.arms) arms.push_back({arm.branch + offset, arm.arm, arm.usual});
    const Event* via = entry != nullptr ? entry : &event;
    if (event.kind == Event::Kind::import_module) {
      const auto outer = std::exchange(arms_, arms);
      for (const Module* one : links_.imports(event)) module_body(*one, via);
      arms_ = outer;
    }
    if (event.kind == Event::Kind::call) {
      const auto outer = std::exchange(arms_, arms);
      call(function, event, args, via);
      arms_ = outer;
      return;
    }
    if (!matters) return;
    Step made{
        .event = &event, .module = &module, .function = &function, .entry = via, .value = {}, .arms = std::move(arms)};
    made.value = given(event.value, function, args);
    made.in_loop = event.in_loop || loops_ > 0;
    made.in_call = depth_ > 1;
    execution_.steps.push_back(std::move(made));
  }

  void call(const Function& caller, const Event& event, const std::vector<Argument>* args, const Event* via) {
    const Project::Found found = links_.call(event);
    if (found.function == nullptr) return;
    std::vector<Argument> passed;
    passed.reserve(event.arguments.size());
    for (const Argument& arg : event.arguments) passed.push_back({arg.keyword, given(arg.value, caller, args)});
    loops_ += event.in_loop ? 1 : 0;
    follow(*found.module, *found.function, event.hands_over ? nullptr : &passed, via);
    loops_ -= event.in_loop ? 1 : 0;
  }

  int calls_of(const Function& function) const {
    const auto found = calls_.find(&function);
    return (found == calls_.end() ? 0 : found->second) + (before_ == nullptr ? 0 : before_->calls_of(function));
  }

  const Links& links_;
  Execution& execution_;
  std::set<const Function*>& reached_;
  const Run* before_ = nullptr;
  std::set<const Module*> modules_;
  std::map<const Function*, int> calls_;
  std::vector<Arm> arms_;
  std::uint32_t branches_ = 0;
  int depth_ = 0;
  int loops_ = 0;
};

/// The keys of the functions that a module's own code calls.
std::set<std::string> called_in(const Module& module) {
  std::set<std::string> keys;
  for (const Function& function : module.functions) {
    for (const Event& event : function.events) {
      if (event.kind == Event::Kind::call && event.name.starts_with(':') && event.name.substr(1) != function.key)
        keys.insert(event.name.substr(1));
    }
  }
  return keys;
}

/// The functions of one module that no program calls, each behind the same run of the module's body.
class Alone {
 public:
  Alone(const Links& links, const Module& module, std::set<const Function*>& reached)
      : execution_{.program = &module, .function = &module.body(), .steps = {}}, body_{links, execution_, reached} {
    body_.module_body(module, nullptr);  // it refers to execution_: neither is copied or moved
    execution_.own_from = execution_.steps.size();
  }

  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;

  void judge_function(const Function& function, const std::function<void(const Execution&)>& judge) {
    execution_.function = &function;
    Run run{&body_};
    run.function(*execution_.program, function);
    if (execution_.steps.size() > execution_.own_from) judge(execution_);
    execution_.steps.erase(execution_.steps.begin() + static_cast<std::ptrdiff_t>(execution_.own_from),
                           execution_.steps.end());
  }

 private:
  Execution execution_;
  Run body_;
};

}  // namespace

bool exclusive(const Step& a, const Step& b) {
  for (const Arm& arm : a.arms) {
    for (const Arm& other : b.arms) {
      if (arm.branch == other.branch && arm.arm != other.arm) return true;
    }
  }
  return false;
}

bool always_before(const Step& earlier, const Step& later) {
  return !exclusive(earlier, later) && std::all_of(earlier.arms.begin(), earlier.arms.end(), [&](const Arm& arm) {
    return arm.usual || std::find(later.arms.begin(), later.arms.end(), arm) != later.arms.end();
  });
}

void for_each_execution(const Project& project, const std::function<void(const Execution&)>& judge) {
  const Links links{project};
  std::set<const Function*> reached;
  for (const Module& module : project.modules()) {
    Execution execution{.program = &module, .function = nullptr, .steps = {}, .imported = links.is_imported(module)};
    Run run{links, execution, reached};
    run.module_body(module, nullptr);
    if (!execution.steps.empty()) judge(execution);
  }
  // What no program calls: first what no other function of its module calls, then the rest.
  for (const bool referenced : {false, true}) {
    for (const Module& module : project.modules()) {
      const auto called = called_in(module);
      std::optional<Alone> alone;
      for (const Function& function : module.functions) {
        if (function.key.empty() || !links.matters(function) || reached.contains(&function)) continue;
        if (called.contains(function.key) != referenced) continue;
        if (!alone) alone.emplace(links, module, reached);
        alone->judge_function(function, judge);
      }
    }
  }
}

}  // namespace weir::audit
