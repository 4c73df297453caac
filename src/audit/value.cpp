#include "audit/value.hpp"

#include <algorithm>
#include <utility>

namespace weir::audit {
namespace {

bool same(const Atom& a, const Atom& b) {
  return a.kind == b.kind && a.text == b.text && a.number == b.number && a.key == b.key && a.items == b.items;
}

bool differ_in_items(const Atom& a, const Atom& b) {
  return a.kind == b.kind && a.text == b.text && a.number == b.number && a.key == b.key && a.items != b.items;
}

/// What one of two ways has left in a dictionary or an instance.
std::shared_ptr<const Items> merged(const std::shared_ptr<const Items>& a, const std::shared_ptr<const Items>& b) {
  if (a == nullptr || b == nullptr) return a == nullptr ? b : a;
  auto both = std::make_shared<Items>(*a);
  const auto holds_items = [](const Value& value) {
    return std::any_of(value.atoms().begin(), value.atoms().end(),
                       [](const Atom& atom) { return atom.items != nullptr; });
  };
  for (const auto& [key, value] : b->values) {
    const auto [at, fresh] = both->values.emplace(key, value);
    if (fresh) continue;
    // One level deep: what is nested in both may be shared many times over.
    at->second = holds_items(at->second) && holds_items(value) ? Value{} : at->second.joined(value);
  }
  return both;
}

}  // namespace

bool Value::may_be(Atom::Kind kind) const {
  return std::any_of(atoms_.begin(), atoms_.end(), [&](const Atom& atom) { return atom.kind == kind; });
}

Value Value::joined(const Value& other) const {
  if (is_unknown() || other.is_unknown()) return {};
  Value both = *this;
  for (const Atom& atom : other.atoms_) {
    const auto alike = std::find_if(both.atoms_.begin(), both.atoms_.end(),
                                    [&](const Atom& mine) { return differ_in_items(mine, atom); });
    if (alike != both.atoms_.end()) {
      alike->items = merged(alike->items, atom.items);
      continue;
    }
    const bool there =
        std::any_of(both.atoms_.begin(), both.atoms_.end(), [&](const Atom& mine) { return same(mine, atom); });
    if (there) continue;
    if (both.atoms_.size() == kMostAtoms) return {};
    both.atoms_.push_back(atom);
  }
  return both;
}

std::optional<std::string> Value::as_text() const {
  const Atom* atom = single();
  if (atom == nullptr) return std::nullopt;
  if (atom->kind == Atom::Kind::text || atom->kind == Atom::Kind::pattern) return atom->text;
  if (atom->kind == Atom::Kind::number) return std::to_string(atom->number);
  return std::nullopt;
}

namespace {

/// One step of a path from one thing.
Value item_of(const Atom& atom, std::string_view key, bool& missing) {
  // args.device = "cuda" behind parse_args(): no choice of the user's any more.
  if (atom.kind == Atom::Kind::choice) {
    const bool given = atom.items != nullptr && atom.items->values.contains(key);
    return given ? atom.items->values.find(key)->second : Value{kind_value(Atom::Kind::choice)};
  }
  if (atom.kind == Atom::Kind::parameter) {
    Atom item = atom;
    if (!item.key.empty()) item.key += kPathBreak;
    item.key += key;
    return item;
  }
  if (atom.items == nullptr) return {};
  const auto found = atom.items->values.find(key);
  if (found != atom.items->values.end()) return found->second;
  missing = atom.kind == Atom::Kind::dictionary;
  return {};
}

}  // namespace

Value item_of(const Value& whole, std::string_view path, bool& missing) {
  Value at = whole;
  while (!path.empty()) {
    const std::string_view key = path.substr(0, path.find(kPathBreak));
    path.remove_prefix(key.size() == path.size() ? key.size() : key.size() + 1);
    Value next;
    bool first = true;
    for (const Atom& atom : at.atoms()) {
      const Value one = item_of(atom, key, missing);
      next = first ? one : next.joined(one);
      first = false;
    }
    at = std::move(next);
  }
  return at;
}

Value text_value(std::string text, Range literal) {
  return Atom{
      .kind = Atom::Kind::text, .text = std::move(text), .number = 0, .literal = literal, .key = {}, .items = {}};
}
Value number_value(long number, Range literal) {
  return Atom{.kind = Atom::Kind::number, .text = {}, .number = number, .literal = literal, .key = {}, .items = {}};
}
Value kind_value(Atom::Kind kind, std::string text) {
  return Atom{.kind = kind, .text = std::move(text), .number = 0, .literal = {}, .key = {}, .items = {}};
}

}  // namespace weir::audit
