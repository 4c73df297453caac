#pragma once

#include "media/picture/encoder.hpp"
#include "media/picture/vips_api.hpp"
#include "media/picture/vips_need.hpp"

namespace weir::media {

/// How libvips writes pictures of one format, and what is done with the file afterwards.
struct VipsSaver {
  /// Calls the saver of libvips; not 0 if it failed.
  int (*save)(const VipsApi& api, const EncodeJob& job, VipsImage* image, VipsTarget* target);
  PixelCost cost = {}, default_quality_cost = {};
  bool passes_exif = true;             ///< libvips does
  bool resolution_needs_exif = false;  ///< there is no other place for it
  /// libvips hands EXIF to libexif, which drops tags that it does not know: with this the file is read again to tell them.
  decltype(VipsApi::vips_webpload_source) VipsApi::*exif_reader = nullptr;
  /// Adds what libvips left out to the finished file, and tells what became of it.
  Status (*add_tags)(int fd, const Metadata& metadata, const std::string& name, WriteReport& report) = nullptr;
  /// Puts a file with EXIF and XMP in front of the pixels into `sink`, from `fd`, which holds one without.
  Status (*write_with_boxes)(int fd, const Metadata& metadata, ByteSink& sink) = nullptr;
};

/// Lossless where the format has it, if the job has no quality.
inline bool is_lossless_job(const EncodeJob& job) { return job.quality < 0; }

/// Nothing to be written beside the pixels: without being told so libvips makes an EXIF block up.
bool has_no_vips_metadata(const Metadata& metadata);

Status encode_with_vips(const VipsSaver& saver, const EncodeJob& job, RowSource& rows, ByteSink& sink,
                        WriteReport& report);
MediaNeed vips_encoder_need(const VipsSaver& saver, const PictureInfo& picture, int quality);

}  // namespace weir::media
