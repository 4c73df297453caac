#include "base/process_memory.hpp"
#include "base/read_stream.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

namespace weir {

std::optional<Bytes> parse_status_field(std::string_view status, std::string_view field) {
  while (!status.empty()) {
    const std::size_t end = status.find('\n');
    std::string_view line = status.substr(0, end);
    status.remove_prefix(end == std::string_view::npos ? status.size() : end + 1);
    if (line.substr(0, field.size()) != field || line.substr(field.size(), 1) != ":") continue;
    line.remove_prefix(field.size() + 1);
    const std::size_t digits = line.find_first_of("0123456789");
    if (digits == std::string_view::npos) return std::nullopt;
    std::uint64_t kilobytes = 0;
    const auto [rest, problem] = std::from_chars(line.data() + digits, line.data() + line.size(), kilobytes);
    if (problem != std::errc{}) return std::nullopt;
    return 1_KiB * kilobytes;  // "kB" means 1024 bytes there: proc(5)
  }
  return std::nullopt;
}

namespace {

Bytes own_field(std::string_view field) {
  std::ifstream file{"/proc/self/status"};
  const std::string text = read_stream(file).value_or(std::string{});
  return parse_status_field(text, field).value_or(Bytes{});
}

}  // namespace

Bytes peak_resident_memory() { return own_field("VmHWM"); }

/// The second number of /proc/self/statm is the resident size in pages: proc(5). This function is called after every
/// item of a run, and the kernel produces this file in a tenth of the time of /proc/self/status.
Bytes resident_memory() {
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  char text[128];
  const ssize_t got = ::read(file, text, sizeof text);
  ::close(file);
  const std::string_view line{text, got > 0 ? static_cast<std::size_t>(got) : 0};
  const std::size_t space = line.find(' ');
  std::uint64_t pages = 0;
  if (space != std::string_view::npos) std::from_chars(line.data() + space + 1, line.data() + line.size(), pages);
  return Bytes{pages} * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void return_free_memory() { malloc_trim(0); }

}  // namespace weir
