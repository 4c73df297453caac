#include "audit/other/shell_facts.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "audit/other/shell_commands.hpp"

namespace weir::audit {
namespace {

/// Returns the name at the start of a text: "A" for A[0] and A=1.
std::string_view leading_name(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) ++end;
  return text.substr(0, end);
}

/// Returns whether the file only sets up a shell and does not change the script's own variables.
bool only_sets_up_shell(std::string_view path) {
  constexpr std::array<std::string_view, 6> kEnds{"activate",      ".bashrc",  ".profile",
                                                  ".bash_profile", "conda.sh", "modules.sh"};
  return std::any_of(kEnds.begin(), kEnds.end(), [&](std::string_view end) { return path.ends_with(end); });
}

/// Returns whether the command is ". file" or "source file" of a file that does more than set up the shell.
bool is_sourcing(std::string_view name, Node last, std::string_view text) {
  return (name == "source" || name == ".") && !only_sets_up_shell(last.text(text));
}

bool has_expansion(std::string_view code) { return code.find_first_of("$`") != std::string_view::npos; }

/// Returns whether the word begins with an expansion, so that its value may be "NAME=value".
bool is_expanded_name(std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  return has_expansion(name) && !name.starts_with('-');
}

/// Returns whether the evaluated text begins with an expansion, after known assignments or a separator, so that its
/// command is unknown.
bool evaluates_unknown(std::string_view code) {
  constexpr std::array<std::string_view, 4> kSetUpTools{"conda", "mamba", "ssh-agent", "direnv"};
  constexpr std::array<std::string_view, 4> kDeclaring{"export", "declare", "typeset", "source"};
  // The output of these tools only sets up the shell.
  for (const std::string_view word : kSetUpTools)
    if (code.find(word) != std::string_view::npos) return false;
  bool begins = true;
  code.remove_prefix(std::string_view{"eval"}.size());
  while (!code.empty()) {
    const std::size_t end = std::min(code.find_first_of(" \t\n;&|\"'"), code.size());
    const std::string_view word = code.substr(0, end);
    if (begins && is_expanded_name(word)) return true;
    const bool continues =
        word.empty() || word.find('=') != std::string_view::npos || is_one_of(word, kDeclaring) || word == "eval";
    begins = begins && continues;
    if (end < code.size() && std::string_view{"\n;&|"}.find(code[end]) != std::string_view::npos) begins = true;
    code.remove_prefix(std::min(end + 1, code.size()));
  }
  return false;
}

/// Collects the variables that a part of a script may change.
class WrittenNames {
 public:
  WrittenNames(std::string_view text, const ShellFacts& facts) : text_{text}, facts_{facts} {}

  void visit(Node node, int depth) {
    const std::string_view kind = node.kind();
    if (depth > kMaxShellDepth) written.includes_all = true;
    if (depth > kMaxShellDepth || kind == "function_definition") return;
    if (kind == "variable_assignment") add(node.field("name"));
    if (kind == "for_statement") add(node.field("variable"));
    if (kind == "command") command(node);
    if (kind == "postfix_expression" || kind == "unary_expression" || kind == "binary_expression")
      add(named_children(node).front());
    if (kind == "unset_command" || (kind == "declaration_command" && !is_exporting(node, text_))) {
      for (const Node child : named_children(node))
        if (child.is("variable_name")) add(child);
    }
    const std::string_view code = node.text(text_);
    if (kind == "expansion" && code.find('=') != std::string_view::npos && code.size() > 2)
      written.names.emplace(leading_name(code.substr(2)));
    for (const Node child : named_children(node)) visit(child, depth + 1);
  }

  ShellVariables written{};

 private:
  void add(Node node) {
    const std::string_view name = leading_name(node.text(text_));
    const bool is_variable = node.is("variable_name") || node.is("word") || node.is("subscript");
    if (is_variable && !name.empty()) written.names.emplace(name);
  }

  void command(Node node) {
    constexpr std::array<std::string_view, 6> kWriters{"read", "mapfile", "readarray", "getopts", "let", "printf"};
    const std::string_view name = node.field("name").text(text_);
    const auto children = named_children(node).to_vector();
    if (name == "eval" || is_sourcing(name, children.back(), text_)) written.includes_all = true;
    if (name == "shift" || name == "set")
      for (char digit = '1'; digit <= '9'; ++digit) written.names.emplace(1, digit);
    if (is_one_of(name, kWriters)) {
      for (const Node child : children) add(child);
    }
    // "time f", "command f"
    for (const Node child : children) {
      const Node word = child.is("command_name") ? child.first_child() : child;
      if (!word.is("word") || !facts_.functions.contains(word.text(text_))) continue;
      written.names.insert(facts_.written_in_functions.names.begin(), facts_.written_in_functions.names.end());
      written.includes_all = written.includes_all || facts_.written_in_functions.includes_all;
    }
  }

  std::string_view text_;
  const ShellFacts& facts_;
};

/// Collects the facts of a whole script.
class FactReader {
 public:
  explicit FactReader(std::string_view text) : text_{text} {}

  void visit(Node node, int depth, bool in_function) {
    if (depth > kMaxShellDepth) return;
    const std::string_view kind = node.kind();
    if (kind == "function_definition") {
      facts.functions.emplace(node.field("name").text(text_));
      bodies_.push_back(node.field("body"));
      in_function = true;
    }
    if (kind == "declaration_command" && is_exporting(node, text_)) {
      for (const Node child : named_children(node))
        if (child.is("variable_name")) facts.exports.push_back({child.text(text_), node.range()});
    }
    const std::string_view code = node.text(text_);
    if (kind == "command" && (code.starts_with("set -a") || code.starts_with("set -o allexport")))
      facts.export_all_offset = std::min(facts.export_all_offset, node.range().begin);
    if (in_function && (kind == "simple_expansion" || kind == "expansion") && code.size() > 1) {
      const std::string_view name = leading_name(code.substr(code[1] == '{' ? 2 : 1));
      if (!name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0)
        facts.read_in_functions.emplace(name);
    }
    for (const Node child : named_children(node)) visit(child, depth + 1, in_function);
  }

  void finish() {
    WrittenNames names{text_, facts};
    for (const Node body : bodies_) names.visit(body, 0);
    facts.written_in_functions = std::move(names.written);
    constexpr std::size_t kMaxRead = 64;  // every call of a function passes all of these variables on as parameters
    if (facts.read_in_functions.size() > kMaxRead) facts.read_in_functions.clear();
  }

  ShellFacts facts{};

 private:
  std::string_view text_;
  std::vector<Node> bodies_;
};

}  // namespace

bool is_exporting(Node declaration, std::string_view text) {
  const std::string_view code = declaration.text(text);
  bool exports = code.starts_with("export");
  for (const Node child : named_children(declaration)) {
    const std::string_view word = child.text(text);
    if (!child.is("word") || !word.starts_with('-')) continue;
    if (code.starts_with("export")) exports = exports && word.find_first_of("nfp") == std::string_view::npos;
    if (!code.starts_with("export")) exports = exports || word.find('x') != std::string_view::npos;
  }
  return exports;
}

ShellFacts collect_shell_facts(Node root, std::string_view text) {
  FactReader reader{text};
  reader.visit(root, /*depth=*/0, /*in_function=*/false);
  reader.finish();
  return std::move(reader.facts);
}

bool sets_unknown_names(Node statement, std::string_view text) {
  const auto children = named_children(statement).to_vector();
  if (children.empty()) return false;
  const auto expanded = [&](Node word) {
    return !word.is("variable_assignment") && !word.is("variable_name") && is_expanded_name(word.text(text));
  };
  const auto any_expanded = [&] { return std::any_of(children.begin(), children.end(), expanded); };
  if (statement.is("declaration_command")) return any_expanded();
  const std::string_view name = statement.field("name").text(text);
  if (name == "eval") return evaluates_unknown(statement.text(text));
  const bool sets_names = name == "env" || (name == "printf" && statement.text(text).starts_with("printf -v"));
  return is_sourcing(name, children.back(), text) || (sets_names && any_expanded());
}

ShellVariables find_written_variables(Node statement, std::string_view text, const ShellFacts& facts) {
  WrittenNames names{text, facts};
  names.visit(statement, 0);
  return std::move(names.written);
}

}  // namespace weir::audit
