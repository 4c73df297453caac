#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/mask.hpp"
#include "audit/other/readers.hpp"

// Reads the IPython commands (magics) of a notebook that change its kernel's environment, such as %env.

namespace weir::audit {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\\";  // a backslash continues a command on the next line

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  const std::size_t end = text.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view{} : text.substr(begin, end + 1 - begin);
}

/// Removes and returns the first word of a text.
std::string_view first_word(std::string_view& text) {
  text = without_blanks(text);
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

/// Returns whether the value consists of letters, digits and signs without a special meaning. IPython expands "$x" and
/// "{x}", and makes quotes and comments a part of the value.
bool is_literal_text(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view{",._:-/+"}.find(c) != std::string_view::npos;
  });
}

Event event_at(Event::Kind kind, Range where, std::string name = {}) {
  Event event{.kind = kind, .range = where, .statement = where, .top_statement = where};
  event.name = std::move(name);
  event.is_top_level = true;
  return event;
}

Event unknown_change(Range where) { return event_at(Event::Kind::change_environment, where); }

/// Returns the events of "%env NAME=value" or "%env NAME value"; "%env NAME" only prints the variable.
std::vector<Event> env_events(std::string_view rest, Range where) {
  rest = without_blanks(rest);
  const std::size_t split = rest.find(rest.find('=') != std::string_view::npos ? '=' : ' ');
  if (split == std::string_view::npos) return {};
  const std::string_view name = without_blanks(rest.substr(0, split));
  const std::string_view value = without_blanks(rest.substr(split + 1));
  if (!is_literal_text(name)) return {unknown_change(where)};
  if (find_device_variable(name) == nullptr) return {};
  if (!is_literal_text(value)) return {unknown_change(where)};
  Event event = event_at(Event::Kind::set_variable, where, std::string{name});
  event.value = text_value(std::string{value}, {});
  return {event};
}

/// Returns the module name for "folder/other.py"; nothing for other forms, and for files above the notebook.
std::optional<std::string> module_name(std::string_view file) {
  if (file.starts_with("./")) file.remove_prefix(2);
  if (file.ends_with(".py")) file.remove_suffix(3);
  std::string name{file};
  if (name.empty() || name.front() == '/' || !is_literal_text(file) || name.find('.') != std::string::npos)
    return std::nullopt;
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

/// Returns the events of "%run [-i] other.py arguments", which runs the file in the notebook's process.
std::vector<Event> run_events(std::string_view rest, Range where) {
  Event run = event_at(Event::Kind::import_module, where);
  run.runs_as_program = true;
  std::string_view word = first_word(rest);
  // With -n the file does not run as the main program.
  for (; word == "-i" || word == "-n" || word == "-e"; word = first_word(rest))
    run.runs_as_program = run.runs_as_program && word != "-n";
  const auto name = module_name(word);
  Event unknown = unknown_change(where);
  if (!name) return {unknown};
  run.name = *name;
  unknown.is_fallback = true;  // counts only if the project does not contain the file
  return {run, unknown};
}

/// Returns the events of one line with an IPython command; `in_block` is true if the line is inside a Python block.
std::vector<Event> magic_events(std::string_view line, Range where, bool in_block) {
  const std::string_view magic = first_word(line);
  const bool sets = magic == "%env" || magic == "%set_env";
  std::vector<Event> events;
  if (sets)
    events = env_events(line, where);
  else if (magic == "%run")
    events = run_events(line, where);
  else if (magic == "%dotenv")
    events = {unknown_change(where)};
  // Inside a block the command is conditional.
  if (in_block && !events.empty()) events = {unknown_change(where)};
  return events;
}

}  // namespace

void add_magic_events(const SourceFile& source, Function& body) {
  constexpr std::size_t kMaxMagics = 2'000;  // IPython commands with an effect that are read in one notebook
  const NotebookSource* const notebook = source.notebook();
  if (notebook == nullptr) return;
  std::optional<std::vector<Range>> comments;  // a line that is no comment is part of a string, not an IPython command
  std::vector<Event> all;
  std::size_t count = 0;
  auto next = body.events.begin();
  for (const Range magic : notebook->magic_lines) {
    std::string line{source.text(magic)};
    if (line.empty() || count >= kMaxMagics) continue;
    // The reader replaced the first character by #; this restores it.
    line.front() = notebook->text[notebook->file_offsets[magic.begin]];
    auto events = magic_events(line, magic, magic.begin != source.line_start(magic.begin));
    if (events.empty()) continue;
    if (!comments) {
      const auto tree = parse(Language::python, source.text());
      comments = tree ? tree->comments() : std::vector<Range>{};
    }
    if (!contains_byte(*comments, magic.begin)) continue;
    for (; next != body.events.end() && next->top_statement.begin <= magic.begin; ++next)
      all.push_back(std::move(*next));
    std::move(events.begin(), events.end(), std::back_inserter(all));
    ++count;
  }
  std::move(next, body.events.end(), std::back_inserter(all));
  body.events = std::move(all);
}

}  // namespace weir::audit
