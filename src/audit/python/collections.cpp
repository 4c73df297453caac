#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/python/reader.hpp"

// Lists, tuples, sets, dictionaries and comprehensions, and code that changes the content of one.

namespace weir::audit::python {

namespace {

/// Returns whether a list with this value as its only element has the value of the element.
bool classifies_list(const PossibleValue& alternative) {
  return keeps_kind(alternative) || alternative.kind == PossibleValue::Kind::qualified_name ||
         alternative.kind == PossibleValue::Kind::call_result || alternative.kind == PossibleValue::Kind::instance ||
         alternative.kind == PossibleValue::Kind::class_ || alternative.kind == PossibleValue::Kind::function;
}

}  // namespace

/// Returns the value of a list, tuple or set: the value of its elements if that classifies the list (a device number of
/// the runtime, a user's choice), otherwise a sequence.
Value Reader::elements(Node node) {
  Value any;
  std::vector<Value> all;
  bool has_splat = false;
  for (const Node child : named_children(node)) {
    has_splat = has_splat || child.is("list_splat");
    all.push_back(expression(child));
    any = all.size() == 1 ? all.front() : any.joined(all.back());
  }
  if (any.single_alternative(PossibleValue::Kind::runtime_index) != nullptr ||
      any.single_alternative(PossibleValue::Kind::environment_variable) != nullptr)
    return any;
  if (all.size() == 1 && any.single_alternative() != nullptr && classifies_list(*any.single_alternative())) return any;
  return has_splat || all.empty() ? Value{} : sequence_value(all);
}

/// Reads a comprehension or generator expression like a loop. Returns the list that it makes, if that is known;
/// otherwise the value of an element, if that also classifies a list of such elements.
Value Reader::comprehension(Node node) {
  const Names before = frame_->scope->names;
  Node body;
  Node clause;
  Value container;
  int clauses = 0;
  bool has_condition = false;
  for (const Node child : named_children(node)) {
    has_condition = has_condition || child.is("if_clause");
    if (!child.is("for_in_clause")) continue;
    clause = child;
    ++clauses;
  }
  for (const Node child : named_children(node)) {
    if (child.is("for_in_clause"))
      bind_pattern(child.field("left"),
                   element_of(container = expression(child.field("right")), has_condition ? Node{} : node));
    else if (child.is("if_clause"))
      for (const Node test : named_children(child)) expression(test);
    else
      body = child;
  }
  const bool outer = std::exchange(frame_->in_loop, true);
  const Value element = expression(body);
  frame_->in_loop = outer;
  const bool is_simple_list = node.is("list_comprehension") && clauses == 1 && !has_condition;
  Value listed = is_simple_list ? comprehension_list(body, clause.field("left"), container) : Value{};
  frame_->scope->names = before;
  if (!listed.is_unknown()) return listed;
  return element.single_alternative() != nullptr && keeps_kind(*element.single_alternative()) ? element : Value{};
}

/// Returns the list that a comprehension makes of a known list: evaluates `body` for each element. The events of these
/// evaluations are removed, because the events of the body were recorded before.
Value Reader::comprehension_list(Node body, Node target, const Value& container) {
  constexpr std::size_t kMaxElements = 8;
  const PossibleValue* alternative = container.single_alternative(PossibleValue::Kind::sequence);
  const auto container_elements = alternative == nullptr ? std::vector<Value>{} : elements_of(*alternative);
  if (container_elements.empty() || container_elements.size() > kMaxElements ||
      std::exchange(frame_->listing_elements, true))
    return {};
  const auto events = frame_->function->events.size();
  std::vector<Value> results;
  for (const Value& one : container_elements) {
    bind_pattern(target, one);
    results.push_back(expression(body));
    frame_->function->events.resize(events, Event{});
  }
  frame_->listing_elements = false;
  return sequence_value(results);
}

Value Reader::dictionary(Node node) {
  bool copies_environment = false;
  for (const Node child : named_children(node)) {
    if (!child.is("dictionary_splat")) continue;
    for (const Node inner : named_children(child)) {
      const Value value = expression(inner);
      copies_environment =
          copies_environment || value.may_be(PossibleValue::Kind::environment_copy) || is_environ(value);
    }
  }
  // In a comparison the dictionary sets no variables.
  if (frame_->in_comparison)
    for (const Node child : named_children(node)) expression(child.field("value"));
  auto items = std::make_shared<Items>();
  if (!frame_->in_comparison) environment_mapping(node, Event::Mode::child_environment, node, items.get());
  if (copies_environment) return value_of_kind(PossibleValue::Kind::environment_copy);
  if (items->values.empty()) return {};
  return PossibleValue{.kind = PossibleValue::Kind::dictionary, .items = std::move(items)};
}

/// Makes the content of a container unknown, under all its names.
void Reader::forget_container(Node target, const PossibleValue& container) {
  const auto items = container.items;
  for (Scope* scope = frame_->scope; scope != nullptr && items != nullptr; scope = scope->outer) {
    for (auto& [name, value] : scope->names)
      if (value.single_alternative() != nullptr && value.single_alternative()->items == items) value = new_symbol();
  }
  if (target.is("identifier")) assign_name(text_of(target), new_symbol());
  const Value owner = target.is("attribute") && target.field("object").is("identifier")
                          ? look_up(text_of(target.field("object")))
                          : Value{};
  if (const PossibleValue* instance = owner.single_alternative(PossibleValue::Kind::instance))
    attributes_.insert_or_assign(instance->text + '.' + std::string{text_of(target.field("attribute"))}, Value{});
}

/// Handles "cards[0] = d": the name is bound to a changed container from here on.
void Reader::change_container(Node target, const Value& container, const Value& key, const Value& value) {
  const PossibleValue* alternative = container.single_alternative();
  const bool is_container = alternative != nullptr && (alternative->kind == PossibleValue::Kind::sequence ||
                                                       alternative->kind == PossibleValue::Kind::dictionary);
  if (alternative != nullptr && alternative->kind == PossibleValue::Kind::parameter && alternative->key.empty())
    frame_->function->changed_parameters.insert(alternative->text);
  if (!is_container || alternative->items == nullptr) return;
  forget_container(target, *alternative);
  if (!target.is("identifier")) return;
  const auto name = key.as_text();
  const bool is_known_item =
      name && key.single_alternative(PossibleValue::Kind::pattern) == nullptr &&
      (alternative->kind == PossibleValue::Kind::dictionary || alternative->items->values.contains(*name));
  if (!is_known_item) {
    assign_name(text_of(target), new_symbol());
    return;
  }
  auto items = std::make_shared<Items>(*alternative->items);
  items->values.insert_or_assign(*name, value);
  PossibleValue changed = *alternative;
  changed.items = std::move(items);
  assign_name(text_of(target), changed);
}

/// Handles "cards.pop()" and "options.update(...)": the content becomes unknown.
void Reader::note_changing_method(Node function, const Value& object) {
  constexpr std::array<std::string_view, 11> kMethods{"append", "extend",  "insert", "pop",     "remove",    "clear",
                                                      "sort",   "reverse", "update", "popitem", "setdefault"};
  const Node target = function.field("object");
  const PossibleValue* alternative = object.single_alternative();
  const bool is_container = alternative != nullptr && (alternative->kind == PossibleValue::Kind::sequence ||
                                                       alternative->kind == PossibleValue::Kind::dictionary);
  const auto method = text_of(function.field("attribute"));
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) return;
  // pop() of a parameter is evaluated like get(), and counts as no change.
  if (alternative != nullptr && alternative->kind == PossibleValue::Kind::parameter && alternative->key.empty() &&
      method != "pop")
    frame_->function->changed_parameters.insert(alternative->text);
  if (is_container) forget_container(target, *alternative);
}

/// Handles a call of a function of this module that changes the items of its arguments.
void Reader::forget_changed_arguments(const Function& callee, Node arguments) {
  if (callee.changed_parameters.empty()) return;
  std::size_t position = callee.is_method ? 1 : 0;
  for (const Node child : named_children(arguments)) {
    const bool is_keyword = child.is("keyword_argument");
    const Node argument_node = is_keyword ? child.field("value") : child;
    const std::size_t parameter_index = is_keyword ? callee.parameters.size() : position++;
    const std::string name = is_keyword                                   ? std::string{text_of(child.field("name"))}
                             : parameter_index < callee.parameters.size() ? callee.parameters[parameter_index]
                                                                          : std::string{};
    if (argument_node.is("identifier") && callee.changed_parameters.contains(name))
      assign_name(text_of(argument_node), new_symbol());
  }
}

}  // namespace weir::audit::python
