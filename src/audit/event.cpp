#include "audit/event.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace weir::audit {

const Argument* find_argument(const std::vector<Argument>& args, int position, std::string_view keyword) {
  int index = 0;
  for (const Argument& arg : args) {
    if (!keyword.empty() && arg.keyword == keyword) return &arg;
    if (arg.keyword.empty() && index++ == position) return &arg;
  }
  return nullptr;
}

namespace {

/// What a caller hands on as a whole; null if nothing.
const Argument* handed_on(const std::vector<Argument>& args, std::string_view keyword) {
  const auto found =
      std::find_if(args.begin(), args.end(), [&](const Argument& arg) { return arg.keyword == keyword; });
  return found == args.end() ? nullptr : &*found;
}

bool is_own_keyword(std::string_view keyword, const Function& callee) {
  return keyword.empty() || keyword == kSelf || keyword == kList || keyword == kDictionary ||
         keyword.starts_with(kClosure) ||
         std::find(callee.parameters.begin(), callee.parameters.end(), keyword) != callee.parameters.end();
}

/// The dictionary that **kwargs is.
Value further_keywords(const Function& callee, const std::vector<Argument>& args) {
  auto items = std::make_shared<Items>();
  if (const Argument* whole = handed_on(args, kDictionary)) {
    const Atom* dictionary = whole->value.single(Atom::Kind::dictionary);
    if (dictionary == nullptr || dictionary->items == nullptr)
      items->values.emplace(kOpen, Value{});
    else
      *items = *dictionary->items;
    for (const std::string& parameter : callee.parameters) items->values.erase(parameter);
  }
  for (const Argument& arg : args)
    if (!is_own_keyword(arg.keyword, callee)) items->values.insert_or_assign(arg.keyword, arg.value);
  return Atom{.kind = Atom::Kind::dictionary, .items = std::move(items)};
}

/// The list that *args is, from a position on.
Value further_positions(const std::vector<Argument>& args, std::size_t from) {
  std::vector<Value> rest;
  std::size_t position = 0;
  for (const Argument& arg : args)
    if (arg.keyword.empty() && position++ >= from) rest.push_back(arg.value);
  if (const Argument* whole = handed_on(args, kList)) {
    const Atom* list = whole->value.single(Atom::Kind::sequence);
    if (list == nullptr || position < from) return {};
    for (const Value& element : elements_of(*list)) rest.push_back(element);
  }
  return sequence_value(rest);
}

/// What is handed on as a whole holds it, or may hold it; nothing if it does not.
std::optional<Value> within_handed_on(const std::vector<Argument>& args, const std::string& name, int position) {
  if (const Argument* whole = handed_on(args, kList); whole != nullptr && position >= 0) {
    const auto before =
        std::count_if(args.begin(), args.end(), [](const Argument& arg) { return arg.keyword.empty(); });
    const Atom* list = whole->value.single(Atom::Kind::sequence);
    if (list == nullptr) return Value{};
    const auto all = elements_of(*list);
    if (position - before < static_cast<long>(all.size())) return all[static_cast<std::size_t>(position - before)];
  }
  const Argument* whole = handed_on(args, kDictionary);
  if (whole == nullptr) return std::nullopt;
  const Atom* dictionary = whole->value.single(Atom::Kind::dictionary);
  if (dictionary == nullptr) return Value{};
  bool missing = false;
  Value item = item_of(whole->value, name, missing);
  if (missing) return std::nullopt;
  return item;
}

/// What the caller gave for a parameter, or its default. The instance of a method comes under a keyword of its own.
Value given_for(const Atom& parameter, const Function& callee, const std::vector<Argument>& args) {
  const auto at = std::find(callee.parameters.begin(), callee.parameters.end(), parameter.text);
  if (at == callee.parameters.end()) return value_of(args, -1, std::string{kClosure} + parameter.text);
  const auto index = static_cast<std::size_t>(at - callee.parameters.begin());
  if (callee.is_method && index == 0) return value_of(args, -1, kSelf);
  const std::size_t place = index - (callee.is_method ? 1 : 0);
  if (parameter.text == callee.keywords) return further_keywords(callee, args);
  if (parameter.text == callee.rest) return further_positions(args, place);
  const int position = index < callee.positional ? static_cast<int>(place) : -1;
  if (const Argument* arg = find_argument(args, position, parameter.text)) return arg->value;
  if (const auto value = within_handed_on(args, parameter.text, position)) return *value;
  return callee.defaults[index];
}

bool may_hold_parameters(const Atom& atom) {
  return atom.kind == Atom::Kind::parameter || atom.kind == Atom::Kind::pattern || atom.kind == Atom::Kind::function ||
         ((atom.kind == Atom::Kind::object || atom.kind == Atom::Kind::sequence ||
           atom.kind == Atom::Kind::dictionary) &&
          atom.items != nullptr);
}

Value substituted_within(const Value& value, const Function& callee, const std::vector<Argument>& args, int depth);

/// An object whose constructor was given parameters, a list that holds some.
Value with_items_substituted(const Atom& object, const Function& callee, const std::vector<Argument>& args, int depth) {
  auto items = std::make_shared<Items>();
  for (const auto& [key, value] : object.items->values)
    items->values.emplace(key, substituted_within(value, callee, args, depth + 1));
  Atom made = object;
  made.items = std::move(items);
  return made;
}

/// A function of the callee's own, which sees what the callee was given.
Value with_closure(const Atom& function, const Function& callee, const std::vector<Argument>& args) {
  auto items = std::make_shared<Items>();
  for (const std::string& name : callee.parameters)
    items->values.emplace(std::string{kClosure} + name,
                          given_for(Atom{.kind = Atom::Kind::parameter, .text = name}, callee, args));
  Atom made = function;
  made.items = std::move(items);
  return made;
}

Value substituted_within(const Value& value, const Function& callee, const std::vector<Argument>& args, int depth) {
  constexpr int kDeepest = 3;
  const auto& parts = value.atoms();
  if (std::none_of(parts.begin(), parts.end(), may_hold_parameters)) return value;
  Value result;
  bool first = true;
  for (const Atom& atom : value.atoms()) {
    Value one{atom};
    bool missing = false;
    if (atom.kind == Atom::Kind::parameter) {
      one = given_for(atom, callee, args);
      const bool dictionary = !atom.key.empty() && one.single(Atom::Kind::dictionary) != nullptr;
      if (!atom.key.empty()) one = item_of(one, atom.key, missing);
      // A key that is there: what else it may be was the default of get().
      if (dictionary && !missing) return one;
    } else if (atom.kind == Atom::Kind::pattern) {
      if (filling_of(atom).may_be(Atom::Kind::parameter))
        one = pattern_value(atom.text, substituted_within(filling_of(atom), callee, args, depth), atom.literal);
    } else if (atom.kind == Atom::Kind::function && atom.items == nullptr) {
      if (atom.text.starts_with(callee.key + '.') && !callee.key.empty()) one = with_closure(atom, callee, args);
    } else if (may_hold_parameters(atom)) {
      one = depth < kDeepest ? with_items_substituted(atom, callee, args, depth) : Value{};
    }
    // A key that is not there leaves what else it may be: the default of get().
    if (missing && value.atoms().size() > 1) continue;
    result = first ? one : result.joined(one);
    first = false;
  }
  return result;
}

}  // namespace

std::vector<Argument> with_bound(const Atom& function, const std::vector<Argument>& args) {
  if (function.items == nullptr) return args;
  std::vector<Argument> all;
  const auto& bound = function.items->values;
  std::size_t position = 0;
  for (auto at = bound.find("0"); at != bound.end(); at = bound.find(std::to_string(++position)))
    all.push_back({{}, at->second});
  all.insert(all.end(), args.begin(), args.end());
  for (const auto& [key, value] : bound) {
    const bool by_position = key[0] >= '0' && key[0] <= '9';
    if (!by_position && handed_on(args, key) == nullptr) all.push_back({key, value});
  }
  return all;
}

Value substituted(const Value& value, const Function& callee, const std::vector<Argument>& args) {
  return substituted_within(value, callee, args, 0);
}

Value value_of(const std::vector<Argument>& args, int position, std::string_view keyword) {
  const Argument* arg = find_argument(args, position, keyword);
  return arg == nullptr ? Value{} : arg->value;
}

}  // namespace weir::audit
