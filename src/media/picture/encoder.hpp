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

// What the rows of the table of formats name. Each pulls all rows, puts the whole file into `sink` (and flushes it) and tells
// in `report` what became of the metadata. Errors: of `rows` and `sink`; unsupported.
Status encode_png(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_jpeg(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_webp(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_tiff(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_avif(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_jxl(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);

// Beyond the rows handed over, for a picture of this form.
MediaNeed encode_png_need(const PictureInfo& picture, int quality);
MediaNeed encode_jpeg_need(const PictureInfo& picture, int quality);
MediaNeed encode_webp_need(const PictureInfo& picture, int quality);
MediaNeed encode_tiff_need(const PictureInfo& picture, int quality);
MediaNeed encode_avif_need(const PictureInfo& picture, int quality);
MediaNeed encode_jxl_need(const PictureInfo& picture, int quality);

}  // namespace weir::media
