#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace weir::device {

/// Variables that a child gets; an empty value removes one.
using EnvironmentChanges = std::vector<std::pair<std::string, std::string>>;

/// Runs `work` in a forked child that keeps no descriptor of ours but the standard ones, and returns the text that it
/// returns. A child that is not done after `deadline` is killed; one that hangs in the kernel and cannot die is left
/// behind, not waited for. Its standard output goes nowhere.
/// Errors: timed_out ("does not answer within 10 s"); device_lost with the signal or status that ended the child.
Result<std::string> run_in_child(const std::function<std::string()>& work, std::chrono::milliseconds deadline,
                                 const EnvironmentChanges& changes = {});

}  // namespace weir::device
