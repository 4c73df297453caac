#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "audit/python/gpu_names.hpp"
#include "audit/python/reader.hpp"

// Statements other than branches (branches.cpp) and definitions (definitions.cpp): imports, assignments, del.

namespace weir::audit::python {
namespace {

/// Returns the module name with the leading dots of a relative import, such as "..pkg".
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
  if (++depth_ <= kMaxDepth && event_count_ < kMaxEvents) {
    const Range outer_statement = frame_->statement;
    const Range outer_top = frame_->top_statement;
    const bool outer_editable = frame_->is_editable;
    frame_->statement = node.range();
    if (frame_->top_statement.empty()) frame_->top_statement = node.range();
    frame_->is_editable = false;
    dispatch_statement(node);
    frame_->statement = outer_statement;
    frame_->top_statement = outer_top;
    frame_->is_editable = outer_editable;
  }
  --depth_;
}

void Reader::dispatch_statement(Node node) {
  const std::string_view kind = node.kind();
  if (kind == "expression_statement") {
    const auto children = named_children(node);
    frame_->is_editable = children.size() == 1;
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
    if (frame_->function->key.empty() && node.range().begin >= content_.header_offset)
      emit(Event::Kind::late_future_import, node).is_editable = true;
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
    decorated_definition(node);
  } else if (kind == "return_statement") {
    Value value = value_of_kind(PossibleValue::Kind::none);
    frame_->target_name = frame_->function->key;
    for (const Node child : named_children(node)) value = expression(child);
    frame_->target_name.clear();
    frame_->function->return_values.push_back(std::move(value));
  } else if (kind == "delete_statement") {
    delete_statement(node);
  } else if (kind == "global_statement" || kind == "nonlocal_statement") {
    for (const Node child : named_children(node)) {
      (kind == "nonlocal_statement" ? frame_->scope->nonlocals : frame_->scope->globals).emplace(text_of(child));
      unexported_names_.emplace(text_of(child));
    }
  } else if (kind == "assert_statement") {
    for (const Node child : named_children(node)) expression(child);
    if (requires_gpu(text_of(named_children(node).front())))
      emit(Event::Kind::start_driver, node, "torch.cuda, asserted");
    frame_->device_count_checked = frame_->device_count_checked || tests_device_count(text_of(node));
  } else if (kind == "block" || kind == "ERROR" || kind == "module") {
    block(node);
  } else {
    for (const Node child : named_children(node)) expression(child);  // raise, assert, print, type ...
  }
}

/// Records the import of a module, and binds a name to `full_name` (the module, or a name in it). `bound_name`: empty if
/// the import binds no name.
void Reader::bind_import(std::string_view module, std::string_view bound_name, const std::string& full_name,
                         Node where) {
  const std::string name = canonical_name(std::string{module});
  gpu_library_imported_ = gpu_library_imported_ || find_library(name) != nullptr;
  emit(Event::Kind::import_module, where, name);
  if (bound_name.empty()) return;
  const Value known = imported_value(full_name);
  assign_name(bound_name, known.is_unknown()
                              ? value_of_kind(PossibleValue::Kind::qualified_name, canonical_name(full_name))
                              : known);
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
  gpu_library_imported_ = gpu_library_imported_ || find_library(module) != nullptr;
  emit(Event::Kind::import_module, node, canonical_name(module));
  for (const Node child : named_children(node)) {
    if (child.range() == source.range()) continue;
    const bool renamed = child.is("aliased_import");
    const std::string name = module_name(renamed ? child.field("name") : child, text_);
    if (child.is("wildcard_import")) {
      emit(Event::Kind::import_module, node, canonical_name(prefix + '*'));
      import_star(module);
      continue;
    }
    // The imported name may be a module: "from numba import cuda".
    bind_import(prefix + name, renamed ? text_of(child.field("alias")) : std::string_view{name}, prefix + name, node);
  }
}

void Reader::assign_name(std::string_view name, const Value& value) {
  Scope* scope = frame_->scope;
  if (scope->nonlocals.contains(name)) {
    do scope = scope->outer;
    while (scope->outer != nullptr && !scope->names.contains(name));
  } else if (scope->globals.contains(name)) {
    while (scope->outer != nullptr) scope = scope->outer;
  }
  if (scope->outer == nullptr && frame_->in_main_part) unexported_names_.emplace(name);
  scope->names.insert_or_assign(std::string{name}, value);
}

/// Handles os.environ[key] = value if `key` is one of several known names, as in a loop over names: records that each of
/// these variables is set. Returns false, and records nothing, for other keys.
bool Reader::set_one_of_variables(const Value& key, const Value& value, Node target, Node whole) {
  const auto& names = key.alternatives();
  const bool are_known_names =
      names.size() > 1 && std::all_of(names.begin(), names.end(),
                                      [](const PossibleValue& name) { return name.kind == PossibleValue::Kind::text; });
  if (!are_known_names) return false;
  // One statement sets several variables, so a fix of one of them may not move or delete it.
  const bool outer_is_editable = std::exchange(frame_->is_editable, false);
  for (const PossibleValue& name : names)
    set_variable(whole, target.field("value"), name.text, value.single_alternative() == nullptr ? Value{} : value,
                 Event::Mode::assign);
  frame_->is_editable = outer_is_editable;
  return true;
}

/// Assigns the value to a name, an item, an attribute or a pattern. `whole` is the statement.
void Reader::assign(Node target, const Value& value, Node whole) {
  const std::string_view kind = target.kind();
  if (kind == "identifier") {
    assign_name(text_of(target), value.is_unknown() ? new_symbol() : give_identity(value));
  } else if (kind == "subscript") {
    const Value container = expression(target.field("value"));
    const Value key = expression(target.field("subscript"));
    const auto name = key.as_text();
    const PossibleValue* environment = container.single_alternative(PossibleValue::Kind::qualified_name);
    if (environment != nullptr && environment->text == "os.environb") change_environment(whole);
    if (is_environ(container) && set_one_of_variables(key, value, target, whole)) return;
    if ((!name || key.single_alternative(PossibleValue::Kind::pattern) != nullptr) && is_environ(container))
      change_environment(whole);
    change_container(target.field("value"), container, key, value);
    if (!name) return;
    if (container.single_alternative(PossibleValue::Kind::qualified_name) != nullptr &&
        container.single_alternative()->text == "os.environ")
      set_variable(whole, target.field("value"), *name, value, Event::Mode::assign);
    else if (container.may_be(PossibleValue::Kind::environment_copy) || find_device_variable(*name) != nullptr)
      set_variable(whole, target.field("value"), *name, value, Event::Mode::child_environment);
  } else if (kind == "attribute") {
    const Value object = expression(target.field("object"));
    if (const PossibleValue* choice = object.single_alternative(PossibleValue::Kind::user_choice);
        choice != nullptr && target.field("object").is("identifier")) {
      auto items = choice->items == nullptr ? std::make_shared<Items>() : std::make_shared<Items>(*choice->items);
      items->values.insert_or_assign(std::string{text_of(target.field("attribute"))}, value);
      PossibleValue changed = *choice;
      changed.items = std::move(items);
      assign_name(text_of(target.field("object")), changed);
      return;
    }
    const PossibleValue* module = object.single_alternative(PossibleValue::Kind::qualified_name);
    if (module != nullptr && module->text == "os" && text_of(target.field("attribute")) == "environ")
      change_environment(whole);
    if (module != nullptr) content_.overwritten_attributes.emplace(text_of(target.field("attribute")));
    note_overwritten_attribute(object, text_of(target.field("attribute")), value, whole);
    const PossibleValue* instance = object.single_alternative(PossibleValue::Kind::instance);
    // An attribute of a class changes for every instance from here on.
    if (const PossibleValue* class_value = object.single_alternative(PossibleValue::Kind::class_))
      attributes_.insert_or_assign(class_value->text + '.' + std::string{text_of(target.field("attribute"))}, Value{});
    if (instance == nullptr) return;
    if (instance->items != nullptr && target.field("object").is("identifier")) {
      auto items = std::make_shared<Items>(*instance->items);
      items->values.insert_or_assign(std::string{text_of(target.field("attribute"))}, value);
      PossibleValue changed = *instance;
      changed.items = std::move(items);
      assign_name(text_of(target.field("object")), changed);
    }
    const std::string key = instance->text + '.' + std::string{text_of(target.field("attribute"))};
    const auto [at, is_new] = attributes_.emplace(key, value);
    // An unconditional assignment in a constructor replaces the value in the class.
    const bool replaces = frame_->function->key == instance->text + ".__init__" && frame_->arms.empty();
    if (!is_new) at->second = replaces ? value : at->second.joined(value);
  } else {
    frame_->is_editable = false;
    bind_pattern(target, value);
  }
}

/// Gives the result of an imported function a new identity when a name is bound to it, because each call returns
/// another object.
Value Reader::give_identity(const Value& value) {
  const PossibleValue* object = value.single_alternative(PossibleValue::Kind::call_result);
  if (object == nullptr || object->number != 0 || object->items != nullptr || is_class_name(object->text)) return value;
  PossibleValue one = *object;
  one.number = ++last_symbol_;
  return one;
}

/// Returns an unknown value with a new identity.
Value Reader::new_symbol() {
  PossibleValue unknown{.kind = PossibleValue::Kind::symbol};
  unknown.number = ++last_symbol_;
  return unknown;
}

/// Records an assignment such as "self.args.gpu = 0" to an object from elsewhere (a parameter or the user's choice), if
/// the attribute's name suggests a device: all code that reads the attribute later, here or in another module, gets the
/// new value.
void Reader::note_overwritten_attribute(const Value& object, std::string_view attribute, const Value& value,
                                        Node where) {
  constexpr std::array<std::string_view, 6> kWords{"gpu", "device", "cuda", "card", "rank", "id"};
  const PossibleValue* alternative = object.single_alternative();
  if (alternative == nullptr ||
      (alternative->kind != PossibleValue::Kind::parameter && alternative->kind != PossibleValue::Kind::user_choice))
    return;
  if (std::any_of(kWords.begin(), kWords.end(),
                  [&](std::string_view word) { return attribute.find(word) != std::string_view::npos; }))
    emit(Event::Kind::overwrite_attribute, where, std::string{attribute}, value);
}

/// Handles "a = value", "a = b = value" and "a, b = 1, 2". An annotation without a value ("a: int") assigns nothing.
void Reader::assignment(Node node) {
  const Node right = node.field("right");
  Value value;
  if (right.is("assignment")) {  // a = b = value
    frame_->is_editable = false;
    assignment(right);
    Node last = right;
    while (last.field("right").is("assignment")) last = last.field("right");
    value = frame_->scope->names.contains(text_of(last.field("left"))) ? look_up(text_of(last.field("left"))) : Value{};
  } else if (const Node left = node.field("left"); left.is("pattern_list") && right.is("expression_list") &&
                                                   named_children(left).size() == named_children(right).size()) {
    frame_->is_editable = false;
    std::vector<Value> values;  // a, b = 1, 2
    for (const Node part : named_children(right)) values.push_back(expression(part));
    auto value_of_part = values.begin();
    for (const Node part : named_children(left)) assign(part, *value_of_part++, node);
    return;
  } else if (right) {
    const std::string outer = std::exchange(frame_->target_name, std::string{text_of(node.field("left"))});
    value = expression(right);
    frame_->target_name = outer;
  }
  if (right) assign(node.field("left"), value, node);
}

/// Handles "a += value" and the like; "os.environ |= {...}" sets variables.
void Reader::augmented_assignment(Node node) {
  const Value left = expression(node.field("left"));
  const Node right = node.field("right");
  const Value value = expression(right);
  if (left.single_alternative(PossibleValue::Kind::qualified_name) != nullptr &&
      left.single_alternative()->text == "os.environ") {
    if (!right.is("dictionary")) change_environment(node);
    environment_mapping(right, Event::Mode::assign, node);
    return;
  }
  if (text_of(node.field("operator")) == "+=")
    assign(node.field("left"), concatenation(left, value), node);
  else
    assign(node.field("left"), {}, node);
}

void Reader::delete_statement(Node node) {
  std::vector<Node> targets = named_children(node).to_vector();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Node target = targets[i];
    const bool is_group = target.is("expression_list") || target.is("parenthesized_expression") || target.is("tuple") ||
                          target.is("list");
    if (is_group)
      for (const Node part : named_children(target)) targets.push_back(part);  // del a, (b, c)
    if (!target.is("subscript")) continue;
    const Value container = expression(target.field("value"));
    const auto name = expression(target.field("subscript")).as_text();
    change_container(target.field("value"), container, {}, {});
    if (!name && is_environ(container)) change_environment(target);
    if (name && container.single_alternative(PossibleValue::Kind::qualified_name) != nullptr &&
        container.single_alternative()->text == "os.environ" && find_device_variable(*name) != nullptr)
      emit(Event::Kind::remove_variable, target, *name);
  }
}

}  // namespace weir::audit::python
