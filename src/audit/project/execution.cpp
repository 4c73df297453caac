#include "audit/project/execution.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
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
        branches_{before->branches_},
        all_calls_{before->all_calls_} {}

  void module_body(const Module& module, const Event* entry) {
    if (before_ != nullptr && before_->modules_.contains(&module)) return;
    if (!modules_.insert(&module).second) return;
    execution_.modules.insert(&module);
    follow(module, module.body(), nullptr, entry);
  }

  void function(const Module& module, const Function& function) { follow(module, function, nullptr, nullptr); }

 private:
  void follow(const Module& module, const Function& function, const std::vector<Argument>* args, const Event* entry) {
    if (!links_.matters(function)) return;
    if (depth_ >= kMostDepth || calls_of(function) >= kMostCallsOfOne) {
      execution_.cut = true;
      return;
    }
    execution_.functions.insert(&function);
    if (!in_worker_) reached_.insert(&function);  // a worker's functions are judged by themselves
    ++calls_[&function];
    const int outer_call = std::exchange(call_, ++all_calls_);
    const int outer_open = open_call_;
    if (args == nullptr) open_call_ = call_;
    ++depth_;
    const std::uint32_t offset = branches_;  // each call has branches of its own
    branches_ += branches_in(function);
    for (const Event& event : function.events) {
      if (execution_.steps.size() >= kMostSteps) {
        execution_.cut = true;
        break;
      }
      const bool program = (entry == nullptr && execution_.function == nullptr) || &function == run_as_program_;
      if (event.main_only && !program) continue;
      step(module, function, event, args, entry, offset);
    }
    --depth_;
    call_ = outer_call;
    open_call_ = outer_open;
  }

  void step(const Module& module, const Function& function, const Event& event, const std::vector<Argument>* args,
            const Event* entry, std::uint32_t offset) {
    if (event.kind == Event::Kind::change_environment && event.fallback && found_) return;
    const bool imports = event.kind == Event::Kind::import_module;
    const bool matters = imports ? links_.loads_library(event) : matters_itself(event);
    const bool leads_on = imports || event.kind == Event::Kind::call;
    if (!matters && !leads_on) return;
    std::vector<Arm> arms = arms_;
    for (const Arm& arm : event.arms) arms.push_back({arm.branch + offset, arm.arm, arm.usual, arm.process});
    const Event* via = entry != nullptr ? entry : &event;
    if (event.kind == Event::Kind::import_module) {
      const auto outer = std::exchange(arms_, arms);
      const auto& modules = links_.imports(event);
      const auto* const outer_program = run_as_program_;
      if (event.as_program && !modules.empty()) run_as_program_ = &modules.back()->body();
      found_ = !modules.empty();
      for (const Module* one : modules) module_body(*one, via);
      found_ = !modules.empty();
      run_as_program_ = outer_program;
      arms_ = outer;
    }
    if (event.kind == Event::Kind::call) {
      const auto outer = std::exchange(arms_, arms);
      call(module, function, event, args, via);
      arms_ = outer;
      return;
    }
    if (!matters || is_loaded_again(event, arms)) return;
    if (starts_worker(event) && !in_worker_) worker(links_.call(event), arms, via);
    Step made{
        .event = &event, .module = &module, .function = &function, .entry = via, .value = {}, .arms = std::move(arms)};
    made.value = given(event.value, function, args);
    if (event.if_given && (made.value.is_unknown() || made.value.may_be(Atom::Kind::parameter))) return;
    made.switched_off = std::any_of(event.conditions.begin(), event.conditions.end(), [&](const Condition& one) {
      const auto truth = given(one.value, function, args).truth();
      return truth && *truth != one.holds;
    });
    made.in_loop = event.in_loop || loops_ > 0;
    made.in_call = depth_ > 1;
    made.call = call_;
    made.open_call = open_call_;
    execution_.steps.push_back(std::move(made));
  }

  bool is_loaded(const std::string& library) const {
    return loaded_.contains(library) || (before_ != nullptr && before_->is_loaded(library));
  }

  /// A library that is sure to have been imported: large projects import one a thousand times.
  bool is_loaded_again(const Event& event, const std::vector<Arm>& arms) {
    if (event.kind != Event::Kind::import_module || in_worker_) return false;
    if (is_loaded(event.name)) return true;
    if (arms.empty()) loaded_.insert(event.name);
    return false;
  }

  /// What a process does that is started here with a function.
  void worker(const Project::Found& found, const std::vector<Arm>& arms, const Event* via) {
    if (found.function == nullptr || execution_.workers.size() >= kMostSteps) return;
    const auto outer_arms = std::exchange(arms_, arms);
    std::vector<Step> outer_steps = std::exchange(execution_.steps, {});
    in_worker_ = true;
    follow(*found.module, *found.function, nullptr, via);
    in_worker_ = false;
    std::move(execution_.steps.begin(), execution_.steps.end(), std::back_inserter(execution_.workers));
    execution_.steps = std::move(outer_steps);
    arms_ = outer_arms;
  }

  /// The instance that a method works on, where another module made it or is making it.
  void complete_instance(const Module& caller, const Project::Found& method, std::vector<Argument>& args) const {
    constexpr std::string_view kInit = ".__init__";
    const auto self = std::find_if(args.begin(), args.end(), [](const Argument& arg) { return arg.keyword == kSelf; });
    if (self == args.end()) {
      const bool makes = method.function->is_method && method.function->key.ends_with(kInit);
      if (makes) args.push_back({std::string{kSelf}, links_.project().instance_of(method, args)});
      return;
    }
    const Atom* object = self->value.single(Atom::Kind::object);
    if (object == nullptr || object->items == nullptr) return;
    std::vector<Argument> given_once;
    for (const auto& [key, value] : object->items->values) {
      const bool named = key.size() > 1 && (key[1] < '0' || key[1] > '9');
      if (named) given_once.push_back({key.substr(1), value});
    }
    constexpr int kMostPositions = 32;  // those between that are not known are kept by unknown values
    for (int position = kMostPositions; position-- > 0;) {
      const auto found = object->items->values.find(constructor_key(std::to_string(position)));
      const bool known = found != object->items->values.end();
      const bool before_known =
          std::any_of(given_once.begin(), given_once.end(), [](const Argument& arg) { return arg.keyword.empty(); });
      if (known || before_known) given_once.insert(given_once.begin(), {{}, known ? found->second : Value{}});
    }
    self->value = links_.project().instance(caller, object->text, given_once);
  }

  void call(const Module& module, const Function& caller, const Event& event, const std::vector<Argument>* args,
            const Event* via) {
    const Project::Found found = links_.call(event);
    if (found.function == nullptr) return;
    std::vector<Argument> passed;
    passed.reserve(event.arguments.size());
    for (const Argument& arg : event.arguments) passed.push_back({arg.keyword, given(arg.value, caller, args)});
    complete_instance(module, found, passed);
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
  std::set<std::string> loaded_;
  std::vector<Arm> arms_;
  std::uint32_t branches_ = 0;
  int depth_ = 0;
  int loops_ = 0;
  int all_calls_ = 0;
  int call_ = 0;
  int open_call_ = 0;
  const Function* run_as_program_ = nullptr;  ///< the body of a file that a notebook runs as a program
  bool found_ = false;                        ///< the last import led to a file of the project
  bool in_worker_ = false;
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
      : links_{links},
        execution_{.program = &module, .function = &module.body(), .steps = {}},
        body_{links, execution_, reached} {
    body_.module_body(module, nullptr);  // it refers to execution_: neither is copied or moved
    execution_.own_from = execution_.steps.size();
  }

  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;

  void judge_function(const Function& function, const std::function<void(const Execution&)>& judge) {
    execution_.function = &function;
    const Links::Place pool = links_.pool_of(function);
    execution_.pool_module = pool.module;
    execution_.pool = pool.event;
    Run run{&body_};
    run.function(*execution_.program, function);
    if (execution_.steps.size() > execution_.own_from) judge(execution_);
    execution_.steps.erase(execution_.steps.begin() + static_cast<std::ptrdiff_t>(execution_.own_from),
                           execution_.steps.end());
    execution_.workers.clear();
  }

 private:
  const Links& links_;
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
  // Python runs a link as the file that it leads to, and imports it by its own name.
  const auto is_link = [&](const Module& module) { return &project.home(module) != &module; };
  std::set<const Module*> imported;
  for (const Module& module : project.modules())
    if (links.is_imported(module)) imported.insert(&project.home(module));
  for (const Module& module : project.modules()) {
    if (is_link(module)) continue;
    Execution execution{.program = &module, .function = nullptr, .steps = {}, .imported = imported.contains(&module)};
    Run run{links, execution, reached};
    run.module_body(module, nullptr);
    if (!execution.steps.empty()) judge(execution);
  }
  for (const Module& module : project.modules()) {
    for (const Function& function : module.functions)
      if (is_link(module) && reached.contains(&function))
        reached.insert(project.home(module).find_function(function.key));
  }
  // What no program calls: first what no other function of its module calls, then the rest.
  for (const bool referenced : {false, true}) {
    for (const Module& module : project.modules()) {
      if (is_link(module)) continue;
      const auto called = called_in(module);
      std::optional<Alone> alone;
      for (const Function& function : module.functions) {
        const bool known = reached.contains(&function) && links.pool_of(function).event == nullptr;
        if (function.key.empty() || !links.matters(function) || known) continue;
        if (called.contains(function.key) != referenced) continue;
        if (!alone) alone.emplace(links, module, reached);
        alone->judge_function(function, judge);
      }
    }
  }
}

}  // namespace weir::audit
