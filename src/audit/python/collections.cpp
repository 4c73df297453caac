#include <algorithm>
#include <memory>
#include <utility>

#include "audit/python/reader.hpp"

namespace weir::audit::python {

/// A list is known by what its elements are alike.
Value Reader::elements(Node node) {
  const auto children = named_children(node);
  Value any;
  bool first = true;
  for (const Node child : children) {
    const Value value = expression(child);
    any = first ? value : any.joined(value);
    first = false;
  }
  const bool numbers = std::all_of(any.atoms().begin(), any.atoms().end(),
                                   [](const Atom& atom) { return atom.kind == Atom::Kind::number; });
  const bool keeps = any.single(Atom::Kind::ordinal) != nullptr || any.single(Atom::Kind::environment) != nullptr ||
                     (any.single() != nullptr && children.size() == 1) || numbers;
  return keeps ? any : Value{};
}

Value Reader::element_of(const Value& container) const {
  const Atom* atom = container.single();
  if (atom == nullptr) return {};
  const bool keeps = atom->kind == Atom::Kind::ordinal || atom->kind == Atom::Kind::device_name ||
                     atom->kind == Atom::Kind::environment || atom->kind == Atom::Kind::choice ||
                     atom->kind == Atom::Kind::smi_index;
  return keeps ? container : Value{};
}

Value Reader::comprehension(Node node) {
  const Names before = frame_->scope->names;
  Node body;
  for (const Node child : named_children(node)) {
    if (child.is("for_in_clause"))
      bind_pattern(child.field("left"), element_of(expression(child.field("right"))));
    else if (child.is("if_clause"))
      for (const Node test : named_children(child)) expression(test);
    else
      body = child;
  }
  const bool outer = std::exchange(frame_->in_loop, true);
  const Value element = expression(body);
  frame_->in_loop = outer;
  frame_->scope->names = before;
  return element_of(element);
}

Value Reader::dictionary(Node node) {
  bool copies = false;
  for (const Node child : named_children(node)) {
    if (!child.is("dictionary_splat")) continue;
    for (const Node inner : named_children(child)) {
      const Value value = expression(inner);
      const Atom* name = value.single(Atom::Kind::name);
      copies = copies || value.may_be(Atom::Kind::environment_copy) || (name != nullptr && name->text == "os.environ");
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

}  // namespace weir::audit::python
