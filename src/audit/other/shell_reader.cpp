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
#include "audit/other/shell_facts.hpp"
#include "audit/other/shell_values.hpp"

namespace weir::audit {
namespace {

constexpr int kParameters = 9;  ///< $1 to $9

/// The text of a value behind "NAME=", or behind its last "=" where no name is given.
Value behind_equals(const Value& whole, std::string_view name) {
  Value all;
  bool first = true;
  for (Atom atom : whole.atoms()) {
    const std::size_t at = name.empty() ? atom.text.rfind('=') : atom.text.find(fmt::format("{}=", name));
    const std::size_t begin = at == std::string::npos ? 0 : at + name.size() + 1;
    if (atom.kind != Atom::Kind::text && atom.kind != Atom::Kind::pattern) return {};
    atom.text = atom.text.substr(begin);
    atom.literal = {};
    all = first ? Value{std::move(atom)} : all.joined(std::move(atom));
    first = false;
  }
  return all;
}

/// Nothing is known but that something stands there.
Value known_or_hole(const Value& value, Range where) {
  if (!value.is_unknown()) return value;
  return Atom{.kind = Atom::Kind::pattern, .text = std::string{kHole}, .literal = where};
}

/// Nothing is known, and nothing stands around it.
bool is_one_hole(const Value& value) {
  const Atom* pattern = value.single(Atom::Kind::pattern);
  return pattern != nullptr && pattern->text == std::string_view{&kHole, 1} && filling_of(*pattern).is_unknown();
}

bool is_several(const Value& value) {
  return value.atoms().size() > 1 ||
         (value.single(Atom::Kind::pattern) != nullptr && !filling_of(*value.single()).is_unknown());
}

class ShellReader {
 public:
  explicit ShellReader(std::string_view text) : text_{text}, values_{text} {}

  ScriptReading read(const Tree& tree) {
    scheduled_ = text_.find("#SBATCH") != std::string_view::npos &&
                 (text_.find("--gres=gpu") != std::string_view::npos ||
                  text_.find("--gpus") != std::string_view::npos || text_.find("--gres gpu") != std::string_view::npos);
    facts_ = shell_facts(tree.root(), text_);
    walk(tree.root(), 0);
    auto reading = std::move(events_).take();
    reading.error = tree.first_error();
    return reading;
  }

 private:
  /// What an order may be put before, in the text that is read.
  enum class Places { all, prefixes, none };

  void walk(Node node, int depth) {
    if (depth > kMostShellDepth) return;
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
    if (kind.ends_with("_expression")) values_.forget(written_names(node, text_, facts_));
    for (const Node child : named_children(node)) walk(child, depth + 1);
  }

  /// A process of its own: what it sets is gone with it.
  void process(Node node, int depth) {
    const ShellState outer = values_.state;
    events_.arms().push_back({.branch = events_.new_branch(), .arm = 0, .process = true});
    for (const Node child : named_children(node)) walk(child, depth + 1);
    events_.arms().pop_back();
    values_.state = outer;
  }

  void function(Node node, int depth) {
    const ShellState outer = std::exchange(values_.state, ShellState{.in_function = true});
    auto outer_defaults = std::exchange(values_.defaults, {});
    events_.begin_function(std::string{node.field("name").text(text_)});
    walk(node.field("body"), depth + 1);
    std::vector<std::string> parameters;
    std::vector<Value> defaults;
    for (int i = 1; i <= kParameters; ++i) {
      parameters.push_back(std::to_string(i));
      const auto found = values_.defaults.find(parameters.back());
      defaults.push_back(found == values_.defaults.end() ? Value{} : found->second);
    }
    for (const std::string& name : facts_.read_in_functions) parameters.push_back(name);
    defaults.resize(parameters.size());
    events_.end_function(std::move(parameters), std::move(defaults), kParameters);
    values_.defaults = std::move(outer_defaults);
    values_.state = outer;
  }

  void branches(Node node, int depth) {
    const ShellState start = values_.state;
    std::optional<ShellState> after;
    const auto leave_arm = [&] { after = after ? joined(*after, values_.state) : values_.state; };
    bool exhaustive = false;
    std::uint32_t arm = 0;
    events_.arms().push_back({events_.new_branch(), 0});
    for (const Node child : named_children(node)) {
      if (child.is("elif_clause") || child.is("else_clause") || child.is("case_item")) {
        if (arm > 0 || !child.is("case_item")) leave_arm();
        values_.state = start;
        events_.arms().back().arm = ++arm;
        exhaustive =
            exhaustive || child.is("else_clause") || (child.is("case_item") && child.field("value").text(text_) == "*");
      }
      walk(child, depth + 1);
    }
    leave_arm();
    events_.arms().pop_back();
    values_.state = exhaustive ? *after : joined(*after, start);
  }

  /// What is not known, but one thing until it is written again: of a loop's round, of $(pick). What nvidia-smi tells is for
  /// another rule.
  Value one_thing() {
    if (text_.find("nvidia-smi") != std::string_view::npos) return {};
    return Atom{.kind = Atom::Kind::same, .number = ++things_};
  }

  void loop(Node node, int depth) {
    const ShellNames written = written_names(node, text_, facts_);
    values_.forget(written);
    events_.arms().push_back({events_.new_branch(), 0});
    if (node.is("for_statement")) {
      std::vector<Node> words;
      const Node variable = node.field("variable");
      const Node body = node.field("body");
      for (const Node child : named_children(node)) {
        if (child.range() != variable.range() && child.range() != body.range()) words.push_back(child);
      }
      const Value all = values_.elements(words);
      const Value any = all.single(Atom::Kind::sequence) == nullptr ? Value{} : any_element(all);
      values_.set(variable.text(text_), any.is_unknown() || is_one_hole(any) ? one_thing() : any);
    }
    const auto counters = node.is("c_style_for_statement") && node.field("initializer")
                              ? written_names(node.field("initializer"), text_, facts_).names
                              : decltype(written.names){};
    ++loops_;
    for (const Node child : named_children(node)) {
      if (node.is("c_style_for_statement")) {  // another round may have been there
        values_.forget(written);
        for (const std::string& name : counters) values_.set(name, one_thing());
      }
      walk(child, depth + 1);
    }
    --loops_;
    events_.arms().pop_back();
    values_.forget(written);
  }

  /// Commands behind which one goes on whatever they say.
  bool goes_on(Node node) const {
    constexpr std::array<std::string_view, 11> kNames{"cd",    "pushd", "source", ".",     "conda", "module",
                                                      "mkdir", "set",   "echo",   "sleep", "eval"};
    const std::string_view program = node.field("name").text(text_);
    return node.is("variable_assignment") || node.is("variable_assignments") || node.is("declaration_command") ||
           (node.is("command") && is_one_of(program, kNames));
  }

  /// a && b || c: what stands behind may not happen.
  void chain(Node node, int depth) {
    struct Part {
      Node node;
      bool otherwise;
    };
    std::vector<Part> parts;
    for (; node.is("list"); node = node.first_child()) {
      const auto all = all_children(node).listed();
      if (all.size() < 3) break;
      parts.push_back({all.back(), all[1].text(text_) == "||"});
    }
    parts.push_back({node, false});
    std::reverse(parts.begin(), parts.end());
    std::size_t opened = 0;
    std::optional<ShellState> before;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i > 0 && (parts[i].otherwise || !goes_on(parts[i - 1].node))) {
        if (!before) before = values_.state;
        const bool other_way = parts[i].otherwise && opened > 0;
        for (; other_way && opened > 1; --opened) events_.arms().pop_back();
        if (other_way)
          ++events_.arms().back().arm;
        else
          events_.arms().push_back({events_.new_branch(), 0});
        if (!other_way) ++opened;
        values_.state = joined(*before, values_.state);
      }
      walk(parts[i].node, depth + 1);
    }
    for (; opened > 0; --opened) events_.arms().pop_back();
    if (before) values_.state = joined(*before, values_.state);
  }

  void redirected(Node node, int depth) {
    const Node body = node.field("body");
    for (const Node child : named_children(node)) {
      if (!child.is("heredoc_redirect")) {
        walk(child, depth + 1);
        continue;
      }
      // cat <<EOF | bash
      Node reader = body;
      for (const Node part : named_children(child)) {
        if (part.is("pipeline")) reader = named_children(part).back();
        walk(part, depth + 1);
      }
      if (reader.is("pipeline")) reader = named_children(reader).back();
      substitutions(child_of_kind(child, "heredoc_body"), 0);
      if (!reader.is("command") || !reads_script(words_of(reader))) continue;
      const std::string_view mark = child_of_kind(child, "heredoc_start").text(text_);
      const bool expands = mark.find_first_of("'\"\\") == std::string_view::npos;
      script({child_of_kind(child, "heredoc_body").range(), expands, false, is_remote(words_of(reader))});
    }
  }

  /// Looked at before: "${X:-...}", "$X", "-z" and the like above it.
  bool looked_at(std::string_view name, std::uint32_t before) const {
    const std::string_view above = text_.substr(0, before);
    for (const std::string& form : {fmt::format("${}", name), fmt::format("${{{}", name), fmt::format("-v {}", name)}) {
      if (above.find(form) != std::string_view::npos) return true;
    }
    return false;
  }

  /// "1" of ${X:-1} and ${X:=1}; none if the text is anything else.
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
    const auto all = node.is("variable_assignment") ? std::vector<Node>{node} : named_children(node).listed();
    values_.forget(node.is("variable_assignment") ? ShellNames{} : written_without_value(node));
    for (std::size_t i = 0; i < all.size(); ++i) {
      substitutions(all[i], 0);
      if (const Node value = all[i].field("value")) values_.forget(written_names(value, text_, facts_));
      const bool continued = i + 1 < all.size() && all[i + 1].range().begin == all[i].range().end;
      if (all[i].is("variable_assignment"))
        one_assignment(node, all[i], all.size() == 1, continued);
      else if (node.is("declaration_command"))
        quoted_assignment(node, all[i]);
    }
  }

  ShellNames written_without_value(Node declaration) const {
    ShellNames names;
    if (is_exporting(declaration, text_)) return names;
    for (const Node child : named_children(declaration))
      if (child.is("variable_name")) names.names.emplace(child.text(text_));
    return names;
  }

  /// export "NAME=value"
  void quoted_assignment(Node declaration, Node word) {
    const std::string_view name = quoted_name(word.text(text_));
    if (name.empty()) return;
    const Value meant = behind_equals(values_.value(word), name);
    values_.set(name, meant);
    events_.set(word.range(), name, known_or_hole(meant, {}))->target = exported_by(declaration, name);
  }

  /// Of a variable that selects devices.
  static std::string_view quoted_name(std::string_view word) {
    if (!word.starts_with('"') && !word.starts_with('\'')) return {};
    word.remove_prefix(1);
    const std::string_view name = word.substr(0, word.find('='));
    return name.size() < word.size() && find_variable(name) != nullptr ? name : std::string_view{};
  }

  /// What makes the variable one that programs see: the statement itself, or the `export NAME` behind it.
  Range exported_by(Node statement, std::string_view name) const {
    if (places_ != Places::all) return {};
    if (statement.is("declaration_command") && is_exporting(statement, text_)) return statement.range();
    const std::uint32_t at = statement.range().begin;
    if (facts_.all_exported_from < at) return statement.range();
    Range behind;
    for (const auto& one : facts_.exports) {
      if (one.name != name) continue;
      if (one.where.begin < at) return statement.range();
      if (behind.empty()) behind = one.where;
    }
    return behind;
  }

  void one_assignment(Node statement, Node one, bool alone, bool continued) {
    const std::string_view name = one.field("name").text(text_);
    const Node value = one.field("value");
    const std::string_view given = value.text(text_);
    const std::string_view code = one.text(text_);
    const bool appends = code.substr(std::min(name.size(), code.size())).starts_with("+=");
    const bool keeps =
        appends || given.find(name) != std::string_view::npos || looked_at(name, statement.range().begin);
    Value meant = value.is("array") ? values_.elements(named_children(value).listed())
                  : value           ? values_.value(value)
                                    : text_value("");
    if (appends || continued) meant = {};
    const bool other = find_variable(name) == nullptr;
    values_.set(name, other && !appends && is_one_hole(meant) ? one_thing() : meant);
    if (other) return;
    if (const auto otherwise = default_of(given, name); otherwise)
      meant = word_value(*otherwise, Range{});  // ${X:-1}: 1, unless there is one
    meant = known_or_hole(meant, value.range());
    const bool counted = text_.find("nvidia-smi") != std::string_view::npos &&
                         text_.find("nvidia-smi") < statement.range().begin &&
                         meant.single(Atom::Kind::pattern) != nullptr;
    if (counted && !keeps && is_mask(name)) meant = kind_value(Atom::Kind::smi_index);  // chosen by what that tells
    Event* event = events_.set(one.range(), name, meant, keeps ? Event::Mode::keep : Event::Mode::assign);
    event->editable = alone && places_ == Places::all;
    event->elsewhere = remote_;
    event->in_loop = loops_ > 0 && is_several(meant);
    event->target = exported_by(statement, name);
    if (scheduled_ && event->mode == Event::Mode::assign && is_mask(name) && meant.single(Atom::Kind::text) != nullptr)
      events_.emit(Event::Kind::container, one.range(), "the #SBATCH lines", meant);
  }

  void unset(Node node) {
    events_.set_statement(node.range());
    for (const Node name : named_children(node)) {
      const std::string variable{name.text(text_)};
      if (find_variable(variable) != nullptr) events_.emit(Event::Kind::remove_variable, node.range(), variable);
    }
    values_.forget(written_names(node, text_, facts_));
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

  /// A variable of another process's environment.
  void set_for_command(Range where, std::string_view name, const Value& value, bool prefix) {
    Event* event = events_.set(where, name, value, Event::Mode::child);
    if (event == nullptr) return;
    if (prefix && places_ != Places::none) event->target = where;
    event->in_loop = loops_ > 0 && is_several(value);
    event->in_container = in_container_;
    event->elsewhere = remote_;
    event->renumbered = renumbered_;
    if (is_mask(name)) masks_.push_back({std::string{name}, value});
  }

  void command(Node node) {
    events_.set_statement(node.range());
    masks_.clear();
    const ShellWords words = words_of(node);
    for (const Node child : named_children(node)) {
      if (!child.is("variable_assignment")) continue;
      const Node value = child.field("value");
      const Value meant = value ? known_or_hole(values_.value(value), value.range()) : text_value("");
      set_for_command(child.range(), child.field("name").text(text_), meant, true);
      substitutions(value, 0);
    }
    for (const ShellWord& word : words) substitutions(word.node, 0);
    if (words.empty()) return;
    note_unknown_names(node);
    const ShellCommand all = shell_command(words);
    const bool outer_container = std::exchange(in_container_, in_container_ || all.container);
    const bool outer_renumbered = renumbered_;
    if (all.container) container(words);
    events_.set_statement(node.range());
    for (const ShellSetting& setting : all.settings) {
      const Value meant = behind_equals(values_.value(words[setting.word].node), setting.name);
      set_for_command(setting.where, setting.name, known_or_hole(meant, {}), setting.prefix);
    }
    call(node, all.program, words);
    if (!is_text_command(all.program)) devices(words, all.program);
    scripts(node, words);
    in_container_ = outer_container;
    renumbered_ = outer_renumbered;
    const ShellNames written = written_names(node, text_, facts_);
    values_.forget(written);
    if (all.program != "read" || written.all) return;
    for (const std::string& name : written.names) values_.set(name, one_thing());
  }

  /// The function, if the script has it, with what it is given and what it looks at.
  void call(Node node, const std::string& program, const ShellWords& words) {
    Event& event = events_.emit(Event::Kind::call, node.range(), ':' + program);
    if (!facts_.functions.contains(program)) return;
    event.in_loop = loops_ > 0;
    std::vector<Argument> given;
    auto word = std::find_if(words.begin(), words.end(), [&](const ShellWord& one) { return one.text == program; });
    for (word = word == words.end() ? word : word + 1; word != words.end(); ++word) {
      const std::string text = unquoted(word->text);
      if (text != "$@" && text != "$*") {
        given.push_back({{}, values_.value(word->node)});
        continue;
      }
      for (int i = 1; i <= kParameters; ++i) given.push_back({{}, values_.lookup(std::to_string(i))});
      break;
    }
    for (const std::string& name : facts_.read_in_functions) given.push_back({name, values_.lookup(name)});
    event.arguments = std::move(given);
  }

  void devices(const ShellWords& words, const std::string& program) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const ShellWord& word = words[i];
      if (!may_name_device(word.text, i > 0 ? words[i - 1].text : std::string_view{}, program)) continue;
      const std::size_t equals = word.text.rfind('=');
      const std::uint32_t skip = equals == std::string_view::npos ? 0 : static_cast<std::uint32_t>(equals + 1);
      Value value = word_value(word.text.substr(skip), {word.where.begin + skip, word.where.end});
      if (value.single(Atom::Kind::pattern) != nullptr) value = behind_equals(values_.value(word.node), {});
      const bool known =
          !value.is_unknown() && std::all_of(value.atoms().begin(), value.atoms().end(), [](const Atom& atom) {
            if (atom.kind == Atom::Kind::text) return parse_device(atom.text).has_value();
            std::string text = atom.text;
            std::replace(text.begin(), text.end(), kHole, '0');
            return !filling_of(atom).is_unknown() && parse_device(text).has_value();
          });
      if (!known) continue;
      Event& use = events_.emit(Event::Kind::use_device, word.where, program, value);
      use.arguments = masks_;
    }
  }

  void scripts(Node node, const ShellWords& words) {
    if (const auto among = script_among(words)) {
      const std::string_view inside = text_.substr(among->where.begin, among->where.end - among->where.begin);
      if (inside.find('\\') == std::string_view::npos) script(*among);
    }
    const Node given = child_of_kind(node, "herestring_redirect");
    const Node text = given ? named_children(given).back() : Node{};
    if (!text || !reads_script(words) || text.range().end < text.range().begin + 2) return;
    if (text.is("string") || text.is("raw_string"))
      script({{text.range().begin + 1, text.range().end - 1}, text.is("string"), false, is_remote(words)});
  }

  /// A text that a shell is given is read where it stands.
  void script(const ShellScript& given) {
    constexpr int kMost = 64;
    constexpr std::size_t kMostBytes = 256 * 1024;
    if (inner_ >= kMost || text_.size() > kMostBytes || given.where.end <= given.where.begin) return;
    ++inner_;
    // All around it becomes blank, so that every place stays what it is in the file.
    std::string blank(text_.size(), ' ');
    text_.copy(blank.data() + given.where.begin, given.where.end - given.where.begin, given.where.begin);
    const auto tree = parse(Language::shell, blank);
    if (!tree || tree->first_error()) return;
    const ShellState outer = values_.state;
    const auto masks = masks_;
    const Places places = std::exchange(places_, !given.expands ? places_
                                                 : given.remote ? Places::none
                                                                : Places::prefixes);
    const bool outer_remote = std::exchange(remote_, remote_ || given.remote);
    const ShellFacts facts = std::exchange(facts_, shell_facts(tree->root(), text_));
    if (!given.expands && !given.same_shell) values_.state = ShellState{.lost = true};
    if (given.same_shell)
      walk(tree->root(), 0);
    else
      process(tree->root(), 0);
    facts_ = facts;
    remote_ = outer_remote;
    places_ = places;
    masks_ = masks;
    values_.state = outer;
  }

  /// "$(...)" within a word is a command of its own.
  void substitutions(Node node, int depth) {
    if (depth > kMostShellDepth) return;
    if (node.is("command_substitution") || node.is("process_substitution")) {
      const auto masks = masks_;
      walk(node, depth + 1);
      masks_ = masks;
      return;
    }
    if (node.is("expansion")) default_given(node);
    for (const Node child : named_children(node)) substitutions(child, depth + 1);
  }

  /// : "${NAME:=value}"
  void default_given(Node expansion) {
    const std::string_view text = expansion.text(text_);
    const std::string_view name = text.substr(std::min<std::size_t>(2, text.size()), text.find_first_of(":=") - 2);
    const auto value = default_of(text, name);
    if (find_variable(name) == nullptr || text.find('=') == std::string_view::npos || !value) return;
    Event* event = events_.set(expansion.range(), name, word_value(*value, Range{}), Event::Mode::keep);
    event->target = exported_by(expansion, name);
  }

  /// What the container is given, and a mask within it that does not fit.
  void container(const ShellWords& words) {
    const ShellContainer given = container_of(words);
    if (given.cards.empty()) return;
    renumbered_ = true;
    if (given.where.empty()) return;
    const auto mask = parse_mask(std::string_view{given.mask});
    const bool fits = mask && std::all_of(mask->entries.begin(), mask->entries.end(), [&](const std::string& entry) {
                        return entry.size() < 3 && std::isdigit(static_cast<unsigned char>(entry[0])) != 0 &&
                               std::stoul(entry) < given.count;
                      });
    if (fits || (mask && mask->hides_all())) return;
    Event& event = events_.emit(Event::Kind::container, given.where, given.cards, text_value(given.mask));
    event.target = given.where;
  }

  std::string_view text_;
  ShellValues values_;
  ShellFacts facts_;
  ScriptEvents events_;
  std::vector<Argument> masks_;  ///< of the command that is read
  Places places_ = Places::all;
  bool remote_ = false;  ///< in a script for another machine
  bool scheduled_ = false;
  bool in_container_ = false;
  bool renumbered_ = false;  ///< in a container that is given some of the cards
  int loops_ = 0;
  long things_ = 0;  ///< that are not known, each by its number
  int inner_ = 0;    ///< scripts within words that were read
};

}  // namespace

Result<ScriptReading> read_shell(std::string_view text) {
  const auto tree = parse(Language::shell, text);
  if (!tree) return tree.error();
  return ShellReader{text}.read(*tree);
}

}  // namespace weir::audit
