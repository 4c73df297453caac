#include <optional>
#include <utility>

#include <fmt/format.h>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

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
  const auto statements = named_children(body);
  if (statements.empty()) return false;
  const std::string_view last = statements.back().kind();
  return last == "return_statement" || last == "raise_statement" || last == "continue_statement" ||
         last == "break_statement";
}

bool is_main_guard(std::string_view condition) {
  return condition.find("__name__") != std::string_view::npos && condition.find("__main__") != std::string_view::npos;
}

/// "..pkg" with the dots that relative imports start with; those stay in the name.
std::string module_name(Node node, std::string_view text) {
  std::string name;
  for (const char c : node.text(text)) {
    if (c != ' ' && c != '\t' && c != '\\' && c != '\n' && c != '\r') name += c;
  }
  return name;
}

}  // namespace

void Reader::block(Node node) {
  for (const Node child : named_children(node)) statement(child);
}

void Reader::statement(Node node) {
  if (++depth_ <= kMostDepth && events_ < kMostEvents) {
    const Range outer_statement = frame_->statement;
    const Range outer_top = frame_->top;
    const bool outer_editable = frame_->editable;
    frame_->statement = node.range();
    if (frame_->top.empty()) frame_->top = node.range();
    frame_->editable = false;
    simple_statement(node);
    frame_->statement = outer_statement;
    frame_->top = outer_top;
    frame_->editable = outer_editable;
  }
  --depth_;
}

void Reader::simple_statement(Node node) {
  const std::string_view kind = node.kind();
  if (kind == "expression_statement") {
    const auto children = named_children(node);
    frame_->editable = children.size() == 1;
    for (const Node child : children) {
      if (child.is("assignment"))
        assignment(child);
      else if (child.is("augmented_assignment"))
        augmented_assignment(child);
      else
        expression(child);
    }
  } else if (kind == "import_statement") {
    import_statement(node);
  } else if (kind == "import_from_statement") {
    import_from(node);
  } else if (kind == "future_import_statement") {
    if (frame_->function->key.empty() && node.range().begin >= reading_.header_at)
      emit(Event::Kind::late_future, node).editable = true;
  } else if (kind == "if_statement") {
    if_statement(node);
  } else if (kind == "for_statement" || kind == "while_statement") {
    loop(node);
  } else if (kind == "try_statement") {
    try_statement(node);
  } else if (kind == "with_statement") {
    with_statement(node);
  } else if (kind == "match_statement") {
    match_statement(node);
  } else if (kind == "function_definition") {
    define_function(node);
  } else if (kind == "class_definition") {
    define_class(node);
  } else if (kind == "decorated_definition") {
    for (const Node child : named_children(node)) {
      if (child.is("decorator")) {
        for (const Node inner : named_children(child)) expression(inner);
      } else {
        statement(child);
      }
    }
  } else if (kind == "return_statement") {
    Value value = kind_value(Atom::Kind::none);
    for (const Node child : named_children(node)) value = expression(child);
    frame_->function->returns.push_back(std::move(value));
  } else if (kind == "delete_statement") {
    delete_statement(node);
  } else if (kind == "global_statement" || kind == "nonlocal_statement") {
    for (const Node child : named_children(node)) frame_->scope->globals.emplace(text_of(child));
  } else if (kind == "block" || kind == "ERROR" || kind == "module") {
    block(node);
  } else {
    for (const Node child : named_children(node)) expression(child);  // raise, assert, print, type ...
  }
}

void Reader::bind_import(std::string_view module, std::string_view bound_name, const std::string& meaning, Node where) {
  emit(Event::Kind::import_module, where, canonical(std::string{module}));
  if (!bound_name.empty()) assign_text(bound_name, kind_value(Atom::Kind::name, canonical(meaning)));
}

void Reader::import_statement(Node node) {
  for (const Node child : named_children(node)) {
    if (child.is("aliased_import")) {
      const std::string module = module_name(child.field("name"), text_);
      bind_import(module, text_of(child.field("alias")), module, node);
    } else if (child.is("dotted_name")) {
      const std::string module = module_name(child, text_);
      const std::string first = module.substr(0, module.find('.'));
      bind_import(module, first, first, node);
    }
  }
}

void Reader::import_from(Node node) {
  const Node source = node.field("module_name");
  const std::string module = module_name(source, text_);
  const std::string prefix = module.ends_with('.') ? module : module + '.';
  emit(Event::Kind::import_module, node, canonical(module));
  for (const Node child : named_children(node)) {
    if (child.range() == source.range()) continue;
    const bool renamed = child.is("aliased_import");
    const std::string name = module_name(renamed ? child.field("name") : child, text_);
    if (child.is("wildcard_import")) {
      emit(Event::Kind::import_module, node, canonical(prefix + '*'));
      continue;
    }
    // The name may be a module of its own: "from numba import cuda".
    bind_import(prefix + name, renamed ? text_of(child.field("alias")) : std::string_view{name}, prefix + name, node);
  }
}

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
    }
  }
  if (!has_else) result = result ? joined(*result, before) : before;
  frame_->scope->names = result ? *std::move(result) : before;
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
      const auto parts = named_children(child);
      branch({id, arm++}, parts.empty() ? Node{} : parts.back(), before, result);
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

void Reader::assign_text(std::string_view name, const Value& value) {
  Scope* scope = frame_->scope;
  if (scope->globals.contains(name)) {
    while (scope->outer != nullptr) scope = scope->outer;
  }
  scope->names.insert_or_assign(std::string{name}, value);
}

void Reader::assign(Node target, const Value& value, Node whole) {
  const std::string_view kind = target.kind();
  if (kind == "identifier") {
    assign_text(text_of(target), value);
  } else if (kind == "subscript") {
    const Value container = expression(target.field("value"));
    const Value key = expression(target.field("subscript"));
    const auto name = key.as_text();
    if (!name) return;
    if (container.single(Atom::Kind::name) != nullptr && container.single()->text == "os.environ")
      set_variable(whole, target.field("value"), *name, value, Event::Mode::assign);
    else if (container.may_be(Atom::Kind::environment_copy) || find_variable(*name) != nullptr)
      set_variable(whole, target.field("value"), *name, value, Event::Mode::child);
  } else if (kind == "attribute") {
    const Value object = expression(target.field("object"));
    const Atom* instance = object.single(Atom::Kind::instance);
    if (instance == nullptr) return;
    const std::string key = instance->text + '.' + std::string{text_of(target.field("attribute"))};
    const auto [at, fresh] = attributes_.emplace(key, value);
    if (!fresh) at->second = at->second.joined(value);
  } else {
    bind_pattern(target, {});
  }
}

void Reader::assignment(Node node) {
  const Node right = node.field("right");
  Value value;
  if (right.is("assignment")) {
    frame_->editable = false;
    assignment(right);
    Node last = right;
    while (last.field("right").is("assignment")) last = last.field("right");
    value = frame_->scope->names.contains(text_of(last.field("left"))) ? look_up(text_of(last.field("left"))) : Value{};
  } else if (right) {
    value = expression(right);
  }
  if (right) assign(node.field("left"), value, node);
}

void Reader::augmented_assignment(Node node) {
  const Value left = expression(node.field("left"));
  const Node right = node.field("right");
  const Value value = expression(right);
  if (left.single(Atom::Kind::name) != nullptr && left.single()->text == "os.environ") {
    environment_mapping(right, Event::Mode::assign, node);
    return;
  }
  if (text_of(node.field("operator")) == "+=")
    assign(node.field("left"), concatenation(left, value), node);
  else
    assign(node.field("left"), {}, node);
}

void Reader::delete_statement(Node node) {
  for (const Node child : named_children(node)) {
    const Node target = child.is("expression_list") ? child.first_child() : child;
    if (!target.is("subscript")) continue;
    const Value container = expression(target.field("value"));
    const auto name = expression(target.field("subscript")).as_text();
    if (name && container.single(Atom::Kind::name) != nullptr && container.single()->text == "os.environ" &&
        find_variable(*name) != nullptr)
      emit(Event::Kind::remove_variable, target, *name);
  }
}

void Reader::define_function(Node node) {
  const std::string name{text_of(node.field("name"))};
  const std::string& within = frame_->function->key;
  const bool method = frame_->in_class_body;
  std::string key = method ? frame_->class_name + '.' + name : within.empty() ? name : within + '.' + name;
  // A second definition of a name replaces the first from here on; both are walked.
  while (pending_.contains(key)) key += '\'';
  for (const Node parameter : named_children(node.field("parameters"))) {
    if (const Node value = parameter.field("value")) expression(value);
  }
  pending_.emplace(key, Pending{node, method ? frame_->scope->outer : frame_->scope,
                                method ? frame_->class_name : std::string{}, false});
  order_.push_back(key);
  assign_text(name, kind_value(Atom::Kind::function, key));
}

void Reader::define_class(Node node) {
  const std::string name{text_of(node.field("name"))};
  std::vector<std::string> bases;
  for (const Node base : named_children(node.field("superclasses"))) {
    const Value value = expression(base);
    if (const Atom* local = value.single(Atom::Kind::class_)) bases.push_back(local->text);
  }
  bases_[name] = std::move(bases);
  // The body runs now, in a scope that its methods do not see.
  scopes_.push_back(std::make_unique<Scope>());
  Scope* const outer = frame_->scope;
  const std::string outer_class = std::exchange(frame_->class_name, name);
  const bool outer_body = std::exchange(frame_->in_class_body, true);
  scopes_.back()->outer = outer;
  frame_->scope = scopes_.back().get();
  block(node.field("body"));
  for (const auto& [member, value] : frame_->scope->names) {
    if (!value.may_be(Atom::Kind::function)) attributes_.emplace(fmt::format("{}.{}", name, member), value);
  }
  frame_->scope = outer;
  frame_->class_name = outer_class;
  frame_->in_class_body = outer_body;
  assign_text(name, kind_value(Atom::Kind::class_, name));
}

void Reader::read_parameters(Node node, Function& function, Scope& scope, const std::string& class_name) {
  for (const Node parameter : named_children(node)) {
    Node name = parameter;
    if (parameter.is("default_parameter") || parameter.is("typed_default_parameter"))
      name = parameter.field("name");
    else if (!parameter.is("identifier"))
      name = parameter.first_child();  // typed_parameter, list_splat_pattern ...
    const std::string text{text_of(name)};
    if (text.empty() || text == "*" || text == "/") continue;
    const bool self = function.parameters.empty() && !class_name.empty();
    const Node value = parameter.field("value");
    function.is_method = function.is_method || self;
    function.parameters.push_back(text);
    function.defaults.push_back(value ? expression(value) : Value{});
    scope.names[text] = self ? kind_value(Atom::Kind::instance, class_name) : kind_value(Atom::Kind::parameter, text);
  }
}

void Reader::walk_function(const std::string& key) {
  Pending& pending = pending_.at(key);
  if (pending.walked) return;
  pending.walked = true;
  functions_.push_back(std::make_unique<Function>());
  Function& function = *functions_.back();
  function.key = key;
  function.where = pending.definition.range();
  scopes_.push_back(std::make_unique<Scope>());
  Scope& scope = *scopes_.back();
  scope.outer = pending.scope;
  Frame frame{.function = &function, .scope = &scope};
  Frame* const caller = frame_;
  frame_ = &frame;
  read_parameters(pending.definition.field("parameters"), function, scope, pending.class_name);
  const int outer_depth = depth_;
  block(pending.definition.field("body"));
  depth_ = outer_depth;
  frame_ = caller;
}

}  // namespace weir::audit::python
