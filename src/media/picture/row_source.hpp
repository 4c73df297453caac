#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"

namespace weir::media {

/// A source of rows of samples, read from the top down. Decoders, converters and queues are row sources. Encoders and
/// converters read rows from such a source.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Reads the next rows into `rows`, which has space for a whole number of rows. Errors: those of the source; then the
  /// content of `rows` is undefined.
  virtual Status read(std::span<std::byte> rows) = 0;
};

}  // namespace weir::media
