#include "audit/value.hpp"

#include <algorithm>
#include <utility>

#include "audit/mask.hpp"

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
      const bool lists = atom.kind == Atom::Kind::sequence && alike->items != nullptr && atom.items != nullptr;
      if (lists && alike->items->values.size() != atom.items->values.size()) return {};
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

std::optional<bool> Value::truth() const {
  const Atom* atom = single();
  if (atom == nullptr) return std::nullopt;
  if (atom->kind == Atom::Kind::boolean || atom->kind == Atom::Kind::number) return atom->number != 0;
  if (atom->kind == Atom::Kind::text) return !atom->text.empty();
  if (atom->kind == Atom::Kind::none) return false;
  return std::nullopt;
}

namespace {

/// The item or attribute of something that is known by its path.
Value deeper(const Atom& atom, std::string_view key) {
  constexpr std::size_t kLongestPath = 200;
  if (atom.key.size() + key.size() > kLongestPath) return kind_value(atom.kind);
  Atom item = atom;
  item.items = nullptr;
  if (!item.key.empty()) item.key += kPathBreak;
  item.key += key;
  return item;
}

/// One step of a path from one thing.
Value item_of(const Atom& atom, std::string_view key, bool& missing) {
  // args.device = "cuda" behind parse_args(): no choice of the user's any more.
  if (atom.kind == Atom::Kind::choice) {
    const bool given = atom.items != nullptr && atom.items->values.contains(key);
    if (given) return atom.items->values.find(key)->second;
    return deeper(atom, key);
  }
  if (atom.kind == Atom::Kind::parameter) return deeper(atom, key);
  if (atom.kind == Atom::Kind::text && key == "index" && parse_device(atom.text))
    return kind_value(Atom::Kind::ordinal);
  if (atom.items == nullptr) return {};
  const auto found = atom.items->values.find(key);
  if (found != atom.items->values.end()) return found->second;
  missing = atom.kind == Atom::Kind::dictionary && !atom.items->values.contains(kOpen);
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
Value pattern_value(std::string text, const Value& filling, Range literal) {
  const std::size_t hole = text.find(kHole);
  if (hole == std::string::npos) return text_value(std::move(text), literal);
  Atom pattern{.kind = Atom::Kind::pattern, .text = std::move(text), .literal = literal};
  if (pattern.text.find(kHole, hole + 1) != std::string::npos) return pattern;
  const Atom* one = filling.single();
  if (one != nullptr && (one->kind == Atom::Kind::text || one->kind == Atom::Kind::number)) {
    pattern.text.replace(hole, 1, *filling.as_text());
    return text_value(std::move(pattern.text), one->literal);
  }
  auto items = std::make_shared<Items>();
  items->values.emplace(std::string{kHole}, filling);  // unknown, too: joined with another it stays so
  pattern.items = std::move(items);
  return pattern;
}

Value with_holes_filled(const Value& value) {
  Value all;
  bool first = true;
  for (const Atom& atom : value.atoms()) {
    const Value filling = filling_of(atom);
    Value one{atom};
    const Value each = each_constant(filling, [&](const Value& part) { return pattern_value(atom.text, part); });
    if (!each.is_unknown()) one = each;
    all = first ? one : all.joined(one);
    first = false;
  }
  return all;
}

Value filling_of(const Atom& pattern) {
  if (pattern.kind != Atom::Kind::pattern || pattern.items == nullptr) return {};
  const auto found = pattern.items->values.find(std::string_view{&kHole, 1});
  return found == pattern.items->values.end() ? Value{} : found->second;
}

bool keeps_meaning(const Atom& atom) {
  return atom.kind == Atom::Kind::ordinal || atom.kind == Atom::Kind::device_name ||
         atom.kind == Atom::Kind::environment || atom.kind == Atom::Kind::choice ||
         atom.kind == Atom::Kind::smi_index || atom.kind == Atom::Kind::same || atom.kind == Atom::Kind::parameter ||
         (atom.kind == Atom::Kind::object && atom.number != 0);
}

Value number_value(long number, Range literal) {
  return Atom{.kind = Atom::Kind::number, .text = {}, .number = number, .literal = literal, .key = {}, .items = {}};
}

Value sequence_value(const std::vector<Value>& elements) {
  constexpr std::size_t kLongest = 16;
  constexpr long kDeepest = 8;
  if (elements.size() > kLongest) return {};
  long depth = 1;
  for (const Value& element : elements) {
    for (const Atom& atom : element.atoms())
      if (atom.kind == Atom::Kind::sequence) depth = std::max(depth, atom.number + 1);
  }
  if (depth > kDeepest) return {};
  auto items = std::make_shared<Items>();
  for (std::size_t i = 0; i < elements.size(); ++i) items->values.emplace(std::to_string(i), elements[i]);
  return Atom{.kind = Atom::Kind::sequence, .number = depth, .items = std::move(items)};
}

std::vector<Value> elements_of(const Atom& sequence) {
  std::vector<Value> elements;
  if (sequence.kind != Atom::Kind::sequence || sequence.items == nullptr) return elements;
  const auto& values = sequence.items->values;
  for (auto at = values.find("0"); at != values.end(); at = values.find(std::to_string(elements.size())))
    elements.push_back(at->second);
  return elements;
}

Value any_element(const Value& container) {
  const Atom* atom = container.single();
  if (atom == nullptr) return {};
  if (keeps_meaning(*atom)) return container;
  Value any;
  bool first = true;
  for (const Value& element : elements_of(*atom)) {
    any = first ? element : any.joined(element);
    first = false;
  }
  return any;
}

bool is_constant(const Atom& atom) { return atom.kind == Atom::Kind::text || atom.kind == Atom::Kind::number; }

Value each_constant(const Value& value, const std::function<Value(const Value&)>& make) {
  Value all;
  bool first = true;
  for (const Atom& atom : value.atoms()) {
    if (!is_constant(atom)) return {};
    const Value one = make(atom);
    all = first ? one : all.joined(one);
    first = false;
  }
  return all;
}

Value kind_value(Atom::Kind kind, std::string text) {
  return Atom{.kind = kind, .text = std::move(text), .number = 0, .literal = {}, .key = {}, .items = {}};
}

}  // namespace weir::audit
