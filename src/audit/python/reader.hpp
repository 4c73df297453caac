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

using Names = NamedValues;

/// Names and what they stand for at a point of the program.
struct Scope {
  Names names{};
  std::set<std::string, std::less<>> globals{};    ///< declared global here
  std::set<std::string, std::less<>> nonlocals{};  ///< declared nonlocal here
  Scope* outer = nullptr;
};

/// In Atom::number of a name that nothing in the module binds: a builtin, or from "import *".
inline constexpr long kUnbound = 1;

/// Walks the tree of one module in the order in which Python would run it, and notes the events. A function's body is
/// walked when it is called for the first time, or at the end; loops run once, branches one after the other, and what they
/// leave in a name is joined.
class Reader {
 public:
  /// `imports` must stand as long as the reader.
  Reader(std::string_view text, const ImportedNames& imports)
      : text_{text}, imports_{imports}, things_{static_cast<long>(std::hash<std::string_view>{}(text) >> 16U)} {}
  Reading read(const Tree& tree);

 private:
  /// Where the walk is.
  struct Frame {
    Function* function;
    Scope* scope;
    std::string class_name{};  ///< of the class whose body it is
    bool in_class_body = false;
    std::vector<Arm> arms{};
    std::vector<Condition> conditions{};
    std::set<std::string> checked{};  ///< variables of the environment that were looked at
    Range statement{}, top{};
    bool editable = false;  ///< the statement is one expression or assignment and nothing else
    bool in_try = false, in_loop = false, checks_digits = false, main_only = false;
    bool compared = false;    ///< what stands here is compared with something: it is not done
    bool counted = false;     ///< the number of devices was asked for
    std::string goal{};       ///< the name that what stands here is given
    bool count_seen = false;  ///< a comparison with that number was read
    bool fallback = false;    ///< only where a newer name is not there
    bool listing = false;     ///< a comprehension is evaluated again, for its elements
    bool yields = false;      ///< the function is a generator: its body runs when somebody asks for its next value
    std::vector<Value> yielded{};
    bool yields_more = false;  ///< than is known
    bool commands = false;     ///< the function that is defined here is given the command line
    bool has_fields = false;   ///< the class that is defined here is a dataclass
    bool property = false;     ///< the function that is defined here is read as an attribute
  };
  struct Pending {
    Node definition;
    Scope* scope;
    std::string class_name;
    bool walked = false;
    bool commands = false;  ///< its parameters are the user's choice
    bool property = false;  ///< read as an attribute
  };
  struct Called {
    std::string name;  ///< full dotted name; ".method" when the object is unknown
    Value object;      ///< of a method
    Value callee;
  };

  // statements.cpp
  void block(Node node);
  void statement(Node node);
  void simple_statement(Node node);
  void import_statement(Node node);
  void import_from(Node node);
  void bind_import(std::string_view module, std::string_view bound_name, const std::string& meaning, Node where);
  void assignment(Node node);
  void augmented_assignment(Node node);
  bool set_one_of(const Value& key, const Value& value, Node target, Node whole);
  void assign(Node target, const Value& value, Node whole);
  void assign_text(std::string_view name, const Value& value);
  Value something();
  Value numbered(const Value& value);
  void note_rewritten(const Value& object, std::string_view attribute, const Value& value, Node where);
  void delete_statement(Node node);

  // branches.cpp
  void if_statement(Node node);
  std::vector<Condition> conditions_of(Node test);
  void note_fallback(Node otherwise, std::string_view test);
  void loop(Node node);
  void try_statement(Node node);
  void with_statement(Node node);
  void match_statement(Node node);
  void way(Node body);
  void branch(Arm arm, Node body, const Names& before, std::optional<Names>& result);

  // definitions.cpp
  Value default_value(Node node);
  void define_function(Node node);
  void define_class(Node node);
  Function* constructor_of_fields(const std::string& name);
  void add_field(Function& constructor, const std::string& name, const Value& default_given);
  void add_fields(Node body, const std::string& name, const std::vector<std::string>& bases);
  Value named_tuple(const std::vector<Argument>& args);
  Value property_of(const Atom& instance, const std::string& key);
  void walk_function(const std::string& key);
  void read_parameters(Node node, Function& function, Scope& scope, const std::string& class_name);

  // expressions.cpp
  Value expression(Node node);
  Value evaluate(Node node);
  Value attribute(Node node);
  Value attribute_of(const Atom& atom, const std::string& name);
  Value member_of(const Atom& instance, const std::string& name);
  Value subscript(Node node);
  Value conditional(Node node);
  Value either(Node node);
  Value named(Node node);
  Value lambda(Node node);
  Value lambda_function(Node node);
  Value look_up(std::string_view name) const;
  void bind_pattern(Node pattern, const Value& value);

  // collections.cpp
  Value elements(Node node);
  Value comprehension(Node node);
  Value dictionary(Node node);
  Value element_of(const Value& container, Node within) const;
  Value listed_by(Node body, Node target, const Value& whole);
  void change_container(Node target, const Value& container, const Value& key, const Value& value);
  void forget_container(Node target, const Atom& container);
  void note_changing_method(Node function, const Value& object);
  void forget_changed(const Function& callee, Node arguments);

  // operators.cpp
  Value string(Node node);
  Value concatenated_string(Node node);
  Value unary(Node node);
  Value concatenation(const Value& left, const Value& right);
  Value binary(Node node);
  Value comparison(Node node);

  // calls.cpp
  Value call(Node node);
  Called resolve(Node function);
  Value method_named(const Value& object, const std::string& method);
  bool item_call(const Called& called, const std::vector<Argument>& args, Value& result);
  std::vector<Argument> arguments(Node node);
  void hand_on(Node splat, std::vector<Argument>& args);
  void note_call(const Called& called, const std::vector<Argument>& args, Node node);
  void note_program(const Called& called);
  Value imported_call(const Called& called, const Atom& callee, std::vector<Argument> args, Node node);
  Value call_each(const Called& called, const std::vector<Argument>& args, Node node);
  void hand_over(const Called& called, const std::vector<Argument>& args, Node node);

  // environment_calls.cpp
  void environment_mapping(Node mapping, Event::Mode mode, Node whole, Items* items = nullptr);
  bool mapping_call(const Called& called, Node node, Value& result);
  bool environment_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result);
  static bool may_change_environment(const Called& called, const std::vector<Argument>& args);

  // device_arguments.cpp
  void device_arguments(const Called& called, const std::vector<Argument>& args, Node node);
  static bool touches_driver(std::string_view call, const std::vector<Argument>& args);
  void join_process_group(const Called& called, const std::vector<Argument>& args, Node node);

  // local_calls.cpp
  Value local_call(const Called& called, const Atom& callee, std::vector<Argument> args, Node node);
  Value returned_by(const std::string& key, const std::vector<Argument>& args);
  void add_closure(const std::string& key, std::vector<Argument>& args);
  Value super_instance() const;
  Value made_object(const Atom& callee, const std::vector<Argument>& args);
  void add_instance(const Called& called, const std::string& method, std::vector<Argument>& args);
  std::string constructor_of(const std::string& class_name) const;
  const Function* walked(std::string_view key) const;
  void add_attributes(const std::string& class_name, const std::vector<Argument>& args, Items& items,
                      int& budget) const;
  Value made_instance(const Atom& class_atom, const std::vector<Argument>& args) const;

  // workers.cpp
  bool worker_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result);
  void start_worker(Event::Kind kind, const Value& function, Node node);
  void note_init_function(const std::vector<Argument>& args, Node node);
  void note_class_run_by_others(const std::string& name, const std::vector<std::string>& bases, Node node);
  void decorated_definition(Node node);
  void forget_property(std::string_view decorator);
  void call_what_is_served();

  // call_values.cpp: true where they know the call
  bool value_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result);
  bool number_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result);
  bool device_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result);
  bool text_call(const Called& called, const std::vector<Argument>& args, Value& result);

  // imported_names.cpp
  Value imported_value(const std::string& full) const;
  void import_star(const std::string& module);
  void export_names();

  // read_python.cpp
  Event& emit(Event::Kind kind, Node where, std::string name = {}, Value value = {});
  void set_variable(Node where, Node target, std::string_view name, const Value& value, Event::Mode mode);
  void looked_at(std::string_view variable);
  void change_environment(Node where) { emit(Event::Kind::change_environment, where); }
  bool writes_masks_since(std::size_t event) const;
  std::string_view text_of(Node node) const { return node.text(text_); }

  /// Guards against texts that are nested without end; deeper parts are not looked at.
  static constexpr int kMostDepth = 160;
  static constexpr std::size_t kMostEvents = 20'000;

  std::string_view text_;
  const ImportedNames& imports_;
  std::set<std::string, std::less<>> from_stars_;    ///< names that came by "import *"
  std::set<std::string, std::less<>> not_exported_;  ///< names that are not the same for everybody
  Reading reading_;
  std::vector<std::unique_ptr<Scope>> scopes_;
  std::vector<std::unique_ptr<Function>> functions_;
  std::map<std::string, Pending, std::less<>> pending_;
  std::vector<std::string> order_;                         ///< keys of pending_ as they stand in the text
  Names attributes_;                                       ///< "Class.attribute"
  std::map<std::string, std::vector<std::string>> bases_;  ///< of local classes
  Frame* frame_ = nullptr;
  std::uint32_t branches_ = 0;
  std::size_t events_ = 0;
  long things_;  ///< that nothing more is known of; starts at a number of this text's own
  std::vector<std::pair<Node, std::string>>
      served_;                ///< functions that a server or a runner calls, and where it is said
  bool gpu_library_ = false;  ///< one was imported by now: a dictionary with device_id may be for it
  int depth_ = 0;
  int lambdas_around_ = 0;  ///< in which we are
};

/// It is os.environ itself.
bool is_environ(const Value& value);
/// The last part of a dotted name is written like a class.
bool is_class_name(std::string_view name);
/// A class of this module, or a name of another that is written like one.
bool is_class(const Atom& atom);

/// The part of a dotted name behind its last dot; empty if there is none.
std::string method_of(std::string_view name);

/// The keys, values or pairs ("items") of a dictionary that is known to its end; unknown of others.
Value listed_items(const Atom& dictionary, std::string_view what);

/// "tensorflow.compat.v1.device" -> "tensorflow.device" and the like.
std::string canonical(std::string name);

}  // namespace weir::audit::python
