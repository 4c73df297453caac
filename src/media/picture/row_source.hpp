#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"

namespace weir::media {

/// Rows of samples, pulled from the top down. Decoders, filters and queues are row sources; encoders pull from one.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Fills `rows`, a whole number of rows, with the next ones. Errors: those of the source; the rows are then undefined.
  virtual Status read(std::span<std::byte> rows) = 0;
};

}  // namespace weir::media
