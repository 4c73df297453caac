#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir {

/// Returns the numbers of the processors that this process may run on, ascending; never empty.
std::vector<int> allowed_cpus();
/// Returns the number of processors that run, whether this process may use them or not. At least 1.
int online_cpus();

/// Binds the calling thread, and every thread that it starts later, to these processors (numbers in ascending order).
/// Errors: invalid_argument, with the processors that are not allowed or do not exist.
Status bind_to_cpus(const std::vector<int>& cpus);

/// Parses a list of processors such as "0-3" or "0,2,4-5" and returns them ascending, without duplicates. Errors:
/// invalid_argument.
Result<std::vector<int>> parse_cpu_list(std::string_view text);

/// Returns the CPU time that the control groups (cgroups) around this process grant, as a number of processors: 1.5
/// means one and a half seconds of CPU time per second. Empty if they set no limit. `root` is the folder that contains
/// proc and sys; tests supply their own.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

/// Returns how many threads can run at once: the smaller of `cpus` (the number of allowed processors) and `quota`
/// rounded up (the value of cpu_quota(); empty: no limit). At least 1.
int usable_threads(std::size_t cpus, std::optional<double> quota);

}  // namespace weir
