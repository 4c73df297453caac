#include "audit/fix/header.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::audit {

namespace {

/// Returns the lines that set the vendor's variables: the device order first, the mask last.
std::string selection_lines(Vendor vendor, std::string_view mask, std::string_view role, std::string_view line_break) {
  const auto line = [&](std::string_view name, std::string_view value) {
    return fmt::format("_weir_os.environ.setdefault(\"{}\", \"{}\")", name, value);
  };
  std::string text;
  if (vendor == Vendor::nvidia) text = line("CUDA_DEVICE_ORDER", "PCI_BUS_ID") + std::string{line_break};
  if (vendor == Vendor::intel)
    text = line("ZE_ENABLE_PCI_ID_DEVICE_ORDER", "1") + std::string{line_break} +
           line("ZE_FLAT_DEVICE_HIERARCHY", "COMPOSITE") + std::string{line_break};
  const std::string_view name = vendor == Vendor::nvidia  ? "CUDA_VISIBLE_DEVICES"
                                : vendor == Vendor::intel ? "ZE_AFFINITY_MASK"
                                                          : "ROCR_VISIBLE_DEVICES";
  return fmt::format("{}{}  # role: {}{}", text, line(name, mask), role, line_break);
}

}  // namespace

std::string header_text(const Policy& policy, bool by_index, std::string_view line_break) {
  const Vendor vendor = policy.vendor();
  const std::string mask = policy.mask(by_index || vendor == Vendor::intel);  // Level Zero's masks do not support UUIDs
  if (mask.empty()) return {};
  return fmt::format(
      "# >>> weir 1 (generated; edit weir.toml){0}"
      "import os as _weir_os{0}"
      "{1}"
      "# <<< weir{0}",
      line_break, selection_lines(vendor, mask, policy.role, line_break));
}

std::vector<Edit> header_edits(const Module& program, const Policy& policy) {
  if (program.parse_error || program.kind != FileKind::python) return {};
  // Libraries that do not accept UUIDs get the index.
  const bool by_index =
      !policy.mask_by_uuid ||
      std::any_of(program.body().events.begin(), program.body().events.end(), [&](const Event& event) {
        const auto first = event.name.substr(0, event.name.find('.'));
        return event.kind == Event::Kind::import_module &&
               std::find(policy.index_libraries.begin(), policy.index_libraries.end(), first) !=
                   policy.index_libraries.end();
      });
  std::string text = header_text(policy, by_index, program.source.line_break());
  if (text.empty()) return {};
  // A last line without a line break would be joined with the header.
  const std::string_view before = program.source.text({0, program.header_offset});
  if (!before.empty() && before.back() != '\n' && before.back() != '\r' && before != "\xEF\xBB\xBF")
    text.insert(0, program.source.line_break());
  return {{{program.header_offset, program.header_offset}, std::move(text)}};
}

}  // namespace weir::audit
