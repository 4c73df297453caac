#include "audit/other/shell_evaluator.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace weir::audit {
namespace {

constexpr int kMaxWordDepth = 16;  // nested parts of a word; deeper parts are unknown

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

/// Returns the value without ranges of literals: a constant that came through a variable cannot be edited at the word.
Value without_literal_ranges(const Value& value) {
  Value all;
  bool first = true;
  for (PossibleValue alternative : value.alternatives()) {
    alternative.literal = {};
    all = first ? Value{std::move(alternative)} : all.joined(std::move(alternative));
    first = false;
  }
  return all;
}

/// Returns the first element of an array, or the scalar itself.
Value scalar(const Value& value) {
  const PossibleValue* array = value.single_alternative(PossibleValue::Kind::sequence);
  if (array == nullptr) return value;
  const auto all = elements_of(*array);
  return all.empty() ? Value{} : all.front();
}

std::optional<long> number_in(std::string_view text) {
  long number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Returns the numbers from first to last; nothing if there are more than 16.
std::vector<Value> number_range(long first, long last) {
  constexpr long kMaxCount = 16;
  std::vector<Value> all;
  if (first < 0 || last < first || last - first >= kMaxCount) return all;
  for (long i = first; i <= last; ++i) all.push_back(text_value(std::to_string(i)));
  return all;
}

std::vector<Value> words_in(const std::string& text) {
  std::vector<Value> all;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \t\n", at)) != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(" \t\n", at), text.size());
    all.push_back(text_value(text.substr(at, end - at)));
    at = end;
  }
  return all;
}

}  // namespace

/// Concatenates the parts of one word from left to right.
class ShellWordParts {
 public:
  explicit ShellWordParts(ShellEvaluator& evaluator) : evaluator_{evaluator} {}

  void add(Node node, int depth) {
    const std::string_view kind = node.kind();
    const std::string_view text = node.text(evaluator_.text_);
    if (depth > kMaxWordDepth) return hole({});
    if (kind == "word" || kind == "number" || kind == "string_content") return literal(text);
    if (kind == "raw_string") return quoted(text, 1);
    if (kind == "ansi_c_string" && text.find('\\') == std::string_view::npos) return quoted(text, 2);
    if (kind == "simple_expansion" && text.size() > 1) return hole(evaluator_.lookup(text.substr(1)));
    if (kind == "expansion" && text.size() > 3) return hole(evaluator_.expansion(text.substr(2, text.size() - 3)));
    if (kind == "string") return string(node, depth);
    if (kind != "concatenation") return hole({});
    for (const Node child : all_children(node)) add(child, depth + 1);
  }

  /// Returns the value of the whole word, whose text has the range `literal`.
  Value take(Range literal) {
    if (holes_ == 0) return text_value(std::move(text_), is_literal_ ? literal : Range{});
    if (text_ == std::string_view{&kHole, 1} && !filling_.is_unknown()) return filling_;
    PossibleValue pattern{.kind = PossibleValue::Kind::pattern, .text = std::move(text_), .literal = literal};
    if (holes_ > 1 || filling_.is_unknown()) return pattern;
    return expand_patterns(pattern_value(std::move(pattern.text), filling_, literal));
  }

 private:
  /// Adds a string: its parts and the text between them.
  void string(Node node, int depth) {
    Range rest = node.range();
    ++rest.begin, --rest.end;
    for (const Node child : named_children(node)) {
      literal(between(rest.begin, child.range().begin));
      add(child, depth + 1);
      rest.begin = child.range().end;
    }
    literal(between(rest.begin, rest.end));
  }

  std::string_view between(std::uint32_t begin, std::uint32_t end) const {
    return begin < end ? evaluator_.text_.substr(begin, end - begin) : std::string_view{};
  }

  /// Adds a text between quotes, the first of which is `opening_length` characters long: ' or $'.
  void quoted(std::string_view text, std::size_t opening_length) {
    if (text.size() > opening_length) text_ += text.substr(opening_length, text.size() - opening_length - 1);
  }

  /// Adds a text in which backslashes are escapes.
  void literal(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) {
        ++i;
        // An escaped expansion is expanded only by the inner shell that receives this text.
        if (text[i] == '$' || text[i] == '`') {
          hole({});
          while (i + 1 < text.size() && is_name(text.substr(i + 1, 1))) ++i;
          continue;
        }
      }
      text_ += text[i];
    }
  }

  /// Adds the value of an expansion: its text if it is constant, otherwise a hole.
  void hole(const Value& value) {
    is_literal_ = false;
    const Value filling = without_literal_ranges(scalar(value));
    constexpr std::size_t kMaxBytes = 256;  // repeated A=$A$A grows exponentially
    const PossibleValue* one = filling.single_alternative();
    if (one != nullptr && is_constant(*one) && one->text.size() + text_.size() <= kMaxBytes) {
      text_ += *filling.as_text();
      return;
    }
    text_ += kHole;
    filling_ = one != nullptr && is_constant(*one) ? Value{} : filling;
    ++holes_;
  }

  ShellEvaluator& evaluator_;
  std::string text_;
  Value filling_;  ///< value of the last hole
  int holes_ = 0;
  bool is_literal_ = true;
};

ShellState joined(const ShellState& a, const ShellState& b) {
  const auto value_in = [](const ShellState& state, const std::string& name) {
    const auto found = state.values.find(name);
    if (found != state.values.end()) return found->second;
    if (state.all_unknown || !state.in_function) return Value{};
    return Value{PossibleValue{.kind = PossibleValue::Kind::parameter, .text = name}};
  };
  ShellState both{.all_unknown = a.all_unknown || b.all_unknown, .in_function = a.in_function};
  for (const ShellState* one : {&a, &b}) {
    for (const auto& [name, value] : one->values)
      both.values.insert_or_assign(name, value_in(a, name).joined(value_in(b, name)));
  }
  return both;
}

Value ShellEvaluator::lookup(std::string_view name) const {
  if (!is_name(name) || name == "0") return {};  // $0 is the script itself
  const auto found = state.values.find(name);
  if (found != state.values.end()) return found->second;
  if (state.all_unknown || name.size() > 64) return {};
  if (number_in(name) && name.size() > 1) return {};  // only $1 to $9 are followed
  // The arguments and the environment of a script are its user's choice.
  if (!state.in_function) return PossibleValue{.kind = PossibleValue::Kind::user_choice, .key = std::string{name}};
  return PossibleValue{.kind = PossibleValue::Kind::parameter, .text = std::string{name}};
}

void ShellEvaluator::set(std::string_view name, const Value& value) {
  constexpr std::size_t kMaxNames = 256;
  if (state.values.size() < kMaxNames || state.values.contains(name))
    state.values.insert_or_assign(std::string{name}, value);
  else
    state.all_unknown = true;
}

void ShellEvaluator::forget(const ShellVariables& written) {
  if (written.includes_all) {
    state.values.clear();
    state.all_unknown = true;
  }
  for (const std::string& name : written.names) set(name, {});
}

/// Evaluates the content of ${...}.
Value ShellEvaluator::expansion(std::string_view inside) {
  std::size_t end = 0;
  while (end < inside.size() && is_name(inside.substr(end, 1))) ++end;
  const std::string_view name = inside.substr(0, end);
  std::string_view rest = inside.substr(end);
  Value value = lookup(name);
  if (rest.empty()) return value;
  if (const PossibleValue* array = value.single_alternative(PossibleValue::Kind::sequence);
      array != nullptr && rest.front() == '[') {
    std::string_view index = rest.substr(1, rest.size() - 2);
    if (!rest.ends_with(']')) return {};
    if (index.starts_with('$')) index.remove_prefix(1);
    const auto index_text = number_in(index) ? std::optional<std::string>{index} : lookup(index).as_text();
    const auto elements = elements_of(*array);
    const auto position = index_text ? number_in(*index_text) : std::nullopt;
    if (!position) return any_element(value);
    const bool exists = *position >= 0 && static_cast<std::size_t>(*position) < elements.size();
    return exists ? elements[static_cast<std::size_t>(*position)] : Value{};
  }
  if (rest.starts_with(":?") || rest.starts_with("?")) return value;  // the variable is set, or the script ends
  if (!rest.starts_with(":-") && !rest.starts_with("-")) return {};
  rest.remove_prefix(rest.front() == ':' ? 2 : 1);
  if (value.single_alternative(PossibleValue::Kind::parameter) != nullptr && number_in(name)) {
    if (rest.find_first_of("$`\"'\\") == std::string_view::npos) defaults.emplace(name, text_value(std::string{rest}));
    return value;
  }
  if (value.single_alternative(PossibleValue::Kind::user_choice) != nullptr) return value;
  const auto text = value.as_text();
  return text && !text->empty() && value.single_alternative(PossibleValue::Kind::text) != nullptr ? value : Value{};
}

Value ShellEvaluator::evaluate_word(Node word) {
  ShellWordParts parts{*this};
  parts.add(word, 0);
  Range literal = word.range();
  if ((word.is("string") || word.is("raw_string")) && literal.end > literal.begin + 1) ++literal.begin, --literal.end;
  return parts.take(literal);
}

/// Splits a word into the words that it expands to; clears `known` if they are unknown.
std::vector<Value> ShellEvaluator::split(Node word, bool& known) {
  const std::string_view text = word.text(text_);
  const auto children = named_children(word).to_vector();
  if (word.is("brace_expression") && children.size() == 2) {
    const auto first = number_in(children[0].text(text_));
    const auto last = number_in(children[1].text(text_));
    auto all = first && last ? number_range(*first, *last) : std::vector<Value>{};
    known = known && !all.empty();
    return all;
  }
  if (word.is("command_substitution") && children.size() == 1 && children[0].field("name").text(text_) == "seq") {
    std::vector<long> numbers;
    for (const Node argument : named_children(children[0])) {
      const auto given = argument.is("command_name") ? std::nullopt : evaluate_word(argument).as_text();
      if (const auto number = given ? number_in(*given) : std::nullopt; number) numbers.push_back(*number);
    }
    const bool all_known = numbers.size() + 1 == named_children(children[0]).size() && !numbers.empty();
    auto all = all_known && numbers.size() < 3 ? number_range(numbers.size() == 2 ? numbers[0] : 1, numbers.back())
                                               : std::vector<Value>{};
    known = known && !all.empty();
    return all;
  }
  const std::string_view bare = text.starts_with('"') && text.size() > 1 ? text.substr(1, text.size() - 2) : text;
  if (bare.starts_with("${") && (bare.ends_with("[@]}") || bare.ends_with("[*]}"))) {
    const Value value = lookup(bare.substr(2, bare.size() - 6));
    const PossibleValue* array = value.single_alternative(PossibleValue::Kind::sequence);
    known = known && array != nullptr;
    return array == nullptr ? std::vector<Value>{} : elements_of(*array);
  }
  const Value one = evaluate_word(word);
  const PossibleValue* constant = one.single_alternative(PossibleValue::Kind::text);
  if (constant != nullptr && (word.is("simple_expansion") || word.is("expansion"))) return words_in(constant->text);
  return {one};
}

Value ShellEvaluator::expand_words(const std::vector<Node>& words) {
  std::vector<Value> all;
  bool known = true;
  for (const Node word : words) {
    auto parts = split(word, known);
    all.insert(all.end(), std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
  }
  return known && !all.empty() ? sequence_value(all) : Value{};
}

}  // namespace weir::audit
