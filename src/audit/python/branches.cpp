#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Statements that part the ways: if, loops, try, with, match.

namespace weir::audit::python {
namespace {

Node without_parentheses(Node node) {
  while (node.is("parenthesized_expression") && named_children(node).to_vector().size() == 1)
    node = named_children(node).back();
  return node;
}

/// What must be so where the test is false: known of a test that is no "a and b".
std::vector<Condition> negated(Node test, std::vector<Condition> conditions) {
  if (conditions.size() != 1 || without_parentheses(test).is("boolean_operator")) return {};
  conditions.front().holds = !conditions.front().holds;
  return conditions;
}

/// Written in capitals, as names are that nothing changes.
bool is_constant_name(std::string_view name) {
  return std::none_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

/// What a name may be after one of two ways; a name that one of them lacks may be what the other gave it.
Names joined(const Names& a, const Names& b) {
  Names all = a;
  for (const auto& [name, value] : b) {
    const auto [at, is_new] = all.emplace(name, value);
    if (!is_new) at->second = at->second.joined(value);
  }
  return all;
}

/// Nothing after the block is reached from its end.
bool always_exits(Node body) {
  const std::string_view last = named_children(body).back().kind();
  return last == "return_statement" || last == "raise_statement" || last == "continue_statement" ||
         last == "break_statement";
}

/// What stands behind the block may be left out, and the program goes on elsewhere.
bool returns_early(Node body) {
  const std::string_view last = named_children(body).back().kind();
  return last == "return_statement" || last == "continue_statement" || last == "break_statement";
}

/// Ends the program, or says that it cannot go on.
bool aborts(Node body, std::string_view text) {
  const Node last = named_children(body).back();
  const std::string_view code = last.text(text);
  return last.is("raise_statement") || code.starts_with("sys.exit") || code.starts_with("exit(");
}

/// Asks which version of a library it has: for the name of a function, or for its number.
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

/// What an except clause catches, as it is written; empty for all.
std::string_view caught_exceptions(Node clause, std::string_view text) {
  const std::string_view whole = clause.text(text);
  return whole.substr(0, whole.find(':'));
}

/// The handlers run when an import of the body fails: they name ImportError, or the body does nothing but import.
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

/// The names that a block gives something; empty if it does anything else, such as to say so.
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

/// A block with what holds in it alone: behind "if done: return" the rest of it may be left out.
void Reader::scoped_block(Node body) {
  const std::size_t outer = frame_->arms.size();
  const std::size_t outer_conditions = frame_->conditions.size();
  if (body.is("block"))
    block(body);
  else if (body)
    statement(body);
  frame_->arms.resize(outer, Arm{});
  frame_->conditions.resize(outer_conditions);
}

void Reader::branch(Arm arm, Node body, const Names& before, std::optional<Names>& result) {
  frame_->scope->names = before;
  frame_->arms.push_back(arm);
  scoped_block(body);
  frame_->arms.pop_back();
  if (!always_exits(body)) result = result ? joined(*result, frame_->scope->names) : frame_->scope->names;
}

/// Reads the test of a branch. What it needs to be true, as far as values alone decide it: the parts of "a and not b".
std::vector<Condition> Reader::conditions_of(Node test) {
  if (test.is("parenthesized_expression")) {
    const Node inner = without_parentheses(test);
    if (!inner.is("parenthesized_expression")) return conditions_of(inner);
  }
  const bool is_and = test.is("boolean_operator") && text_of(test.field("operator")) == "and";
  if (is_and) {
    auto all = conditions_of(test.field("left"));
    frame_->arms.push_back({branch_count_++, 0, true});
    const std::size_t outer = frame_->conditions.size();
    frame_->conditions.insert(frame_->conditions.end(), all.begin(), all.end());
    for (Condition& one : conditions_of(test.field("right"))) all.push_back(std::move(one));
    frame_->conditions.resize(outer);
    frame_->arms.pop_back();
    return all;
  }
  if (test.is("not_operator")) {
    auto argument = conditions_of(test.field("argument"));
    return negated(test.field("argument"), std::move(argument));
  }
  const Value value = expression(test);
  // A loop may have changed a name by then, and a function another module's or its own.
  const std::string_view name = text_of(test);
  const bool own = test.is("identifier") && frame_->scope->names.find(name) != frame_->scope->names.end();
  const bool is_known =
      value.truth_value() && !frame_->in_loop && (own || is_constant_name(name) || !test.is("identifier"));
  if (is_known || value.single_alternative(PossibleValue::Kind::parameter) != nullptr) return {{value, true}};
  return {};
}

void Reader::if_statement(Node node) {
  const Node condition = node.field("condition");
  const std::string_view test = text_of(condition);
  if (frame_->function->key.empty() && is_main_guard(test)) {
    // What runs only as a program stands in the body like the rest: programs are what is judged.
    content_.is_entry_point = true;
    frame_->in_main_part = true;
    block(node.field("consequence"));
    frame_->in_main_part = false;
    return;
  }
  frame_->count_comparison_read = false;
  const auto holds = conditions_of(condition);
  const auto fails = negated(condition, holds);
  const std::uint32_t id = branch_count_++;
  const Names before = frame_->scope->names;
  std::optional<Names> result;
  const bool outer_counted = frame_->device_count_checked;
  const bool outer_fallback = frame_->in_fallback;
  frame_->device_count_checked = outer_counted || tests_device_count(test) || frame_->count_comparison_read;
  frame_->in_fallback = outer_fallback || tests_version(test);
  const auto outer_conditions = frame_->conditions;
  frame_->conditions.insert(frame_->conditions.end(), holds.begin(), holds.end());
  branch({id, 0}, node.field("consequence"), before, result);
  frame_->conditions = outer_conditions;
  frame_->conditions.insert(frame_->conditions.end(), fails.begin(), fails.end());
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
  // "if device_count() < 2: return": behind it, too, the number is known.
  if (!always_exits(node.field("consequence"))) frame_->device_count_checked = outer_counted;
  frame_->in_fallback = outer_fallback;
  if (returns_early(node.field("consequence"))) {
    frame_->arms.push_back({branch_count_++, 0, true});
    frame_->conditions.insert(frame_->conditions.end(), fails.begin(), fails.end());
  }
  if (!has_else) result = result ? joined(*result, before) : before;
  frame_->scope->names = result ? *std::move(result) : before;
}

/// "device = 'cpu'" and no more, behind a branch where there is a GPU.
void Reader::note_cpu_fallback(Node otherwise, std::string_view test) {
  for (const Node assignment : assignments_in(otherwise)) {
    const std::string_view right = text_of(assignment.field("right"));
    const auto value = look_up(text_of(assignment.field("left"))).as_text();
    const bool attribute = assignment.field("left").is("attribute") && right.size() == 5 && right.substr(1, 3) == "cpu";
    if ((value && *value == "cpu") || attribute) emit(Event::Kind::cpu_fallback, assignment, std::string{test});
  }
}

namespace {

constexpr int kMaxSearchDepth = 160;  // as for statements: texts may be nested without end

void names_in(Node node, std::string_view text, std::vector<std::string_view>& names, int depth = 0) {
  if (depth > kMaxSearchDepth) return;
  if (node.is("identifier")) names.push_back(node.text(text));
  for (const Node child : named_children(node)) names_in(child, text, names, depth + 1);
}

bool mentions(Node node, std::string_view text, const std::vector<std::string_view>& names, int depth = 0) {
  if (depth > kMaxSearchDepth) return true;
  if (node.is("identifier")) return std::find(names.begin(), names.end(), node.text(text)) != names.end();
  const auto children = named_children(node);
  return std::any_of(children.begin(), children.end(),
                     [&](Node child) { return mentions(child, text, names, depth + 1); });
}

/// Each round may end early or be left out for some of what is looped over: a test of it, break, return, an error that is caught.
bool may_skip_elements(Node node, std::string_view text, const std::vector<std::string_view>& names, int depth = 0) {
  if (depth > kMaxSearchDepth) return true;
  if (node.is("function_definition") || node.is("class_definition") || node.is("lambda")) return false;
  constexpr std::array<std::string_view, 5> kEnds{"break_statement", "continue_statement", "return_statement",
                                                  "raise_statement", "try_statement"};
  if (std::find(kEnds.begin(), kEnds.end(), node.kind()) != kEnds.end()) return true;
  const bool tests = node.is("comparison_operator") || node.is("boolean_operator") || node.is("not_operator") ||
                     node.is("conditional_expression") || node.is("match_statement") || node.is("assert_statement");
  if (tests && mentions(node, text, names)) return true;
  const bool tests_by_call = node.is("if_statement") || node.is("elif_clause") || node.is("while_statement");
  if (tests_by_call && mentions(node.field("condition"), text, names)) return true;
  const auto children = named_children(node);
  return std::any_of(children.begin(), children.end(),
                     [&](Node child) { return may_skip_elements(child, text, names, depth + 1); });
}

}  // namespace

/// What a loop or a comprehension gives its name: any of what it goes over, unless it chooses among that. Without `within` that is so.
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

void Reader::loop(Node node) {
  const Names before = frame_->scope->names;
  if (node.is("for_statement")) {
    const Value values = expression(node.field("right"));
    bind_pattern(node.field("left"), element_of(values, node));
  } else {
    expression(node.field("condition"));
  }
  const bool outer = frame_->in_loop;
  frame_->in_loop = true;
  std::optional<Names> result;
  branch({branch_count_++, 0}, node.field("body"), Names{frame_->scope->names}, result);
  frame_->in_loop = outer;
  frame_->scope->names = result ? joined(*result, before) : before;
  if (const Node otherwise = node.field("alternative")) block(otherwise.field("body"));
}

void Reader::try_statement(Node node) {
  const bool outer = frame_->in_try;
  const bool catches = static_cast<bool>(child_of_kind(node, "except_clause"));
  frame_->in_try = outer || catches;
  // Where an import failed, what it would have run has not run.
  const bool catches_failed_import = catches_import(node, text_);
  const std::uint32_t id = branch_count_++;
  // Of another body a part may have run before a handler does: the two do not exclude each other.
  frame_->arms.push_back({catches_failed_import ? id : branch_count_++, 0, true});
  scoped_block(node.field("body"));
  frame_->arms.pop_back();
  frame_->in_try = outer;
  const Names before = frame_->scope->names;
  std::optional<Names> result = before;
  std::uint32_t arm = 1;
  for (const Node child : named_children(node)) {
    if (child.is("except_clause") || child.is("except_group_clause")) {
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
  // "with suppress(ImportError):" goes on behind the block.
  const Node body = node.field("body");
  const bool suppresses = text_.substr(node.range().begin, body.range().begin - node.range().begin).find("suppress(") !=
                          std::string_view::npos;
  if (suppresses) frame_->arms.push_back({branch_count_++, 0, true});
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
