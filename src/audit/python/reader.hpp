#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/python/python_module.hpp"
#include "audit/syntax/tree.hpp"

namespace weir::audit::python {

using Names = std::map<std::string, Value, std::less<>>;

/// Names and what they stand for at a point of the program.
struct Scope {
  Names names{};
  std::set<std::string, std::less<>> globals{};  ///< declared global or nonlocal here
  Scope* outer = nullptr;
};

/// In Atom::number of a name that nothing in the module binds: a builtin, or from "import *".
inline constexpr long kUnbound = 1;

/// Walks the tree of one module in the order in which Python would run it, and notes the events. A function's body is
/// walked when it is called for the first time, or at the end; loops run once, branches one after the other, and what they
/// leave in a name is joined.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_{text} {}
  Reading read(const Tree& tree);

 private:
  /// Where the walk is.
  struct Frame {
    Function* function;
    Scope* scope;
    std::string class_name{};  ///< of the class whose body it is
    bool in_class_body = false;
    std::vector<Arm> arms{};
    std::set<std::string> checked{};  ///< variables of the environment that were looked at
    Range statement{}, top{};
    bool editable = false;  ///< the statement is one expression or assignment and nothing else
    bool in_try = false, in_loop = false, checks_digits = false, main_only = false;
    bool compared = false;    ///< what stands here is compared with something: it is not done
    bool counted = false;     ///< the number of devices was asked for
    std::string goal{};       ///< the name that what stands here is given
    bool count_seen = false;  ///< a comparison with that number was read
    bool fallback = false;    ///< only where a newer name is not there
  };
  struct Pending {
    Node definition;
    Scope* scope;
    std::string class_name;
    bool walked = false;
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
  void assign(Node target, const Value& value, Node whole);
  void assign_text(std::string_view name, const Value& value);
  void delete_statement(Node node);

  // branches.cpp
  void if_statement(Node node);
  void note_fallback(Node otherwise, std::string_view test);
  void loop(Node node);
  void try_statement(Node node);
  void with_statement(Node node);
  void match_statement(Node node);
  void branch(Arm arm, Node body, const Names& before, std::optional<Names>& result);

  // definitions.cpp
  Value default_value(Node node);
  void define_function(Node node);
  void define_class(Node node);
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
  Value look_up(std::string_view name) const;
  void bind_pattern(Node pattern, const Value& value);

  // collections.cpp
  Value elements(Node node);
  Value comprehension(Node node);
  Value dictionary(Node node);
  Value element_of(const Value& container) const;

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
  bool environment_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result);
  void device_arguments(const Called& called, const std::vector<Argument>& args, Node node);
  Value local_call(const Called& called, const Atom& callee, std::vector<Argument> args, Node node);
  Value returned_by(const std::string& key, const std::vector<Argument>& args);
  void environment_mapping(Node mapping, Event::Mode mode, Node whole, Items* items = nullptr);
  void hand_over(const Called& called, const std::vector<Argument>& args, Node node);
  void call_each(const Value& callees, const std::vector<Argument>& args, Node node);
  Value made_instance(const Atom& class_atom, const std::vector<Argument>& args) const;

  // call_values.cpp: true where they know the call
  bool value_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result);
  bool number_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result);
  bool device_call(const Called& called, const std::vector<Argument>& args, Node node, Value& result);
  bool text_call(const Called& called, const std::vector<Argument>& args, Value& result);

  // read_python.cpp
  Event& emit(Event::Kind kind, Node where, std::string name = {}, Value value = {});
  void set_variable(Node where, Node target, std::string_view name, const Value& value, Event::Mode mode);
  void looked_at(std::string_view variable);
  std::string_view text_of(Node node) const { return node.text(text_); }

  /// Guards against texts that are nested without end; deeper parts are not looked at.
  static constexpr int kMostDepth = 160;
  static constexpr std::size_t kMostEvents = 20'000;

  std::string_view text_;
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
  bool gpu_library_ = false;  ///< one was imported by now: a dictionary with device_id may be for it
  int depth_ = 0;
};

/// "tensorflow.compat.v1.device" -> "tensorflow.device" and the like.
std::string canonical(std::string name);

}  // namespace weir::audit::python
