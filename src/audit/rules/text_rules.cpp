#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include <fmt/format.h>

#include "audit/mask.hpp"
#include "audit/rules/checks.hpp"
#include "base/text.hpp"

// What the texts around the code show: comments (G17), checks that nobody calls (G14), copied headers (G19, G30).

namespace weir::audit {
namespace {

using Kind = Event::Kind;

struct CardNumber {
  std::string digits;
  std::size_t at;
};

/// The card numbers that a comment names: "GPU 1", "gpu #2", "card 0". Not "cuda:0", which is right under a mask.
std::vector<CardNumber> cards_named(std::string_view comment) {
  const std::string text = lower_case(comment);
  std::vector<CardNumber> numbers;
  for (const std::string_view word : {"gpu", "card", "device"}) {
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      std::size_t digit = at + word.size();
      while (digit < text.size() && (text[digit] == ' ' || text[digit] == '#' || text[digit] == 's')) ++digit;
      const bool apart = at == 0 || std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0;
      std::size_t end = digit;
      while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
      const bool whole = end == text.size() || (std::isalnum(static_cast<unsigned char>(text[end])) == 0 &&
                                                text[end] != '.' && text[end] != '-');
      if (apart && end > digit && end - digit <= 2 && whole)
        numbers.push_back({text.substr(digit, end - digit), digit});
    }
  }
  return numbers;
}

/// The comment tells what the mask does to the numbers, or which card it leaves out: another number is right there.
bool speaks_of_renumbering(std::string_view comment) {
  constexpr std::array<std::string_view, 16> kWords{"becom", "hide",   "hidden", " not ",     "now",    "renumber",
                                                    "->",    "appear", "seen",   "inside",    "within", "except",
                                                    "avoid", "free",   "leave",  "visible as"};
  const std::string text = lower_case(comment);
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

void check_comment(const Module& module, const Event& event, const Judging& judging) {
  const auto mask = parse_mask(event.value);
  if (!mask || !event.value.single(Atom::Kind::text) || mask->entries.size() != 1 || mask->entries.front().size() > 2)
    return;
  const std::uint32_t line = module.source.place(event.where.end).line;
  const std::string_view text = module.source.line(line);
  const std::size_t hash = text.find('#');
  if (hash == std::string_view::npos) return;
  if (speaks_of_renumbering(text.substr(hash))) return;
  const auto named = cards_named(text.substr(hash));
  if (named.size() != 1 || named.front().digits == mask->entries.front()) return;
  auto found =
      finding_of("G17", module, event.where,
                 fmt::format("the comment says {}, the code selects {}", named.front().digits, mask->entries.front()),
                 "make them say the same");
  // Which of the two is right nobody but the author knows; the code is what runs.
  if (module.source.origin() == nullptr && !module.error) {
    const auto begin = static_cast<std::uint32_t>(module.source.line_start(event.where.end) + hash + named.front().at);
    found.edits = {{{begin, begin + static_cast<std::uint32_t>(named.front().digits.size())}, mask->entries.front()}};
    found.fixing = Fixing::unsafe;
  }
  judging.findings.add(std::move(found));
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// How often a name stands in the project's texts as a word of its own; stops at two.
int mentions(const Project& project, std::string_view name) {
  int count = 0;
  for (const Module& module : project.modules()) {
    if (&project.home(module) != &module) continue;  // a link says what its target says
    const std::string_view text = module.source.text();
    for (std::size_t at = text.find(name); at != std::string_view::npos && count < 2; at = text.find(name, at + 1)) {
      const bool before = at > 0 && is_word(text[at - 1]);
      const bool after = at + name.size() < text.size() && is_word(text[at + name.size()]);
      count += before || after ? 0 : 1;
    }
  }
  return count;
}

/// Its name says that it checks a device, and its body looks at one.
bool is_validator(const Function& function) {
  const std::string name = function.key.substr(function.key.rfind('.') + 1);
  const auto says = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  const bool named = (says("check") || says("verify") || says("validate") || says("assert") || says("ensure")) &&
                     (says("gpu") || says("cuda") || says("device"));
  return named && std::any_of(function.events.begin(), function.events.end(), [](const Event& event) {
           return event.kind == Kind::verify || event.kind == Kind::compare_mask || event.kind == Kind::compare_name;
         });
}

void check_unused_validator(const Module& module, const Function& function, const Judging& judging) {
  if (!is_validator(function) || function.key.empty()) return;
  const std::string name = function.key.substr(function.key.rfind('.') + 1);
  if (mentions(judging.project, name) > 1) return;
  const std::uint32_t begin = function.where.begin;
  const auto end = static_cast<std::uint32_t>(
      std::min<std::size_t>(module.source.text().find('\n', begin), module.source.text().size()));
  judging.findings.add(finding_of("G14", module, {begin, end},
                                  fmt::format("{}() checks the device, and nothing calls it", name),
                                  "call it, or delete it"));
}

/// Events of the body, and of the module's own functions where the body calls them before a GPU library is there.
std::vector<const Event*> header_events(const Module& module) {
  std::vector<const Event*> events;
  for (const Event& event : module.body().events) {
    if (!event.outermost || event.main_only) continue;
    const bool own = event.kind == Kind::call && event.name.starts_with(':');
    const Function* called = own ? module.find_function(std::string_view{event.name}.substr(1)) : nullptr;
    if (called == nullptr) {
      events.push_back(&event);
      continue;
    }
    for (const Event& inner : called->events) events.push_back(&inner);
  }
  return events;
}

struct Header {
  std::string shape;             ///< its lines that select or do more; empty if it sets no mask
  const Event* noise = nullptr;  ///< the first that does more than select
};

/// What a module does before its first function, apart from imports: the header that may have been copied.
Header header_of(const Module& module) {
  Header header;
  bool mask = false;
  for (const Event* event : header_events(module)) {
    if (event->kind == Kind::header_noise && header.noise == nullptr) header.noise = event;
    mask = mask || (event->kind == Kind::set_variable && is_mask(event->name));
    if (event->kind == Kind::header_noise || event->kind == Kind::set_variable)
      header.shape += std::string{module.source.text(event->where)} + '\n';
  }
  if (!mask) header.shape.clear();
  return header;
}

void check_copied_headers(const Judging& judging) {
  struct Copy {
    const Module* module;
    const Event* event;
  };
  std::map<std::string, std::vector<Copy>> copies;
  for (const Module& module : judging.project.modules()) {
    if (module.kind != FileKind::python || &judging.project.home(module) != &module) continue;
    const Header header = header_of(module);
    if (!header.shape.empty() && header.noise != nullptr) copies[header.shape].push_back({&module, header.noise});
  }
  for (const auto& [shape, files] : copies) {
    for (const Copy& copy : files) {
      const std::string_view code = copy.module->source.text(copy.event->where);
      if (files.size() >= 3)
        judging.findings.add(finding_of("G19", *copy.module, copy.event->where,
                                        fmt::format("the same header stands in {} files", files.size()),
                                        "one module that all import"));
      if (code.find("\"/") != std::string_view::npos || code.find("'/") != std::string_view::npos)
        judging.findings.add(finding_of("G30", *copy.module, copy.event->where,
                                        "a path of one machine stands beside the GPU set-up",
                                        "a path from the file, or a setting"));
    }
  }
}

}  // namespace

void check_comments(const Judging& judging) {
  for (const Module& module : judging.project.modules()) {
    for (const Function& function : module.functions) {
      for (const Event& event : function.events) {
        if (event.kind == Kind::set_variable && is_mask(event.name)) check_comment(module, event, judging);
      }
    }
  }
}

void check_copies(const Judging& judging) {
  for (const Module& module : judging.project.modules()) {
    for (const Function& function : module.functions) check_unused_validator(module, function, judging);
  }
  check_copied_headers(judging);
}

}  // namespace weir::audit
