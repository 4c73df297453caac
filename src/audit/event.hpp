#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/value.hpp"

namespace weir::audit {

// The readers translate each file into functions with events, which the rules check. In the comments a mask is the
// value of an environment variable such as CUDA_VISIBLE_DEVICES, which limits the devices that a process sees. A card
// is a graphics card of the machine.

/// One arm of a branch, such as the `if` part or the `else` part of one statement. Two events exclude each other when
/// they are in different arms of the same branch.
struct Arm {
  std::uint32_t branch_id;  ///< id of the branch, unique within the function
  std::uint32_t index;      ///< index of the arm within the branch
  bool is_default = false;  ///< the arm is executed unless something fails or ends early; its events count as having
                            ///< happened
  bool is_child_process = false;  ///< the arm is no alternative, but a child process (a subshell): its changes of the
                                  ///< environment end with the process
  bool operator==(const Arm&) const = default;
};

/// A test that an event depends on: "if use_gpu", "if not args.cpu".
struct Condition {
  Value value;        ///< the tested value: `use_gpu` in the first example, `args.cpu` in the second
  bool holds = true;  ///< the truth value that it must have for the event to happen: true for `use_gpu`, false for
                      ///< `args.cpu`
};

/// The keyword of the argument that contains the instance whose method is called.
inline constexpr std::string_view kSelf = "\x03";
/// The keywords of the arguments that a call unpacks: f(*list), f(**dictionary).
inline constexpr std::string_view kListKeyword = "*";
inline constexpr std::string_view kDictionaryKeyword = "**";

/// An argument of a call.
struct Argument {
  std::string keyword;  ///< empty: a positional argument
  Value value;
};

/// An action of a program that rules check, independent of the language. The comment of each kind lists what the fields
/// `name`, `value` and `mode` contain, as far as the kind uses them. The comment of each other field lists the kinds
/// that use it; a field without such a list is set for all kinds. The events of a function are in execution order.
struct Event {
  enum class Kind {
    set_variable,          ///< name = the variable; value = its new value; mode = how it is set
    remove_variable,       ///< name = the variable
    change_environment,    ///< unknown variables are set or removed, here or later
    import_module,         ///< name = full dotted name of the module
    call,                  ///< name = ':' and the key of a function of this module, or the full dotted name of an
                           ///< imported function
    start_driver,          ///< a call that starts the GPU driver unless the driver runs already; name = the call, or
                           ///< "torch.cuda, asserted" if the program ends without a GPU
    use_device,            ///< name = the call or option that receives a device; value = the device, a number or text
    use_smi_index,         ///< NVML (NVIDIA's management library) or nvidia-smi receives a device number; name = the
                           ///< call; value = the number
    start_process,         ///< name = the call; value = the program, if it is known
    mask_as_number,        ///< int() is applied to a mask; name = the variable
    compare_mask,          ///< a mask is compared with a literal; name = the variable; value = the literal
    compare_device_name,   ///< a device's product name is compared with a literal; value = the literal
    cpu_fallback,          ///< the program uses the CPU when there is no GPU; name = the test
    deprecated_call,       ///< name = the call; value = the name of its replacement
    estimate_free_memory,  ///< free memory computed as a difference of the process's own counters
    late_future_import,    ///< a `from __future__` import that other code precedes
    verify_device,         ///< the program reads the device's UUID, PCI address or name, or calls weir.verify()
    change_paths,          ///< os.chdir or sys.path.insert at module level; name = the call
    container_mask,        ///< a mask inside a container or job that receives selected cards; name = the option that
                           ///< selects the cards; value = the mask
    thread_target,         ///< a function that runs in a thread; name as for `call`
    process_target,        ///< a function that runs in a child process; name as for `call`
    pool_task,             ///< a function that the workers of a pool run, each many times; name as for `call`
    memory_cleanup,        ///< name = the call: gc.collect, empty_cache
    overwrite_attribute  ///< name = an attribute of another module or object; value = the value that the program stores
                         ///< in it
  };
  enum class Mode {
    assign,            ///< replaces an earlier value
    set_if_unset,      ///< sets the variable only if it is unset
    child_environment  ///< sets the variable in the environment of a process that is started, not of this process
  };

  Kind kind;
  Range range;                          ///< the code that the event stands for
  Range statement;                      ///< the whole simple statement that contains the code
  Range top_statement;                  ///< the statement of the body of the function or module that contains the code;
                                        ///< `statement` itself or, for example, the `if` around it
  std::vector<Arm> arms{};              ///< arms that contain the event, the outermost first
  std::vector<Condition> conditions{};  ///< tests of these arms, as far as each is a single value
  std::string name{};                   ///< see Kind
  Value value{};                        ///< see Kind
  std::vector<Argument> arguments{};    ///< call: its arguments; use_device in a command: the masks before the command,
                                        ///< by variable
  Mode mode = Mode::assign;             ///< set_variable: the kind of write
  bool variable_read_before = false;    ///< set_variable: the code may respect an existing value, because it reads the
                                        ///< variable before this event
  bool in_main_part = false;            ///< inside `if __name__ == "__main__"`: not executed on import
  bool in_try = false;                  ///< inside a `try` that catches exceptions
  bool in_loop = false;                 ///< the event may happen more than once
  bool device_count_checked = false;    ///< the event happens only after the program checked the number of devices
  bool cards_renumbered = false;  ///< set_variable: inside a container or job that receives cards and numbers them from
                                  ///< 0
  bool in_container = false;      ///< set_variable: for a program in a container
  bool on_other_machine = false;  ///< set_variable: on another machine
  bool passes_callback = false;   ///< call: the function is passed to code that will call it with unknown arguments
  bool only_if_known = false;     ///< use_device: rules ignore the event where its value is unknown, because **kwargs
                                  ///< may not contain the keyword
  /// deprecated_call: the call happens only where the new name does not exist; change_environment: the event counts only
  /// if the file that the previous event runs is not in the project
  bool is_fallback = false;
  bool runs_as_program = false;  ///< import_module: the file is executed as a program, its main part included
  bool is_top_level = false;     ///< `statement` is a statement of the body itself, in no `if` or loop
  bool is_editable = false;      ///< set_variable: `statement` does nothing else and may be moved or deleted
  Range target{};  ///< set_variable in Python: the object that is written to, such as `os.environ`; set_variable in a
                   ///< script: the `export`, or the prefix of a command, that exports the variable; set_variable in a
                   ///< settings file: the environment that contains the variable; container_mask in a script: the
                   ///< argument that sets the mask; cpu_fallback: the expression that is used with a GPU
};

/// A function, or the body of a module.
struct Function {
  std::string key;                        ///< "name", "Class.name" or "outer.inner"; empty for the body of a module
  Range range{};                          ///< the definition in the code
  std::vector<std::string> parameters{};  ///< names of all parameters, in order
  std::vector<Value> defaults{};          ///< one per parameter; unknown for a parameter without a default
  std::vector<Event> events{};            ///< in execution order
  std::vector<Value> return_values{};     ///< values of the `return` statements
  bool is_method = false;                 ///< the first parameter is the instance
  std::set<std::string> changed_parameters{};  ///< parameters (dictionaries, objects) whose items the function changes
  std::string args_parameter{};                ///< name of the *args parameter; empty if there is none
  std::string kwargs_parameter{};              ///< name of the **kwargs parameter; empty if there is none
  std::size_t positional_count = SIZE_MAX;     ///< number of parameters that accept a positional argument, the
                                               ///< instance of a method included; SIZE_MAX: all
};

/// Returns the value with each parameter of `callee` (PossibleValue::Kind::parameter) replaced by its argument in
/// `args`, or by its default if the call has no such argument.
Value substitute_parameters(const Value& value, const Function& callee, const std::vector<Argument>& args);
/// Returns the arguments of a call, `args`, together with the arguments that the called function is bound to
/// (partial(), closures). `function` is a PossibleValue::Kind::function.
std::vector<Argument> add_bound_arguments(const PossibleValue& function, const std::vector<Argument>& args);
/// Returns the first argument that is at the position or has the keyword; null if there is none. Positions count from
/// 0, without keyword arguments; -1: only the keyword counts. Empty keyword: only the position counts.
const Argument* find_argument(const std::vector<Argument>& args, int position, std::string_view keyword);
/// Returns the value of the argument that find_argument() finds; unknown if there is none.
Value argument_value(const std::vector<Argument>& args, int position, std::string_view keyword = {});

}  // namespace weir::audit
