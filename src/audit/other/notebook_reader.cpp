#include <algorithm>
#include <string>
#include <vector>

#include "audit/other/readers.hpp"
#include "audit/python/python_module.hpp"

namespace weir::audit {
namespace {

/// The text of the code cells, and for every byte of it where it stands in the notebook.
struct Code {
  std::string text;
  std::vector<std::uint32_t> places;

  void add(char c, std::uint32_t place) {
    text += c;
    places.push_back(place);
  }
};

Node value_of(Node object, std::string_view key, std::string_view text) {
  for (const Node pair : named_children(object)) {
    if (pair.is("pair") && child_of_kind(pair.field("key"), "string_content").text(text) == key)
      return pair.field("value");
  }
  return {};
}

void add_string(Node string, std::string_view text, Code& code) {
  const Range where = string.range();
  for (std::uint32_t i = where.begin + 1; i + 1 < where.end; ++i) {
    if (text[i] != '\\' || i + 2 >= where.end) {
      code.add(text[i], i);
      continue;
    }
    const char escape = text[i + 1];
    if (escape == 'u') {  // no code that matters is written so
      code.add('?', i);
      i += 5;
      continue;
    }
    code.add(escape == 'n' ? '\n' : escape == 't' ? '\t' : escape == 'r' ? '\r' : escape, i);
    ++i;
  }
}

/// Lines that IPython takes for itself ("%matplotlib", "!pip") are comments to Python.
void hide_magic(Code& code, std::size_t from) {
  // "%%bash" and the like: the whole cell is of another language.
  const std::string_view cell = std::string_view{code.text}.substr(from);
  const bool timed = cell.starts_with("%%time") || cell.starts_with("%%capture");
  const bool foreign = cell.starts_with("%%") && !timed;
  bool fresh = true;
  bool goes_on = false;
  for (std::size_t i = from; i < code.text.size(); ++i) {
    const char c = code.text[i];
    if (fresh && (c == '%' || c == '!' || c == '?')) {
      code.text[i] = '#';
      goes_on = true;
    } else if (fresh && foreign && c != '\n') {
      code.text[i] = '#';
    }
    if (c == '\n') {
      // A command may go on behind a backslash.
      const bool continued = goes_on && i > from && code.text[i - 1] == '\\';
      if (continued) code.text[i] = ' ';
      goes_on = continued;
      fresh = !continued;
    } else {
      fresh = fresh && (c == ' ' || c == '\t');
    }
  }
}

Code code_of(Node root, std::string_view text) {
  Code code;
  const auto documents = named_children(root);
  if (documents.empty()) return code;
  for (const Node cell : named_children(value_of(documents.front(), "cells", text))) {
    const Node type = value_of(cell, "cell_type", text);
    if (type.text(text) != "\"code\"") continue;
    const std::size_t begin = code.text.size();
    const Node source = value_of(cell, "source", text);
    if (source.is("string")) add_string(source, text, code);
    for (const Node line : source.is("array") ? named_children(source) : std::vector<Node>{})
      add_string(line, text, code);
    hide_magic(code, begin);
    code.add('\n', source.range().end);
  }
  return code;
}

void move(Range& range, const Code& code) {
  const auto at = [&](std::uint32_t byte) {
    return code.places.empty() ? 0U : code.places[std::min<std::size_t>(byte, code.places.size() - 1)];
  };
  const std::uint32_t last = range.end > range.begin ? at(range.end - 1) + 1 : at(range.begin);
  range = {at(range.begin), std::max(last, at(range.begin))};
}

void move(Value& value, const Code&) {
  // Literals are places for edits, and notebooks get none.
  Value plain;
  bool first = true;
  for (Atom atom : value.atoms()) {
    atom.literal = {};
    plain = first ? Value{std::move(atom)} : plain.joined(Value{std::move(atom)});
    first = false;
  }
  value = plain;
}

}  // namespace

Result<ScriptReading> read_notebook(std::string_view text) {
  const auto tree = parse(Language::json, text);
  if (!tree) return tree.error();
  const Code code = code_of(tree->root(), text);
  auto reading = python::read_python(code.text);
  if (!reading) return reading.error();
  ScriptReading result;
  result.functions = std::move(reading->functions);
  result.entry_point = true;
  result.error = tree->first_error();
  if (!result.error && reading->error) {
    result.error = reading->error;
    move(*result.error, code);
  }
  for (Function& function : result.functions) {
    move(function.where, code);
    for (Event& event : function.events) {
      for (Range* range : {&event.where, &event.statement, &event.top, &event.target}) move(*range, code);
      event.editable = false;
      move(event.value, code);
      for (Argument& argument : event.arguments) move(argument.value, code);
    }
  }
  return result;
}

}  // namespace weir::audit
