#include "audit/project/execution.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "audit/project/call_graph.hpp"

namespace weir::audit {
namespace {

constexpr std::size_t kMaxSteps = 4000;
constexpr int kMaxDepth = 24;  // nested calls
constexpr int kMaxCallsPerFunction = 3;

/// Replaces the parameters by `args`; without a known caller (null) they stay symbolic.
Value substitute_arguments(const Value& value, const Function& function, const std::vector<Argument>* args) {
  return args == nullptr ? value : substitute_parameters(value, function, *args);
}

/// Returns the number of branch numbers that the function uses: one more than the largest.
std::uint32_t branches_in(const Function& function) {
  std::uint32_t count = 0;
  for (const Event& event : function.events) {
    for (const Arm& arm : event.arms) count = std::max(count, arm.branch_id + 1);
  }
  return count;
}

/// Builds the steps of one execution: follows the imports and calls of its functions.
class ExecutionBuilder {
 public:
  ExecutionBuilder(const CallGraph& call_graph, Execution& execution, std::set<const Function*>& reached)
      : call_graph_{call_graph}, execution_{execution}, reached_{reached} {}
  /// Makes a builder that continues after another one, which must outlive it and stays unchanged.
  explicit ExecutionBuilder(const ExecutionBuilder* previous)
      : call_graph_{previous->call_graph_},
        execution_{previous->execution_},
        reached_{previous->reached_},
        previous_{previous},
        branches_{previous->branches_},
        call_count_{previous->call_count_} {}

  /// Adds the steps of a module's body, once per module. `entry` is the Step::entry_event of the steps; null for the
  /// program itself, where it is the event of each step.
  void module_body(const Module& module, const Event* entry) {
    if (previous_ != nullptr && previous_->modules_.contains(&module)) return;
    if (!modules_.insert(&module).second) return;
    execution_.loaded_modules.insert(&module);
    follow(module, module.body(), /*args=*/nullptr, entry);
  }

  /// Adds the steps of a function that is called with unknown arguments.
  void function(const Module& module, const Function& function) {
    follow(module, function, /*args=*/nullptr, /*entry=*/nullptr);
  }

 private:
  /// Adds the steps of a call of the function; `args` are the arguments, null if they are unknown.
  void follow(const Module& module, const Function& function, const std::vector<Argument>* args, const Event* entry) {
    if (!call_graph_.is_relevant(function)) return;
    if (depth_ >= kMaxDepth || calls_to(function) >= kMaxCallsPerFunction) {
      execution_.is_truncated = true;
      return;
    }
    execution_.followed_functions.insert(&function);
    // A function that only child processes run also gets an execution of its own.
    if (!in_worker_) reached_.insert(&function);
    ++calls_[&function];
    const int outer_call = std::exchange(call_, ++call_count_);
    const int outer_parameter_call = parameter_call_;
    if (args == nullptr) parameter_call_ = call_;
    ++depth_;
    const std::uint32_t branch_offset = branches_;  // each call has its own branch numbers
    branches_ += branches_in(function);
    for (const Event& event : function.events) {
      if (execution_.steps.size() >= kMaxSteps) {
        execution_.is_truncated = true;
        break;
      }
      const bool is_program = (entry == nullptr && execution_.function == nullptr) || &function == run_as_program_;
      if (event.in_main_part && !is_program) continue;
      step(module, function, event, args, entry, branch_offset);
    }
    --depth_;
    call_ = outer_call;
    parameter_call_ = outer_parameter_call;
  }

  /// Adds the step of an event of the function; follows imports, calls and starts of workers.
  void step(const Module& module, const Function& function, const Event& event, const std::vector<Argument>* args,
            const Event* entry, std::uint32_t branch_offset) {
    if (event.kind == Event::Kind::change_environment && event.is_fallback && import_resolved_) return;
    const bool is_import = event.kind == Event::Kind::import_module;
    const bool relevant = is_import ? call_graph_.loads_library(event) : is_relevant_event(event);
    const bool is_followed = is_import || event.kind == Event::Kind::call;
    if (!relevant && !is_followed) return;
    std::vector<Arm> arms = arms_;
    for (const Arm& arm : event.arms)
      arms.push_back({arm.branch_id + branch_offset, arm.index, arm.is_default, arm.is_child_process});
    const Event* entry_event = entry != nullptr ? entry : &event;
    if (event.kind == Event::Kind::import_module) {
      const auto outer_arms = std::exchange(arms_, arms);
      const auto& modules = call_graph_.imported_modules(event);
      const auto* const outer_program = run_as_program_;
      if (event.runs_as_program && !modules.empty()) run_as_program_ = &modules.back()->body();
      import_resolved_ = !modules.empty();
      for (const Module* imported : modules) module_body(*imported, entry_event);
      import_resolved_ = !modules.empty();  // again, because the imports of these modules have changed it
      run_as_program_ = outer_program;
      arms_ = outer_arms;
    }
    if (event.kind == Event::Kind::call) {
      const auto outer_arms = std::exchange(arms_, arms);
      call(module, function, event, args, entry_event);
      arms_ = outer_arms;
      return;
    }
    if (!relevant || record_load(event, arms)) return;
    if (is_worker_start(event) && !in_worker_) follow_worker(call_graph_.find_callee(event), arms, entry_event);
    Step new_step{.event = &event,
                  .module = &module,
                  .function = &function,
                  .entry_event = entry_event,
                  .value = {},
                  .arms = std::move(arms)};
    new_step.value = substitute_arguments(event.value, function, args);
    if (event.only_if_known && (new_step.value.is_unknown() || new_step.value.may_be(PossibleValue::Kind::parameter)))
      return;
    new_step.is_switched_off =
        std::any_of(event.conditions.begin(), event.conditions.end(), [&](const Condition& condition) {
          const auto truth = substitute_arguments(condition.value, function, args).truth_value();
          return truth && *truth != condition.holds;
        });
    new_step.in_loop = event.in_loop || loop_depth_ > 0;
    new_step.in_call = depth_ > 1;
    new_step.call_id = call_;
    new_step.parameter_call_id = parameter_call_;
    execution_.steps.push_back(std::move(new_step));
  }

  bool is_loaded(const std::string& library) const {
    return loaded_libraries_.contains(library) || (previous_ != nullptr && previous_->is_loaded(library));
  }

  /// Records that an import event loads its GPU library. Returns whether the library was certainly loaded before; false
  /// for other events. A repeated import gets no step, because large projects import a library a thousand times.
  bool record_load(const Event& event, const std::vector<Arm>& arms) {
    if (event.kind != Event::Kind::import_module || in_worker_) return false;
    if (is_loaded(event.name)) return true;
    if (arms.empty()) loaded_libraries_.insert(event.name);
    return false;
  }

  /// Follows the function that a child process runs.
  void follow_worker(const Project::ResolvedFunction& worker, const std::vector<Arm>& arms, const Event* entry_event) {
    if (worker.function == nullptr || execution_.worker_steps.size() >= kMaxSteps) return;
    const auto outer_arms = std::exchange(arms_, arms);
    std::vector<Step> outer_steps = std::exchange(execution_.steps, {});
    in_worker_ = true;
    follow(*worker.module, *worker.function, /*args=*/nullptr, entry_event);
    in_worker_ = false;
    std::move(execution_.steps.begin(), execution_.steps.end(), std::back_inserter(execution_.worker_steps));
    execution_.steps = std::move(outer_steps);
    arms_ = outer_arms;
  }

  /// Adds the instance to the arguments of a method, if another module created it or is creating it.
  void complete_instance(const Module& caller, const Project::ResolvedFunction& method,
                         std::vector<Argument>& args) const {
    constexpr std::string_view kInit = ".__init__";
    const auto self = std::find_if(args.begin(), args.end(), [](const Argument& arg) { return arg.keyword == kSelf; });
    if (self == args.end()) {
      const bool is_constructor = method.function->is_method && method.function->key.ends_with(kInit);
      if (is_constructor) args.push_back({std::string{kSelf}, call_graph_.project().make_instance_from(method, args)});
      return;
    }
    const PossibleValue* object = self->value.single_alternative(PossibleValue::Kind::call_result);
    if (object == nullptr || object->items == nullptr) return;
    std::vector<Argument> constructor_args;
    for (const auto& [key, value] : object->items->values) {
      // The first character of a key is the prefix of constructor_argument_key(); keywords do not begin with a digit.
      const bool named = key.size() > 1 && (key[1] < '0' || key[1] > '9');
      if (named) constructor_args.push_back({key.substr(1), value});
    }
    constexpr int kMaxPositions = 32;  // unknown positions in between get unknown values
    for (int position = kMaxPositions; position-- > 0;) {
      const auto found = object->items->values.find(constructor_argument_key(std::to_string(position)));
      const bool is_known = found != object->items->values.end();
      const bool has_positional = std::any_of(constructor_args.begin(), constructor_args.end(),
                                              [](const Argument& arg) { return arg.keyword.empty(); });
      if (is_known || has_positional)
        constructor_args.insert(constructor_args.begin(), {{}, is_known ? found->second : Value{}});
    }
    self->value = call_graph_.project().make_instance(caller, object->text, constructor_args);
  }

  /// Follows the function that a call event runs, with its arguments.
  void call(const Module& module, const Function& caller, const Event& event, const std::vector<Argument>* args,
            const Event* entry_event) {
    const Project::ResolvedFunction found = call_graph_.find_callee(event);
    if (found.function == nullptr) return;
    std::vector<Argument> passed;
    passed.reserve(event.arguments.size());
    for (const Argument& arg : event.arguments)
      passed.push_back({arg.keyword, substitute_arguments(arg.value, caller, args)});
    complete_instance(module, found, passed);
    loop_depth_ += event.in_loop ? 1 : 0;
    follow(*found.module, *found.function, event.passes_callback ? nullptr : &passed, entry_event);
    loop_depth_ -= event.in_loop ? 1 : 0;
  }

  int calls_to(const Function& function) const {
    const auto found = calls_.find(&function);
    return (found == calls_.end() ? 0 : found->second) + (previous_ == nullptr ? 0 : previous_->calls_to(function));
  }

  const CallGraph& call_graph_;
  Execution& execution_;
  std::set<const Function*>& reached_;  ///< functions followed so far in all executions, without child processes
  const ExecutionBuilder* previous_ = nullptr;
  std::set<const Module*> modules_;           ///< modules whose bodies were followed
  std::map<const Function*, int> calls_;      ///< number of calls of each function that were followed
  std::set<std::string> loaded_libraries_;    ///< GPU libraries whose import certainly happened
  std::vector<Arm> arms_;                     ///< arms of all calls that lead to the current function
  std::uint32_t branches_ = 0;                ///< number of branch numbers used so far
  int depth_ = 0;                             ///< number of calls around the current event
  int loop_depth_ = 0;                        ///< number of loops around the current call
  int call_count_ = 0;                        ///< number of calls so far
  int call_ = 0;                              ///< Step::call_id of the current call
  int parameter_call_ = 0;                    ///< Step::parameter_call_id of the current call
  const Function* run_as_program_ = nullptr;  ///< body of a file that a notebook runs as a program
  bool import_resolved_ = false;              ///< the last import was resolved to a file of the project
  bool in_worker_ = false;
};

/// Returns the keys of the functions that a module's own code calls.
std::set<std::string> called_functions(const Module& module) {
  std::set<std::string> keys;
  for (const Function& function : module.functions) {
    for (const Event& event : function.events) {
      if (event.kind == Event::Kind::call && event.name.starts_with(':') && event.name.substr(1) != function.key)
        keys.insert(event.name.substr(1));
    }
  }
  return keys;
}

/// Builds the executions of a module's functions that no program calls or that are passed to a pool, each after the
/// same steps of the module's body.
class UncalledFunctions {
 public:
  /// Adds the steps of the module's body. Execution::function is already set, so the main part does not run.
  UncalledFunctions(const CallGraph& call_graph, const Module& module, std::set<const Function*>& reached)
      : call_graph_{call_graph},
        execution_{.program = &module, .function = &module.body(), .steps = {}},
        body_{call_graph, execution_, reached} {
    body_.module_body(module, /*entry=*/nullptr);
    execution_.first_new_step = execution_.steps.size();
  }

  // Not copyable, because body_ refers to execution_.
  UncalledFunctions(const UncalledFunctions&) = delete;
  UncalledFunctions& operator=(const UncalledFunctions&) = delete;

  /// Adds the steps of the function, calls `visit` if there are any, and removes them again.
  void visit_function(const Function& function, const std::function<void(const Execution&)>& visit) {
    execution_.function = &function;
    const CallGraph::PoolUse pool = call_graph_.find_pool(function);
    execution_.pool_module = pool.module;
    execution_.pool_event = pool.event;
    ExecutionBuilder builder{&body_};
    builder.function(*execution_.program, function);
    if (execution_.steps.size() > execution_.first_new_step) visit(execution_);
    execution_.steps.erase(execution_.steps.begin() + static_cast<std::ptrdiff_t>(execution_.first_new_step),
                           execution_.steps.end());
    execution_.worker_steps.clear();
  }

 private:
  const CallGraph& call_graph_;
  Execution execution_;
  ExecutionBuilder body_;
};

}  // namespace

bool are_exclusive(const Step& a, const Step& b) {
  for (const Arm& arm : a.arms) {
    for (const Arm& other : b.arms) {
      if (arm.branch_id == other.branch_id && arm.index != other.index) return true;
    }
  }
  return false;
}

bool is_always_before(const Step& earlier, const Step& later) {
  return !are_exclusive(earlier, later) && std::all_of(earlier.arms.begin(), earlier.arms.end(), [&](const Arm& arm) {
    return arm.is_default || std::find(later.arms.begin(), later.arms.end(), arm) != later.arms.end();
  });
}

void for_each_execution(const Project& project, const std::function<void(const Execution&)>& visit) {
  const CallGraph call_graph{project};
  std::set<const Function*> reached;
  // Python executes a symbolic link under its target's path, but imports it by its own name.
  const auto is_link = [&](const Module& module) { return &project.reported_module(module) != &module; };
  std::set<const Module*> imported;
  for (const Module& module : project.modules())
    if (call_graph.is_imported(module)) imported.insert(&project.reported_module(module));
  for (const Module& module : project.modules()) {
    if (is_link(module)) continue;
    Execution execution{
        .program = &module, .function = nullptr, .steps = {}, .is_imported = imported.contains(&module)};
    ExecutionBuilder builder{call_graph, execution, reached};
    builder.module_body(module, /*entry=*/nullptr);
    if (!execution.steps.empty()) visit(execution);
  }
  for (const Module& module : project.modules()) {
    for (const Function& function : module.functions)
      if (is_link(module) && reached.contains(&function))
        reached.insert(project.reported_module(module).find_function(function.key));
  }
  // Functions that no program calls or that are passed to a pool: first those that no other function of their module
  // calls, then the rest.
  for (const bool is_called_in_module : {false, true}) {
    for (const Module& module : project.modules()) {
      if (is_link(module)) continue;
      const auto called = called_functions(module);
      std::optional<UncalledFunctions> uncalled;
      for (const Function& function : module.functions) {
        const bool is_covered = reached.contains(&function) && call_graph.find_pool(function).event == nullptr;
        if (function.key.empty() || !call_graph.is_relevant(function) || is_covered) continue;
        if (called.contains(function.key) != is_called_in_module) continue;
        if (!uncalled) uncalled.emplace(call_graph, module, reached);
        uncalled->visit_function(function, visit);
      }
    }
  }
}

}  // namespace weir::audit
