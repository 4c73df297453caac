// Parses arbitrary pages of lease files and WEIR_LEASE claims, since every user may write a lease file.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/process_stat.hpp"
#include "device/lease_nesting.hpp"
#include "device/owner_record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto record = weir::device::parse_page(text)) {
    if (weir::device::describe(*record, 0).find('\n') != std::string::npos) std::abort();
    if (!weir::device::parse_page(weir::device::to_page(*record))) std::abort();
  }
  (void)weir::device::parse_lease_claims(text);
  (void)weir::parse_process_stat(text);
  return 0;
}
