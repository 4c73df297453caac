#pragma once

#include "media/picture/encoder.hpp"
#include "media/picture/vips_api.hpp"
#include "media/picture/vips_need.hpp"

namespace weir::media {

/// How libvips writes pictures of one format, and the steps that follow after libvips has written the file.
struct VipsSaver {
  /// Calls the saver of libvips; returns 0 on success.
  int (*save)(const VipsApi& api, const EncodeJob& job, VipsImage* image, VipsTarget* target);
  /// Memory per pixel: `cost` for a job with a quality, `default_quality_cost` for a job without one.
  PixelCost cost = {}, default_quality_cost = {};
  /// If set, the EXIF block is passed to libvips and listed as kept; libvips or write_with_boxes writes it. Otherwise
  /// add_tags writes and lists it.
  bool passes_exif = true;
  bool resolution_needs_exif = false;  ///< the format can store the resolution only in EXIF
  /// The loader that reads the EXIF block of the finished file again, to report dropped tags: libvips uses libexif,
  /// which drops unknown tags. Null: no check.
  decltype(VipsApi::vips_webpload_source) VipsApi::*exif_reader = nullptr;
  /// Adds to the finished file `fd` the metadata that libvips does not write, and lists it in `report` as kept or lost.
  /// `name` is the name of the output in messages. Null: there is nothing to add.
  Status (*add_tags)(int fd, const Metadata& metadata, const std::string& name, WriteReport& report) = nullptr;
  /// Copies the finished file `fd` to `sink` and adds EXIF and XMP, if there are any. Null: libvips or add_tags writes
  /// them.
  Status (*write_with_boxes)(int fd, const Metadata& metadata, ByteSink& sink) = nullptr;
};

/// Returns whether the job has no quality. WebP and JPEG XL then store the picture without loss. (Do not use it for
/// AVIF, which has loss even without a quality.)
inline bool is_lossless_job(const EncodeJob& job) { return job.quality < 0; }

/// Returns whether `metadata` has no ICC profile, EXIF, XMP or resolution. The savers of WebP and AVIF then pass the
/// option `strip`, because libvips would otherwise create an EXIF block.
bool has_no_vips_metadata(const Metadata& metadata);

/// Encodes a picture with libvips. Errors: those of `rows` and `sink`; io; unsupported, if libvips is not installed.
Status encode_with_vips(const VipsSaver& saver, const EncodeJob& job, RowSource& rows, ByteSink& sink,
                        WriteReport& report);
/// Returns the memory that encode_with_vips() takes, without the rows that the caller passes.
MediaNeed vips_encoder_need(const VipsSaver& saver, const PictureInfo& picture, int quality);

}  // namespace weir::media
