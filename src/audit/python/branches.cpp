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

/// Asks which version of a library it has: for the name of a function, or for its number.
bool asks_for_version(std::string_view condition) {
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
  return condition.find("__name__") != std::string_view::npos && condition.find("__main__") != std::string_view::npos;
}

/// What an except clause catches, as it is written; empty for all.
std::string_view caught(Node clause, std::string_view text) {
  const std::string_view whole = clause.text(text);
  return whole.substr(0, whole.find(':'));
}

/// The handlers run when an import of the body fails: they name ImportError, or the body does nothing but import.
bool catches_import(Node node, std::string_view text) {
  bool named = false;
  bool any = false;
  for (const Node child : named_children(node)) {
    if (!child.is("except_clause")) continue;
    any = true;
    const std::string_view what = caught(child, text);
    named = named || what.find("ImportError") != std::string_view::npos ||
            what.find("ModuleNotFoundError") != std::string_view::npos;
  }
  return named || (any && only_imports(node.field("body")));
}

/// The names that a block gives something; empty if it does anything else, such as to say so.
std::vector<Node> only_assigned(Node body) {
  std::vector<Node> assignments;
  for (const Node statement : named_children(body)) {
    const Node assignment = statement.first_child();
    const bool plain = statement.is("expression_statement") && assignment.is("assignment") &&
                       (assignment.field("left").is("identifier") || assignment.field("left").is("attribute"));
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
  frame_->count_seen = false;
  expression(condition);
  const std::uint32_t id = branches_++;
  const Names before = frame_->scope->names;
  std::optional<Names> result;
  const bool outer_counted = frame_->counted;
  const bool outer_fallback = frame_->fallback;
  frame_->counted = outer_counted || asks_how_many(test) || frame_->count_seen;
  frame_->fallback = outer_fallback || asks_for_version(test);
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
  // "if device_count() < 2: return": behind it, too, the number is known.
  if (!leaves(node.field("consequence"))) frame_->counted = outer_counted;
  frame_->fallback = outer_fallback;
  if (!has_else) result = result ? joined(*result, before) : before;
  frame_->scope->names = result ? *std::move(result) : before;
}

/// "device = 'cpu'" and no more, behind a branch where there is a GPU.
void Reader::note_fallback(Node otherwise, std::string_view test) {
  for (const Node assignment : only_assigned(otherwise)) {
    const std::string_view right = text_of(assignment.field("right"));
    const auto value = look_up(text_of(assignment.field("left"))).as_text();
    const bool attribute = assignment.field("left").is("attribute") && right.size() == 5 && right.substr(1, 3) == "cpu";
    if ((value && *value == "cpu") || attribute) emit(Event::Kind::cpu_fallback, assignment, std::string{test});
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
  // Where an import failed, what it would have run has not run.
  const bool of_import = catches_import(node, text_);
  const std::uint32_t id = branches_++;
  if (of_import) frame_->arms.push_back({id, 0, true});
  block(node.field("body"));
  if (of_import) frame_->arms.pop_back();
  frame_->in_try = outer;
  const Names before = frame_->scope->names;
  std::optional<Names> result = before;
  std::uint32_t arm = 1;
  for (const Node child : named_children(node)) {
    if (child.is("except_clause") || child.is("except_group_clause")) {
      const bool outer_fallback = frame_->fallback;
      frame_->fallback = outer_fallback || caught(child, text_).find("AttributeError") != std::string_view::npos;
      branch({id, arm++}, named_children(child).back(), before, result);
      frame_->fallback = outer_fallback;
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
