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

struct Items;

/// Among the items of an object that another module's class made: what its constructor was given, by position or name.
inline std::string constructor_argument_key(std::string_view name) { return '\x04' + std::string{name}; }
/// Between the keys of a path into dictionaries and instances.
inline constexpr char kPathSeparator = '\x02';

/// One thing that an expression may be.
struct PossibleValue {
  enum class Kind {
    unknown,
    none,           ///< Python's None
    text,           ///< a known text
    pattern,        ///< a text with holes, each written as kHole; of one alone, `items` says what fills it
    number,         ///< a known whole number
    boolean,        ///< True or False: `number` is 1 or 0
    runtime_index,  ///< a device number as the CUDA runtime counts: current_device(), range(device_count()), a local rank
    smi_index,      ///< a device number as nvidia-smi or NVML counts
    environment_variable,  ///< the value of the variable `text`
    device_name,           ///< the product name of a device
    user_choice,       ///< what the user of the program chose: command line, input, a settings file; `key` says which
    parameter,         ///< of the enclosing function, by name; replaced by the argument where the call is known
    environment_copy,  ///< a dictionary made from os.environ, for another process
    qualified_name,    ///< something imported or built in, by its full dotted name
    function,     ///< of this module, by key; `items` says what it is bound to: arguments by position or name, closures
    class_,       ///< of this module, by name
    instance,     ///< of that class
    call_result,  ///< what a call of an imported function or class gave; `text` is its full dotted name, `number` tells
                  ///< two results of a function apart (0: not told), `items` holds what a class was given
    dictionary,   ///< of which `items` are known
    sequence,     ///< a list or a tuple; `items` by position, from "0" on, all of them; `number` is how deep it is
    device_list,  ///< a list of devices, as from jax.devices()
    symbol,       ///< nothing is known but that it is the same thing wherever `number` is the same
    memory_counter  ///< bytes of one device: `text` is "total", "reserved" or "allocated"
  };
  Kind kind = Kind::unknown;
  std::string text{};
  long number = 0;
  Range literal{};  ///< where the literal stands in the file; empty if there is none
  std::string
      key{};  ///< parameter, choice: the path to an item or attribute; instance: the parameter that it is (self)
  std::shared_ptr<const Items> items{};  ///< of a dictionary, or the attributes of an instance; null if none is known
};

inline constexpr char kHole = '\x01';

/// The things that an expression may be; empty: anything. Never more than kMostAtoms.
class Value {
 public:
  static constexpr std::size_t kMaxAlternatives = 12;
  Value() = default;
  Value(PossibleValue value) : alternatives_{std::move(value)} {}  // NOLINT(google-explicit-constructor)

  bool is_unknown() const { return alternatives_.empty(); }
  const std::vector<PossibleValue>& alternatives() const { return alternatives_; }
  /// The one thing that it is; null if it may be several or anything.
  const PossibleValue* single_alternative() const& {
    return alternatives_.size() == 1 ? &alternatives_.front() : nullptr;
  }
  const PossibleValue* single_alternative(PossibleValue::Kind kind) const& {
    return single_alternative() != nullptr && alternatives_.front().kind == kind ? &alternatives_.front() : nullptr;
  }
  const PossibleValue* single_alternative() const&& = delete;  // it would be gone at once
  const PossibleValue* single_alternative(PossibleValue::Kind kind) const&& = delete;
  bool may_be(PossibleValue::Kind kind) const;
  /// This or the other: anything if one of them is anything.
  Value joined(const Value& other) const;
  /// As a text, a number or a text with holes; empty if it is not known to be one of them.
  std::optional<std::string> as_text() const;
  /// Whether Python takes it for true; empty if that is not known.
  std::optional<bool> truth_value() const;

 private:
  std::vector<PossibleValue> alternatives_;
};

/// Among the items of a dictionary: there may be others, which are not known.
inline constexpr std::string_view kIncompleteKey = "\x05";
/// Before the name of a parameter that an enclosing function was given.
inline constexpr std::string_view kClosurePrefix = "\x06";

/// What is known of a dictionary by its keys, or of an instance by its attributes.
struct Items {
  std::map<std::string, Value, std::less<>> values;
};

/// The item or attribute of a value at the end of a path. A parameter's is known by its path; a user's choice stays one.
/// Unknown if nothing is known; `missing` is set if it is sure that there is none.
Value item_of(const Value& whole, std::string_view path, bool& missing);

Value text_value(std::string text, Range literal = {});
/// A text with holes; what fills its only hole may be known, and where that is a constant the text is one.
Value pattern_value(std::string text, const Value& filling, Range literal = {});
/// The texts that a pattern may be whose only hole is filled by one of several constants; other things as they are.
Value expand_patterns(const Value& value);
/// What fills the only hole of a pattern; unknown if it has several, or nothing is known.
Value hole_value(const PossibleValue& pattern);
/// An element of it, or it as a number or a text, is still told by it: a device of a list of devices.
bool keeps_kind(const PossibleValue& alternative);
Value number_value(long number, Range literal = {});
/// A list; unknown if it is longer than what is followed.
Value sequence_value(const std::vector<Value>& elements);
/// The elements of a sequence, in their order.
std::vector<Value> elements_of(const PossibleValue& sequence);
/// Any element of a container: one of those of a sequence, or what keeps its meaning.
Value any_element(const Value& container);
/// A text or a number.
bool is_constant(const PossibleValue& alternative);
/// What `make` gives for each of several constants; unknown if one of them is none.
Value map_constants(const Value& value, const std::function<Value(const Value&)>& make);
Value value_of_kind(PossibleValue::Kind kind, std::string text = {});

}  // namespace weir::audit
