#include "audit/fix/rewrites.hpp"

#include <string>
#include <string_view>

#include "audit/fix/edits.hpp"

namespace weir::audit {
namespace {

/// A comment may stand within: what is taken away would take it along, or leave it behind for something else.
bool may_hold_comment(std::string_view code) { return code.find('#') != std::string_view::npos; }

std::vector<Edit> whole(const Module& module, const Event& event, std::string text) {
  if (may_hold_comment(module.source.text(event.where))) return {};
  return {{event.where, std::move(text)}};
}

/// One balanced pair of parentheses at the end: what is before it, and what is in it.
struct Call {
  std::string_view name, arguments;
};
Call call_in(std::string_view code) {
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

std::vector<Edit> handle_by_uuid(const Module& module, const Event& event) {
  constexpr std::string_view kByIndex = "nvmlDeviceGetHandleByIndex";
  const auto [name, argument] = call_in(module.source.text(event.where));
  const bool plain = argument.find_first_of(",='\"#\n") == std::string_view::npos;
  if (module.error || !name.ends_with(kByIndex) || !argument.starts_with("torch.") || !plain) return {};
  std::string text{name.substr(0, name.size() - kByIndex.size())};
  text += "nvmlDeviceGetHandleByUUID(\"GPU-\" + str(torch.cuda.get_device_properties(";
  return whole(module, event, text + std::string{argument} + ").uuid))");
}

std::vector<Edit> without_fallback(const Module& module, const Event& event) {
  if (module.error || event.target.empty() || !event.where.holds(event.target)) return {};
  const SourceFile& source = module.source;
  const Range before{event.where.begin, event.target.begin};
  const Range behind{event.target.end, event.where.end};
  // Behind the last of several lines a comment speaks of what that line holds.
  const bool lines = source.text(behind).find('\n') != std::string_view::npos;
  const std::string_view rest = source.text({event.where.end, source.line_end(event.where.end)});
  if (may_hold_comment(source.text(before)) || may_hold_comment(source.text(behind)) ||
      (lines && may_hold_comment(rest)))
    return {};
  return {{before, {}}, {behind, {}}};
}

std::vector<Edit> first_visible(const Module& module, const Event& event) {
  const auto [name, argument] = call_in(module.source.text(event.where));
  // A map() or an int() of one entry among several is a list of cards.
  if (module.error || name != "int" || argument.find("VISIBLE_DEVICES") == std::string_view::npos) return {};
  return whole(module, event, "0");
}

std::vector<Edit> asked_free_memory(const Module& module, const Event& event) {
  const std::string_view code = module.source.text(event.where);
  const std::size_t minus = code.find('-');
  if (module.error || minus == std::string_view::npos) return {};
  const std::size_t begin = code.find_first_not_of(" \t\\\r\n", minus + 1);
  const auto [name, argument] = call_in(begin == std::string_view::npos ? std::string_view{} : code.substr(begin));
  const std::size_t method = name.ends_with("memory_allocated")  ? name.size() - 16
                             : name.ends_with("memory_reserved") ? name.size() - 15
                                                                 : std::string_view::npos;
  if (method == std::string_view::npos || !name.substr(0, method).ends_with("cuda.")) return {};
  return whole(module, event, std::string{name.substr(0, method)} + "mem_get_info(" + std::string{argument} + ")[0]");
}

std::vector<Edit> swapped(const Module& module, const Event& first, const Event& second) {
  const auto above = own_lines(module.source, first.statement);
  const auto below = own_lines(module.source, second.statement);
  const bool alone = first.statement == first.where && second.statement == second.where;
  if (module.error || !alone || !above || !below || above->end != below->begin || first.arms != second.arms) return {};
  return {{first.where, std::string{module.source.text(second.where)}},
          {second.where, std::string{module.source.text(first.where)}}};
}

}  // namespace weir::audit
