#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "media/film/film_index.hpp"
#include "media/film/partial_index.hpp"

/// Parses arbitrary bytes as an index and as a part of one; what was parsed must stay equal when it is written and parsed
/// again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto index = weir::film::parse_film_index(text)) {
    const auto again = weir::film::parse_film_index(to_text(*index));
    if (!again || *again != *index) std::abort();
  }
  if (auto part = weir::film::parse_partial_index(text)) {
    part->segments.clear();  // those of a whole index
    const auto again = weir::film::parse_film_index(to_text(*part));
    if (!again || *again != *part) std::abort();
  }
  return 0;
}
