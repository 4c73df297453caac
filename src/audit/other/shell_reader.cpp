#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "audit/mask.hpp"
#include "audit/other/readers.hpp"
#include "audit/other/shell_commands.hpp"
#include "audit/other/shell_evaluator.hpp"
#include "audit/other/shell_facts.hpp"
#include "audit/source/words.hpp"

// Reads shell scripts. shell_evaluator.hpp computes the values of words, shell_commands.hpp interprets commands, and
// shell_facts.hpp collects what holds for a whole script.

namespace weir::audit {
namespace {

constexpr int kParameterCount = 9;  ///< $1 to $9

/// Returns the part of a value after "NAME=", or after its last "=" if no name is given.
Value text_after_equals(const Value& whole, std::string_view name) {
  Value all;
  bool first = true;
  for (PossibleValue alternative : whole.alternatives()) {
    const std::size_t at = name.empty() ? alternative.text.rfind('=') : alternative.text.find(fmt::format("{}=", name));
    const std::size_t begin = at == std::string::npos ? 0 : at + name.size() + 1;
    if (alternative.kind != PossibleValue::Kind::text && alternative.kind != PossibleValue::Kind::pattern) return {};
    alternative.text = alternative.text.substr(begin);
    alternative.literal = {};
    all = first ? Value{std::move(alternative)} : all.joined(std::move(alternative));
    first = false;
  }
  return all;
}

/// Returns the value; a single hole if it is unknown.
Value value_or_hole(const Value& value, Range where) {
  if (!value.is_unknown()) return value;
  return PossibleValue{.kind = PossibleValue::Kind::pattern, .text = std::string{kHole}, .literal = where};
}

/// Returns whether the value is exactly one hole.
bool is_one_hole(const Value& value) {
  const PossibleValue* pattern = value.single_alternative(PossibleValue::Kind::pattern);
  return pattern != nullptr && pattern->text == std::string_view{&kHole, 1} && hole_value(*pattern).is_unknown();
}

bool has_several_values(const Value& value) {
  return value.alternatives().size() > 1 || (value.single_alternative(PossibleValue::Kind::pattern) != nullptr &&
                                             !hole_value(*value.single_alternative()).is_unknown());
}

/// Reads the statements of a shell script in order and records the events.
class ShellReader {
 public:
  explicit ShellReader(std::string_view text) : text_{text}, evaluator_{text} {}

  ScriptContent read(const Tree& tree) {
    in_gpu_job_ =
        text_.find("#SBATCH") != std::string_view::npos &&
        (text_.find("--gres=gpu") != std::string_view::npos || text_.find("--gpus") != std::string_view::npos ||
         text_.find("--gres gpu") != std::string_view::npos);
    facts_ = collect_shell_facts(tree.root(), text_);
    walk(tree.root(), 0);
    auto content = std::move(events_).take();
    content.parse_error = tree.first_error();
    return content;
  }

 private:
  /// The settings of masks before which a fix may insert a setting of CUDA_DEVICE_ORDER: all, only those in the prefix
  /// of a command (NAME=value command), or none.
  enum class OrderPlaces { all, prefixes, none };

  void walk(Node node, int depth) {
    if (depth > kMaxShellDepth) return;
    const std::string_view kind = node.kind();
    if (kind == "heredoc_body" || kind == "comment" || kind == "raw_string") return;
    if (kind == "command") return command(node);
    if (kind == "declaration_command" || kind == "variable_assignment") return assignment(node);
    if (kind == "unset_command") return unset(node);
    if (kind == "redirected_statement") return redirected(node, depth);
    if (kind == "function_definition") return function(node, depth);
    if (kind == "if_statement" || kind == "case_statement") return branches(node, depth);
    if (kind == "while_statement" || kind == "for_statement" || kind == "c_style_for_statement")
      return loop(node, depth);
    if (kind == "list") return chain(node, depth);
    if (kind == "subshell" || kind == "command_substitution" || kind == "process_substitution")
      return process(node, depth);
    if (kind.ends_with("_expression")) evaluator_.forget(find_written_variables(node, text_, facts_));
    for (const Node child : named_children(node)) walk(child, depth + 1);
  }

  /// Reads a subshell: its changes end with it.
  void process(Node node, int depth) {
    const ShellState outer = evaluator_.state;
    events_.arms().push_back({.branch_id = events_.new_branch(), .index = 0, .is_child_process = true});
    for (const Node child : named_children(node)) walk(child, depth + 1);
    events_.arms().pop_back();
    evaluator_.state = outer;
  }

  /// Reads the body of a function, for any values of its parameters ($1 to $9) and of the variables that functions read.
  void function(Node node, int depth) {
    const ShellState outer = std::exchange(evaluator_.state, ShellState{.in_function = true});
    auto outer_defaults = std::exchange(evaluator_.defaults, {});
    events_.begin_function(std::string{node.field("name").text(text_)});
    walk(node.field("body"), depth + 1);
    std::vector<std::string> parameters;
    std::vector<Value> defaults;
    for (int i = 1; i <= kParameterCount; ++i) {
      parameters.push_back(std::to_string(i));
      const auto found = evaluator_.defaults.find(parameters.back());
      defaults.push_back(found == evaluator_.defaults.end() ? Value{} : found->second);
    }
    for (const std::string& name : facts_.read_in_functions) parameters.push_back(name);
    defaults.resize(parameters.size());
    events_.end_function(std::move(parameters), std::move(defaults), kParameterCount);
    evaluator_.defaults = std::move(outer_defaults);
    evaluator_.state = outer;
  }

  /// Reads the paths of an if or case statement one after the other, each from the same state of the variables.
  void branches(Node node, int depth) {
    const ShellState start = evaluator_.state;
    std::optional<ShellState> after;
    const auto leave_arm = [&] { after = after ? joined(*after, evaluator_.state) : evaluator_.state; };
    bool is_exhaustive = false;  // one of the arms always runs
    std::uint32_t arm = 0;
    events_.arms().push_back({events_.new_branch(), 0});
    for (const Node child : named_children(node)) {
      if (child.is("elif_clause") || child.is("else_clause") || child.is("case_item")) {
        // Before its first elif or else an if statement has its condition and body, which are an arm, too. Before the
        // first item of a case statement there is no arm to leave.
        if (arm > 0 || !child.is("case_item")) leave_arm();
        evaluator_.state = start;
        events_.arms().back().index = ++arm;
        is_exhaustive = is_exhaustive || child.is("else_clause") ||
                        (child.is("case_item") && child.field("value").text(text_) == "*");
      }
      walk(child, depth + 1);
    }
    leave_arm();
    events_.arms().pop_back();
    evaluator_.state = is_exhaustive ? *after : joined(*after, start);
  }

  /// Returns an unknown value with an identity, for a loop variable or a substitution such as $(pick). In a script that
  /// mentions nvidia-smi the value has no identity, because another rule checks values from nvidia-smi.
  Value new_symbol() {
    if (text_.find("nvidia-smi") != std::string_view::npos) return {};
    return PossibleValue{.kind = PossibleValue::Kind::symbol, .number = ++last_symbol_};
  }

  /// Reads a loop once. The variables that it writes are unknown in it and after it; in a "for" loop its variable has the
  /// value of any of its words.
  void loop(Node node, int depth) {
    const ShellVariables written = find_written_variables(node, text_, facts_);
    evaluator_.forget(written);
    events_.arms().push_back({events_.new_branch(), 0});
    if (node.is("for_statement")) {
      std::vector<Node> words;
      const Node variable = node.field("variable");
      const Node body = node.field("body");
      for (const Node child : named_children(node)) {
        if (child.range() != variable.range() && child.range() != body.range()) words.push_back(child);
      }
      const Value all = evaluator_.expand_words(words);
      const Value any = all.single_alternative(PossibleValue::Kind::sequence) == nullptr ? Value{} : any_element(all);
      evaluator_.set(variable.text(text_), any.is_unknown() || is_one_hole(any) ? new_symbol() : any);
    }
    const auto counters = node.is("c_style_for_statement") && node.field("initializer")
                              ? find_written_variables(node.field("initializer"), text_, facts_).names
                              : decltype(written.names){};
    ++loop_depth_;
    for (const Node child : named_children(node)) {
      if (node.is("c_style_for_statement")) {  // an earlier iteration may have changed the variables
        evaluator_.forget(written);
        for (const std::string& name : counters) evaluator_.set(name, new_symbol());
      }
      walk(child, depth + 1);
    }
    --loop_depth_;
    events_.arms().pop_back();
    evaluator_.forget(written);
  }

  /// Returns whether the command normally succeeds, so that a command after "&&" counts as unconditional.
  bool normally_succeeds(Node node) const {
    constexpr std::array<std::string_view, 11> kNames{"cd",    "pushd", "source", ".",     "conda", "module",
                                                      "mkdir", "set",   "echo",   "sleep", "eval"};
    const std::string_view program = node.field("name").text(text_);
    return node.is("variable_assignment") || node.is("variable_assignments") || node.is("declaration_command") ||
           (node.is("command") && is_one_of(program, kNames));
  }

  /// Handles a && b || c, whose later commands are conditional. A command after || is another path of the same branch as
  /// the commands after the && before it. A command after && needs no branch if the command before it normally succeeds.
  void chain(Node node, int depth) {
    struct Part {
      Node node;
      bool follows_or;  // the part follows ||, not &&
    };
    std::vector<Part> parts;
    for (; node.is("list"); node = node.first_child()) {
      const auto all = all_children(node).to_vector();
      if (all.size() < 3) break;
      parts.push_back({all.back(), all[1].text(text_) == "||"});
    }
    parts.push_back({.node = node, .follows_or = false});
    std::reverse(parts.begin(), parts.end());
    std::size_t open_arms = 0;  // arms that this chain has added to events_.arms()
    std::optional<ShellState> before;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i > 0 && (parts[i].follows_or || !normally_succeeds(parts[i - 1].node))) {
        if (!before) before = evaluator_.state;
        const bool is_other_arm = parts[i].follows_or && open_arms > 0;
        for (; is_other_arm && open_arms > 1; --open_arms) events_.arms().pop_back();
        if (is_other_arm)
          ++events_.arms().back().index;
        else
          events_.arms().push_back({events_.new_branch(), 0});
        if (!is_other_arm) ++open_arms;
        evaluator_.state = joined(*before, evaluator_.state);
      }
      walk(parts[i].node, depth + 1);
    }
    for (; open_arms > 0; --open_arms) events_.arms().pop_back();
    if (before) evaluator_.state = joined(*before, evaluator_.state);
  }

  /// Reads a command with redirections. The text of a here-document is read as a script if a shell receives it.
  void redirected(Node node, int depth) {
    const Node body = node.field("body");
    for (const Node child : named_children(node)) {
      if (!child.is("heredoc_redirect")) {
        walk(child, depth + 1);
        continue;
      }
      // In "cat <<EOF | bash" the last command of the pipeline reads the text.
      Node reader = body;
      for (const Node part : named_children(child)) {
        if (part.is("pipeline")) reader = named_children(part).back();
        walk(part, depth + 1);
      }
      if (reader.is("pipeline")) reader = named_children(reader).back();
      substitutions(child_of_kind(child, "heredoc_body"), 0);
      if (!reader.is("command") || !reads_script(words_of(reader))) continue;
      const std::string_view delimiter = child_of_kind(child, "heredoc_start").text(text_);
      const bool expands = delimiter.find_first_of("'\"\\") == std::string_view::npos;
      script({.range = child_of_kind(child, "heredoc_body").range(),
              .expanded_by_outer_shell = expands,
              .is_remote = is_remote(words_of(reader))});
    }
  }

  /// Returns whether the code before the byte offset `before` reads the variable X: "${X:-...}", "$X", "-v X".
  bool is_read_before(std::string_view name, std::uint32_t before) const {
    const std::string_view above = text_.substr(0, before);
    for (std::size_t at = find_word(above, name); at != std::string_view::npos; at = find_word(above, name, at + 1)) {
      const std::string_view start = above.substr(0, at);
      if (start.ends_with('$') || start.ends_with("${") || start.ends_with("-v ")) return true;
    }
    return false;
  }

  /// Returns "1" for ${X:-1} and ${X:=1}; nothing for other texts.
  static std::optional<std::string_view> default_of(std::string_view text, std::string_view name) {
    if (text.size() > 1 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    const std::string start = fmt::format("${{{}", name);
    if (!text.starts_with(start) || !text.ends_with('}')) return std::nullopt;
    text = text.substr(start.size(), text.size() - start.size() - 1);
    if (text.starts_with(':')) text.remove_prefix(1);
    if ((!text.starts_with('-') && !text.starts_with('=')) || text.find('$') != std::string_view::npos)
      return std::nullopt;
    return text.substr(1);
  }

  void note_unknown_names(Node statement) {
    if (sets_unknown_names(statement, text_)) events_.emit(Event::Kind::change_environment, statement.range(), {});
  }

  void assignment(Node node) {
    events_.set_statement(node.range());
    if (node.is("declaration_command")) note_unknown_names(node);
    const auto all = node.is("variable_assignment") ? std::vector<Node>{node} : named_children(node).to_vector();
    evaluator_.forget(node.is("variable_assignment") ? ShellVariables{} : written_without_value(node));
    for (std::size_t i = 0; i < all.size(); ++i) {
      substitutions(all[i], 0);
      if (const Node value = all[i].field("value")) evaluator_.forget(find_written_variables(value, text_, facts_));
      const bool continued = i + 1 < all.size() && all[i + 1].range().begin == all[i].range().end;
      if (all[i].is("variable_assignment"))
        one_assignment(node, all[i], all.size() == 1, continued);
      else if (node.is("declaration_command"))
        quoted_assignment(node, all[i]);
    }
  }

  /// Returns the variables that a declaration without export declares without a value.
  ShellVariables written_without_value(Node declaration) const {
    ShellVariables names;
    if (is_exporting(declaration, text_)) return names;
    for (const Node child : named_children(declaration))
      if (child.is("variable_name")) names.names.emplace(child.text(text_));
    return names;
  }

  /// Handles export "NAME=value".
  void quoted_assignment(Node declaration, Node word) {
    const std::string_view name = quoted_name(word.text(text_));
    if (name.empty()) return;
    const Value evaluated = text_after_equals(evaluator_.evaluate_word(word), name);
    evaluator_.set(name, evaluated);
    events_.set_variable(word.range(), name, value_or_hole(evaluated, {}))->target = exporting_range(declaration, name);
  }

  /// Returns the name in a quoted word "NAME=value" if find_device_variable() knows it; otherwise an empty text.
  static std::string_view quoted_name(std::string_view word) {
    if (!word.starts_with('"') && !word.starts_with('\'')) return {};
    word.remove_prefix(1);
    const std::string_view name = word.substr(0, word.find('='));
    return name.size() < word.size() && find_device_variable(name) != nullptr ? name : std::string_view{};
  }

  /// Returns the range that exports the variable: the statement itself, or a later `export NAME`.
  Range exporting_range(Node statement, std::string_view name) const {
    if (order_places_ != OrderPlaces::all) return {};
    if (statement.is("declaration_command") && is_exporting(statement, text_)) return statement.range();
    const std::uint32_t at = statement.range().begin;
    if (facts_.export_all_offset < at) return statement.range();
    Range later_export;
    for (const auto& one : facts_.exports) {
      if (one.name != name) continue;
      if (one.range.begin < at) return statement.range();
      if (later_export.empty()) later_export = one.range;
    }
    return later_export;
  }

  /// Reads one assignment of a statement. `alone`: the statement contains no other assignment; `continued`: more text
  /// follows without a blank, so the value is unknown.
  void one_assignment(Node statement, Node one, bool alone, bool continued) {
    const std::string_view name = one.field("name").text(text_);
    const Node value = one.field("value");
    const std::string_view given = value.text(text_);
    const std::string_view code = one.text(text_);
    const bool appends = code.substr(std::min(name.size(), code.size())).starts_with("+=");
    const bool depends_on_old_value =
        appends || contains_word(given, name) || is_read_before(name, statement.range().begin);
    Value evaluated = value.is("array") ? evaluator_.expand_words(named_children(value).to_vector())
                      : value           ? evaluator_.evaluate_word(value)
                                        : text_value("");
    if (appends || continued) evaluated = {};
    const bool is_ordinary = find_device_variable(name) == nullptr;  // does not select devices
    evaluator_.set(name, is_ordinary && !appends && is_one_hole(evaluated) ? new_symbol() : evaluated);
    if (is_ordinary) return;
    if (const auto default_text = default_of(given, name); default_text)
      evaluated = word_value(*default_text, Range{});  // ${X:-1}: 1 if the variable is unset
    evaluated = value_or_hole(evaluated, value.range());
    const bool from_nvidia_smi = text_.find("nvidia-smi") != std::string_view::npos &&
                                 text_.find("nvidia-smi") < statement.range().begin &&
                                 evaluated.single_alternative(PossibleValue::Kind::pattern) != nullptr;
    // Such a value is computed from the output of nvidia-smi.
    if (from_nvidia_smi && !depends_on_old_value && is_mask_variable(name))
      evaluated = value_of_kind(PossibleValue::Kind::smi_index);
    Event* event = events_.set_variable(one.range(), name, evaluated,
                                        depends_on_old_value ? Event::Mode::set_if_unset : Event::Mode::assign);
    event->is_editable = alone && order_places_ == OrderPlaces::all;
    event->on_other_machine = is_remote_;
    event->in_loop = loop_depth_ > 0 && has_several_values(evaluated);
    event->target = exporting_range(statement, name);
    if (in_gpu_job_ && event->mode == Event::Mode::assign && is_mask_variable(name) &&
        evaluated.single_alternative(PossibleValue::Kind::text) != nullptr)
      events_.emit(Event::Kind::container_mask, one.range(), "the #SBATCH lines", evaluated);
  }

  void unset(Node node) {
    events_.set_statement(node.range());
    for (const Node name : named_children(node)) {
      const std::string variable{name.text(text_)};
      if (find_device_variable(variable) != nullptr) events_.emit(Event::Kind::remove_variable, node.range(), variable);
    }
    evaluator_.forget(find_written_variables(node, text_, facts_));
  }

  ShellWords words_of(Node command) const {
    ShellWords words;
    for (const Node child : named_children(command)) {
      if (child.is("variable_assignment") || child.kind().find("redirect") != std::string_view::npos) continue;
      const Node word = child.is("command_name") && child.first_child() ? child.first_child() : child;
      words.push_back({word, child.text(text_), child.range()});
    }
    return words;
  }

  /// Sets a variable in the environment of a command. `allows_setting_before`: another setting may be inserted before
  /// this one (a prefix of the command, or an argument of a program such as env).
  void set_for_command(Range where, std::string_view name, const Value& value, bool allows_setting_before) {
    Event* event = events_.set_variable(where, name, value, Event::Mode::child_environment);
    if (event == nullptr) return;
    if (allows_setting_before && order_places_ != OrderPlaces::none) event->target = where;
    event->in_loop = loop_depth_ > 0 && has_several_values(value);
    event->in_container = in_container_;
    event->on_other_machine = is_remote_;
    event->cards_renumbered = cards_renumbered_;
    if (is_mask_variable(name)) masks_.push_back({std::string{name}, value});
  }

  /// Reads a command: the variables that it gets in its prefix or its words, the devices and scripts among its words.
  void command(Node node) {
    events_.set_statement(node.range());
    masks_.clear();
    const ShellWords words = words_of(node);
    for (const Node child : named_children(node)) {
      if (!child.is("variable_assignment")) continue;
      const Node value = child.field("value");
      const Value evaluated = value ? value_or_hole(evaluator_.evaluate_word(value), value.range()) : text_value("");
      set_for_command(child.range(), child.field("name").text(text_), evaluated, /*allows_setting_before=*/true);
      substitutions(value, 0);
    }
    for (const ShellWord& word : words) substitutions(word.node, 0);
    if (words.empty()) return;
    note_unknown_names(node);
    const ShellCommand parsed = parse_shell_command(words);
    const bool outer_container = std::exchange(in_container_, in_container_ || parsed.starts_container);
    const bool outer_renumbered = cards_renumbered_;
    if (parsed.starts_container) container(words);
    events_.set_statement(node.range());
    for (const ShellSetting& setting : parsed.settings) {
      const Value evaluated = text_after_equals(evaluator_.evaluate_word(words[setting.word_index].node), setting.name);
      set_for_command(setting.range, setting.name, value_or_hole(evaluated, {}), setting.allows_setting_before);
    }
    call(node, parsed.program, words);
    if (!is_data_command(parsed.program)) devices(words, parsed.program);
    scripts(node, words);
    in_container_ = outer_container;
    cards_renumbered_ = outer_renumbered;
    const ShellVariables written = find_written_variables(node, text_, facts_);
    evaluator_.forget(written);
    if (parsed.program != "read" || written.includes_all) return;
    for (const std::string& name : written.names) evaluator_.set(name, new_symbol());
  }

  /// Records the call of a function of the script, with its arguments and the variables that it reads.
  void call(Node node, const std::string& program, const ShellWords& words) {
    Event& event = events_.emit(Event::Kind::call, node.range(), ':' + program);
    if (!facts_.functions.contains(program)) return;
    event.in_loop = loop_depth_ > 0;
    std::vector<Argument> given;
    auto word = std::find_if(words.begin(), words.end(), [&](const ShellWord& one) { return one.text == program; });
    for (word = word == words.end() ? word : word + 1; word != words.end(); ++word) {
      const std::string text = remove_quotes(word->text);
      if (text != "$@" && text != "$*") {
        given.push_back({{}, evaluator_.evaluate_word(word->node)});
        continue;
      }
      for (int i = 1; i <= kParameterCount; ++i) given.push_back({{}, evaluator_.lookup(std::to_string(i))});
      break;
    }
    for (const std::string& name : facts_.read_in_functions) given.push_back({name, evaluator_.lookup(name)});
    event.arguments = std::move(given);
  }

  /// Records the devices among the words of a command.
  void devices(const ShellWords& words, const std::string& program) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const ShellWord& word = words[i];
      if (!may_name_device(word.text, i > 0 ? words[i - 1].text : std::string_view{}, program)) continue;
      const std::size_t equals = word.text.rfind('=');
      const std::uint32_t skip = equals == std::string_view::npos ? 0 : static_cast<std::uint32_t>(equals + 1);
      Value value = word_value(word.text.substr(skip), {word.range.begin + skip, word.range.end});
      if (value.single_alternative(PossibleValue::Kind::pattern) != nullptr)
        value = text_after_equals(evaluator_.evaluate_word(word.node), {});
      const bool known =
          !value.is_unknown() &&
          std::all_of(value.alternatives().begin(), value.alternatives().end(), [](const PossibleValue& alternative) {
            if (alternative.kind == PossibleValue::Kind::text) return parse_device(alternative.text).has_value();
            std::string text = alternative.text;
            std::replace(text.begin(), text.end(), kHole, '0');
            return !hole_value(alternative).is_unknown() && parse_device(text).has_value();
          });
      if (!known) continue;
      Event& use = events_.emit(Event::Kind::use_device, word.range, program, value);
      use.arguments = masks_;
    }
  }

  /// Reads the scripts among the words of a command, and in its here-string (<<< "...").
  void scripts(Node node, const ShellWords& words) {
    if (const auto script_word = find_script(words)) {
      const std::string_view inside =
          text_.substr(script_word->range.begin, script_word->range.end - script_word->range.begin);
      if (inside.find('\\') == std::string_view::npos) script(*script_word);
    }
    const Node given = child_of_kind(node, "herestring_redirect");
    const Node text = given ? named_children(given).back() : Node{};
    if (!text || !reads_script(words) || text.range().end < text.range().begin + 2) return;
    if (text.is("string") || text.is("raw_string"))
      script({.range = {text.range().begin + 1, text.range().end - 1},
              .expanded_by_outer_shell = text.is("string"),
              .is_remote = is_remote(words)});
  }

  /// Reads a script that is a part of this one: its events have their positions in the whole file.
  void script(const ShellScript& given) {
    constexpr int kMaxInnerScripts = 64;
    constexpr std::size_t kMaxBytes = 256 * 1024;
    if (inner_script_count_ >= kMaxInnerScripts || text_.size() > kMaxBytes || given.range.end <= given.range.begin)
      return;
    ++inner_script_count_;
    // Blanks replace all text around the inner script, so that all offsets stay the same.
    std::string blank(text_.size(), ' ');
    text_.copy(blank.data() + given.range.begin, given.range.end - given.range.begin, given.range.begin);
    const auto tree = parse(Language::shell, blank);
    if (!tree || tree->first_error()) return;
    const ShellState outer = evaluator_.state;
    const auto masks = masks_;
    const OrderPlaces places = std::exchange(order_places_, !given.expanded_by_outer_shell ? order_places_
                                                            : given.is_remote              ? OrderPlaces::none
                                                                                           : OrderPlaces::prefixes);
    const bool outer_remote = std::exchange(is_remote_, is_remote_ || given.is_remote);
    const ShellFacts facts = std::exchange(facts_, collect_shell_facts(tree->root(), text_));
    if (!given.expanded_by_outer_shell && !given.runs_in_same_shell) evaluator_.state = ShellState{.all_unknown = true};
    if (given.runs_in_same_shell)
      walk(tree->root(), 0);
    else
      process(tree->root(), 0);
    facts_ = facts;
    is_remote_ = outer_remote;
    order_places_ = places;
    masks_ = masks;
    evaluator_.state = outer;
  }

  /// Reads "$(...)" within a word as a separate command.
  void substitutions(Node node, int depth) {
    if (depth > kMaxShellDepth) return;
    if (node.is("command_substitution") || node.is("process_substitution")) {
      const auto masks = masks_;
      walk(node, depth + 1);
      masks_ = masks;
      return;
    }
    if (node.is("expansion")) read_default(node);
    for (const Node child : named_children(node)) substitutions(child, depth + 1);
  }

  /// Handles ${NAME:=value}, which sets the variable if it is unset.
  void read_default(Node expansion) {
    const std::string_view text = expansion.text(text_);
    const std::string_view name = text.substr(std::min<std::size_t>(2, text.size()), text.find_first_of(":=") - 2);
    const auto value = default_of(text, name);
    if (find_device_variable(name) == nullptr || text.find('=') == std::string_view::npos || !value) return;
    Event* event =
        events_.set_variable(expansion.range(), name, word_value(*value, Range{}), Event::Mode::set_if_unset);
    event->target = exporting_range(expansion, name);
  }

  /// Checks the mask inside a container against the cards that the container receives.
  void container(const ShellWords& words) {
    const ContainerStart given = parse_container_start(words);
    if (given.card_option.empty()) return;
    cards_renumbered_ = true;
    if (given.mask_range.empty()) return;
    const auto mask = parse_mask(std::string_view{given.mask});
    const bool fits = mask && std::all_of(mask->entries.begin(), mask->entries.end(), [&](const std::string& entry) {
                        return entry.size() < 3 && std::isdigit(static_cast<unsigned char>(entry[0])) != 0 &&
                               std::stoul(entry) < given.card_count;
                      });
    if (fits || (mask && mask->hides_all())) return;
    Event& event =
        events_.emit(Event::Kind::container_mask, given.mask_range, given.card_option, text_value(given.mask));
    event.target = given.mask_range;
  }

  std::string_view text_;
  ShellEvaluator evaluator_;
  ShellFacts facts_;
  ScriptEvents events_;
  std::vector<Argument> masks_;  ///< masks of the current command
  OrderPlaces order_places_ = OrderPlaces::all;
  bool is_remote_ = false;   ///< inside a script for another machine
  bool in_gpu_job_ = false;  ///< the script is a Slurm job (#SBATCH) that requests GPUs
  bool in_container_ = false;
  bool cards_renumbered_ = false;  ///< inside a container that receives selected cards
  int loop_depth_ = 0;
  long last_symbol_ = 0;        ///< last identity number of unknown values
  int inner_script_count_ = 0;  ///< number of nested scripts read so far
};

}  // namespace

Result<ScriptContent> read_shell(std::string_view text) {
  const auto tree = parse(Language::shell, text);
  if (!tree) return tree.error();
  return ShellReader{text}.read(*tree);
}

}  // namespace weir::audit
