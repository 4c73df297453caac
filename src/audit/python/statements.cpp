#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

namespace weir::audit::python {
namespace {

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
    frame_->goal = frame_->function->key;
    for (const Node child : named_children(node)) value = expression(child);
    frame_->goal.clear();
    frame_->function->returns.push_back(std::move(value));
  } else if (kind == "delete_statement") {
    delete_statement(node);
  } else if (kind == "global_statement" || kind == "nonlocal_statement") {
    for (const Node child : named_children(node)) frame_->scope->globals.emplace(text_of(child));
  } else if (kind == "assert_statement") {
    for (const Node child : named_children(node)) expression(child);
    frame_->counted = frame_->counted || asks_how_many(text_of(node));
  } else if (kind == "block" || kind == "ERROR" || kind == "module") {
    block(node);
  } else {
    for (const Node child : named_children(node)) expression(child);  // raise, assert, print, type ...
  }
}

void Reader::bind_import(std::string_view module, std::string_view bound_name, const std::string& meaning, Node where) {
  const std::string name = canonical(std::string{module});
  gpu_library_ = gpu_library_ || find_library(name) != nullptr;
  emit(Event::Kind::import_module, where, name);
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
  gpu_library_ = gpu_library_ || find_library(module) != nullptr;
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
    if (const Atom* choice = object.single(Atom::Kind::choice);
        choice != nullptr && target.field("object").is("identifier")) {
      auto items = choice->items == nullptr ? std::make_shared<Items>() : std::make_shared<Items>(*choice->items);
      items->values.insert_or_assign(std::string{text_of(target.field("attribute"))}, value);
      Atom changed = *choice;
      changed.items = std::move(items);
      assign_text(text_of(target.field("object")), changed);
      return;
    }
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
    const std::string outer = std::exchange(frame_->goal, std::string{text_of(node.field("left"))});
    value = expression(right);
    frame_->goal = outer;
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

}  // namespace weir::audit::python
