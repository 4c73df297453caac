#pragma once

#include "media/picture/decoder.hpp"
#include "media/picture/vips_picture.hpp"

namespace weir::media {

/// Returns a decoder for a picture of the format loader.format, which libvips decodes. `loader` must outlive it.
/// Errors: io; unsupported; corrupt; over_budget, if opening the file takes more than options.memory_limit.
Result<DecoderPtr> open_with_vips(const VipsLoader& loader, InputFilePtr file, const ReadOptions& options);

}  // namespace weir::media
