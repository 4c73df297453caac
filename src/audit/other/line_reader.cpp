#include <algorithm>
#include <cctype>
#include <string>

#include "audit/mask.hpp"
#include "audit/other/readers.hpp"

// Reads files in which each line is a statement: Dockerfiles, .env files, systemd units and batch files.

namespace weir::audit {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

/// Returns whether the line starts with the word, in upper or lower case, and has more text after it.
bool starts_with_word(std::string_view line, std::string_view word) {
  if (line.size() <= word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(line[i])) != std::tolower(static_cast<unsigned char>(word[i])))
      return false;
  }
  return true;
}

/// Adds an event for each assignment in `rest`, a part of `line`. `begin` is the byte offset of the line in the file.
/// The form is "NAME=value ..." or, with `allows_space` (Dockerfile, setx), also "NAME value".
void read_assignment(std::string_view line, std::string_view rest, std::uint32_t begin, bool allows_space,
                     ScriptEvents& events) {
  while (!rest.empty()) {
    rest = trimmed(rest);
    if (rest.starts_with('"')) rest.remove_prefix(1);
    std::size_t end = 0;
    while (end < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[end])) != 0 || rest[end] == '_')) ++end;
    if (end == 0 || end == rest.size()) return;
    const std::string_view name = rest.substr(0, end);
    const bool has_equals = rest[end] == '=';
    if (!has_equals && !allows_space) return;
    std::string_view value = rest.substr(end + 1);
    const bool quoted = has_equals && !value.empty() && (value[0] == '"' || value[0] == '\'');
    const std::size_t stop = quoted       ? std::min(value.find(value[0], 1), value.size() - 1) + 1
                             : has_equals ? std::min(value.find_first_of(" \t"), value.size())
                                          : value.size();
    std::string_view content = trimmed(value.substr(0, stop));
    if (!quoted && content.ends_with('"')) content.remove_suffix(1);
    const auto at = begin + static_cast<std::uint32_t>(name.data() - line.data());
    events.set_variable({at, at + static_cast<std::uint32_t>(content.data() + content.size() - name.data())}, name,
                        word_value(content, {}));
    rest = value.substr(std::min(stop, value.size()));
    if (!has_equals) return;
  }
}

}  // namespace

ScriptContent read_lines(LineFormat format, std::string_view text) {
  ScriptEvents events;
  std::uint32_t begin = 0;
  bool continues_env = false;  // this line of a Dockerfile belongs to an ENV instruction that begins further above
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    const std::string_view content = trimmed(line);
    events.set_statement({begin, begin + static_cast<std::uint32_t>(line.size())});
    const auto after = [&](std::string_view word) { return content.substr(std::min(word.size(), content.size())); };
    switch (format) {
      case LineFormat::dockerfile: {
        if (continues_env && (content.empty() || content.starts_with('#'))) break;  // does not end the instruction
        const bool begins_env = !continues_env && starts_with_word(content, "ENV ");
        if (begins_env || continues_env)
          read_assignment(line, begins_env ? after("ENV ") : content, begin, begins_env, events);
        continues_env = (begins_env || continues_env) && content.ends_with('\\');
        break;
      }
      case LineFormat::dotenv:
        if (!content.starts_with('#'))
          read_assignment(line, starts_with_word(content, "export ") ? after("export ") : content, begin,
                          /*allows_space=*/false, events);
        break;
      case LineFormat::systemd:
        if (content.starts_with("Environment="))
          read_assignment(line, after("Environment="), begin, /*allows_space=*/false, events);
        break;
      case LineFormat::batch:
        if (starts_with_word(content, "setx "))
          read_assignment(line, after("setx "), begin, /*allows_space=*/true, events);
        else if (starts_with_word(content, "set "))
          read_assignment(line, after("set "), begin, /*allows_space=*/false, events);
        break;
    }
    begin += static_cast<std::uint32_t>(end) + 1;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  ScriptContent script = std::move(events).take();
  // A container that receives selected cards numbers them from 0.
  auto& all = script.functions.front().events;
  const bool selects_cards = std::any_of(all.begin(), all.end(), [](const Event& event) {
    const std::string cards = event.value.as_text().value_or("all");
    return event.name == "NVIDIA_VISIBLE_DEVICES" && cards != "all" && cards != "void" && cards != "none";
  });
  for (Event& event : all) event.cards_renumbered = selects_cards;
  return script;
}

}  // namespace weir::audit
