#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/syntax/tree.hpp"
#include "audit/value.hpp"

namespace weir::audit {

/// Names of variables that some code gives other values.
struct ShellVariables {
  std::set<std::string, std::less<>> names{};
  bool includes_all = false;  ///< any of them: it runs what is not read here
};

/// What the variables of a script hold at one place.
struct ShellState {
  std::map<std::string, Value, std::less<>> values{};
  bool all_unknown = false;  ///< anything may have been set
  bool in_function = false;  ///< what is not known is a parameter: the caller knows it
};

/// On one way or the other.
ShellState joined(const ShellState& a, const ShellState& b);

/// The words of a script as values: constants go through variables, arrays, loops and, as parameters, into functions.
class ShellEvaluator {
 public:
  explicit ShellEvaluator(std::string_view text) : text_{text} {}

  ShellState state{};
  /// What a function takes for parameters that are not given, as its words say: ${1:-0}.
  std::map<std::string, Value, std::less<>> defaults{};

  /// What the variable holds; of a function one that nothing has set is a parameter, of a script the user's choice.
  Value lookup(std::string_view name) const;
  void set(std::string_view name, const Value& value);
  void forget(const ShellVariables& written);

  /// The word as one text, without quotes. Unknown parts are holes; one part alone is what it stands for.
  Value evaluate_word(Node word);
  /// The words that some words become, as a sequence: arrays, {0..3}, $(seq 3), a text with blanks. Unknown if one of them is.
  Value expand_words(const std::vector<Node>& words);

 private:
  Value expansion(std::string_view inside);
  std::vector<Value> split(Node word, bool& known);

  std::string_view text_;

  friend class ShellWordParts;
};

}  // namespace weir::audit
