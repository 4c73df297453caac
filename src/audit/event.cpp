#include "audit/event.hpp"

#include <algorithm>

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

/// What the caller gave for a parameter, or its default. The instance of a method comes under a keyword of its own.
Value given_for(const Atom& parameter, const Function& callee, const std::vector<Argument>& args) {
  const auto at = std::find(callee.parameters.begin(), callee.parameters.end(), parameter.text);
  if (at == callee.parameters.end()) return {};
  const auto index = static_cast<std::size_t>(at - callee.parameters.begin());
  if (callee.is_method && index == 0) return value_of(args, -1, kSelf);
  const int position = static_cast<int>(index) - (callee.is_method ? 1 : 0);
  const Argument* arg = find_argument(args, position, parameter.text);
  return arg != nullptr ? arg->value : callee.defaults[index];
}

}  // namespace

Value substituted(const Value& value, const Function& callee, const std::vector<Argument>& args) {
  if (!value.may_be(Atom::Kind::parameter)) return value;
  Value result;
  bool first = true;
  for (const Atom& atom : value.atoms()) {
    Value one{atom};
    bool missing = false;
    if (atom.kind == Atom::Kind::parameter) {
      one = given_for(atom, callee, args);
      if (!atom.key.empty()) one = item_of(one, atom.key, missing);
    }
    // A key that is not there leaves what else it may be: the default of get().
    if (missing && value.atoms().size() > 1) continue;
    result = first ? one : result.joined(one);
    first = false;
  }
  return result;
}

Value value_of(const std::vector<Argument>& args, int position, std::string_view keyword) {
  const Argument* arg = find_argument(args, position, keyword);
  return arg == nullptr ? Value{} : arg->value;
}

}  // namespace weir::audit
