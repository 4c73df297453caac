#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/syntax/tree.hpp"

namespace weir::audit {

// Values of expressions, as far as the audit can compute them without running the program.

struct Items;

/// Returns the key under which a PossibleValue::Kind::call_result stores a constructor argument in its items; `name` is
/// the position or keyword of the argument.
inline std::string constructor_argument_key(std::string_view name) { return '\x04' + std::string{name}; }
/// Separates the keys of a path through nested dictionaries and instances.
inline constexpr char kPathSeparator = '\x02';

/// One possible value of an expression.
struct PossibleValue {
  enum class Kind {
    unknown,  ///< nothing is known
    none,     ///< Python's None
    text,     ///< a known text
    pattern,  ///< a text with unknown parts; `text` has kHole in place of each. With exactly one hole, `items` contains
              ///< the value of the hole
    number,   ///< a known whole number
    boolean,  ///< True or False: `number` is 1 or 0
    runtime_index,         ///< a device number as the CUDA runtime counts: current_device(), range(device_count()), or
                           ///< the rank of a worker on its machine; `text` is the environment variable with the rank
    smi_index,             ///< a device number as nvidia-smi or NVML counts
    environment_variable,  ///< the value of the environment variable `text`
    device_name,           ///< the product name of a device
    user_choice,           ///< a choice of the program's user (command line, input, settings file); `key` identifies it
    parameter,             ///< the parameter `text` of the enclosing function; substitute_parameters() replaces it
    environment_copy,      ///< a dictionary made from os.environ, for another process
    qualified_name,        ///< the imported or built-in object with the full dotted name `text`
    function,  ///< the function of this module with the key `text`; `items` contains its bound arguments, by position
               ///< or name, and its closure, by kClosurePrefix and name
    class_,    ///< the class `text` of this module
    instance,  ///< an instance of the class `text` of this module
    call_result,  ///< the result of calling an imported function or class: `text` is its full dotted name; two
                  ///< results are the same object if their `number` is equal and not 0; `items` contains the arguments
                  ///< of a constructor
    dictionary,   ///< a dictionary whose known entries are `items`
    sequence,     ///< a list or tuple; `items` contains all elements, by position from "0"; `number` is its nesting
                  ///< depth: 1 if no element is a sequence
    device_list,  ///< a list of devices, as from jax.devices()
    symbol,       ///< an unknown value; two occurrences are the same value if their `number` is equal
    memory_counter  ///< a byte count of one device: `text` is "total", "reserved" or "allocated"
  };
  Kind kind = Kind::unknown;
  std::string text{};  ///< see Kind
  long number = 0;     ///< see Kind
  Range literal{};     ///< range of the literal in the code; empty if there is none
  std::string key{};   ///< parameter, user_choice: path to an item or attribute of it; instance: the parameter that
                       ///< contains it (self)
  std::shared_ptr<const Items> items{};  ///< see Kind; also known attributes of an instance or user_choice. Null if
                                         ///< none is known
};

/// The character that replaces an unknown part of a text.
inline constexpr char kHole = '\x01';

/// The set of possible values of an expression: at most kMaxAlternatives alternatives, or unknown, which means any
/// value.
class Value {
 public:
  static constexpr std::size_t kMaxAlternatives = 12;
  Value() = default;
  Value(PossibleValue value) : alternatives_{std::move(value)} {}  // NOLINT(google-explicit-constructor)

  bool is_unknown() const { return alternatives_.empty(); }
  const std::vector<PossibleValue>& alternatives() const { return alternatives_; }
  /// Returns the only alternative; null if there are several, or if the value is unknown. The second overload also
  /// returns null if the alternative has another kind.
  const PossibleValue* single_alternative() const& {
    return alternatives_.size() == 1 ? &alternatives_.front() : nullptr;
  }
  const PossibleValue* single_alternative(PossibleValue::Kind kind) const& {
    return single_alternative() != nullptr && alternatives_.front().kind == kind ? &alternatives_.front() : nullptr;
  }
  const PossibleValue* single_alternative() const&& = delete;  // the pointer would dangle
  const PossibleValue* single_alternative(PossibleValue::Kind kind) const&& = delete;
  /// Returns whether one of the alternatives has this kind.
  bool may_be(PossibleValue::Kind kind) const;
  /// Returns the union of both sets. Alternatives that differ only in their items become one alternative with the items
  /// of both. Unknown if one of the sets is unknown, if the union has more than kMaxAlternatives alternatives, or if
  /// sequences of different lengths would become one alternative.
  Value joined(const Value& other) const;
  /// Returns the text of a single text, number or pattern (with its holes); otherwise nothing.
  std::optional<std::string> as_text() const;
  /// Returns the truth value in Python; nothing if it is not known.
  std::optional<bool> truth_value() const;

 private:
  std::vector<PossibleValue> alternatives_;
};

/// Item key that marks a dictionary as incomplete: it may have further, unknown items.
inline constexpr std::string_view kIncompleteKey = "\x05";
/// Prefix of the item keys that hold parameters of an enclosing function.
inline constexpr std::string_view kClosurePrefix = "\x06";

/// Values by key: the meaning of the keys depends on the kind of the PossibleValue.
struct Items {
  std::map<std::string, Value, std::less<>> values;
};

/// Returns the item or attribute at the end of a path. For a parameter, and for a user's choice whose item the program
/// has not set, the result has the same kind, with the path as its key. Returns unknown if nothing is known about the
/// item. Sets `missing`, which must be false before the call, to true if the item certainly does not exist in a
/// dictionary. If several alternatives lack the item, the last of them decides.
Value item_of(const Value& whole, std::string_view path, bool& missing);

/// Makes a known text.
Value text_value(std::string text, Range literal = {});
/// Makes a text with holes. `filling` is the value of the hole if there is exactly one. If `filling` is a single text
/// or number, it replaces the hole, and the result is a plain text. A text without holes gives a plain text, too.
Value pattern_value(std::string text, const Value& filling, Range literal = {});
/// Replaces each pattern whose only hole has several constants as alternatives by one text per constant. Other
/// alternatives stay.
Value expand_patterns(const Value& value);
/// Returns the value of the only hole of a pattern; unknown for a pattern with several holes and for other kinds.
Value hole_value(const PossibleValue& pattern);
/// Returns whether elements of this value have the same kind as the value itself, and the value also keeps its kind
/// when it is converted to a number or text: an element of the user's choice is still the user's choice.
bool keeps_kind(const PossibleValue& alternative);
/// Makes a known whole number.
Value number_value(long number, Range literal = {});
/// Makes a list; unknown if it has more than 16 elements or more than 8 nested levels.
Value sequence_value(const std::vector<Value>& elements);
/// Returns the elements of a sequence, in order; empty for other kinds.
std::vector<Value> elements_of(const PossibleValue& sequence);
/// Returns the value of an arbitrary element: the union of the elements of a sequence, or `container` itself if
/// keeps_kind() is true for it. Returns unknown for other kinds, and if `container` has several alternatives.
Value any_element(const Value& container);
/// Returns whether the value is a text without holes or a number.
bool is_constant(const PossibleValue& alternative);
/// Applies `make` to each alternative and returns the union of the results; unknown if the value is unknown or one of
/// the alternatives is no constant.
Value map_constants(const Value& value, const std::function<Value(const Value&)>& make);
/// Makes a value with one alternative of this kind and text.
Value value_of_kind(PossibleValue::Kind kind, std::string text = {});

}  // namespace weir::audit
