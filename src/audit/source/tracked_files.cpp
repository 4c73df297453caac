#include "audit/source/tracked_files.hpp"

#include <string_view>

#include "audit/run_program.hpp"

namespace weir::audit {

TrackedFiles TrackedFiles::list_below(const std::filesystem::path& folder) {
  TrackedFiles tracked;
  const auto listed = run_program(
      {.arguments = {"git", "ls-files", "-z", "--cached", "--ignored", "--exclude-standard"}, .folder = folder});
  if (!listed || listed->exit_status != 0) return tracked;
  // Each name ends with a zero byte, except the last one if the output was too long and is cut off.
  std::string_view rest = listed->output;
  for (std::size_t end = rest.find('\0'); end != std::string_view::npos; end = rest.find('\0')) {
    tracked.paths_.insert((folder / rest.substr(0, end)).native());
    rest.remove_prefix(end + 1);
  }
  return tracked;
}

bool TrackedFiles::contains_below(const std::filesystem::path& folder) const {
  const std::string prefix = folder.native() + '/';
  const auto first = paths_.lower_bound(prefix);
  return first != paths_.end() && first->starts_with(prefix);
}

}  // namespace weir::audit
