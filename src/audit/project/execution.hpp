#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "audit/project/project.hpp"

namespace weir::audit {

/// One event in one execution of a program.
struct Step {
  const Event* event;
  const Module* module;      ///< the module that contains the event
  const Function* function;  ///< the function that contains the event
  /// the event of the program's own file that leads to this step; `event` itself if it is in that file
  const Event* entry_event;
  Value value;                ///< event->value with the parameters replaced by arguments of the calls that lead here
  std::vector<Arm> arms;      ///< arms (paths of branches) of all calls that lead here and of the event
  int call_id = 0;            ///< id shared by all steps of one call of a function
  int parameter_call_id = 0;  ///< id shared by all steps in which Kind::parameter means parameters of the same call
  bool in_loop = false;
  bool in_call = false;          ///< inside a function that the execution calls
  bool is_switched_off = false;  ///< the event cannot happen, because a constant switches it off: "use_gpu=False"
};

/// One execution of a program: the relevant events of a module's body and of everything that it imports and calls, in
/// order. A function that no program of the project calls, or that a program passes to a pool, has an execution of its
/// own: the module's body, then the function.
struct Execution {
  const Module* program;     ///< the module that is executed
  const Function* function;  ///< the function that runs after the body; null: the module is executed as a program
  std::vector<Step> steps;
  bool is_imported = false;                        ///< other modules of the project import the program
  std::size_t first_new_step = 0;                  ///< execution of a function: index of the first step after the
                                                   ///< module's body; otherwise 0
  std::set<const Module*> loaded_modules{};        ///< modules that were loaded
  std::set<const Function*> followed_functions{};  ///< functions whose calls were followed
  bool is_truncated = false;  ///< a part is missing because a limit on calls, depth or steps was reached
  /// steps of the child processes, one process after the other; their entry_event is that of the step that starts the
  /// process
  std::vector<Step> worker_steps{};
  /// The event, with its module, that passes `function` to a pool whose workers each run it many times; null if there
  /// is none.
  const Module* pool_module = nullptr;
  const Event* pool_event = nullptr;
};

/// Returns whether the two steps cannot both happen, because they are in different arms of one branch.
bool are_exclusive(const Step& a, const Step& b);
/// Returns whether `earlier` has happened whenever `later` happens: the steps are not exclusive, and `later` is in all
/// arms that `earlier` is in, except those with Arm::is_default, which count as executed. The order of the steps is not
/// checked.
bool is_always_before(const Step& earlier, const Step& later);

/// Calls `visit` for all executions of a project that have steps: first one per module, then one per function that none
/// of these called or that is passed to a pool. Bounded: per execution a function is followed at most three times and a
/// module once, and the number of steps is limited.
void for_each_execution(const Project& project, const std::function<void(const Execution&)>& visit);

}  // namespace weir::audit
