#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/python/reader.hpp"

namespace weir::audit::python {

namespace {

/// Something that a list of it is known by, whatever it holds beside.
bool names_its_list(const Atom& atom) {
  return keeps_meaning(atom) || atom.kind == Atom::Kind::name || atom.kind == Atom::Kind::object ||
         atom.kind == Atom::Kind::instance || atom.kind == Atom::Kind::class_ || atom.kind == Atom::Kind::function;
}

}  // namespace

/// A list is known by what its elements are alike, else by its elements.
Value Reader::elements(Node node) {
  Value any;
  std::vector<Value> all;
  bool open = false;
  for (const Node child : named_children(node)) {
    open = open || child.is("list_splat");
    all.push_back(expression(child));
    any = all.size() == 1 ? all.front() : any.joined(all.back());
  }
  if (any.single(Atom::Kind::ordinal) != nullptr || any.single(Atom::Kind::environment) != nullptr) return any;
  if (all.size() == 1 && any.single() != nullptr && names_its_list(*any.single())) return any;
  return open || all.empty() ? Value{} : sequence_value(all);
}

Value Reader::comprehension(Node node) {
  const Names before = frame_->scope->names;
  Node body;
  Node clause;
  Value whole;
  int clauses = 0;
  bool tested = false;
  for (const Node child : named_children(node)) {
    tested = tested || child.is("if_clause");
    if (!child.is("for_in_clause")) continue;
    clause = child;
    ++clauses;
  }
  for (const Node child : named_children(node)) {
    if (child.is("for_in_clause"))
      bind_pattern(child.field("left"), element_of(whole = expression(child.field("right")), tested ? Node{} : node));
    else if (child.is("if_clause"))
      for (const Node test : named_children(child)) expression(test);
    else
      body = child;
  }
  const bool outer = std::exchange(frame_->in_loop, true);
  const Value element = expression(body);
  frame_->in_loop = outer;
  const bool list = node.is("list_comprehension") && clauses == 1 && !tested;
  Value listed = list ? listed_by(body, clause.field("left"), whole) : Value{};
  frame_->scope->names = before;
  if (!listed.is_unknown()) return listed;
  return element.single() != nullptr && keeps_meaning(*element.single()) ? element : Value{};
}

/// The list that a comprehension makes of a known one; what happens in it was noted before.
Value Reader::listed_by(Node body, Node target, const Value& whole) {
  constexpr std::size_t kMost = 8;
  const Atom* atom = whole.single(Atom::Kind::sequence);
  const auto given = atom == nullptr ? std::vector<Value>{} : elements_of(*atom);
  if (given.empty() || given.size() > kMost || std::exchange(frame_->listing, true)) return {};
  const auto events = frame_->function->events.size();
  std::vector<Value> made;
  for (const Value& one : given) {
    bind_pattern(target, one);
    made.push_back(expression(body));
    frame_->function->events.resize(events, Event{});
  }
  frame_->listing = false;
  return sequence_value(made);
}

Value Reader::dictionary(Node node) {
  bool copies = false;
  for (const Node child : named_children(node)) {
    if (!child.is("dictionary_splat")) continue;
    for (const Node inner : named_children(child)) {
      const Value value = expression(inner);
      copies = copies || value.may_be(Atom::Kind::environment_copy) || is_environ(value);
    }
  }
  if (frame_->compared)
    for (const Node child : named_children(node)) expression(child.field("value"));
  auto items = std::make_shared<Items>();
  if (!frame_->compared) environment_mapping(node, Event::Mode::child, node, items.get());
  if (copies) return kind_value(Atom::Kind::environment_copy);
  if (items->values.empty()) return {};
  return Atom{.kind = Atom::Kind::dictionary, .items = std::move(items)};
}

/// What is in a container is not known any more, by whatever name.
void Reader::forget_container(Node target, const Atom& container) {
  const auto items = container.items;
  for (Scope* scope = frame_->scope; scope != nullptr && items != nullptr; scope = scope->outer) {
    for (auto& [name, value] : scope->names)
      if (value.single() != nullptr && value.single()->items == items) value = something();
  }
  if (target.is("identifier")) assign_text(text_of(target), something());
  const Value owner = target.is("attribute") && target.field("object").is("identifier")
                          ? look_up(text_of(target.field("object")))
                          : Value{};
  if (const Atom* instance = owner.single(Atom::Kind::instance))
    attributes_.insert_or_assign(instance->text + '.' + std::string{text_of(target.field("attribute"))}, Value{});
}

/// "cards[0] = d": the name stands for another container from here on.
void Reader::change_container(Node target, const Value& container, const Value& key, const Value& value) {
  const Atom* atom = container.single();
  const bool known = atom != nullptr && (atom->kind == Atom::Kind::sequence || atom->kind == Atom::Kind::dictionary);
  if (atom != nullptr && atom->kind == Atom::Kind::parameter && atom->key.empty())
    frame_->function->changes.insert(atom->text);
  if (!known || atom->items == nullptr) return;
  forget_container(target, *atom);
  if (!target.is("identifier")) return;
  const auto name = key.as_text();
  const bool there = name && key.single(Atom::Kind::pattern) == nullptr &&
                     (atom->kind == Atom::Kind::dictionary || atom->items->values.contains(*name));
  if (!there) {
    assign_text(text_of(target), something());
    return;
  }
  auto items = std::make_shared<Items>(*atom->items);
  items->values.insert_or_assign(*name, value);
  Atom changed = *atom;
  changed.items = std::move(items);
  assign_text(text_of(target), changed);
}

/// "cards.pop()", "options.update(...)": what is in it is not known any more.
void Reader::note_changing_method(Node function, const Value& object) {
  constexpr std::array<std::string_view, 11> kMethods{"append", "extend",  "insert", "pop",     "remove",    "clear",
                                                      "sort",   "reverse", "update", "popitem", "setdefault"};
  const Node target = function.field("object");
  const Atom* atom = object.single();
  const bool known = atom != nullptr && (atom->kind == Atom::Kind::sequence || atom->kind == Atom::Kind::dictionary);
  const auto method = text_of(function.field("attribute"));
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) return;
  if (atom != nullptr && atom->kind == Atom::Kind::parameter && atom->key.empty() && method != "pop")
    frame_->function->changes.insert(atom->text);
  if (known) forget_container(target, *atom);
}

/// A function of this module was called that changes the items of what it is given.
void Reader::forget_changed(const Function& callee, Node arguments) {
  if (callee.changes.empty()) return;
  std::size_t position = callee.is_method ? 1 : 0;
  for (const Node child : named_children(arguments)) {
    const bool keyword = child.is("keyword_argument");
    const Node given = keyword ? child.field("value") : child;
    const std::size_t at = keyword ? callee.parameters.size() : position++;
    const std::string name = keyword                         ? std::string{text_of(child.field("name"))}
                             : at < callee.parameters.size() ? callee.parameters[at]
                                                             : std::string{};
    if (given.is("identifier") && callee.changes.contains(name)) assign_text(text_of(given), something());
  }
}

}  // namespace weir::audit::python
