#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/python/python_module.hpp"
#include "audit/syntax/tree.hpp"

namespace weir::audit::python {

using Names = NamedValues;  ///< the names of a scope and their values

/// The names of one scope (module, class body or function) and their values at the current point of the program.
struct Scope {
  Names names{};
  std::set<std::string, std::less<>> globals{};    ///< names declared global in this scope
  std::set<std::string, std::less<>> nonlocals{};  ///< names declared nonlocal in this scope
  Scope* outer = nullptr;                          ///< the enclosing scope; null for the module
};

/// Value of PossibleValue::number for a name that nothing in the module binds: a builtin, or a name from "import *".
inline constexpr long kUnbound = 1;

/// Walks the syntax tree of one module in Python's execution order and records the events (event.hpp). The body of a
/// function is walked at its first call, or at the end of the module. A loop body is walked once. The branches of a
/// statement are walked one after the other, and afterwards a name has the values that it has at the ends of the
/// branches (Value::joined()), except branches that end with return, raise, break or continue.
///
/// In the private functions, `node` is the part of the syntax tree that a function reads; `where` and `whole` are the
/// code that an event stands for. Functions that return a Value return that of the expression. Functions `..._call`
/// that return bool handle certain calls: they return true if they handled the call; `result` is then its value, as far
/// as it is known. Functions `note_...` record events or facts; functions `forget_...` make known values unknown.
class Reader {
 public:
  /// `imports` has the known names of other modules, and must outlive the reader, as must `text`.
  Reader(std::string_view text, const ImportedNames& imports)
      : text_{text}, imports_{imports}, last_symbol_{static_cast<long>(std::hash<std::string_view>{}(text) >> 16U)} {}
  /// Reads the module, whose syntax tree is `tree`. Call it once.
  PythonContent read(const Tree& tree);

 private:
  /// The state of the walk within one function, class or module body.
  struct Frame {
    Function* function;
    Scope* scope;
    std::string class_name{};  ///< name of the class that encloses the code
    bool in_class_body = false;
    std::vector<Arm> arms{};                    ///< arms (paths of branches) that contain the code
    std::vector<Condition> conditions{};        ///< tests, with the results that they must have for the code to run
    std::set<std::string> checked_variables{};  ///< environment variables that the code has read so far
    Range statement{}, top_statement{};         ///< the innermost and the outermost statement that contain the code
    bool is_editable = false;  ///< the statement is a single expression or assignment, so it may be moved or removed
    bool in_try = false, in_loop = false;
    bool checks_digits = false;          ///< the code has called isdigit() or the like for an environment variable
    bool in_main_part = false;           ///< the code is inside `if __name__ == "__main__"`
    bool in_comparison = false;          ///< the expression is an operand of a comparison or an argument of an
                                         ///< assertion, so it puts no work on a device
    bool device_count_checked = false;   ///< the code has checked the number of devices
    std::string target_name{};           ///< name that receives the expression's value
    bool compares_device_count = false;  ///< the current test compares a device number or the number of devices
    bool in_fallback = false;            ///< the code may run only where a newer API name does not exist
    bool listing_elements = false;       ///< a comprehension is evaluated a second time, for its elements; also true in
                                         ///< a lambda, where no comprehension is evaluated twice
    bool is_generator = false;     ///< the function is a generator: its body runs when its next value is requested
    std::vector<Value> yielded{};  ///< values that the generator yields
    bool yields_unknown = false;   ///< the values in `yielded` are not all, or not in this order
    bool is_command = false;       ///< the function being defined gets its parameters from the command line
    bool is_dataclass = false;     ///< the class being defined is a dataclass
    bool is_property = false;      ///< the function being defined is a property
  };
  /// A function definition; its body is walked later than the definition.
  struct PendingFunction {
    Node definition;
    Scope* scope;            ///< the scope that encloses the function
    std::string class_name;  ///< the class of a method; empty for other functions
    bool is_walked = false;
    bool is_command = false;   ///< the user chooses its parameters on the command line
    bool is_property = false;  ///< the function is a property
  };
  /// The callee of a call.
  struct CallTarget {
    std::string name;  ///< full dotted name of an imported or builtin callee; "?.method" for any other method;
                       ///< otherwise empty
    Value object;      ///< the object of a method call
    Value callee;      ///< the function, method or class that is called
  };

  // statements.cpp
  void block(Node node);
  void statement(Node node);
  void dispatch_statement(Node node);
  void import_statement(Node node);
  void import_from(Node node);
  void bind_import(std::string_view module, std::string_view bound_name, const std::string& full_name, Node where);
  void assignment(Node node);
  void augmented_assignment(Node node);
  bool set_one_of_variables(const Value& key, const Value& value, Node target, Node whole);
  void assign(Node target, const Value& value, Node whole);
  void assign_name(std::string_view name, const Value& value);
  Value new_symbol();
  Value give_identity(const Value& value);
  void note_overwritten_attribute(const Value& object, std::string_view attribute, const Value& value, Node where);
  void delete_statement(Node node);

  // branches.cpp
  void if_statement(Node node);
  std::vector<Condition> conditions_of(Node test);
  void note_cpu_fallback(Node else_body, std::string_view test);
  void loop(Node node);
  void try_statement(Node node);
  void with_statement(Node node);
  void match_statement(Node node);
  void scoped_block(Node body);
  void branch(Arm arm, Node body, const Names& before, std::optional<Names>& result);

  // definitions.cpp
  Value default_value(Node node);
  void define_function(Node node);
  void define_class(Node node);
  Function* add_field_constructor(const std::string& name);
  void add_field(Function& constructor, const std::string& name, const Value& field_default);
  void add_fields(Node body, const std::string& name, const std::vector<std::string>& bases);
  Value named_tuple(const std::vector<Argument>& args);
  Value property_of(const PossibleValue& instance, const std::string& key);
  void walk_function(const std::string& key);
  void read_parameters(Node node, Function& function, Scope& scope, const std::string& class_name);

  // expressions.cpp
  Value expression(Node node);
  Value evaluate(Node node);
  Value attribute(Node node);
  Value attribute_of(const PossibleValue& alternative, const std::string& name);
  Value member_of(const PossibleValue& instance, const std::string& name);
  Value subscript(Node node);
  Value conditional(Node node);
  Value boolean_operator(Node node);
  Value named_expression(Node node);
  Value lambda(Node node);
  Value lambda_function(Node node);
  Value look_up(std::string_view name) const;
  void bind_pattern(Node pattern, const Value& value);

  // collections.cpp
  Value elements(Node node);
  Value comprehension(Node node);
  Value dictionary(Node node);
  Value element_of(const Value& container, Node within) const;
  Value comprehension_list(Node body, Node target, const Value& container);
  void change_container(Node target, const Value& container, const Value& key, const Value& value);
  void forget_container(Node target, const PossibleValue& container);
  void note_changing_method(Node function, const Value& object);
  void forget_changed_arguments(const Function& callee, Node arguments);

  // operators.cpp
  Value string(Node node);
  Value concatenated_string(Node node);
  Value unary(Node node);
  Value concatenation(const Value& left, const Value& right);
  Value binary(Node node);
  Value comparison(Node node);

  // calls.cpp
  Value call(Node node);
  CallTarget resolve(Node function);
  Value find_method(const Value& object, const std::string& method);
  bool dictionary_get_call(const CallTarget& called, const std::vector<Argument>& args, Value& result);
  std::vector<Argument> arguments(Node node);
  void add_unpacked_arguments(Node splat, std::vector<Argument>& args);
  void note_call(const CallTarget& called, const std::vector<Argument>& args, Node node);
  void note_program(const CallTarget& called);
  Value imported_call(const CallTarget& called, const PossibleValue& callee, std::vector<Argument> args, Node node);
  Value call_each(const CallTarget& called, const std::vector<Argument>& args, Node node);
  void note_callbacks(const CallTarget& called, const std::vector<Argument>& args, Node node);

  // environment_calls.cpp
  void environment_mapping(Node mapping, Event::Mode mode, Node whole, Items* items = nullptr);
  bool mapping_call(const CallTarget& called, Node node, Value& result);
  bool environment_call(const CallTarget& called, const std::vector<Argument>& args, Node node, Value& result);
  static bool may_change_environment(const CallTarget& called, const std::vector<Argument>& args);

  // device_arguments.cpp
  void device_arguments(const CallTarget& called, const std::vector<Argument>& args, Node node);
  static bool call_starts_driver(std::string_view call, const std::vector<Argument>& args);
  void note_process_group(const CallTarget& called, const std::vector<Argument>& args, Node node);

  // local_calls.cpp
  Value local_call(const CallTarget& called, const PossibleValue& callee, std::vector<Argument> args, Node node);
  Value return_value_of(const std::string& key, const std::vector<Argument>& args);
  void add_closure(const std::string& key, std::vector<Argument>& args);
  Value super_instance() const;
  Value imported_result(const PossibleValue& callee, const std::vector<Argument>& args);
  void add_instance(const CallTarget& called, const std::string& method, std::vector<Argument>& args);
  std::string constructor_of(const std::string& class_name) const;
  const Function* walked_function(std::string_view key) const;
  void add_attributes(const std::string& class_name, const std::vector<Argument>& args, Items& items,
                      int& budget) const;
  Value make_instance(const PossibleValue& class_value, const std::vector<Argument>& args) const;

  // workers.cpp
  bool worker_call(const CallTarget& called, const std::vector<Argument>& args, Node node, Value& result);
  void start_worker(Event::Kind kind, const Value& function, Node node);
  void note_init_function(const std::vector<Argument>& args, Node node);
  void note_class_called_by_runner(const std::string& name, const std::vector<std::string>& bases, Node node);
  void decorated_definition(Node node);
  void forget_property(std::string_view decorator);
  void call_served_functions();

  // call_values.cpp
  bool value_call(const CallTarget& called, const std::vector<Argument>& args, Node node, Value& result);
  bool number_call(const CallTarget& called, const std::vector<Argument>& args, Node node, Value& result);
  bool device_call(const CallTarget& called, const std::vector<Argument>& args, Node node, Value& result);
  bool text_call(const CallTarget& called, const std::vector<Argument>& args, Value& result);

  // imported_names.cpp
  Value imported_value(const std::string& full) const;
  void import_star(const std::string& module);
  void export_names();

  // read_python.cpp
  Event& emit(Event::Kind kind, Node where, std::string name = {}, Value value = {});
  void set_variable(Node where, Node target, std::string_view name, const Value& value, Event::Mode mode);
  void note_variable_read(std::string_view variable);
  void change_environment(Node where) { emit(Event::Kind::change_environment, where); }
  bool writes_masks_since(std::size_t first_event) const;
  std::string_view text_of(Node node) const { return node.text(text_); }

  /// Limits for deeply nested or very long texts; deeper or later parts are not read.
  static constexpr int kMaxDepth = 160;  // nested statements and expressions
  static constexpr std::size_t kMaxEvents = 20'000;

  std::string_view text_;
  const ImportedNames& imports_;
  std::set<std::string, std::less<>> star_imported_names_;  ///< names imported by "import *"
  std::set<std::string, std::less<>> unexported_names_;     ///< names whose value depends on when or how the module is
                                                            ///< imported
  PythonContent content_;
  std::vector<std::unique_ptr<Scope>> scopes_;
  std::vector<std::unique_ptr<Function>> functions_;
  std::map<std::string, PendingFunction, std::less<>> pending_;   ///< all function definitions so far, by key
  std::vector<std::string> pending_order_;                        ///< keys of pending_ in text order
  Names attributes_;                                              ///< "Class.attribute"
  std::map<std::string, std::vector<std::string>> base_classes_;  ///< base classes of the module's own classes
  Frame* frame_ = nullptr;
  std::uint32_t branch_count_ = 0;  ///< number of branches so far; the next branch has this number
  std::size_t event_count_ = 0;     ///< number of events recorded so far
  /// number of the last Kind::symbol or identity; starts at a hash of the text, so that modules have different numbers
  long last_symbol_;
  /// functions that a server or a model runner calls, with the nodes that register them
  std::vector<std::pair<Node, std::string>> served_functions_;
  bool gpu_library_imported_ = false;  ///< a GPU library is imported: a dictionary with device_id may be meant for it
  int depth_ = 0;                      ///< number of statements and expressions around the current node
  int lambda_depth_ = 0;               ///< number of lambdas around the current node
};

/// Returns whether the value is os.environ itself.
bool is_environ(const Value& value);
/// Returns whether the last part of a dotted name is capitalised like a class; false if the name has no dot.
bool is_class_name(std::string_view name);
/// Returns whether the value is a class of this module, or an imported name that is capitalised like a class.
bool is_class(const PossibleValue& alternative);

/// Returns the part of a dotted name after its last dot; empty if there is no dot.
std::string method_name(std::string_view name);

/// Returns the result of the method of a dictionary with this name ("keys", "values" or "items") as a list, if all
/// entries are known; unknown for other dictionaries.
Value listed_items(const PossibleValue& dictionary, std::string_view method);

/// Removes compatibility prefixes from a dotted name: "tensorflow.compat.v1.device" becomes "tensorflow.device".
std::string canonical_name(std::string name);

}  // namespace weir::audit::python
