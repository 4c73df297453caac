#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "audit/other/readers.hpp"

// Extracts the code of a Jupyter notebook as one Python program.

namespace weir::audit {
namespace {

/// The code cells of a notebook as one Python program.
struct Code {
  std::string text;
  std::vector<std::uint32_t> file_offsets;  // for each byte of `text`: its byte offset in the notebook file
  std::vector<std::uint32_t> cell_starts;   // byte offset in `text` of each cell's start
  std::vector<Range> magics;                // the IPython commands (magics) in `text`

  void add(char c, std::uint32_t file_offset) {
    text += c;
    file_offsets.push_back(file_offset);
  }
};

/// Returns the value of a key of a JSON object; null if there is none.
Node value_of(Node object, std::string_view key, std::string_view text) {
  for (const Node pair : named_children(object)) {
    if (pair.is("pair") && child_of_kind(pair.field("key"), "string_content").text(text) == key)
      return pair.field("value");
  }
  return {};
}

/// Adds the decoded content of a JSON string.
void add_string(Node string, std::string_view text, Code& code) {
  const Range where = string.range();
  for (std::uint32_t i = where.begin + 1; i + 1 < where.end; ++i) {
    if (text[i] != '\\' || i + 2 >= where.end) {
      code.add(text[i], i);
      continue;
    }
    const char escape = text[i + 1];
    if (escape == 'u') {  // a Unicode escape is not decoded, because relevant code consists of ASCII characters
      code.add('?', i);
      i += 5;
      continue;
    }
    code.add(escape == 'n' ? '\n' : escape == 't' ? '\t' : escape == 'r' ? '\r' : escape, i);
    ++i;
  }
}

/// In "files = !ls" and "log = %timeit -o f()" the part from the sign (! or %) on is an IPython command, which is
/// replaced by an unknown name. Returns the offset of the sign in the line that starts at offset `line`; npos if there
/// is none.
std::size_t find_assigned_magic(std::string_view code, std::size_t line) {
  constexpr std::string_view kTargets = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_., \t";
  const std::size_t equals = code.find_first_not_of(kTargets, line);
  if (equals == std::string_view::npos || equals == line || code[equals] != '=') return std::string_view::npos;
  const std::size_t sign = code.find_first_not_of(" \t", equals + 1);
  if (sign == std::string_view::npos || sign + 1 >= code.size() || (code[sign] != '!' && code[sign] != '%'))
    return std::string_view::npos;
  const char next = code[sign + 1];
  const bool command = std::isalnum(static_cast<unsigned char>(next)) != 0 ||
                       (code[sign] == '!' && std::string_view{"./_~$"}.find(next) != std::string_view::npos);
  return command ? sign : std::string_view::npos;
}

/// Turns the IPython commands ("%matplotlib", "!pip") of the cell that starts at offset `cell_begin` into Python
/// comments.
void hide_magics(Code& code, std::size_t cell_begin) {
  // After "%%bash" and the like the whole cell is in another language.
  const std::string_view cell = std::string_view{code.text}.substr(cell_begin);
  const bool is_python_cell = cell.starts_with("%%time") || cell.starts_with("%%capture");
  const bool other_language = cell.starts_with("%%") && !is_python_cell;
  bool at_line_start = true;
  bool in_command = false;
  std::size_t magic = std::string::npos;  // start of the current IPython command
  const auto end_magic = [&](std::size_t end) {
    if (magic != std::string::npos && !other_language)
      code.magics.push_back({static_cast<std::uint32_t>(magic), static_cast<std::uint32_t>(end)});
    magic = std::string::npos;
  };
  for (std::size_t i = cell_begin; i < code.text.size(); ++i) {
    const char c = code.text[i];
    const bool begins = i == cell_begin || (at_line_start && code.text[i - 1] == '\n');
    const std::size_t assigned = begins && !other_language ? find_assigned_magic(code.text, i) : std::string::npos;
    if (assigned != std::string::npos) {
      code.text[assigned] = '_';
      code.text[assigned + 1] = '#';
      in_command = true;
    }
    if (at_line_start && (c == '%' || c == '!' || c == '?')) {
      code.text[i] = '#';
      in_command = true;
      magic = i;
    } else if (at_line_start && other_language && c != '\n') {
      code.text[i] = '#';
    }
    if (c == '\n') {
      // A backslash continues a command on the next line.
      const bool continued = in_command && i > cell_begin && code.text[i - 1] == '\\';
      if (continued) code.text[i] = ' ';
      in_command = continued;
      at_line_start = !continued;
      if (!continued) end_magic(i);
    } else {
      at_line_start = at_line_start && (c == ' ' || c == '\t');
    }
  }
  end_magic(code.text.size());
}

/// Returns the code of all code cells of a notebook.
Code code_of(Node root, std::string_view text) {
  Code code;
  for (const Node cell : named_children(value_of(named_children(root).front(), "cells", text))) {
    const Node type = value_of(cell, "cell_type", text);
    if (type.text(text) != "\"code\"") continue;
    const std::size_t begin = code.text.size();
    code.cell_starts.push_back(static_cast<std::uint32_t>(begin));
    const Node source = value_of(cell, "source", text);
    if (source.is("string")) add_string(source, text, code);
    for (const Node line : named_children(source.is("array") ? source : Node{})) add_string(line, text, code);
    hide_magics(code, begin);
    if (!code.text.empty() && code.text.back() != '\n') code.add('\n', source.range().end);
  }
  return code;
}

}  // namespace

Result<SourceFile> extract_notebook_code(const SourceFile& file) {
  const std::string_view text = file.text();
  const auto tree = parse(Language::json, text);
  if (!tree) return tree.error();
  if (const auto error = tree->first_error())
    return Error{Errc::corrupt, fmt::format("is no JSON at line {}", file.position(error->begin).line)};
  Code code = code_of(tree->root(), text);
  return SourceFile{file.path(), file.name(), std::move(code.text),
                    NotebookSource{std::string{text}, std::move(code.file_offsets), std::move(code.cell_starts),
                                   std::move(code.magics)}};
}

}  // namespace weir::audit
