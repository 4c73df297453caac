#pragma once

#include <memory>
#include <string>
#include <vector>

#include "media/picture/byte_sink.hpp"
#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/row_source.hpp"

namespace weir::media {

/// What an encoder is given: rows of this form are pulled by it, exactly `picture.height` of them.
struct EncodeJob {
  PictureInfo picture;       ///< size, colours, alpha and bits as the format can store them (see storable())
  int quality = -1;          ///< 1..100; -1: the format's default
  const Metadata* metadata;  ///< never null
};

/// Pulls all rows, puts the whole file into `sink` (and flushes it) and tells in `report` what became of the metadata.
/// Errors: of `rows` and `sink`; unsupported.
Status encode_png(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_jpeg(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
/// WebP, AVIF, JPEG XL and TIFF, through libvips.
Status encode_other(const EncodeJob& job, Format format, RowSource& rows, ByteSink& sink, WriteReport& report);

/// Beyond the rows handed over, for a picture of this form.
MediaNeed encode_png_need(const PictureInfo& picture);
MediaNeed encode_jpeg_need(const PictureInfo& picture);
MediaNeed encode_other_need(const PictureInfo& picture, int quality);

}  // namespace weir::media
