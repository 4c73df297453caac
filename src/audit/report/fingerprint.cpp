#include <map>

#include <fmt/format.h>
#include <xxhash.h>

#include "audit/report/report.hpp"

namespace weir::audit {

std::vector<std::string> fingerprints(const std::vector<Finding>& findings) {
  std::vector<std::string> all;
  std::map<std::string, int> seen;
  for (const Finding& finding : findings) {
    std::string key = fmt::format("{}\n{}\n", finding.rule, finding.module->source.name());
    for (const char c : finding.module->source.text(finding.where)) {
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') key += c;
    }
    key += fmt::format("\n{}", seen[key]++);
    all.push_back(fmt::format("{:016x}", XXH3_64bits(key.data(), key.size())));
  }
  return all;
}

}  // namespace weir::audit
