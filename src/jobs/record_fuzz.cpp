#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "jobs/record.hpp"

/// Any bytes are a record or none; a record that was read is written and read again the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto record = weir::jobs::parse_record({reinterpret_cast<const char*>(data), size});
  if (!record) return 0;
  const std::string text = to_text(*record);
  const auto again = weir::jobs::parse_record(text);
  if (!again || to_text(*again) != text) std::abort();
  return 0;
}
