#include <algorithm>
#include <utility>

#include "audit/mask.hpp"
#include "audit/other/readers.hpp"

// What the readers of all kinds of scripts share: the list of events, and the value of a word.

namespace weir::audit {

Event& ScriptEvents::emit(Event::Kind kind, Range where, std::string name, Value value) {
  Event event{.kind = kind,
              .range = where,
              .statement = statement_,
              .top_statement = statement_,
              .arms = arms_,
              .name = std::move(name),
              .value = std::move(value)};
  event.is_top_level = arms_.empty() && open_functions_.size() == 1;
  auto& events = functions_[open_functions_.back()].events;
  events.push_back(std::move(event));
  return events.back();
}

Event* ScriptEvents::set_variable(Range where, std::string_view name, Value value, Event::Mode mode) {
  if (find_device_variable(name) == nullptr) return nullptr;
  Event& event = emit(Event::Kind::set_variable, where, std::string{name}, std::move(value));
  event.mode = mode;
  event.variable_read_before = mode == Event::Mode::set_if_unset;
  return &event;
}

void ScriptEvents::begin_function(std::string key) {
  open_functions_.push_back(functions_.size());
  functions_.emplace_back().key = std::move(key);
}

void ScriptEvents::end_function(std::vector<std::string> parameters, std::vector<Value> defaults,
                                std::size_t positional) {
  Function& function = functions_[open_functions_.back()];
  function.parameters = std::move(parameters);
  function.defaults = std::move(defaults);
  function.positional_count = positional;
  open_functions_.pop_back();
}

ScriptContent ScriptEvents::take() && {
  ScriptContent script;
  script.functions = std::move(functions_);
  script.is_entry_point = true;
  return script;
}

Value word_value(std::string_view word, Range where) {
  // Removes the quotes around the word; "$x", "${x}" and "$(x)" each become one hole.
  std::uint32_t begin = where.begin;
  std::uint32_t end = where.end;
  while (word.size() >= 2 && (word.front() == '"' || word.front() == '\'') && word.back() == word.front()) {
    word = word.substr(1, word.size() - 2);
    ++begin, --end;
  }
  std::string text;
  bool hole = false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '$' || word[i] == '`') {
      hole = true;
      text += kHole;
      const char close = i + 1 < word.size() && word[i + 1] == '{'   ? '}'
                         : i + 1 < word.size() && word[i + 1] == '(' ? ')'
                                                                     : '\0';
      if (close != '\0') {
        i = std::min(word.find(close, i), word.size());
      } else {
        while (i + 1 < word.size() &&
               (std::isalnum(static_cast<unsigned char>(word[i + 1])) != 0 || word[i + 1] == '_' || word[i + 1] == ':'))
          ++i;
      }
    } else {
      text += word[i];
    }
  }
  if (!hole) return text_value(std::move(text), {begin, end});
  return PossibleValue{
      .kind = PossibleValue::Kind::pattern, .text = std::move(text), .number = 0, .literal = {begin, end}};
}

}  // namespace weir::audit
