#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/mask.hpp"
#include "audit/python/reader.hpp"
#include "base/text.hpp"

// Texts, arithmetic and comparisons. A text with unknown parts becomes a PossibleValue::Kind::pattern, which has a hole
// (kHole) in place of each unknown part. The value of a hole is unknown only as a text: the audit may still know that
// it is a device number, for example.

namespace weir::audit::python {
namespace {

/// Returns whether a string is raw, by its start: the prefix letters and quotes.
bool is_raw(std::string_view start) { return start.find_first_of("rR") != std::string_view::npos; }

/// Returns the character of an escape sequence; '\0' for rare ones, which no variable, mask or device contains.
char unescaped(std::string_view escape) {
  if (escape.size() != 2) return '\0';
  switch (escape[1]) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '\\':
    case '\'':
    case '"':
      return escape[1];
    default:
      return '\0';
  }
}

/// Returns whether the name means free memory.
bool means_free_memory(std::string_view name) {
  constexpr std::array<std::string_view, 6> kWords{"free", "avail", "rest", "left", "remain", "headroom"};
  const std::string lower_name = lower_case(name);
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return lower_name.find(word) != std::string::npos; });
}

/// Returns the value for the hole that the unknown part of a text leaves: the part itself, or, if the part is a pattern
/// with one hole, the value of this hole.
Value unknown_part(const Value& part) {
  const PossibleValue* pattern = part.single_alternative(PossibleValue::Kind::pattern);
  return pattern == nullptr ? part : hole_value(*pattern);
}

}  // namespace

/// Evaluates a string. Parts of an f-string whose text is unknown become holes.
Value Reader::string(Node node) {
  std::string text;
  bool raw = false;
  bool constant = true;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  Value last_hole;  // value of the last unknown part
  int parts = 0;
  for (const Node part : named_children(node)) {
    if (part.is("string_start")) {
      raw = is_raw(text_of(part));
      begin = end = part.range().end;
    } else if (part.is("string_content")) {
      ++parts;
      std::uint32_t at = part.range().begin;
      for (const Node escape : named_children(part)) {
        if (raw || !escape.is("escape_sequence")) continue;
        text += text_.substr(at, escape.range().begin - at);
        if (const char c = unescaped(text_of(escape)); c != '\0') text += c;
        at = escape.range().end;
      }
      text += text_.substr(at, part.range().end - at);
      end = part.range().end;
    } else if (part.is("interpolation")) {
      ++parts;
      const Value value = expression(part.field("expression"));
      const auto text_with_holes = value.as_text();
      const bool is_fully_known = text_with_holes && value.single_alternative()->kind != PossibleValue::Kind::pattern;
      constant = constant && is_fully_known;
      text += text_with_holes.value_or(std::string{kHole});
      if (!is_fully_known) last_hole = unknown_part(value);
    }
  }

  if (constant) return text_value(std::move(text), {begin, end});
  if (parts == 1 && !last_hole.is_unknown() && text.size() == 1) return last_hole;  // f"{x}" is x as a text
  // pattern_value() uses the last hole only if the text has exactly one hole.
  return pattern_value(std::move(text), last_hole, {begin, end});
}

Value Reader::concatenated_string(Node node) {
  Value whole;
  bool first = true;
  for (const Node part : named_children(node)) {
    const Value value = expression(part);
    whole = first ? value : concatenation(whole, value);
    first = false;
  }
  return whole;
}

Value Reader::unary(Node node) {
  const Value value = expression(named_children(node).back());
  const PossibleValue* number = value.single_alternative(PossibleValue::Kind::number);
  if (number != nullptr && text_of(node).starts_with('-')) return number_value(-number->number, node.range());
  return {};
}

Value Reader::concatenation(const Value& left, const Value& right) {
  const auto left_text = left.as_text();
  const auto right_text = right.as_text();
  if (!left_text && !right_text) return {};
  const std::string hole{kHole};
  std::string text = left_text.value_or(hole) + right_text.value_or(hole);
  const bool left_has_no_hole = left_text && left_text->find(kHole) == std::string::npos;
  return pattern_value(std::move(text), unknown_part(left_has_no_hole ? right : left));
}

namespace {

/// Evaluates "cuda:%d" % number. The first conversion must have two characters, such as %d.
Value format_value(const PossibleValue& format, const Value& filling) {
  const std::size_t at = format.text.find('%');
  if (at == std::string::npos || at + 2 > format.text.size()) return {};
  std::string text =
      format.text.substr(0, at) + filling.as_text().value_or(std::string{kHole}) + format.text.substr(at + 2);
  // Another '%' is a second conversion, or "%%": the text is not fully known, so it stays a pattern even without a hole.
  if (text.find('%') != std::string::npos)
    return PossibleValue{.kind = PossibleValue::Kind::pattern, .text = std::move(text)};
  return pattern_value(std::move(text), unknown_part(filling));
}

}  // namespace

/// Evaluates arithmetic, as far as devices, masks and byte counts may come from it, and "%" of a format text.
Value Reader::binary(Node node) {
  Value left = expression(node.field("left"));
  const Value right = expression(node.field("right"));
  const std::string_view op = text_of(node.field("operator"));
  if (op == "+") {
    if (node.field("left").is("list") || node.field("right").is("list")) return {};
    const PossibleValue* left_number = left.single_alternative(PossibleValue::Kind::number);
    const PossibleValue* right_number = right.single_alternative(PossibleValue::Kind::number);
    if (left_number != nullptr && right_number != nullptr)
      return number_value(left_number->number + right_number->number);
    // reserved + allocated is still a byte count of the same process.
    if (left.single_alternative(PossibleValue::Kind::memory_counter) != nullptr &&
        right.single_alternative(PossibleValue::Kind::memory_counter) != nullptr)
      return left;
    return concatenation(left, right);
  }
  const PossibleValue* minuend = left.single_alternative(PossibleValue::Kind::number);
  const PossibleValue* subtrahend = right.single_alternative(PossibleValue::Kind::number);
  if (op == "-" && minuend != nullptr && subtrahend != nullptr)
    return number_value(minuend->number - subtrahend->number);
  if (op == "%") {
    if (const PossibleValue* format = left.single_alternative(PossibleValue::Kind::text)) {
      const auto parts =
          right.single_alternative() == nullptr ? std::vector<Value>{} : elements_of(*right.single_alternative());
      if (Value text = format_value(*format, parts.size() == 1 ? parts.front() : right); !text.is_unknown())
        return text;
    }
    if (left.may_be(PossibleValue::Kind::runtime_index) || right.may_be(PossibleValue::Kind::runtime_index))
      return value_of_kind(PossibleValue::Kind::runtime_index);
  }
  if (op == "|" && (left.single_alternative(PossibleValue::Kind::qualified_name) != nullptr &&
                    left.single_alternative()->text == "os.environ")) {
    environment_mapping(node.field("right"), Event::Mode::child_environment, node);
    return value_of_kind(PossibleValue::Kind::environment_copy);
  }
  const PossibleValue* left_counter = left.single_alternative(PossibleValue::Kind::memory_counter);
  const PossibleValue* right_counter = right.single_alternative(PossibleValue::Kind::memory_counter);
  if (op == "-" && left_counter != nullptr && right_counter != nullptr && right_counter->text != "total") {
    // reserved - allocated is the size of the allocator's unused cache, a useful number. It is a wrong estimate only if
    // the name that receives it means free memory.
    if (left_counter->text == "total" || (left_counter->text == "reserved" && right_counter->text == "allocated" &&
                                          means_free_memory(frame_->target_name)))
      emit(Event::Kind::estimate_free_memory, node);
    return {};
  }
  // A byte count in another unit, such as memory_allocated() / 2**30, is still a byte count.
  const bool changes_unit = op == "/" || op == "//" || op == "*" || op == ">>";
  if (changes_unit && left_counter != nullptr && right_counter == nullptr) return left;
  return {};
}

/// Reads a comparison. Records what it is about: a mask, the name of a device, the existence of a variable.
Value Reader::comparison(Node node) {
  std::vector<Node> operands;
  std::string op;
  for (const Node child : all_children(node)) {
    if (child.is_named() && !child.is("comment"))
      operands.push_back(child);
    else
      op += text_of(child);
  }
  std::vector<Value> values;
  values.reserve(operands.size());
  const bool outer_in_comparison = std::exchange(frame_->in_comparison, true);
  for (const Node operand : operands) values.push_back(expression(operand));
  frame_->in_comparison = outer_in_comparison;
  // A comparison with a device number of the CUDA runtime is taken as a check of the number of devices.
  for (const Value& value : values)
    frame_->compares_device_count = frame_->compares_device_count || value.may_be(PossibleValue::Kind::runtime_index);
  if (values.size() != 2) return {};
  const bool is_membership_test = op == "in" || op == "notin" || op == "not in";
  const auto text = values[0].as_text();
  if (is_membership_test && text && values[1].single_alternative(PossibleValue::Kind::qualified_name) != nullptr &&
      values[1].single_alternative()->text == "os.environ")
    note_variable_read(*text);
  for (int side = 0; side < 2; ++side) {
    const PossibleValue* variable =
        values[static_cast<std::size_t>(side)].single_alternative(PossibleValue::Kind::environment_variable);
    const auto literal = values[static_cast<std::size_t>(1 - side)].as_text();
    if (variable != nullptr && literal && !is_membership_test && is_mask_variable(variable->text))
      emit(Event::Kind::compare_mask, node, variable->text, values[static_cast<std::size_t>(1 - side)]);
  }
  const auto is_device_name = [](const Value& value) { return value.may_be(PossibleValue::Kind::device_name); };
  if (text && is_device_name(values[1])) emit(Event::Kind::compare_device_name, node, {}, values[0]);
  if (const auto other = values[1].as_text(); other && is_device_name(values[0]))
    emit(Event::Kind::compare_device_name, node, {}, values[1]);
  return {};
}

}  // namespace weir::audit::python
