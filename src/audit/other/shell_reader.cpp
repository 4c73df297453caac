#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "audit/mask.hpp"
#include "audit/other/readers.hpp"

namespace weir::audit {
namespace {

constexpr int kMostShellDepth = 120;

struct Word {
  std::string_view text;
  Range where;
};

std::string unquoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '"' && c != '\'') out += c;
  }
  return out;
}

class ShellReader {
 public:
  explicit ShellReader(std::string_view text) : text_{text} {}

  ScriptReading read(const Tree& tree) {
    scheduled_ = text_.find("#SBATCH") != std::string_view::npos &&
                 (text_.find("--gres=gpu") != std::string_view::npos ||
                  text_.find("--gpus") != std::string_view::npos || text_.find("--gres gpu") != std::string_view::npos);
    walk(tree.root(), 0);
    auto reading = std::move(events_).take();
    reading.error = tree.first_error();
    return reading;
  }

 private:
  void walk(Node node, int depth) {
    if (depth > kMostShellDepth) return;
    const std::string_view kind = node.kind();
    if (kind == "heredoc_body" || kind == "comment" || kind == "raw_string") return;
    if (kind == "command") return command(node);
    if (kind == "declaration_command" || kind == "variable_assignment") return assignment(node);
    if (kind == "unset_command") return unset(node);
    if (kind == "function_definition") {
      events_.begin_function(std::string{node.field("name").text(text_)});
      walk(node.field("body"), depth + 1);
      return events_.end_function();
    }
    const bool branches =
        kind == "if_statement" || kind == "case_statement" || kind == "while_statement" || kind == "for_statement";
    const std::uint32_t id = branches ? events_.new_branch() : 0;
    std::uint32_t arm = 0;
    if (branches) events_.arms().push_back({id, 0});
    for (const Node child : named_children(node)) {
      if (branches && (child.is("elif_clause") || child.is("else_clause") || child.is("case_item")))
        events_.arms().back().arm = ++arm;
      walk(child, depth + 1);
    }
    if (branches) events_.arms().pop_back();
  }

  /// Looked at before: "${X:-...}", "$X", "-z" and the like above it.
  bool looked_at(std::string_view name, std::uint32_t before) const {
    const std::string_view above = text_.substr(0, before);
    for (const std::string& form : {fmt::format("${}", name), fmt::format("${{{}", name), fmt::format("-v {}", name)}) {
      if (above.find(form) != std::string_view::npos) return true;
    }
    return false;
  }

  /// "1" of ${X:-1}; none if the text is anything else.
  static std::optional<std::string_view> default_of(std::string_view text, std::string_view name) {
    if (text.size() > 1 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    const std::string start = fmt::format("${{{}", name);
    if (!text.starts_with(start) || !text.ends_with('}')) return std::nullopt;
    text = text.substr(start.size(), text.size() - start.size() - 1);
    if (text.starts_with(':')) text.remove_prefix(1);
    if (!text.starts_with('-') || text.find('$') != std::string_view::npos) return std::nullopt;
    return text.substr(1);
  }

  void assignment(Node node) {
    events_.set_statement(node.range());
    const auto all = node.is("variable_assignment") ? std::vector<Node>{node} : named_children(node).listed();
    for (const Node one : all) {
      if (!one.is("variable_assignment")) continue;
      const std::string_view name = one.field("name").text(text_);
      const Node value = one.field("value");
      const std::string_view given = value.text(text_);
      const bool keeps = given.find(name) != std::string_view::npos || looked_at(name, node.range().begin);
      Value meant = value ? word_value(given, value.range()) : text_value("");
      if (const auto otherwise = default_of(given, name); otherwise)
        meant = word_value(*otherwise, Range{});  // ${X:-1}: 1, unless there is one
      const bool counted = text_.find("nvidia-smi") != std::string_view::npos &&
                           text_.find("nvidia-smi") < node.range().begin &&
                           meant.single(Atom::Kind::pattern) != nullptr;
      if (counted && !keeps && is_mask(name)) meant = kind_value(Atom::Kind::smi_index);  // chosen by what that tells
      Event* event = events_.set(one.range(), name, meant, keeps ? Event::Mode::keep : Event::Mode::assign);
      if (event == nullptr) continue;
      event->editable = all.size() == 1;
      if (scheduled_ && event->mode == Event::Mode::assign && is_mask(name) &&
          meant.single(Atom::Kind::text) != nullptr)
        events_.emit(Event::Kind::container, one.range(), "the #SBATCH lines", meant);
    }
  }

  void unset(Node node) {
    events_.set_statement(node.range());
    for (const Node name : named_children(node)) {
      const std::string variable{name.text(text_)};
      if (find_variable(variable) != nullptr) events_.emit(Event::Kind::remove_variable, node.range(), variable);
    }
  }

  void command(Node node) {
    events_.set_statement(node.range());
    std::vector<Argument> masks;
    std::vector<Word> words;
    for (const Node child : named_children(node)) {
      if (child.is("variable_assignment")) {
        const std::string_view name = child.field("name").text(text_);
        const Node value = child.field("value");
        const Value meant = value ? word_value(value.text(text_), value.range()) : text_value("");
        if (events_.set(child.range(), name, meant, Event::Mode::child) != nullptr && is_mask(name))
          masks.push_back({std::string{name}, meant});
      } else {
        words.push_back({child.text(text_), child.range()});
        substitutions(child, 0);
      }
    }
    if (words.empty()) return;
    const std::string program = unquoted(words.front().text);
    if (program == "docker" || program == "podman" || program == "nerdctl" || program == "sudo") container(words);
    events_.emit(Event::Kind::call, node.range(), ':' + program);
    inner_command(words);
    if (program == "echo" || program == "printf" || program == "git" || program == "sed" || program == "grep") return;
    for (const Word& word : words) {
      const std::size_t equals = word.text.rfind('=');
      const std::uint32_t skip = equals == std::string_view::npos ? 0 : static_cast<std::uint32_t>(equals + 1);
      const Value value = word_value(word.text.substr(skip), {word.where.begin + skip, word.where.end});
      const Atom* device = value.single(Atom::Kind::text);
      if (device != nullptr && parse_device(device->text)) {
        Event& use = events_.emit(Event::Kind::use_device, word.where, program, value);
        use.arguments = masks;
      }
    }
  }

  /// bash -c "CUDA_VISIBLE_DEVICES=3 train": the text is a script of its own, read where it stands.
  void inner_command(const std::vector<Word>& words) {
    constexpr int kMost = 64;
    constexpr std::size_t kMostBytes = 256 * 1024;
    for (std::size_t i = 0; i + 2 < words.size(); ++i) {
      const std::string_view shell = words[i].text.substr(words[i].text.rfind('/') + 1);
      const std::string_view flag = words[i + 1].text;
      const Word& script = words[i + 2];
      const bool quoted = script.text.size() > 2 && (script.text.front() == '"' || script.text.front() == '\'');
      const bool runs =
          (shell == "bash" || shell == "sh" || shell == "zsh") && flag.starts_with('-') && flag.ends_with('c');
      if (!runs || !quoted || script.text.find('\\') != std::string_view::npos) continue;
      if (inner_ >= kMost || text_.size() > kMostBytes) return;
      ++inner_;
      // All around it becomes blank, so that every place stays what it is in the file.
      std::string blank(text_.size(), ' ');
      const std::uint32_t begin = script.where.begin + 1;
      const std::uint32_t end = script.where.end - 1;
      text_.copy(blank.data() + begin, end - begin, begin);
      const auto tree = parse(Language::shell, blank);
      if (tree && !tree->first_error()) walk(tree->root(), 0);
      return;
    }
  }

  /// "$(...)" within a word is a command of its own.
  void substitutions(Node node, int depth) {
    if (depth > kMostShellDepth) return;
    for (const Node child : named_children(node)) {
      if (child.is("command_substitution"))
        walk(child, depth + 1);
      else
        substitutions(child, depth + 1);
    }
  }

  /// docker run --gpus device=1 -e CUDA_VISIBLE_DEVICES=1
  void container(const std::vector<Word>& words) {
    std::string outer;
    std::size_t count = 0;
    struct Inner {
      Value value;
      Range where;
    };
    std::optional<Inner> inner;
    for (std::size_t i = 1; i < words.size(); ++i) {
      std::string word = unquoted(words[i].text);
      Range where = words[i].where;
      const bool separate = (word == "--gpus" || word == "-e" || word == "--env") && i + 1 < words.size();
      if (separate) {
        ++i;
        word += '=' + unquoted(words[i].text);
        where.end = words[i].where.end;
      }
      const auto after = [&](std::string_view flag) {
        return word.starts_with(flag) ? word.substr(flag.size()) : std::string{};
      };
      std::string setting = after("-e=");
      if (setting.empty()) setting = after("--env=");
      if (setting.starts_with("NVIDIA_VISIBLE_DEVICES=") && !setting.ends_with("all")) {
        outer = setting;
        count = static_cast<std::size_t>(std::count(setting.begin(), setting.end(), ',')) + 1;
      }
      const std::string devices = after("--gpus=");
      if (const std::size_t at = devices.find("device="); at != std::string::npos) {
        outer = word;
        count = static_cast<std::size_t>(std::count(devices.begin(), devices.end(), ',')) + 1;
      }
      if (setting.starts_with("CUDA_VISIBLE_DEVICES=")) inner = Inner{text_value(setting.substr(21)), where};
    }
    if (outer.empty() || !inner) return;
    const auto mask = parse_mask(inner->value);
    const bool fits = mask && std::all_of(mask->entries.begin(), mask->entries.end(), [&](const std::string& entry) {
                        return entry.size() < 3 && std::isdigit(static_cast<unsigned char>(entry[0])) != 0 &&
                               std::stoul(entry) < count;
                      });
    if (fits || (mask && mask->hides_all())) return;
    Event& event = events_.emit(Event::Kind::container, inner->where, outer, inner->value);
    event.target = inner->where;
  }

  std::string_view text_;
  ScriptEvents events_;
  bool scheduled_ = false;
  int inner_ = 0;  ///< scripts within words that were read
};

}  // namespace

Result<ScriptReading> read_shell(std::string_view text) {
  const auto tree = parse(Language::shell, text);
  if (!tree) return tree.error();
  return ShellReader{text}.read(*tree);
}

}  // namespace weir::audit
