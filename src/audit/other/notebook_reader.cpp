#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "audit/other/readers.hpp"

namespace weir::audit {
namespace {

/// The text of the code cells, for every byte of it where it stands in the notebook, and where the cells begin.
struct Code {
  std::string text;
  std::vector<std::uint32_t> places;
  std::vector<std::uint32_t> cells;

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
  for (const Node cell : named_children(value_of(named_children(root).front(), "cells", text))) {
    const Node type = value_of(cell, "cell_type", text);
    if (type.text(text) != "\"code\"") continue;
    const std::size_t begin = code.text.size();
    code.cells.push_back(static_cast<std::uint32_t>(begin));
    const Node source = value_of(cell, "source", text);
    if (source.is("string")) add_string(source, text, code);
    for (const Node line : named_children(source.is("array") ? source : Node{})) add_string(line, text, code);
    hide_magic(code, begin);
    if (!code.text.empty() && code.text.back() != '\n') code.add('\n', source.range().end);
  }
  return code;
}

}  // namespace

Result<SourceFile> notebook_code(const SourceFile& file) {
  const std::string_view text = file.text();
  const auto tree = parse(Language::json, text);
  if (!tree) return tree.error();
  if (const auto error = tree->first_error())
    return Error{Errc::corrupt, fmt::format("is no JSON at line {}", file.place(error->begin).line)};
  Code code = code_of(tree->root(), text);
  return SourceFile{file.path(), file.name(), std::move(code.text),
                    Origin{std::string{text}, std::move(code.places), std::move(code.cells)}};
}

}  // namespace weir::audit
