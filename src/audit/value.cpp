#include "audit/value.hpp"

#include <algorithm>
#include <utility>

#include "audit/mask.hpp"

namespace weir::audit {
namespace {

bool is_same(const PossibleValue& a, const PossibleValue& b) {
  return a.kind == b.kind && a.text == b.text && a.number == b.number && a.key == b.key && a.items == b.items;
}

/// Returns whether the items are the only difference between the two; the ranges of literals are not compared.
bool differ_in_items(const PossibleValue& a, const PossibleValue& b) {
  return a.kind == b.kind && a.text == b.text && a.number == b.number && a.key == b.key && a.items != b.items;
}

/// Returns the items that a dictionary or an instance may have if it has those of `a` or those of `b`.
std::shared_ptr<const Items> merge_items(const std::shared_ptr<const Items>& a, const std::shared_ptr<const Items>& b) {
  if (a == nullptr || b == nullptr) return a == nullptr ? b : a;
  auto both = std::make_shared<Items>(*a);
  const auto holds_items = [](const Value& value) {
    return std::any_of(value.alternatives().begin(), value.alternatives().end(),
                       [](const PossibleValue& alternative) { return alternative.items != nullptr; });
  };
  for (const auto& [key, value] : b->values) {
    const auto [at, inserted] = both->values.emplace(key, value);
    if (inserted) continue;
    // Items within items are not merged, because they may be shared many times; their union is unknown.
    at->second = holds_items(at->second) && holds_items(value) ? Value{} : at->second.joined(value);
  }
  return both;
}

}  // namespace

bool Value::may_be(PossibleValue::Kind kind) const {
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const PossibleValue& alternative) { return alternative.kind == kind; });
}

Value Value::joined(const Value& other) const {
  if (is_unknown() || other.is_unknown()) return {};
  Value both = *this;
  for (const PossibleValue& alternative : other.alternatives_) {
    const auto similar = std::find_if(both.alternatives_.begin(), both.alternatives_.end(),
                                      [&](const PossibleValue& mine) { return differ_in_items(mine, alternative); });
    if (similar != both.alternatives_.end()) {
      const bool are_lists = alternative.kind == PossibleValue::Kind::sequence && similar->items != nullptr &&
                             alternative.items != nullptr;
      if (are_lists && similar->items->values.size() != alternative.items->values.size()) return {};
      similar->items = merge_items(similar->items, alternative.items);
      continue;
    }
    const bool is_contained = std::any_of(both.alternatives_.begin(), both.alternatives_.end(),
                                          [&](const PossibleValue& mine) { return is_same(mine, alternative); });
    if (is_contained) continue;
    if (both.alternatives_.size() == kMaxAlternatives) return {};
    both.alternatives_.push_back(alternative);
  }
  return both;
}

std::optional<std::string> Value::as_text() const {
  const PossibleValue* alternative = single_alternative();
  if (alternative == nullptr) return std::nullopt;
  if (alternative->kind == PossibleValue::Kind::text || alternative->kind == PossibleValue::Kind::pattern)
    return alternative->text;
  if (alternative->kind == PossibleValue::Kind::number) return std::to_string(alternative->number);
  return std::nullopt;
}

std::optional<bool> Value::truth_value() const {
  const PossibleValue* alternative = single_alternative();
  if (alternative == nullptr) return std::nullopt;
  if (alternative->kind == PossibleValue::Kind::boolean || alternative->kind == PossibleValue::Kind::number)
    return alternative->number != 0;
  if (alternative->kind == PossibleValue::Kind::text) return !alternative->text.empty();
  if (alternative->kind == PossibleValue::Kind::none) return false;
  return std::nullopt;
}

namespace {

/// Returns an item of a value whose items are identified by their path alone: the value with the key appended to its
/// path.
Value item_by_path(const PossibleValue& alternative, std::string_view key) {
  constexpr std::size_t kLongestPath = 200;
  if (alternative.key.size() + key.size() > kLongestPath) return value_of_kind(alternative.kind);
  PossibleValue item = alternative;
  item.items = nullptr;
  if (!item.key.empty()) item.key += kPathSeparator;
  item.key += key;
  return item;
}

/// Returns the item with this key of one alternative.
Value item_of(const PossibleValue& alternative, std::string_view key, bool& missing) {
  // After args.device = "cuda" the item is a constant instead of the user's choice.
  if (alternative.kind == PossibleValue::Kind::user_choice) {
    const bool overwritten = alternative.items != nullptr && alternative.items->values.contains(key);
    if (overwritten) return alternative.items->values.find(key)->second;
    return item_by_path(alternative, key);
  }
  if (alternative.kind == PossibleValue::Kind::parameter) return item_by_path(alternative, key);
  if (alternative.kind == PossibleValue::Kind::text && key == "index" && parse_device(alternative.text))
    return value_of_kind(PossibleValue::Kind::runtime_index);
  if (alternative.items == nullptr) return {};
  const auto found = alternative.items->values.find(key);
  if (found != alternative.items->values.end()) return found->second;
  missing = alternative.kind == PossibleValue::Kind::dictionary && !alternative.items->values.contains(kIncompleteKey);
  return {};
}

}  // namespace

Value item_of(const Value& whole, std::string_view path, bool& missing) {
  Value at = whole;
  while (!path.empty()) {
    const std::string_view key = path.substr(0, path.find(kPathSeparator));
    path.remove_prefix(key.size() == path.size() ? key.size() : key.size() + 1);
    Value next;
    bool first = true;
    for (const PossibleValue& alternative : at.alternatives()) {
      const Value one = item_of(alternative, key, missing);
      next = first ? one : next.joined(one);
      first = false;
    }
    at = std::move(next);
  }
  return at;
}

Value text_value(std::string text, Range literal) {
  return PossibleValue{.kind = PossibleValue::Kind::text,
                       .text = std::move(text),
                       .number = 0,
                       .literal = literal,
                       .key = {},
                       .items = {}};
}
Value pattern_value(std::string text, const Value& filling, Range literal) {
  const std::size_t hole = text.find(kHole);
  if (hole == std::string::npos) return text_value(std::move(text), literal);
  PossibleValue pattern{.kind = PossibleValue::Kind::pattern, .text = std::move(text), .literal = literal};
  if (pattern.text.find(kHole, hole + 1) != std::string::npos) return pattern;
  const PossibleValue* one = filling.single_alternative();
  if (one != nullptr && (one->kind == PossibleValue::Kind::text || one->kind == PossibleValue::Kind::number)) {
    pattern.text.replace(hole, 1, *filling.as_text());
    return text_value(std::move(pattern.text), one->literal);
  }
  auto items = std::make_shared<Items>();
  items->values.emplace(std::string{kHole}, filling);  // stored even if unknown, so that a union with it stays unknown
  pattern.items = std::move(items);
  return pattern;
}

Value expand_patterns(const Value& value) {
  Value all;
  bool first = true;
  for (const PossibleValue& alternative : value.alternatives()) {
    const Value filling = hole_value(alternative);
    Value one{alternative};
    const Value each = map_constants(filling, [&](const Value& part) { return pattern_value(alternative.text, part); });
    if (!each.is_unknown()) one = each;
    all = first ? one : all.joined(one);
    first = false;
  }
  return all;
}

Value hole_value(const PossibleValue& pattern) {
  if (pattern.kind != PossibleValue::Kind::pattern || pattern.items == nullptr) return {};
  const auto found = pattern.items->values.find(std::string_view{&kHole, 1});
  return found == pattern.items->values.end() ? Value{} : found->second;
}

bool keeps_kind(const PossibleValue& alternative) {
  return alternative.kind == PossibleValue::Kind::runtime_index ||
         alternative.kind == PossibleValue::Kind::device_name ||
         alternative.kind == PossibleValue::Kind::environment_variable ||
         alternative.kind == PossibleValue::Kind::user_choice || alternative.kind == PossibleValue::Kind::smi_index ||
         alternative.kind == PossibleValue::Kind::symbol || alternative.kind == PossibleValue::Kind::parameter ||
         (alternative.kind == PossibleValue::Kind::call_result && alternative.number != 0);
}

Value number_value(long number, Range literal) {
  return PossibleValue{
      .kind = PossibleValue::Kind::number, .text = {}, .number = number, .literal = literal, .key = {}, .items = {}};
}

Value sequence_value(const std::vector<Value>& elements) {
  constexpr std::size_t kMaxLength = 16;
  constexpr long kMaxNesting = 8;
  if (elements.size() > kMaxLength) return {};
  long depth = 1;
  for (const Value& element : elements) {
    for (const PossibleValue& alternative : element.alternatives())
      if (alternative.kind == PossibleValue::Kind::sequence) depth = std::max(depth, alternative.number + 1);
  }
  if (depth > kMaxNesting) return {};
  auto items = std::make_shared<Items>();
  for (std::size_t i = 0; i < elements.size(); ++i) items->values.emplace(std::to_string(i), elements[i]);
  return PossibleValue{.kind = PossibleValue::Kind::sequence, .number = depth, .items = std::move(items)};
}

std::vector<Value> elements_of(const PossibleValue& sequence) {
  std::vector<Value> elements;
  if (sequence.kind != PossibleValue::Kind::sequence || sequence.items == nullptr) return elements;
  const auto& values = sequence.items->values;
  for (auto at = values.find("0"); at != values.end(); at = values.find(std::to_string(elements.size())))
    elements.push_back(at->second);
  return elements;
}

Value any_element(const Value& container) {
  const PossibleValue* alternative = container.single_alternative();
  if (alternative == nullptr) return {};
  if (keeps_kind(*alternative)) return container;
  Value any;
  bool first = true;
  for (const Value& element : elements_of(*alternative)) {
    any = first ? element : any.joined(element);
    first = false;
  }
  return any;
}

bool is_constant(const PossibleValue& alternative) {
  return alternative.kind == PossibleValue::Kind::text || alternative.kind == PossibleValue::Kind::number;
}

Value map_constants(const Value& value, const std::function<Value(const Value&)>& make) {
  Value all;
  bool first = true;
  for (const PossibleValue& alternative : value.alternatives()) {
    if (!is_constant(alternative)) return {};
    const Value one = make(alternative);
    all = first ? one : all.joined(one);
    first = false;
  }
  return all;
}

Value value_of_kind(PossibleValue::Kind kind, std::string text) {
  return PossibleValue{.kind = kind, .text = std::move(text), .number = 0, .literal = {}, .key = {}, .items = {}};
}

}  // namespace weir::audit
