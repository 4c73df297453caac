#include "audit/other/shell_facts.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "audit/other/shell_commands.hpp"

namespace weir::audit {
namespace {

/// The name at the start of a text: "A" of A[0], of A=1.
std::string_view leading_name(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) ++end;
  return text.substr(0, end);
}

/// Files that prepare a shell and leave a script's own variables alone.
bool is_set_up(std::string_view path) {
  constexpr std::array<std::string_view, 6> kEnds{"activate",      ".bashrc",  ".profile",
                                                  ".bash_profile", "conda.sh", "modules.sh"};
  return std::any_of(kEnds.begin(), kEnds.end(), [&](std::string_view end) { return path.ends_with(end); });
}

/// ". file", "source file": not one that only prepares the shell.
bool is_sourcing(std::string_view name, Node last, std::string_view text) {
  return (name == "source" || name == ".") && !is_set_up(last.text(text));
}

bool has_expansion(std::string_view code) { return code.find_first_of("$`") != std::string_view::npos; }

/// A word that an expansion begins: what it makes may be "NAME=value".
bool is_expanded_name(std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  return has_expansion(name) && !name.starts_with('-');
}

/// What is evaluated begins with an expansion, behind known assignments or a separator: which command that is nobody knows.
bool evaluates_unknown(std::string_view code) {
  constexpr std::array<std::string_view, 4> kSetUp{"conda", "mamba", "ssh-agent", "direnv"};
  constexpr std::array<std::string_view, 4> kDeclaring{"export", "declare", "typeset", "source"};
  for (const std::string_view word : kSetUp)
    if (code.find(word) != std::string_view::npos) return false;
  bool begins = true;
  code.remove_prefix(std::string_view{"eval"}.size());
  while (!code.empty()) {
    const std::size_t end = std::min(code.find_first_of(" \t\n;&|\"'"), code.size());
    const std::string_view word = code.substr(0, end);
    if (begins && is_expanded_name(word)) return true;
    const bool goes_on =
        word.empty() || word.find('=') != std::string_view::npos || is_one_of(word, kDeclaring) || word == "eval";
    begins = begins && goes_on;
    if (end < code.size() && std::string_view{"\n;&|"}.find(code[end]) != std::string_view::npos) begins = true;
    code.remove_prefix(std::min(end + 1, code.size()));
  }
  return false;
}

class WrittenNames {
 public:
  WrittenNames(std::string_view text, const ShellFacts& facts) : text_{text}, facts_{facts} {}

  void look(Node node, int depth) {
    const std::string_view kind = node.kind();
    if (depth > kMostShellDepth) written.all = true;
    if (depth > kMostShellDepth || kind == "function_definition") return;
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
    for (const Node child : named_children(node)) look(child, depth + 1);
  }

  ShellNames written{};

 private:
  void add(Node node) {
    const std::string_view name = leading_name(node.text(text_));
    const bool plain = node.is("variable_name") || node.is("word") || node.is("subscript");
    if (plain && !name.empty()) written.names.emplace(name);
  }

  void command(Node node) {
    constexpr std::array<std::string_view, 6> kWriters{"read", "mapfile", "readarray", "getopts", "let", "printf"};
    const std::string_view name = node.field("name").text(text_);
    const auto children = named_children(node).listed();
    if (name == "eval" || is_sourcing(name, children.back(), text_)) written.all = true;
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
      written.all = written.all || facts_.written_in_functions.all;
    }
  }

  std::string_view text_;
  const ShellFacts& facts_;
};

class FactReader {
 public:
  explicit FactReader(std::string_view text) : text_{text} {}

  void look(Node node, int depth, bool in_function) {
    if (depth > kMostShellDepth) return;
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
      facts.all_exported_from = std::min(facts.all_exported_from, node.range().begin);
    if (in_function && (kind == "simple_expansion" || kind == "expansion") && code.size() > 1) {
      const std::string_view name = leading_name(code.substr(code[1] == '{' ? 2 : 1));
      if (!name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0)
        facts.read_in_functions.emplace(name);
    }
    for (const Node child : named_children(node)) look(child, depth + 1, in_function);
  }

  void finish() {
    WrittenNames names{text_, facts};
    for (const Node body : bodies_) names.look(body, 0);
    facts.written_in_functions = std::move(names.written);
    constexpr std::size_t kMostRead = 64;  // each call hands them on
    if (facts.read_in_functions.size() > kMostRead) facts.read_in_functions.clear();
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

ShellFacts shell_facts(Node root, std::string_view text) {
  FactReader reader{text};
  reader.look(root, 0, false);
  reader.finish();
  return std::move(reader.facts);
}

bool sets_unknown_names(Node statement, std::string_view text) {
  const auto children = named_children(statement).listed();
  if (children.empty()) return false;
  const auto expanded = [&](Node word) {
    return !word.is("variable_assignment") && !word.is("variable_name") && is_expanded_name(word.text(text));
  };
  const auto any_expanded = [&] { return std::any_of(children.begin(), children.end(), expanded); };
  if (statement.is("declaration_command")) return any_expanded();
  const std::string_view name = statement.field("name").text(text);
  if (name == "eval") return evaluates_unknown(statement.text(text));
  const bool written = name == "env" || (name == "printf" && statement.text(text).starts_with("printf -v"));
  return is_sourcing(name, children.back(), text) || (written && any_expanded());
}

ShellNames written_names(Node statement, std::string_view text, const ShellFacts& facts) {
  WrittenNames names{text, facts};
  names.look(statement, 0);
  return std::move(names.written);
}

}  // namespace weir::audit
