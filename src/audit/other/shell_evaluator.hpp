#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/syntax/tree.hpp"
#include "audit/value.hpp"

namespace weir::audit {

/// The variables that a piece of a shell script changes.
struct ShellVariables {
  std::set<std::string, std::less<>> names{};
  bool includes_all = false;  ///< the code may change any variable, because it runs unknown code
};

/// The values of the variables of a script at one point.
struct ShellState {
  std::map<std::string, Value, std::less<>> values{};
  bool all_unknown = false;  ///< a variable that is not in `values` may have any value
  bool in_function = false;  ///< the point is in a function: a variable that is not in `values` is a parameter of it
};

/// Returns the state after two alternative paths, which end in the states `a` and `b`.
ShellState joined(const ShellState& a, const ShellState& b);

/// Computes the values of the words of a shell script. It follows constants through variables, arrays, loops and, as
/// parameters, into functions.
class ShellEvaluator {
 public:
  explicit ShellEvaluator(std::string_view text) : text_{text} {}

  ShellState state{};  ///< the state at the current point of the script
  /// The default values of the parameters of the current function, by number, from expansions such as ${1:-0}.
  std::map<std::string, Value, std::less<>> defaults{};

  /// Returns the value of a variable. A variable that the script has not set is a parameter within a function, and the
  /// user's choice elsewhere; it is unknown if ShellState::all_unknown.
  Value lookup(std::string_view name) const;
  /// Stores the value of a variable in `state`. From the 257th variable on, variables without a stored value become
  /// unknown instead.
  void set(std::string_view name, const Value& value);
  /// Makes these variables unknown.
  void forget(const ShellVariables& written);

  /// Returns the value of a word: a text without quotes, in which the character kHole stands for each unknown part. A
  /// word that consists of one expansion ($A) has the value of the expansion.
  Value evaluate_word(Node word);
  /// Returns the sequence of values that some words expand to; one word can become several, as an array, {0..3},
  /// $(seq 3) or a text with blanks. Unknown if the number of values is unknown.
  Value expand_words(const std::vector<Node>& words);

 private:
  Value expansion(std::string_view inside);
  std::vector<Value> split(Node word, bool& known);

  std::string_view text_;

  friend class ShellWordParts;
};

}  // namespace weir::audit
