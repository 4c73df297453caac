#include "audit/value.hpp"

#include <algorithm>

namespace weir::audit {
namespace {

bool same(const Atom& a, const Atom& b) { return a.kind == b.kind && a.text == b.text && a.number == b.number; }

}  // namespace

bool Value::may_be(Atom::Kind kind) const {
  return std::any_of(atoms_.begin(), atoms_.end(), [&](const Atom& atom) { return atom.kind == kind; });
}

Value Value::joined(const Value& other) const {
  if (is_unknown() || other.is_unknown()) return {};
  Value both = *this;
  for (const Atom& atom : other.atoms_) {
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

Value text_value(std::string text, Range literal) {
  return Atom{.kind = Atom::Kind::text, .text = std::move(text), .number = 0, .literal = literal};
}
Value number_value(long number, Range literal) {
  return Atom{.kind = Atom::Kind::number, .text = {}, .number = number, .literal = literal};
}
Value kind_value(Atom::Kind kind, std::string text) {
  return Atom{.kind = kind, .text = std::move(text), .number = 0, .literal = {}};
}

}  // namespace weir::audit
