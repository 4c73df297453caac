#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "audit/finding.hpp"

namespace weir::audit {

/// One line of one file and all that rules say of it: people are told once.
struct LineFindings {
  std::size_t primary;                ///< index of the gravest finding; of two alike the one with the smaller number
  std::vector<std::size_t> others{};  ///< the rest, in the same order
};

/// The findings that nothing suppresses, by line, in the order of their first. Indices are those of `findings`.
std::vector<LineFindings> group_by_line(const std::vector<Finding>& findings);

/// "; also G04, G10" for a line that several rules tell; empty for one.
std::string other_rules_text(const LineFindings& group, const std::vector<Finding>& findings);

}  // namespace weir::audit
