#include <filesystem>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <xxhash.h>

#include "audit/report/report.hpp"

namespace weir::audit {

std::vector<std::string> compute_fingerprints(const std::vector<Finding>& findings) {
  std::vector<std::string> all;
  std::map<std::string, int> key_counts;
  // The path relative to the current folder is the same for every operand that contains the file.
  std::error_code problem;
  const auto here = std::filesystem::weakly_canonical(std::filesystem::current_path(problem), problem);
  for (const Finding& finding : findings) {
    const auto& source = finding.module->source;
    const auto path = source.path().lexically_relative(here);
    std::string key = fmt::format("{}\n{}\n", finding.rule, path.empty() ? source.name() : path.native());
    for (const char c : finding.module->source.text(finding.range)) {
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') key += c;
    }
    key += fmt::format("\n{}", key_counts[key]++);
    all.push_back(fmt::format("{:016x}", XXH3_64bits(key.data(), key.size())));
  }
  return all;
}

}  // namespace weir::audit
