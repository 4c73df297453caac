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

Value substituted(const Value& value, const Function& callee, const std::vector<Argument>& args) {
  if (!value.may_be(Atom::Kind::parameter)) return value;
  Value result;
  bool first = true;
  for (const Atom& atom : value.atoms()) {
    Value one{atom};
    if (atom.kind == Atom::Kind::parameter) {
      const auto at = std::find(callee.parameters.begin(), callee.parameters.end(), atom.text);
      one = {};
      if (at != callee.parameters.end()) {
        const auto index = static_cast<std::size_t>(at - callee.parameters.begin());
        const int position = static_cast<int>(index) - (callee.is_method ? 1 : 0);
        const Argument* arg = find_argument(args, position, atom.text);
        one = arg != nullptr ? arg->value : callee.defaults[index];
      }
    }
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
