#include "base/small_file.hpp"

#include <charconv>
#include <fstream>

#include "base/read_stream.hpp"

namespace weir {

std::string read_small_file(const std::filesystem::path& path) {
  std::ifstream file{path};
  return read_stream(file).value_or(std::string{});
}

std::optional<std::uint64_t> read_number_file(const std::filesystem::path& path) {
  const std::string text = read_small_file(path);
  const bool hex = text.starts_with("0x");
  std::uint64_t value = 0;
  const auto [end, problem] =
      std::from_chars(text.data() + (hex ? 2 : 0), text.data() + text.size(), value, hex ? 16 : 10);
  if (problem != std::errc{}) return std::nullopt;
  return value;
}

}  // namespace weir
