#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "jobs/record.hpp"

/// Parses arbitrary bytes as a record; a record that was parsed must stay equal when it is written and parsed again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto record = weir::jobs::parse_record({reinterpret_cast<const char*>(data), size});
  if (!record) return 0;
  const std::string text = to_text(*record);
  const auto again = weir::jobs::parse_record(text);
  if (!again || to_text(*again) != text) std::abort();
  return 0;
}
