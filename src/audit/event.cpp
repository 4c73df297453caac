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

/// Returns the argument with exactly this keyword, such as kListKeyword; null if there is none.
const Argument* argument_with_keyword(const std::vector<Argument>& args, std::string_view keyword) {
  const auto found =
      std::find_if(args.begin(), args.end(), [&](const Argument& arg) { return arg.keyword == keyword; });
  return found == args.end() ? nullptr : &*found;
}

/// Returns whether the keyword is no entry of **kwargs: it is empty, internal, or a parameter of the callee.
bool is_own_keyword(std::string_view keyword, const Function& callee) {
  return keyword.empty() || keyword == kSelf || keyword == kListKeyword || keyword == kDictionaryKeyword ||
         keyword.starts_with(kClosurePrefix) ||
         std::find(callee.parameters.begin(), callee.parameters.end(), keyword) != callee.parameters.end();
}

/// Returns the dictionary that the callee's **kwargs parameter gets.
Value kwargs_dictionary(const Function& callee, const std::vector<Argument>& args) {
  auto items = std::make_shared<Items>();
  if (const Argument* whole = argument_with_keyword(args, kDictionaryKeyword)) {
    const PossibleValue* dictionary = whole->value.single_alternative(PossibleValue::Kind::dictionary);
    if (dictionary == nullptr || dictionary->items == nullptr)
      items->values.emplace(kIncompleteKey, Value{});
    else
      *items = *dictionary->items;
    for (const std::string& parameter : callee.parameters) items->values.erase(parameter);
  }
  for (const Argument& arg : args)
    if (!is_own_keyword(arg.keyword, callee)) items->values.insert_or_assign(arg.keyword, arg.value);
  return PossibleValue{.kind = PossibleValue::Kind::dictionary, .items = std::move(items)};
}

/// Returns the list that the *args parameter gets: the positional arguments from a position on.
Value args_list(const std::vector<Argument>& args, std::size_t from) {
  std::vector<Value> rest;
  std::size_t position = 0;
  for (const Argument& arg : args)
    if (arg.keyword.empty() && position++ >= from) rest.push_back(arg.value);
  if (const Argument* whole = argument_with_keyword(args, kListKeyword)) {
    const PossibleValue* list = whole->value.single_alternative(PossibleValue::Kind::sequence);
    if (list == nullptr || position < from) return {};
    for (const Value& element : elements_of(*list)) rest.push_back(element);
  }
  return sequence_value(rest);
}

/// Returns the value that an unpacked argument (*list or **dictionary) gives to the parameter; unknown if this is not
/// certain. Returns nothing if no unpacked argument contains the parameter.
std::optional<Value> value_in_unpacked(const std::vector<Argument>& args, const std::string& parameter, int position) {
  if (const Argument* whole = argument_with_keyword(args, kListKeyword); whole != nullptr && position >= 0) {
    const auto before =
        std::count_if(args.begin(), args.end(), [](const Argument& arg) { return arg.keyword.empty(); });
    const PossibleValue* list = whole->value.single_alternative(PossibleValue::Kind::sequence);
    if (list == nullptr) return Value{};
    const auto elements = elements_of(*list);
    if (position - before < static_cast<long>(elements.size()))
      return elements[static_cast<std::size_t>(position - before)];
  }
  const Argument* whole = argument_with_keyword(args, kDictionaryKeyword);
  if (whole == nullptr) return std::nullopt;
  const PossibleValue* dictionary = whole->value.single_alternative(PossibleValue::Kind::dictionary);
  if (dictionary == nullptr) return Value{};
  bool missing = false;
  Value item = item_of(whole->value, parameter, missing);
  if (missing) return std::nullopt;
  return item;
}

/// Returns the caller's argument for a parameter, or the parameter's default. The instance of a method is the argument
/// with the keyword kSelf.
Value parameter_value(const PossibleValue& parameter, const Function& callee, const std::vector<Argument>& args) {
  const auto at = std::find(callee.parameters.begin(), callee.parameters.end(), parameter.text);
  if (at == callee.parameters.end()) return argument_value(args, -1, std::string{kClosurePrefix} + parameter.text);
  const auto index = static_cast<std::size_t>(at - callee.parameters.begin());
  if (callee.is_method && index == 0) return argument_value(args, -1, kSelf);
  const std::size_t place = index - (callee.is_method ? 1 : 0);  // position without the instance
  if (parameter.text == callee.kwargs_parameter) return kwargs_dictionary(callee, args);
  if (parameter.text == callee.args_parameter) return args_list(args, place);
  const int position = index < callee.positional_count ? static_cast<int>(place) : -1;
  if (const Argument* arg = find_argument(args, position, parameter.text)) return arg->value;
  if (const auto value = value_in_unpacked(args, parameter.text, position)) return *value;
  return callee.defaults[index];
}

bool may_hold_parameters(const PossibleValue& alternative) {
  return alternative.kind == PossibleValue::Kind::parameter || alternative.kind == PossibleValue::Kind::pattern ||
         alternative.kind == PossibleValue::Kind::function ||
         ((alternative.kind == PossibleValue::Kind::call_result || alternative.kind == PossibleValue::Kind::sequence ||
           alternative.kind == PossibleValue::Kind::dictionary) &&
          alternative.items != nullptr);
}

Value substitute_nested(const Value& value, const Function& callee, const std::vector<Argument>& args, int depth);

/// Replaces the parameters in the items of a list, a dictionary or a constructor's arguments.
Value substitute_items(const PossibleValue& object, const Function& callee, const std::vector<Argument>& args,
                       int depth) {
  auto items = std::make_shared<Items>();
  for (const auto& [key, value] : object.items->values)
    items->values.emplace(key, substitute_nested(value, callee, args, depth + 1));
  PossibleValue made = object;
  made.items = std::move(items);
  return made;
}

/// Binds a function defined inside the callee to the callee's arguments.
Value bind_closure(const PossibleValue& function, const Function& callee, const std::vector<Argument>& args) {
  auto items = std::make_shared<Items>();
  for (const std::string& name : callee.parameters)
    items->values.emplace(
        std::string{kClosurePrefix} + name,
        parameter_value(PossibleValue{.kind = PossibleValue::Kind::parameter, .text = name}, callee, args));
  PossibleValue made = function;
  made.items = std::move(items);
  return made;
}

Value substitute_nested(const Value& value, const Function& callee, const std::vector<Argument>& args, int depth) {
  constexpr int kMaxNesting = 3;
  const auto& parts = value.alternatives();
  if (std::none_of(parts.begin(), parts.end(), may_hold_parameters)) return value;
  Value result;
  bool first = true;
  for (const PossibleValue& alternative : value.alternatives()) {
    Value one{alternative};
    bool missing = false;
    if (alternative.kind == PossibleValue::Kind::parameter) {
      one = parameter_value(alternative, callee, args);
      const bool is_dictionary =
          !alternative.key.empty() && one.single_alternative(PossibleValue::Kind::dictionary) != nullptr;
      if (!alternative.key.empty()) one = item_of(one, alternative.key, missing);
      // The key exists, so the alternatives (the default of get()) do not apply.
      if (is_dictionary && !missing) return one;
    } else if (alternative.kind == PossibleValue::Kind::pattern) {
      if (hole_value(alternative).may_be(PossibleValue::Kind::parameter))
        one = pattern_value(alternative.text, substitute_nested(hole_value(alternative), callee, args, depth),
                            alternative.literal);
    } else if (alternative.kind == PossibleValue::Kind::function && alternative.items == nullptr) {
      if (alternative.text.starts_with(callee.key + '.') && !callee.key.empty())
        one = bind_closure(alternative, callee, args);
    } else if (may_hold_parameters(alternative)) {
      one = depth < kMaxNesting ? substitute_items(alternative, callee, args, depth) : Value{};
    }
    // The key does not exist, so the alternatives (the default of get()) apply.
    if (missing && value.alternatives().size() > 1) continue;
    result = first ? one : result.joined(one);
    first = false;
  }
  return result;
}

}  // namespace

std::vector<Argument> add_bound_arguments(const PossibleValue& function, const std::vector<Argument>& args) {
  if (function.items == nullptr) return args;
  std::vector<Argument> all;
  const auto& bound = function.items->values;
  std::size_t position = 0;
  for (auto at = bound.find("0"); at != bound.end(); at = bound.find(std::to_string(++position)))
    all.push_back({{}, at->second});
  all.insert(all.end(), args.begin(), args.end());
  for (const auto& [key, value] : bound) {
    const bool by_position = key[0] >= '0' && key[0] <= '9';
    if (!by_position && argument_with_keyword(args, key) == nullptr) all.push_back({key, value});
  }
  return all;
}

Value substitute_parameters(const Value& value, const Function& callee, const std::vector<Argument>& args) {
  return substitute_nested(value, callee, args, 0);
}

Value argument_value(const std::vector<Argument>& args, int position, std::string_view keyword) {
  const Argument* arg = find_argument(args, position, keyword);
  return arg == nullptr ? Value{} : arg->value;
}

}  // namespace weir::audit
