#pragma once

#include <memory>
#include <string>
#include <vector>

#include "media/picture/byte_sink.hpp"
#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/row_source.hpp"

namespace weir::media {

/// The input of an encoder except the rows.
struct EncodeJob {
  PictureInfo picture;       ///< format of the rows; the file format can store it, see fit_picture_info()
  int quality = -1;          ///< 1..100; -1: the format's default; PNG and TIFF ignore it
  const Metadata* metadata;  ///< never null
};

// The functions that the table of formats (picture_format.cpp) uses. Each function reads job.picture.height rows from
// `rows`, writes the whole file into `sink`, flushes `sink`, and lists kept and lost metadata in `report`.
// Errors: those of `rows` and `sink`; io; unsupported, if the library of the format is not installed.
Status encode_png(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_jpeg(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_webp(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_tiff(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_avif(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
Status encode_jxl(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);

// These functions return the memory and disk space that encoding a picture takes, without the rows that the caller
// holds. `quality` is 1 to 100, or -1 for the format's default, as in EncodeJob.
MediaNeed encode_png_need(const PictureInfo& picture, int quality);
MediaNeed encode_jpeg_need(const PictureInfo& picture, int quality);
MediaNeed encode_webp_need(const PictureInfo& picture, int quality);
MediaNeed encode_tiff_need(const PictureInfo& picture, int quality);
MediaNeed encode_avif_need(const PictureInfo& picture, int quality);
MediaNeed encode_jxl_need(const PictureInfo& picture, int quality);

}  // namespace weir::media
