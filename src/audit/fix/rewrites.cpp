#include "audit/fix/rewrites.hpp"

#include <string>
#include <string_view>

#include "audit/fix/edits.hpp"

namespace weir::audit {
namespace {

/// Returns whether the code may contain a comment, which an edit would delete or leave at a wrong place.
bool may_hold_comment(std::string_view code) { return code.find('#') != std::string_view::npos; }

/// Returns an edit that replaces the code of the event; empty if the code may contain a comment.
std::vector<Edit> replace_event(const Module& module, const Event& event, std::string text) {
  if (may_hold_comment(module.source.text(event.range))) return {};
  return {{event.range, std::move(text)}};
}

/// The parts of a call such as "torch.f(a, b)".
struct CallText {
  std::string_view name;       ///< the text before the parentheses
  std::string_view arguments;  ///< the text between the parentheses
};
/// Splits a call; both parts are empty if the code is anything else.
CallText split_call(std::string_view code) {
  const std::size_t open = code.find('(');
  if (open == std::string_view::npos || !code.ends_with(')')) return {};
  int depth = 0;
  for (std::size_t i = open; i < code.size(); ++i) {
    depth += code[i] == '(' ? 1 : code[i] == ')' ? -1 : 0;
    if (depth == 0 && i + 1 != code.size()) return {};
  }
  return {code.substr(0, open), code.substr(open + 1, code.size() - open - 2)};
}

}  // namespace

std::vector<Edit> rewrite_lookup_by_uuid(const Module& module, const Event& event) {
  constexpr std::string_view kByIndex = "nvmlDeviceGetHandleByIndex";
  const auto [name, argument] = split_call(module.source.text(event.range));
  const bool is_one_expression = argument.find_first_of(",='\"#\n") == std::string_view::npos;
  if (module.parse_error || !name.ends_with(kByIndex) || !argument.starts_with("torch.") || !is_one_expression)
    return {};
  std::string text{name.substr(0, name.size() - kByIndex.size())};
  text += "nvmlDeviceGetHandleByUUID(\"GPU-\" + str(torch.cuda.get_device_properties(";
  return replace_event(module, event, text + std::string{argument} + ").uuid))");
}

std::vector<Edit> remove_fallback(const Module& module, const Event& event) {
  if (module.parse_error || event.target.empty() || !event.range.contains(event.target)) return {};
  const SourceFile& source = module.source;
  const Range head{event.range.begin, event.target.begin};
  const Range tail{event.target.end, event.range.end};
  // If the deleted tail spans several lines, a comment on the last of them, behind the expression, is about deleted
  // code.
  const bool spans_lines = source.text(tail).find('\n') != std::string_view::npos;
  const std::string_view rest = source.text({event.range.end, source.line_end(event.range.end)});
  if (may_hold_comment(source.text(head)) || may_hold_comment(source.text(tail)) ||
      (spans_lines && may_hold_comment(rest)))
    return {};
  return {{head, {}}, {tail, {}}};
}

std::vector<Edit> replace_with_first_visible(const Module& module, const Event& event) {
  const auto [name, argument] = split_call(module.source.text(event.range));
  // Only a call of int() whose argument mentions the variable is rewritten; map(int, ...) reads a list of cards.
  if (module.parse_error || name != "int" || argument.find("VISIBLE_DEVICES") == std::string_view::npos) return {};
  return replace_event(module, event, "0");
}

std::vector<Edit> replace_free_memory_estimate(const Module& module, const Event& event) {
  const std::string_view code = module.source.text(event.range);
  const std::size_t minus = code.find('-');
  if (module.parse_error || minus == std::string_view::npos) return {};
  const std::size_t begin = code.find_first_not_of(" \t\\\r\n", minus + 1);
  const auto [name, argument] = split_call(begin == std::string_view::npos ? std::string_view{} : code.substr(begin));
  constexpr std::string_view kAllocated = "memory_allocated";
  constexpr std::string_view kReserved = "memory_reserved";
  // Offset in `name` where the name of the counter begins, after "torch.cuda.".
  const std::size_t counter_begin = name.ends_with(kAllocated)  ? name.size() - kAllocated.size()
                                    : name.ends_with(kReserved) ? name.size() - kReserved.size()
                                                                : std::string_view::npos;
  if (counter_begin == std::string_view::npos || !name.substr(0, counter_begin).ends_with("cuda.")) return {};
  return replace_event(module, event,
                       std::string{name.substr(0, counter_begin)} + "mem_get_info(" + std::string{argument} + ")[0]");
}

std::vector<Edit> swap_statements(const Module& module, const Event& upper, const Event& lower) {
  const auto upper_lines = statement_lines(module.source, upper.statement);
  const auto lower_lines = statement_lines(module.source, lower.statement);
  const bool are_whole_statements = upper.statement == upper.range && lower.statement == lower.range;
  const bool are_neighbours = upper_lines && lower_lines && upper_lines->end == lower_lines->begin;
  if (module.parse_error || !are_whole_statements || !are_neighbours || upper.arms != lower.arms) return {};
  return {{upper.range, std::string{module.source.text(lower.range)}},
          {lower.range, std::string{module.source.text(upper.range)}}};
}

}  // namespace weir::audit
