#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/value.hpp"

namespace weir::audit {

/// One arm of one branch. Two events exclude each other when they are in different arms of the same branch.
struct Arm {
  std::uint32_t branch_id;
  std::uint32_t index;
  bool is_default =
      false;  ///< the way that is taken unless something fails or ends early: what stands in it counts as having happened
  bool is_child_process = false;  ///< a process of its own, and no choice: what it sets is gone with it
  bool operator==(const Arm&) const = default;
};

/// What must be true, or false, for an event to happen: of "if use_gpu", "if not args.cpu".
struct Condition {
  Value value;
  bool holds = true;
};

/// The keyword of the instance that a method is called on.
inline constexpr std::string_view kSelf = "\x03";
/// The keywords of what is handed on as a whole: f(*list), f(**dictionary).
inline constexpr std::string_view kListKeyword = "*";
inline constexpr std::string_view kDictionaryKeyword = "**";

struct Argument {
  std::string keyword;  ///< empty: by position
  Value value;
};

/// Something that a program does and a rule may care about, whatever the language. Events of a function are in the order in which
/// they happen.
struct Event {
  enum class Kind {
    set_variable,        ///< name = the variable; value, mode
    remove_variable,     ///< name = the variable
    change_environment,  ///< variables that are not known are set or removed here, or at a time that is not known
    import_module,       ///< name = full dotted name of the module
    call,            ///< name = ':' and the key of a function of this module, or the full dotted name of one imported
    start_driver,    ///< the driver is asked for the first time here, at the latest; name = what does it
    use_device,      ///< name = what is given the device; value = its number or text
    use_smi_index,   ///< NVML or nvidia-smi is given a number; name = the call; value
    start_process,   ///< name = the call
    mask_as_number,  ///< name = the variable that int() is applied to
    compare_mask,    ///< name = the variable; value = the literal that it is compared with, and not to be wrong
    compare_device_name,   ///< a product name in a test; value = the literal
    cpu_fallback,          ///< the CPU is taken when there is no GPU; name = the test
    deprecated_call,       ///< name = the call; value = what replaced it
    estimate_free_memory,  ///< free memory as a difference of a process's own counters
    late_future_import,    ///< from __future__ after something else
    verify_device,         ///< the device's UUID, PCI address or name is looked at
    machine_path,          ///< an absolute path of one machine; value
    change_paths,          ///< os.chdir, sys.path.insert at module level; name = the call
    container_mask,  ///< a mask inside a container or a job that is given cards already; name = by what; value = the mask
    thread_target,       ///< a function that runs in a thread; name as of a call
    process_target,      ///< a function that runs in a process of its own; name as of a call
    pool_task,           ///< a function that the workers of a pool run, each many times; name as of a call
    memory_cleanup,      ///< name = the call: gc.collect, empty_cache
    overwrite_attribute  ///< name = an attribute that somebody else's object is given here; value
  };
  enum class Mode {
    assign,            ///< whatever was there is lost
    set_if_unset,      ///< only if it is not set
    child_environment  ///< in the environment of another process
  };

  Kind kind;
  Range range;          ///< the code in question
  Range statement;      ///< the whole simple statement that holds it
  Range top_statement;  ///< the statement of the outermost block that holds it
  std::vector<Arm> arms{};
  std::vector<Condition> conditions{};  ///< those of them that a value alone decides
  std::string name{};
  Value value{};
  std::vector<Argument> arguments{};
  Mode mode = Mode::assign;
  bool variable_read_before = false;  ///< the same variable was looked at before
  bool in_main_part = false;          ///< in the part that runs only as a program, not when it is imported
  bool in_try = false;                ///< within a try that catches
  bool in_loop = false;               ///< may happen again
  bool device_count_checked = false;  ///< only where the program has seen how many devices there are
  bool cards_renumbered =
      false;                  ///< set_variable: inside a container or job that is given cards, which count from 0 there
  bool in_container = false;  ///< set_variable: for a program in a container
  bool on_other_machine = false;  ///< set_variable: on another machine
  bool passes_callback = false;  ///< call: the function is given to something that will call it, with what is not known
  bool only_if_known = false;    ///< use_device: only where the value is known; a keyword that may be among **kwargs
  bool is_fallback =
      false;  ///< deprecated_call: only where the new name is not there; change_environment: only where the
              ///< file that the event before runs is none of the project
  bool runs_as_program = false;  ///< import_module: the file is run as a program is, with its main part
  bool is_top_level = false;     ///< statement and top are the same: it stands in no block
  bool is_editable = false;      ///< set_variable: `statement` does nothing else and may be moved or removed
  Range target{};  ///< set_variable: what is written to, "os.environ", or of a script what makes programs see it: the
                   ///< export, the prefix of a command; cpu_fallback: what is taken with a GPU
};

/// A function, or the body of a module.
struct Function {
  std::string key;  ///< "", "name", "Class.name", "outer.inner"; the body of a module is ""
  Range range{};
  std::vector<std::string> parameters{};
  std::vector<Value> defaults{};  ///< one a parameter; unknown where there is none
  std::vector<Event> events{};
  std::vector<Value> return_values{};
  bool is_method = false;                      ///< the first parameter is the instance
  std::set<std::string> changed_parameters{};  ///< parameters whose items it changes
  std::string args_parameter{};                ///< the parameter that takes all further positions: *args
  std::string kwargs_parameter{};              ///< the one that takes all further keywords: **kwargs
  std::size_t positional_count = SIZE_MAX;     ///< parameters that are given by position
};

/// Arguments in the place of parameters: Atom::Kind::parameter becomes what the caller gave, or the default.
Value substitute_parameters(const Value& value, const Function& callee, const std::vector<Argument>& args);
/// Calls of a function that is bound to arguments or to what encloses it.
std::vector<Argument> add_bound_arguments(const PossibleValue& function, const std::vector<Argument>& args);
/// The argument at a position (counted without keywords) or of a keyword; null if neither is given.
const Argument* find_argument(const std::vector<Argument>& args, int position, std::string_view keyword);
/// Its value; unknown if neither is given.
Value argument_value(const std::vector<Argument>& args, int position, std::string_view keyword = {});

}  // namespace weir::audit
