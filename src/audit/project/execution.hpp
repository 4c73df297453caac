#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "audit/project/project.hpp"

namespace weir::audit {

/// One event as it happens in one run of a program: with the arguments of the calls that lead to it.
struct Step {
  const Event* event;
  const Module* module;       ///< whose event it is
  const Function* function;   ///< the one that holds the event
  const Event* entry_event;   ///< the event of the program's own file that led here; `event` itself if it stands there
  Value value;                ///< event->value with the arguments in the place of the parameters
  std::vector<Arm> arms;      ///< of all calls that lead here
  int call_id = 0;            ///< the same for all steps of one call of a function
  int parameter_call_id = 0;  ///< the same for all steps whose values speak of the same call's parameters
  bool in_loop = false;
  bool in_call = false;  ///< within a function, of this or another module
  bool in_thread = false;
  bool is_switched_off = false;  ///< by a constant: "use_gpu=False"
};

/// A run of one program: the body of a module and all that it imports and calls, in order; or, for a function that no
/// program of the project calls, the module's body and then the function.
struct Execution {
  const Module* program;
  const Function* function;  ///< null: the module as a program
  std::vector<Step> steps;
  bool is_imported = false;                        ///< other modules of the project import the program
  std::size_t first_new_step = 0;                  ///< steps before this one were judged in another execution
  std::set<const Module*> loaded_modules{};        ///< that were loaded
  std::set<const Function*> followed_functions{};  ///< that were followed
  bool is_truncated = false;                       ///< a call was not followed, since there were too many
  std::vector<Step> worker_steps{};  ///< what the processes do that it starts; each begins where the program is then
  /// The function is run many times by each worker of a pool, which is given it there; null if it is not.
  const Module* pool_module = nullptr;
  const Event* pool_event = nullptr;
};

/// Two steps that cannot both happen.
bool are_exclusive(const Step& a, const Step& b);
/// Whenever `later` happens, `earlier` has happened: it is in no branch that `later` is not in.
bool is_always_before(const Step& earlier, const Step& later);

/// Goes through all executions of a project: every module first, then every function that none of them called. Bounded: a
/// function is followed at most three times in one execution, a module once, and steps are counted.
void for_each_execution(const Project& project, const std::function<void(const Execution&)>& visit);

}  // namespace weir::audit
