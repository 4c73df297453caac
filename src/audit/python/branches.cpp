#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Branching statements: if, loops, try, with, match.

namespace weir::audit::python {
namespace {

Node without_parentheses(Node node) {
  while (node.is("parenthesized_expression") && named_children(node).to_vector().size() == 1)
    node = named_children(node).back();
  return node;
}

/// Returns the conditions of the branch where the test is false; empty for a test with "and" or "or".
std::vector<Condition> negated(Node test, std::vector<Condition> conditions) {
  if (conditions.size() != 1 || without_parentheses(test).is("boolean_operator")) return {};
  conditions.front().holds = !conditions.front().holds;
  return conditions;
}

/// Returns whether the name is in capitals, as names of constants are.
bool is_constant_name(std::string_view name) {
  return std::none_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

/// Returns the values of names after two alternative paths; a name that one path lacks keeps the value of the other.
Names joined(const Names& a, const Names& b) {
  Names all = a;
  for (const auto& [name, value] : b) {
    const auto [at, is_new] = all.emplace(name, value);
    if (!is_new) at->second = at->second.joined(value);
  }
  return all;
}

/// Returns whether control never reaches the end of the block.
bool always_exits(Node body) {
  const std::string_view last = named_children(body).back().kind();
  return last == "return_statement" || last == "raise_statement" || last == "continue_statement" ||
         last == "break_statement";
}

/// Returns whether the block may skip the code after it while the program continues.
bool returns_early(Node body) {
  const std::string_view last = named_children(body).back().kind();
  return last == "return_statement" || last == "continue_statement" || last == "break_statement";
}

/// Returns whether the block ends the program or reports that it cannot continue.
bool aborts(Node body, std::string_view text) {
  const Node last = named_children(body).back();
  const std::string_view code = last.text(text);
  return last.is("raise_statement") || code.starts_with("sys.exit") || code.starts_with("exit(");
}

/// Returns whether a condition tests the version of a library, by the existence of a function or by its number.
bool tests_version(std::string_view condition) {
  return condition.find("hasattr(") != std::string_view::npos || condition.find("version") != std::string_view::npos ||
         condition.find("VERSION") != std::string_view::npos;
}

bool only_imports(Node body) {
  bool all = true;
  for (const Node child : named_children(body))
    all = all && (child.is("import_statement") || child.is("import_from_statement") || child.is("comment"));
  return all;
}

bool is_main_guard(std::string_view condition) {
  return condition.find("__name__") != std::string_view::npos && condition.find("__main__") != std::string_view::npos &&
         condition.find("!=") == std::string_view::npos && !condition.starts_with("not ");
}

/// Returns the head of an except clause, such as "except ImportError".
std::string_view caught_exceptions(Node clause, std::string_view text) {
  const std::string_view whole = clause.text(text);
  return whole.substr(0, whole.find(':'));
}

/// Returns whether the handlers are for a failed import of the body: they name ImportError, or the body consists of
/// imports only.
bool catches_import(Node node, std::string_view text) {
  bool named = false;
  bool has_handler = false;
  for (const Node child : named_children(node)) {
    if (!child.is("except_clause")) continue;
    has_handler = true;
    const std::string_view what = caught_exceptions(child, text);
    named = named || what.find("ImportError") != std::string_view::npos ||
            what.find("ModuleNotFoundError") != std::string_view::npos;
  }
  return named || (has_handler && only_imports(node.field("body")));
}

/// Returns the assignments to names and attributes of a block; empty if the block does anything else, such as printing
/// a message.
std::vector<Node> assignments_in(Node body) {
  std::vector<Node> assignments;
  for (const Node statement : named_children(body)) {
    const Node assignment = statement.first_child();
    const bool is_assignment = statement.is("expression_statement") && assignment.is("assignment") &&
                               (assignment.field("left").is("identifier") || assignment.field("left").is("attribute"));
    if (!is_assignment && !statement.is("comment")) return {};
    if (is_assignment) assignments.push_back(assignment);
  }
  return assignments;
}

}  // namespace

/// Walks a block and restores the conditions that hold only inside it. After "if done: return" the rest of the block
/// becomes conditional.
void Reader::scoped_block(Node body) {
  const std::size_t outer_arms = frame_->arms.size();
  const std::size_t outer_conditions = frame_->conditions.size();
  if (body.is("block"))
    block(body);
  else if (body)
    statement(body);
  frame_->arms.resize(outer_arms, Arm{});
  frame_->conditions.resize(outer_conditions);
}

/// Walks one branch, which starts with the names `before`, and joins the names at its end to `result`, unless the
/// branch always exits.
void Reader::branch(Arm arm, Node body, const Names& before, std::optional<Names>& result) {
  frame_->scope->names = before;
  frame_->arms.push_back(arm);
  scoped_block(body);
  frame_->arms.pop_back();
  if (!always_exits(body)) result = result ? joined(*result, frame_->scope->names) : frame_->scope->names;
}

/// Reads the test of a branch. Returns the conditions that must hold for the branch to run, such as the two parts of
/// "a and not b", as far as each is a known value or a parameter.
std::vector<Condition> Reader::conditions_of(Node test) {
  if (test.is("parenthesized_expression")) {
    const Node inner = without_parentheses(test);
    if (!inner.is("parenthesized_expression")) return conditions_of(inner);
  }
  const bool is_and = test.is("boolean_operator") && text_of(test.field("operator")) == "and";
  if (is_and) {
    auto conditions = conditions_of(test.field("left"));
    // The right operand is evaluated only if the left one is true.
    frame_->arms.push_back({.branch_id = branch_count_++, .index = 0, .is_default = true});
    const std::size_t outer_conditions = frame_->conditions.size();
    frame_->conditions.insert(frame_->conditions.end(), conditions.begin(), conditions.end());
    for (Condition& one : conditions_of(test.field("right"))) conditions.push_back(std::move(one));
    frame_->conditions.resize(outer_conditions);
    frame_->arms.pop_back();
    return conditions;
  }
  if (test.is("not_operator")) {
    auto argument = conditions_of(test.field("argument"));
    return negated(test.field("argument"), std::move(argument));
  }
  const Value value = expression(test);
  // In a loop the name may have another value in a later iteration, and the name may be a variable of another module.
  const std::string_view name = text_of(test);
  const bool is_own_name = test.is("identifier") && frame_->scope->names.find(name) != frame_->scope->names.end();
  const bool is_known =
      value.truth_value() && !frame_->in_loop && (is_own_name || is_constant_name(name) || !test.is("identifier"));
  if (is_known || value.single_alternative(PossibleValue::Kind::parameter) != nullptr)
    return {{.value = value, .holds = true}};
  return {};
}

/// Walks the branches of an if statement, each with the conditions that hold in it.
void Reader::if_statement(Node node) {
  const Node condition = node.field("condition");
  const std::string_view test = text_of(condition);
  if (frame_->function->key.empty() && is_main_guard(test)) {
    // The main part is part of the module's body, because the audit examines programs.
    content_.is_entry_point = true;
    frame_->in_main_part = true;
    block(node.field("consequence"));
    frame_->in_main_part = false;
    return;
  }
  frame_->compares_device_count = false;
  const auto conditions_if_true = conditions_of(condition);
  const auto conditions_if_false = negated(condition, conditions_if_true);
  const std::uint32_t id = branch_count_++;
  const Names before = frame_->scope->names;
  std::optional<Names> result;
  const bool outer_count_checked = frame_->device_count_checked;
  const bool outer_fallback = frame_->in_fallback;
  frame_->device_count_checked = outer_count_checked || tests_device_count(test) || frame_->compares_device_count;
  frame_->in_fallback = outer_fallback || tests_version(test);
  const auto outer_conditions = frame_->conditions;
  frame_->conditions.insert(frame_->conditions.end(), conditions_if_true.begin(), conditions_if_true.end());
  branch({id, 0}, node.field("consequence"), before, result);
  frame_->conditions = outer_conditions;
  frame_->conditions.insert(frame_->conditions.end(), conditions_if_false.begin(), conditions_if_false.end());
  // "if not torch.cuda.is_available(): raise ..."
  if (test.starts_with("not ") && requires_gpu(test.substr(4)) && aborts(node.field("consequence"), text_))
    emit(Event::Kind::start_driver, condition, "torch.cuda, asserted");
  std::uint32_t arm = 1;
  bool has_else = false;
  for (const Node child : named_children(node)) {
    if (child.is("elif_clause")) {
      frame_->scope->names = before;
      expression(child.field("condition"));
      branch({id, arm++}, child.field("consequence"), before, result);
    } else if (child.is("else_clause")) {
      has_else = true;
      branch({id, arm++}, child.field("body"), before, result);
      if (is_gpu_test(test)) note_cpu_fallback(child.field("body"), test);
    }
  }
  frame_->conditions = outer_conditions;
  // After "if device_count() < 2: return" the number of devices is known, too.
  if (!always_exits(node.field("consequence"))) frame_->device_count_checked = outer_count_checked;
  frame_->in_fallback = outer_fallback;
  if (returns_early(node.field("consequence"))) {
    frame_->arms.push_back({.branch_id = branch_count_++, .index = 0, .is_default = true});
    frame_->conditions.insert(frame_->conditions.end(), conditions_if_false.begin(), conditions_if_false.end());
  }
  if (!has_else) result = result ? joined(*result, before) : before;
  frame_->scope->names = result ? *std::move(result) : before;
}

/// Records a CPU fallback: an else branch that contains "device = 'cpu'", after a branch for a GPU.
void Reader::note_cpu_fallback(Node else_body, std::string_view test) {
  for (const Node assignment : assignments_in(else_body)) {
    const std::string_view right = text_of(assignment.field("right"));
    const auto value = look_up(text_of(assignment.field("left"))).as_text();
    const bool is_quoted_cpu = right.size() == 5 && right.substr(1, 3) == "cpu";  // 'cpu' or "cpu"
    const bool sets_attribute_to_cpu = assignment.field("left").is("attribute") && is_quoted_cpu;
    if ((value && *value == "cpu") || sets_attribute_to_cpu)
      emit(Event::Kind::cpu_fallback, assignment, std::string{test});
  }
}

namespace {

constexpr int kMaxSearchDepth = 160;  // limits the recursion, as for statements

/// Adds the identifiers in the code to `names`.
void names_in(Node node, std::string_view text, std::vector<std::string_view>& names, int depth = 0) {
  if (depth > kMaxSearchDepth) return;
  if (node.is("identifier")) names.push_back(node.text(text));
  for (const Node child : named_children(node)) names_in(child, text, names, depth + 1);
}

/// Returns whether the code contains one of the names; also true for code that is nested too deeply.
bool mentions(Node node, std::string_view text, const std::vector<std::string_view>& names, int depth = 0) {
  if (depth > kMaxSearchDepth) return true;
  if (node.is("identifier")) return std::find(names.begin(), names.end(), node.text(text)) != names.end();
  const auto children = named_children(node);
  return std::any_of(children.begin(), children.end(),
                     [&](Node child) { return mentions(child, text, names, depth + 1); });
}

/// Returns whether an iteration may be skipped or end early for some elements: a test of the element, break, return, a
/// caught error.
bool may_skip_elements(Node node, std::string_view text, const std::vector<std::string_view>& names, int depth = 0) {
  if (depth > kMaxSearchDepth) return true;
  // The body of a nested function does not belong to the iteration.
  if (node.is("function_definition") || node.is("class_definition") || node.is("lambda")) return false;
  constexpr std::array<std::string_view, 5> kEnds{"break_statement", "continue_statement", "return_statement",
                                                  "raise_statement", "try_statement"};
  if (std::find(kEnds.begin(), kEnds.end(), node.kind()) != kEnds.end()) return true;
  const bool tests = node.is("comparison_operator") || node.is("boolean_operator") || node.is("not_operator") ||
                     node.is("conditional_expression") || node.is("match_statement") || node.is("assert_statement");
  if (tests && mentions(node, text, names)) return true;
  // A condition may also pass the element to a function: "if usable(card):".
  const bool tests_by_call = node.is("if_statement") || node.is("elif_clause") || node.is("while_statement");
  if (tests_by_call && mentions(node.field("condition"), text, names)) return true;
  const auto children = named_children(node);
  return std::any_of(children.begin(), children.end(),
                     [&](Node child) { return may_skip_elements(child, text, names, depth + 1); });
}

}  // namespace

/// Returns the value of the loop variable: any element of the container. For a list it is unknown if `within`, the loop
/// or comprehension, may skip elements, or if `within` is null.
Value Reader::element_of(const Value& container, Node within) const {
  const PossibleValue* alternative = container.single_alternative();
  if (alternative != nullptr && alternative->kind == PossibleValue::Kind::dictionary && alternative->items != nullptr)
    return element_of(listed_items(*alternative, "keys"), within);
  if (alternative == nullptr || alternative->kind != PossibleValue::Kind::sequence) return any_element(container);
  const Node body = within.field("body");
  if (!body || frame_->in_try) return {};
  std::vector<std::string_view> names;
  const Node clause = within.is("for_statement") ? within : child_of_kind(within, "for_in_clause");
  names_in(clause.field("left"), text_, names);
  return may_skip_elements(body, text_, names) ? Value{} : any_element(container);
}

/// Walks the body of a loop once. The loop variable has the value of any element.
void Reader::loop(Node node) {
  const Names before = frame_->scope->names;
  if (node.is("for_statement")) {
    const Value values = expression(node.field("right"));
    bind_pattern(node.field("left"), element_of(values, node));
  } else {
    expression(node.field("condition"));
  }
  const bool outer_in_loop = frame_->in_loop;
  frame_->in_loop = true;
  std::optional<Names> result;
  branch({branch_count_++, 0}, node.field("body"), Names{frame_->scope->names}, result);
  frame_->in_loop = outer_in_loop;
  frame_->scope->names = result ? joined(*result, before) : before;
  if (const Node else_clause = node.field("alternative")) block(else_clause.field("body"));
}

/// Walks the body of a try statement and then its handlers, each as a separate path. The handlers may run after any part
/// of the body.
void Reader::try_statement(Node node) {
  const bool outer_in_try = frame_->in_try;
  const bool catches = static_cast<bool>(child_of_kind(node, "except_clause"));
  frame_->in_try = outer_in_try || catches;
  // After a failed import the imported code has not run.
  const bool catches_failed_import = catches_import(node, text_);
  const std::uint32_t id = branch_count_++;
  // With other errors, some statements of the body may run before the handler runs, so body and handler do not exclude
  // each other.
  frame_->arms.push_back({.branch_id = catches_failed_import ? id : branch_count_++, .index = 0, .is_default = true});
  scoped_block(node.field("body"));
  frame_->arms.pop_back();
  frame_->in_try = outer_in_try;
  const Names before = frame_->scope->names;
  std::optional<Names> result = before;
  std::uint32_t arm = 1;
  for (const Node child : named_children(node)) {
    if (child.is("except_clause")) {
      const bool outer_fallback = frame_->in_fallback;
      frame_->in_fallback =
          outer_fallback || caught_exceptions(child, text_).find("AttributeError") != std::string_view::npos;
      branch({id, arm++}, named_children(child).back(), before, result);
      frame_->in_fallback = outer_fallback;
    } else if (child.is("else_clause")) {
      block(child.field("body"));
    } else if (child.is("finally_clause")) {
      frame_->scope->names = *result;
      for (const Node inner : named_children(child)) block(inner);
      result = frame_->scope->names;
    }
  }
  frame_->scope->names = *std::move(result);
}

/// Binds the names of "with ... as name" (to the result of __enter__() if this module defines the class), and walks the
/// body.
void Reader::with_statement(Node node) {
  for (const Node clause : named_children(node)) {
    if (!clause.is("with_clause")) continue;
    for (const Node item : named_children(clause)) {
      const Node value = item.field("value");
      if (!value.is("as_pattern")) {
        expression(value);
        continue;
      }
      Value entered = expression(value.first_child());
      if (const PossibleValue* context = entered.single_alternative(PossibleValue::Kind::instance)) {
        const Value enter = member_of(*context, "__enter__");
        const PossibleValue* function = enter.single_alternative(PossibleValue::Kind::function);
        entered = function == nullptr ? Value{} : local_call({"?.__enter__", entered, enter}, *function, {}, value);
        for (const Node target : named_children(value.field("alias"))) bind_pattern(target, entered);
        continue;
      }
      for (const Node target : named_children(value.field("alias")))
        bind_pattern(target,
                     entered.single_alternative(PossibleValue::Kind::call_result) != nullptr ? entered : Value{});
    }
  }
  // After "with suppress(ImportError):" the program continues even if the body fails.
  const Node body = node.field("body");
  const bool suppresses = text_.substr(node.range().begin, body.range().begin - node.range().begin).find("suppress(") !=
                          std::string_view::npos;
  if (suppresses) frame_->arms.push_back({.branch_id = branch_count_++, .index = 0, .is_default = true});
  scoped_block(body);
  if (suppresses) frame_->arms.pop_back();
}

void Reader::match_statement(Node node) {
  expression(node.field("subject"));
  const std::uint32_t id = branch_count_++;
  const Names before = frame_->scope->names;
  std::optional<Names> result = before;
  std::uint32_t arm = 0;
  for (const Node clause : named_children(node.field("body"))) {
    if (clause.is("case_clause")) branch({id, arm++}, clause.field("consequence"), before, result);
  }
  frame_->scope->names = *std::move(result);
}

}  // namespace weir::audit::python
