#pragma once

#include "media/picture/decoder.hpp"
#include "media/picture/vips_picture.hpp"

namespace weir::media {

/// A decoder of any picture that libvips can read. `how` outlives it.
/// Errors: unsupported, corrupt; over_budget, if opening the file takes more than options.limit.
Result<DecoderPtr> open_with_vips(const VipsLoader& loader, InputFilePtr file, const ReadOptions& options);

}  // namespace weir::media
