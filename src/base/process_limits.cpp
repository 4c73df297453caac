#include "base/process_limits.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "base/small_file.hpp"

namespace weir {
namespace {

std::optional<std::uint64_t> soft_limit(decltype(RLIMIT_AS) resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

}  // namespace

std::optional<std::uint64_t> open_files_limit() { return soft_limit(RLIMIT_NOFILE); }

std::optional<Bytes> address_space_limit() {
  const auto limit = soft_limit(RLIMIT_AS);
  return limit ? std::optional{Bytes{*limit}} : std::nullopt;
}

/// The first number of /proc/self/statm is the size in pages: proc(5).
std::optional<Bytes> available_address_space() {
  const auto limit = address_space_limit();
  if (!limit) return std::nullopt;
  const std::uint64_t pages = read_number_file("/proc/self/statm").value_or(0);
  return *limit - Bytes{pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

}  // namespace weir
