#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace weir::device {

/// Processes that were started under one mark, a variable of their environment that children inherit: also those that
/// left their parent and their process group. A process that clears its environment is not found.
/// This process is left out; `root` is where proc lies.
std::vector<pid_t> find_marked(std::string_view variable, std::string_view value,
                               const std::filesystem::path& root = "/");

/// The same for any value that `wanted` accepts.
std::vector<pid_t> find_with_variable(std::string_view variable, const std::function<bool(std::string_view)>& wanted,
                                      const std::filesystem::path& root = "/");

/// Ends what `find` finds: SIGTERM, and SIGKILL for those that live five seconds later. How many there were.
std::size_t end_processes(const std::function<std::vector<pid_t>()>& find);

/// Ends them: SIGTERM, and SIGKILL for those that live five seconds later. How many there were.
std::size_t end_marked(std::string_view variable, std::string_view value);

/// A value that no other run has.
std::string new_mark();

}  // namespace weir::device
