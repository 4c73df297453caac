#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include <fmt/format.h>

#include "audit/mask.hpp"
#include "audit/rules/checks.hpp"
#include "audit/source/words.hpp"
#include "base/text.hpp"

// Rules about the text around the code: comments (G17), checks that are never called (G14), copied headers (G19, G30).

namespace weir::audit {
namespace {

using Kind = Event::Kind;

struct CardNumber {
  std::string digits;
  std::size_t offset;  ///< byte offset of the digits in the comment
};

/// Returns the card numbers in a comment: "GPU 1", "gpu #2", "card 0". "cuda:0" is excluded, because it is correct
/// under a mask.
std::vector<CardNumber> card_numbers_in(std::string_view comment) {
  const std::string text = lower_case(comment);
  std::vector<CardNumber> numbers;
  for (const std::string_view word : {"gpu", "card", "device"}) {
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      std::size_t begin = at + word.size();
      // Skips what may stand between the word and its number: spaces, '#' and the plural "s".
      while (begin < text.size() && (text[begin] == ' ' || text[begin] == '#' || text[begin] == 's')) ++begin;
      const bool begins_word = at == 0 || std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0;
      std::size_t end = begin;
      while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
      const bool is_whole_number = end == text.size() || (std::isalnum(static_cast<unsigned char>(text[end])) == 0 &&
                                                          text[end] != '.' && text[end] != '-');
      if (begins_word && end > begin && end - begin <= 2 && is_whole_number)
        numbers.push_back({text.substr(begin, end - begin), begin});
    }
  }
  return numbers;
}

/// Returns whether the comment may explain that devices are renumbered, or which card is not used. Then a number other
/// than the mask's is correct.
bool mentions_renumbering(std::string_view comment) {
  // Short words, which occur inside of others: "now" in "know", "free" in "freeze".
  constexpr std::array<std::string_view, 6> kWords{"not", "now", "seen", "free", "frees", "freed"};
  // Texts that also count as a part of a word: "becom" in "becoming", "appear" in "disappears".
  constexpr std::array<std::string_view, 12> kParts{"becom",  "hide",   "hidden", "renumber", "->",    "appear",
                                                    "inside", "within", "except", "avoid",    "leave", "visible as"};
  const std::string text = lower_case(comment);
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) { return contains_word(text, word); }) ||
         std::any_of(kParts.begin(), kParts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string::npos; });
}

/// Checks G17 for one mask write with a comment on its line. The mask must be a single card number of at most two
/// digits, and the comment must name exactly one card number.
void check_comment(const Module& module, const Event& event, const RuleContext& context) {
  const auto mask = parse_mask(event.value);
  if (!mask || !event.value.single_alternative(PossibleValue::Kind::text) || mask->entries.size() != 1 ||
      mask->entries.front().size() > 2)
    return;
  const std::uint32_t line = module.source.position(event.range.end).line;
  const std::string_view text = module.source.line(line);
  const std::size_t hash = text.find('#');
  if (hash == std::string_view::npos) return;
  if (mentions_renumbering(text.substr(hash))) return;
  const auto numbers = card_numbers_in(text.substr(hash));
  if (numbers.size() != 1 || numbers.front().digits == mask->entries.front()) return;
  auto found = make_finding(
      "G17", module, event.range,
      fmt::format("the comment names {}, the code selects {}", numbers.front().digits, mask->entries.front()),
      "make them agree");
  // Only the author knows whether the comment or the code is correct. The edit changes the comment, not the program.
  if (module.source.notebook() == nullptr && !module.parse_error) {
    const auto begin =
        static_cast<std::uint32_t>(module.source.line_start(event.range.end) + hash + numbers.front().offset);
    found.edits = {{{begin, begin + static_cast<std::uint32_t>(numbers.front().digits.size())}, mask->entries.front()}};
    found.fixability = Fixability::unsafe;
  }
  context.findings.add(std::move(found));
}

/// Returns how often a name occurs as a word in the project's files; any result above 1 means twice or more often.
int count_mentions(const Project& project, std::string_view name) {
  int count = 0;
  for (const Module& module : project.modules()) {
    if (&project.reported_module(module) != &module) continue;  // the text of a symbolic link is counted at its target
    const std::string_view text = module.source.text();
    for (std::size_t at = find_word(text, name); at != std::string_view::npos && count < 2;
         at = find_word(text, name, at + 1))
      ++count;
  }
  return count;
}

/// Returns whether the function's name suggests a device check, and its body reads what identifies a device, or
/// compares a mask or a product name.
bool is_validator(const Function& function) {
  std::string name = function.key.substr(function.key.rfind('.') + 1);
  constexpr std::string_view kCheckpoint = "checkpoint";  // contains "check", and has another meaning
  if (const std::size_t at = name.find(kCheckpoint); at != std::string::npos) name.erase(at, kCheckpoint.size());
  const auto contains = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  const bool is_named_as_check =
      (contains("check") || contains("verify") || contains("validate") || contains("assert") || contains("ensure")) &&
      (contains("gpu") || contains("cuda") || contains("device"));
  return is_named_as_check && std::any_of(function.events.begin(), function.events.end(), [](const Event& event) {
           return event.kind == Kind::verify_device || event.kind == Kind::compare_mask ||
                  event.kind == Kind::compare_device_name;
         });
}

void check_unused_validator(const Module& module, const Function& function, const RuleContext& context) {
  if (!is_validator(function) || function.key.empty()) return;
  const std::string name = function.key.substr(function.key.rfind('.') + 1);
  if (count_mentions(context.project, name) > 1) return;
  const std::uint32_t begin = function.range.begin;
  const auto end = static_cast<std::uint32_t>(
      std::min<std::size_t>(module.source.text().find('\n', begin), module.source.text().size()));
  context.findings.add(make_finding("G14", module, {begin, end},
                                    fmt::format("{}() checks the device, and nothing calls it", name),
                                    "call it, or delete it"));
}

/// Returns the events of the module's body that are in no branch or loop, without the main part (`if __name__ ==
/// "__main__"`). A call of a function of the same file is replaced by the events of that function.
std::vector<const Event*> header_events(const Module& module) {
  std::vector<const Event*> events;
  for (const Event& event : module.body().events) {
    if (!event.is_top_level || event.in_main_part) continue;
    const bool is_in_this_file = event.kind == Kind::call && event.name.starts_with(':');
    const Function* called = is_in_this_file ? module.find_function(std::string_view{event.name}.substr(1)) : nullptr;
    if (called == nullptr) {
      events.push_back(&event);
      continue;
    }
    for (const Event& inner : called->events) events.push_back(&inner);
  }
  return events;
}

/// The statements of header_events() that set device variables or change paths. Programs often start with the same
/// copied statements.
struct Header {
  std::string text;                    ///< these statements, for comparisons; empty if none sets a mask
  const Event* path_change = nullptr;  ///< the first event that changes paths; null if there is none
};

Header header_of(const Module& module) {
  Header header;
  bool sets_mask = false;
  for (const Event* event : header_events(module)) {
    if (event->kind == Kind::change_paths && header.path_change == nullptr) header.path_change = event;
    sets_mask = sets_mask || (event->kind == Kind::set_variable && is_mask_variable(event->name));
    if (event->kind == Kind::change_paths || event->kind == Kind::set_variable)
      header.text += std::string{module.source.text(event->range)} + '\n';
  }
  if (!sets_mask) header.text.clear();
  return header;
}

void check_copied_headers(const RuleContext& context) {
  struct Copy {
    const Module* module;
    const Event* event;
  };
  std::map<std::string, std::vector<Copy>> copies;
  for (const Module& module : context.project.modules()) {
    if (module.kind != FileKind::python || &context.project.reported_module(module) != &module) continue;
    const Header header = header_of(module);
    if (!header.text.empty() && header.path_change != nullptr)
      copies[header.text].push_back({&module, header.path_change});
  }
  for (const auto& [text, files] : copies) {
    for (const Copy& copy : files) {
      const std::string_view code = copy.module->source.text(copy.event->range);
      if (files.size() >= 3)
        context.findings.add(make_finding("G19", *copy.module, copy.event->range,
                                          fmt::format("the same header is in {} files", files.size()),
                                          "set it up in one module, and import that in all of them"));
      if (code.find("\"/") != std::string_view::npos || code.find("'/") != std::string_view::npos)
        context.findings.add(make_finding("G30", *copy.module, copy.event->range,
                                          "a machine-specific path is beside the GPU set-up",
                                          "derive the path from __file__, or read it from a setting"));
    }
  }
}

}  // namespace

void check_comments(const RuleContext& context) {
  for (const Module& module : context.project.modules()) {
    for (const Function& function : module.functions) {
      for (const Event& event : function.events) {
        if (event.kind == Kind::set_variable && is_mask_variable(event.name)) check_comment(module, event, context);
      }
    }
  }
}

void check_copied_and_unused_code(const RuleContext& context) {
  for (const Module& module : context.project.modules()) {
    for (const Function& function : module.functions) check_unused_validator(module, function, context);
  }
  check_copied_headers(context);
}

}  // namespace weir::audit
