#include <optional>
#include <utility>
#include <vector>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Statements that part the ways: if, loops, try, with, match.

namespace weir::audit::python {
namespace {

/// What a name may be after one of two ways; a name that one of them lacks may be what the other gave it.
Names joined(const Names& a, const Names& b) {
  Names all = a;
  for (const auto& [name, value] : b) {
    const auto [at, fresh] = all.emplace(name, value);
    if (!fresh) at->second = at->second.joined(value);
  }
  return all;
}

/// Nothing after the block is reached from its end.
bool leaves(Node body) {
  const std::string_view last = named_children(body).back().kind();
  return last == "return_statement" || last == "raise_statement" || last == "continue_statement" ||
         last == "break_statement";
}

bool is_main_guard(std::string_view condition) {
  return condition.find("__name__") != std::string_view::npos && condition.find("__main__") != std::string_view::npos;
}

/// The names that a block gives something; empty if it does anything else, such as to say so.
std::vector<Node> only_assigned(Node body) {
  std::vector<Node> assignments;
  for (const Node statement : named_children(body)) {
    const Node assignment = statement.first_child();
    const bool plain = statement.is("expression_statement") && assignment.is("assignment") &&
                       assignment.field("left").is("identifier");
    if (!plain && !statement.is("comment")) return {};
    if (plain) assignments.push_back(assignment);
  }
  return assignments;
}

}  // namespace

void Reader::branch(Arm arm, Node body, const Names& before, std::optional<Names>& result) {
  frame_->scope->names = before;
  frame_->arms.push_back(arm);
  if (body.is("block"))
    block(body);
  else if (body)
    statement(body);
  frame_->arms.pop_back();
  if (!leaves(body)) result = result ? joined(*result, frame_->scope->names) : frame_->scope->names;
}

void Reader::if_statement(Node node) {
  const Node condition = node.field("condition");
  const std::string_view test = text_of(condition);
  if (frame_->function->key.empty() && is_main_guard(test)) {
    // What runs only as a program stands in the body like the rest: programs are what is judged.
    reading_.entry_point = true;
    frame_->main_only = true;
    block(node.field("consequence"));
    frame_->main_only = false;
    return;
  }
  expression(condition);
  const std::uint32_t id = branches_++;
  const Names before = frame_->scope->names;
  std::optional<Names> result;
  branch({id, 0}, node.field("consequence"), before, result);
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
      if (asks_for_gpu(test)) note_fallback(child.field("body"), test);
    }
  }
  if (!has_else) result = result ? joined(*result, before) : before;
  frame_->scope->names = result ? *std::move(result) : before;
}

/// "device = 'cpu'" and no more, behind a branch where there is a GPU.
void Reader::note_fallback(Node otherwise, std::string_view test) {
  for (const Node assignment : only_assigned(otherwise)) {
    const auto value = look_up(text_of(assignment.field("left"))).as_text();
    if (value && *value == "cpu") emit(Event::Kind::cpu_fallback, assignment, std::string{test});
  }
}

void Reader::loop(Node node) {
  const Names before = frame_->scope->names;
  if (node.is("for_statement")) {
    const Value values = expression(node.field("right"));
    bind_pattern(node.field("left"), element_of(values));
  } else {
    expression(node.field("condition"));
  }
  const bool outer = frame_->in_loop;
  frame_->in_loop = true;
  std::optional<Names> result;
  branch({branches_++, 0}, node.field("body"), Names{frame_->scope->names}, result);
  frame_->in_loop = outer;
  frame_->scope->names = result ? joined(*result, before) : before;
  if (const Node otherwise = node.field("alternative")) block(otherwise.field("body"));
}

void Reader::try_statement(Node node) {
  const bool outer = frame_->in_try;
  const bool catches = static_cast<bool>(child_of_kind(node, "except_clause"));
  frame_->in_try = outer || catches;
  block(node.field("body"));
  frame_->in_try = outer;
  const Names before = frame_->scope->names;
  std::optional<Names> result = before;
  std::uint32_t arm = 1;
  const std::uint32_t id = branches_++;
  for (const Node child : named_children(node)) {
    if (child.is("except_clause") || child.is("except_group_clause")) {
      branch({id, arm++}, named_children(child).back(), before, result);
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
    for (const Node item : named_children(clause)) expression(item.field("value"));
  }
  block(node.field("body"));
}

void Reader::match_statement(Node node) {
  expression(node.field("subject"));
  const std::uint32_t id = branches_++;
  const Names before = frame_->scope->names;
  std::optional<Names> result = before;
  std::uint32_t arm = 0;
  for (const Node clause : named_children(node.field("body"))) {
    if (clause.is("case_clause")) branch({id, arm++}, clause.field("consequence"), before, result);
  }
  frame_->scope->names = *std::move(result);
}

}  // namespace weir::audit::python
