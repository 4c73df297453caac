#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "jobs/frame.hpp"
#include "jobs/item.hpp"

/// Feeds arbitrary bytes, split at a place that the first byte selects, to FrameReader, and parses each message as an
/// item. After an error every further call of FrameReader::next() must return an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const std::size_t cut = size == 0 ? 0 : data[0] % (size + 1);
  weir::jobs::FrameReader reader;
  for (const std::string_view part : {bytes.substr(0, cut), bytes.substr(cut)}) {
    reader.feed(part);
    for (;;) {
      const auto message = reader.next();
      if (!message && reader.next()) std::abort();
      if (!message || !*message) break;
      const auto json = weir::jobs::parse_object(**message);
      if (json) (void)weir::jobs::item_from_json(*json);
    }
  }
  return 0;
}
