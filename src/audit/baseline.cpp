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
                 fmt::format("{}: is no baseline file; --write-baseline writes one", printable(path.native()))};
  std::set<std::string> accepted;
  while (std::getline(file, line)) accepted.insert(line.substr(0, line.find(' ')));
  return accepted;
}

void apply_baseline(const std::set<std::string>& accepted, std::vector<Finding>& findings) {
  if (accepted.empty()) return;
  const auto fingerprints = compute_fingerprints(findings);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (!accepted.contains(fingerprints[i])) continue;
    findings[i].suppressed = true;
    findings[i].suppression_reason = "in the baseline";
  }
}

Status write_baseline(const std::filesystem::path& path, const std::vector<Finding>& findings) {
  const auto fingerprints = compute_fingerprints(findings);
  std::string text = fmt::format("{}\n", kFirstLine);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (!findings[i].suppressed)
      text +=
          fmt::format("{} {} {}\n", fingerprints[i], findings[i].rule, printable(findings[i].module->source.name()));
  }
  return write_file(path, text);
}

}  // namespace weir::audit
