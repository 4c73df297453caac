#include "base/read_stream.hpp"

#include <array>

namespace weir {

std::optional<std::string> read_stream(std::istream& stream) {
  std::string text;
  std::array<char, 4096> part;
  while (stream) {
    stream.read(part.data(), part.size());  // read() catches exceptions of the buffer and sets bad()
    text.append(part.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) return std::nullopt;
  return text;
}

}  // namespace weir
