#include "audit/fix/header.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::audit {

std::string header_text(const Policy& policy, bool by_index, std::string_view line_break) {
  const std::string mask = policy.mask(by_index);
  if (mask.empty()) return {};
  return fmt::format(
      "# >>> weir 1 (generated; edit weir.toml){0}"
      "import os as _weir_os{0}"
      "_weir_os.environ.setdefault(\"CUDA_DEVICE_ORDER\", \"PCI_BUS_ID\"){0}"
      "_weir_os.environ.setdefault(\"CUDA_VISIBLE_DEVICES\", \"{1}\")  # role: {2}{0}"
      "# <<< weir{0}",
      line_break, mask, policy.role);
}

std::vector<Edit> header(const Module& program, const Policy& policy) {
  if (program.error || program.kind != FileKind::python) return {};
  // Libraries that choke on UUIDs get the index.
  const bool by_index =
      !policy.uuid || std::any_of(program.body().events.begin(), program.body().events.end(), [&](const Event& event) {
        const auto first = event.name.substr(0, event.name.find('.'));
        return event.kind == Event::Kind::import_module &&
               std::find(policy.index_libraries.begin(), policy.index_libraries.end(), first) !=
                   policy.index_libraries.end();
      });
  std::string text = header_text(policy, by_index, program.source.line_break());
  if (text.empty()) return {};
  // The last line of a file without a final line break would run into the header.
  const std::string_view before = program.source.text({0, program.header_at});
  if (!before.empty() && before.back() != '\n' && before.back() != '\r' && before != "\xEF\xBB\xBF")
    text.insert(0, program.source.line_break());
  return {{{program.header_at, program.header_at}, std::move(text)}};
}

}  // namespace weir::audit
