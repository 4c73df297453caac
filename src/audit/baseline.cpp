#include "audit/baseline.hpp"

#include <fstream>

#include <fmt/format.h>

#include "audit/report/report.hpp"
#include "base/atomic_file.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

constexpr std::string_view kFirstLine = "# weir audit baseline 1";

}  // namespace

Result<std::set<std::string>> read_baseline(const std::filesystem::path& path) {
  std::ifstream file{path};
  std::string line;
  if (!file || !std::getline(file, line) || line != kFirstLine)
    return Error{Errc::invalid_argument,
                 fmt::format("{}: is no baseline; --write-baseline makes one", printable(path.native()))};
  std::set<std::string> known;
  while (std::getline(file, line)) known.insert(line.substr(0, line.find(' ')));
  return known;
}

void apply_baseline(const std::set<std::string>& known, std::vector<Finding>& findings) {
  if (known.empty()) return;
  const auto prints = fingerprints(findings);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (!known.contains(prints[i])) continue;
    findings[i].suppressed = true;
    findings[i].reason = "in the baseline";
  }
}

Status write_baseline(const std::filesystem::path& path, const std::vector<Finding>& findings) {
  const auto prints = fingerprints(findings);
  std::string text = fmt::format("{}\n", kFirstLine);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (!findings[i].suppressed)
      text += fmt::format("{} {} {}\n", prints[i], findings[i].rule, printable(findings[i].module->source.name()));
  }
  return write_file(path, text);
}

}  // namespace weir::audit
