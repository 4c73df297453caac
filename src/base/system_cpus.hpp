#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir {

/// Numbers of the processors that this process may run on, ascending; never empty.
std::vector<int> allowed_cpus();

/// Binds the calling thread, and every thread that it starts from now on, to these processors.
/// Errors: invalid_argument, naming the processors that are not allowed or do not exist.
Status bind_to_cpus(const std::vector<int>& cpus);

/// "0-3", "0,2,4-5": ascending, each once. Errors: invalid_argument.
Result<std::vector<int>> parse_cpu_list(std::string_view text);

/// Processors' worth of time that the control groups around this process grant; empty if they set no limit.
/// `root` is where /proc and /sys lie; tests invent one.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

/// Threads that can run at once: the allowed processors, or the quota rounded up if that is less; at least 1.
int usable_threads(std::size_t cpus, std::optional<double> quota);

}  // namespace weir
