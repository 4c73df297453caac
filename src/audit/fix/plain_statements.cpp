#include "audit/fix/plain_statements.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

/// One statement of the outermost block. Kind::write is a plain statement that sets an environment variable to a
/// constant, Kind::plain is any other plain statement, and Kind::other is a statement that is not plain.
struct Statement {
  enum class Kind { plain, write, other } kind = Kind::other;
  Range range{};
  std::string_view name{};   ///< write: the variable
  std::string_view value{};  ///< write: the constant
  bool is_exported = false;  ///< write: child processes get the variable, too; always true in Python
  bool is_movable = false;   ///< Python: a write, or os.environ.setdefault() with literals only: it means the same
                             ///< at each position where `os` is imported
};
using StatementKind = Statement::Kind;

/// Returns whether the library is known to write no mask at its import, and to register no code that may do so later.
bool is_well_known(std::string_view name) {
  constexpr std::array<std::string_view, 62> kNames{
      "abc",         "argparse",   "array",     "base64",   "bisect",      "collections", "contextlib", "copy",
      "csv",         "ctypes",     "cupy",      "cv2",      "dataclasses", "datetime",    "decimal",    "enum",
      "fractions",   "functools",  "gc",        "glob",     "gzip",        "hashlib",     "heapq",      "inspect",
      "io",          "itertools",  "jax",       "json",     "logging",     "math",        "matplotlib", "numbers",
      "numpy",       "operator",   "os",        "pandas",   "pathlib",     "pickle",      "PIL",        "platform",
      "pprint",      "queue",      "random",    "re",       "scipy",       "shutil",      "statistics", "string",
      "struct",      "subprocess", "sys",       "tempfile", "tensorflow",  "textwrap",    "time",       "torch",
      "torchvision", "tqdm",       "traceback", "typing",   "uuid",        "warnings"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

/// Returns whether a file or folder of the project, or one beside the module, has the library's name, so that an import
/// may load it instead of the library.
bool is_shadowed(const Project& project, const Module& module, std::string_view name) {
  std::error_code ignored;
  const fs::path beside = module.source.path().parent_path() / name;
  if (fs::exists(beside, ignored) || fs::exists(fs::path{beside.native() + ".py"}, ignored)) return true;
  return std::any_of(project.modules().begin(), project.modules().end(), [&](const Module& other) {
    const fs::path& path = other.source.path();
    return path.stem().native() == name || path.parent_path().filename().native() == name;
  });
}

/// Returns the content of a string literal that has no prefix, escapes or inner quotes; nothing for other texts.
std::optional<std::string_view> literal_content(std::string_view text) {
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') || text.back() != text.front())
    return std::nullopt;
  text = text.substr(1, text.size() - 2);
  if (text.find_first_of("\"'\\\n\r") != std::string_view::npos) return std::nullopt;
  return text;
}

/// Classifies the statements of one Python file.
class PythonStatements {
 public:
  PythonStatements(const Project& project, const Module& module) : project_{project}, module_{module} {}

  Statement read(Node node) const {
    Statement statement{.range = node.range()};
    if (node.is("expression_statement")) return read_expression(node, statement);
    if (node.is("future_import_statement") || is_plain_import(node) || is_plain_function(node))
      statement.kind = StatementKind::plain;
    return statement;
  }

 private:
  std::string_view text(Node node) const { return node.text(module_.source.text()); }

  /// Returns whether the name is part of os.environ. A statement that binds it is not plain, because os.environ may
  /// mean another object after it.
  static bool is_reserved(std::string_view name) { return name == "os" || name == "environ"; }

  /// Returns whether the node is os.environ.setdefault("NAME", "value").
  bool is_literal_default(Node node) const {
    if (!node.is("call") || text(node.field("function")) != "os.environ.setdefault") return false;
    const auto arguments = named_children(node.field("arguments")).to_vector();
    return arguments.size() == 2 && std::all_of(arguments.begin(), arguments.end(), [&](Node argument) {
             return argument.is("string") && literal_content(text(argument));
           });
  }

  /// Returns whether the node is a literal whose evaluation runs no code.
  bool is_literal(Node node) const {
    if (node.is("integer") || node.is("float") || node.is("true") || node.is("false") || node.is("none")) return true;
    // f"..." runs code.
    return node.is("string") &&
           text(node).substr(0, text(node).find_first_of("\"'")).find_first_of("fF") == std::string_view::npos;
  }

  /// Classifies an expression statement, which includes assignments.
  Statement read_expression(Node node, Statement statement) const {
    const auto children = named_children(node).to_vector();
    if (children.size() != 1) return statement;
    const Node one = children.front();
    if (one.is("string") && is_literal(one)) statement.kind = StatementKind::plain;
    statement.is_movable = is_literal_default(one);
    if (!one.is("assignment") || one.field("type")) return statement;
    const Node left = one.field("left");
    const Node right = one.field("right");
    if (left.is("identifier") && !is_reserved(text(left)) && is_literal(right)) statement.kind = StatementKind::plain;
    const Node key = left.is("subscript") ? left.field("subscript") : Node{};
    const auto name = literal_content(text(key));
    const auto value = right.is("string") ? literal_content(text(right)) : std::nullopt;
    if (!key || text(left.field("value")) != "os.environ" || !name || !value) return statement;
    return {.kind = StatementKind::write,
            .range = statement.range,
            .name = *name,
            .value = *value,
            .is_exported = true,
            .is_movable = true};
  }

  /// Returns whether an import of this name is plain.
  bool is_plain_name(Node node) const {
    const Node name = node.is("aliased_import") ? node.field("name") : node;
    const std::string_view full = text(name);
    const std::string_view first = full.substr(0, full.find('.'));
    const Node alias = node.is("aliased_import") ? node.field("alias") : Node{};
    return name.is("dotted_name") && is_well_known(first) && !(alias && is_reserved(text(alias))) &&
           !is_shadowed(project_, module_, first);
  }

  bool is_plain_import(Node node) const {
    if (node.is("import_statement")) {
      const auto names = named_children(node).to_vector();
      return std::all_of(names.begin(), names.end(), [&](Node name) { return is_plain_name(name); });
    }
    if (!node.is("import_from_statement") || !is_plain_name(node.field("module_name"))) return false;
    const auto names = named_children(node).to_vector();
    return std::none_of(names.begin(), names.end(), [&](Node name) {
      return name.is("wildcard_import") || (name.is("aliased_import") && is_reserved(text(name.field("alias"))));
    });
  }

  /// Returns whether the definition runs no code: it has no decorators, annotations, or defaults that need evaluation.
  bool is_plain_function(Node node) const {
    if (!node.is("function_definition") || node.field("return_type")) return false;
    const std::string_view parameters = text(node.field("parameters"));
    return parameters.size() >= 2 && !is_reserved(text(node.field("name"))) &&
           parameters.substr(1, parameters.size() - 2).find_first_of("()[]{}.:") == std::string_view::npos;
  }

  const Project& project_;
  const Module& module_;
};

/// Returns the content of a shell word, quoted or not, that has no expansions; nothing for other words.
std::optional<std::string_view> word_content(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
    text = text.substr(1, text.size() - 2);
  const bool is_literal = std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view{"_-.,:/"}.find(c) != std::string_view::npos;
  });
  return is_literal ? std::optional{text} : std::nullopt;
}

/// Classifies one statement of a shell script.
Statement shell_statement(Node node, std::string_view text) {
  Statement statement{.range = node.range()};
  const std::string_view code = node.text(text);
  if (!node.is_named() && (code == "\n" || code == ";" || code.empty())) statement.kind = StatementKind::plain;
  const auto children = named_children(node).to_vector();
  const bool exports = node.is("declaration_command") && code.starts_with("export") && children.size() == 1;
  const Node assignment = exports ? children.front() : node;
  if (!assignment.is("variable_assignment")) return statement;
  const auto value = word_content(assignment.field("value").text(text));
  if (!value || assignment.field("name").text(text).find('[') != std::string_view::npos) return statement;
  return {.kind = StatementKind::write,
          .range = statement.range,
          .name = assignment.field("name").text(text),
          .value = *value,
          .is_exported = exports};
}

/// Returns whether the script may run code between any two commands (a DEBUG trap), or redefine commands such as
/// `export`.
bool has_hidden_code(std::string_view text) {
  constexpr std::array<std::string_view, 5> kMarks{"DEBUG", "export()", "export ()", "function export", "alias"};
  return std::any_of(kMarks.begin(), kMarks.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// Returns the statements of the outermost block; empty if the file does not parse, is neither Python nor shell, or
/// has_hidden_code().
std::vector<Statement> statements_of(const Project& project, const Module& module) {
  std::vector<Statement> all;
  const std::string_view text = module.source.text();
  const bool python = module.kind == FileKind::python || module.kind == FileKind::notebook;
  if (module.parse_error || (!python && module.kind != FileKind::shell) || (!python && has_hidden_code(text)))
    return all;
  const auto tree = parse(python ? Language::python : Language::shell, text);
  if (!tree || tree->first_error()) return all;
  if (python) {
    const PythonStatements reader{project, module};
    for (const Node node : named_children(tree->root())) all.push_back(reader.read(node));
  } else {
    for (const Node node : all_children(tree->root()))
      if (!node.is("comment")) all.push_back(shell_statement(node, text));
  }
  return all;
}

/// Returns the statement with exactly this range; all.end() if the outermost block has no such statement.
auto find_at(const std::vector<Statement>& all, Range where) {
  return std::find_if(all.begin(), all.end(), [&](const Statement& one) { return one.range == where; });
}

/// Returns the first statement on the line of the statement `one`, because a line inserted above precedes all
/// statements of the line. Nothing if a statement that begins on an earlier line continues on this line.
std::optional<std::vector<Statement>::const_iterator> first_of_line(const SourceFile& source,
                                                                    const std::vector<Statement>& all,
                                                                    std::vector<Statement>::const_iterator one) {
  const std::uint32_t line = source.line_start(one->range.begin);
  const std::string_view above = source.text({0, line});
  while (one != all.begin() && std::prev(one)->range.end > line) --one;
  if (one->range.begin < line || above.ends_with("\\\n") || above.ends_with("\\\r\n")) return std::nullopt;
  return one;
}

/// Returns whether both offsets are in one cell of a notebook, with no IPython command ("%env", "!...") between them;
/// true for other files.
bool is_in_one_cell(const Module& module, std::uint32_t begin, std::uint32_t end) {
  const NotebookSource* notebook = module.source.notebook();
  if (notebook == nullptr) return true;
  const std::string_view code = module.source.text();
  for (std::uint32_t i = begin; i < end && i < notebook->file_offsets.size(); ++i) {
    // IPython commands are comments in the extracted code.
    if (code[i] == '#' && notebook->text[notebook->file_offsets[i]] != '#') return false;
  }
  return std::none_of(notebook->cell_starts.begin(), notebook->cell_starts.end(),
                      [&](std::uint32_t cell) { return begin < cell && cell <= end; });
}

/// Returns whether a shell statement is one of a few commands, without expansions, that set no environment variable.
bool is_harmless_command(std::string_view code) {
  constexpr std::array<std::string_view, 6> kNames{"cd ", "set -", "echo ", "mkdir ", "ulimit ", "date"};
  return code.find_first_of("`$(;&|<>") == std::string_view::npos &&
         std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) { return code.starts_with(name); });
}

/// Returns the offset of the first word, such as "putenv" or "importlib", with which code may write an environment
/// variable whose name is not in the text; npos if there is none.
std::size_t first_hidden_write(std::string_view text) {
  constexpr std::array<std::string_view, 8> kWords{"environ.update", "environb", "putenv",      "exec(",
                                                   "importlib",      "runpy",    "load_dotenv", "__setitem__"};
  std::size_t first = std::string_view::npos;
  for (const std::string_view word : kWords) first = std::min(first, text.find(word));
  return first;
}

/// Returns whether the statement is neither a write nor a docstring, and contains the variable's name.
bool names_variable(const Module& module, const Statement& one, std::string_view variable) {
  const std::string_view code = module.source.text(one.range);
  const bool docstring = code.starts_with('"') || code.starts_with('\'');
  return one.kind != StatementKind::write && !docstring && code.find(variable) != std::string_view::npos;
}

/// Returns whether the code uses the name `os` other than before a dot, so that it may be bound to another object.
bool may_bind_os(std::string_view code) {
  const auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  if (code.starts_with("import ")) return code.find(" as os") != std::string_view::npos;
  for (std::size_t at = code.find("os"); at != std::string_view::npos; at = code.find("os", at + 1)) {
    const bool begins = at == 0 || (!is_part(code[at - 1]) && code[at - 1] != '.');
    const bool ends = at + 2 == code.size() || (!is_part(code[at + 2]) && code[at + 2] != '.');
    if (begins && ends) return true;
  }
  return false;
}

/// Returns whether a statement that is not plain mentions the environment, so that it may read any variable.
bool mentions_environment(const Module& module, const Statement& one) {
  const std::string_view code = module.source.text(one.range);
  return one.kind == StatementKind::other && !one.is_movable &&
         (code.find("environ") != std::string_view::npos || code.find("getenv") != std::string_view::npos);
}

}  // namespace

struct PlainStatements::File {
  std::vector<Statement> statements;
  std::size_t hidden_write_offset;  ///< first_hidden_write() of the file
};

PlainStatements::PlainStatements(const Project& project) : project_{project} {}
PlainStatements::~PlainStatements() = default;

const PlainStatements::File& PlainStatements::parsed_file(const Module& module) {
  auto& file = files_[&module];
  if (!file) file.reset(new File{statements_of(project_, module), first_hidden_write(module.source.text())});
  return *file;
}

bool PlainStatements::is_plain_repeat(const Module& module, const Event& write) {
  const auto& all = parsed_file(module).statements;
  const auto found = find_at(all, write.statement);
  if (found == all.end() || found->kind != StatementKind::write || found->name != write.name) return false;
  for (auto at = found; at != all.begin();) {
    --at;
    if (at->kind == StatementKind::other) return false;
    if (at->kind == StatementKind::write && at->name == found->name)
      return at->is_exported && at->value == found->value &&
             is_in_one_cell(module, at->range.begin, found->range.begin);
  }
  return false;
}

MoveSafety PlainStatements::move_safety(const Module& module, Range target, const Event& write) {
  const auto& all = parsed_file(module).statements;
  const auto target_at = find_at(all, target);
  const auto write_at = find_at(all, write.statement);
  if (target_at >= write_at || write_at == all.end() || !write_at->is_movable) return MoveSafety::no;
  const auto on_line = first_of_line(module.source, all, target_at);
  if (!on_line) return MoveSafety::no;
  const auto first_passed = *on_line;  // the write passes the statements from here to `write_at`
  const bool passes_plain =
      is_in_one_cell(module, first_passed->range.begin, write_at->range.begin) &&
      std::all_of(first_passed, write_at, [&](const Statement& one) {
        return one.kind == StatementKind::plain || (one.kind == StatementKind::write && one.name != write.name);
      });
  if (passes_plain) return MoveSafety::yes;
  // The statements that the write passes may call functions defined above them, so all statements above count.
  const bool may_be_noticed =
      std::any_of(all.begin(), write_at,
                  [&](const Statement& one) { return names_variable(module, one, write.name); }) ||
      std::any_of(first_passed, write_at, [&](const Statement& one) {
        return mentions_environment(module, one) || may_bind_os(module.source.text(one.range));
      });
  return may_be_noticed ? MoveSafety::no : MoveSafety::unproved;
}

bool PlainStatements::is_first_write(const Module& module, const Event& write) {
  const auto& [all, hidden_write_offset] = parsed_file(module);
  if (module.kind != FileKind::shell) {
    const std::string_view above = module.source.text().substr(0, write.statement.begin);
    return hidden_write_offset >= write.statement.begin && above.find(write.name) == std::string_view::npos;
  }
  const auto write_at = find_at(all, write.statement);
  return write_at != all.end() && std::all_of(all.begin(), write_at, [&](const Statement& one) {
           if (one.kind == StatementKind::other) return is_harmless_command(module.source.text(one.range));
           return one.kind == StatementKind::plain || one.name != write.name;
         });
}

}  // namespace weir::audit
