#include <algorithm>
#include <cctype>
#include <string>

#include "audit/mask.hpp"
#include "audit/other/readers.hpp"
#include "audit/other/shell_commands.hpp"
#include "base/text.hpp"

// Reads PowerShell scripts.

namespace weir::audit {
namespace {

constexpr int kMaxPowershellDepth = 400;  // one expression is about fifteen nodes deep

/// Returns the name in "$env:NAME" or "${env:NAME}" in capitals, because PowerShell on Windows ignores case; empty if
/// there is none.
std::string environment_name(std::string_view text) {
  std::string name = lower_case(text);
  std::erase_if(name, [](char c) { return c == '{' || c == '}' || c == ' '; });
  if (name.starts_with("$env:"))
    name = name.substr(5);
  else if (name.starts_with("env:"))
    name = name.substr(4);
  else
    return {};
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

/// Reads the statements of a PowerShell script in order and records the events.
class PowershellReader {
 public:
  explicit PowershellReader(std::string_view text) : text_{text} {}

  ScriptContent read(const Tree& tree) {
    walk(tree.root(), 0);
    auto script = std::move(events_).take();
    script.parse_error = tree.first_error();
    return script;
  }

 private:
  void walk(Node node, int depth) {
    if (depth > kMaxPowershellDepth) return;
    const std::string_view kind = node.kind();
    if (kind == "comment") return;
    if (kind == "assignment_expression") return assignment(node, depth);
    if (kind == "invokation_expression") invocation(node);
    if (kind == "command") return command(node);
    if (kind == "function_statement") {
      events_.begin_function(std::string{child_of_kind(node, "function_name").text(text_)});
      for (const Node child : named_children(node)) walk(child, depth + 1);
      return events_.end_function();
    }
    const bool is_branch = kind == "if_statement" || kind == "switch_statement" || kind == "while_statement" ||
                           kind == "foreach_statement" || kind == "for_statement" || kind == "try_statement";
    const std::uint32_t id = is_branch ? events_.new_branch() : 0;
    std::uint32_t arm = 0;
    if (is_branch) events_.arms().push_back({id, 0});
    for (const Node child : named_children(node)) {
      if (is_branch && (child.is("elseif_clauses") || child.is("else_clause") || child.is("switch_clauses") ||
                        child.is("catch_clauses")))
        events_.arms().back().index = ++arm;
      walk(child, depth + 1);
    }
    if (is_branch) events_.arms().pop_back();
  }

  void assignment(Node node, int depth) {
    events_.set_statement(node.range());
    const auto parts = named_children(node);
    const Node value = node.field("value");
    for (const Node part : parts) {
      if (part.is("pipeline")) walk(part, depth + 1);
    }
    if (parts.empty() || !value) return;
    const std::string name = environment_name(parts.front().text(text_));
    Event* event =
        events_.set_variable(node.range(), name, word_value(value.text(text_), value.range()), Event::Mode::assign);
    if (event != nullptr) event->is_editable = true;
  }

  /// Handles [Environment]::SetEnvironmentVariable("NAME", "value").
  void invocation(Node node) {
    events_.set_statement(node.range());
    const std::string text = lower_case(node.text(text_));
    if (text.find("::setenvironmentvariable") == std::string::npos) return;
    std::vector<Node> literals;
    add_literals(node, literals, 0);
    if (literals.size() < 2) return;
    const Value name = word_value(literals[0].text(text_), literals[0].range());
    events_.set_variable(node.range(), name.as_text().value_or(""),
                         word_value(literals[1].text(text_), literals[1].range()));
  }

  /// Adds the string and number literals inside the node to `literals`.
  void add_literals(Node node, std::vector<Node>& literals, int depth) const {
    if (depth > kMaxPowershellDepth) return;
    for (const Node child : named_children(node)) {
      if (child.is("string_literal") || child.is("integer_literal"))
        literals.push_back(child);
      else
        add_literals(child, literals, depth + 1);
    }
  }

  void command(Node node) {
    events_.set_statement(node.range());
    const std::string program = lower_case(node.field("command_name").text(text_));
    std::vector<Node> words;
    for (const Node child : named_children(node.field("command_elements"))) {
      if (!child.is("command_argument_sep")) words.push_back(child);
    }
    const auto text = [&](std::size_t i) { return i < words.size() ? words[i].text(text_) : std::string_view{}; };
    if (program == "setx" && words.size() >= 2)
      events_.set_variable(node.range(), word_value(text(0), {}).as_text().value_or(""),
                           word_value(text(1), words[1].range()));
    if (program == "remove-item") {
      const std::string name = environment_name(text(0));
      if (find_device_variable(name) != nullptr) events_.emit(Event::Kind::remove_variable, node.range(), name);
    }
    events_.emit(Event::Kind::call, node.range(), ':' + program);
    if (program == "write-host" || program == "write-output") return;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const Value value = word_value(text(i), words[i].range());
      const PossibleValue* device = value.single_alternative(PossibleValue::Kind::text);
      if (device != nullptr && parse_device(device->text) &&
          may_name_device(text(i), i > 0 ? text(i - 1) : "", program))
        events_.emit(Event::Kind::use_device, words[i].range(), program, value);
    }
  }

  std::string_view text_;
  ScriptEvents events_;
};

}  // namespace

Result<ScriptContent> read_powershell(std::string_view text) {
  const auto tree = parse(Language::powershell, text);
  if (!tree) return tree.error();
  return PowershellReader{text}.read(*tree);
}

}  // namespace weir::audit
