#pragma once

#include <cstdint>
#include <string>

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/vips_api.hpp"
#include "media/picture/vips_need.hpp"

namespace weir::media {

/// How libvips reads pictures of one format, and what it is told of them by us.
struct VipsLoader {
  Format format;
  decltype(VipsApi::vips_webpload_source) VipsApi::*load;
  /// Fills what libvips does not tell of the file, of which it counts so many pages. Errors: unsupported.
  Status (*read_container_metadata)(const InputFilePtr& file, int pages, Metadata& into);
  PixelCost cost = {};
  /// The library reads on as rows are asked for. Others hold a whole file, and what is in it besides the picture once more,
  /// before they tell its size.
  bool streams = false;
  /// How many rows are decoded together, 0: not known. Null: that is in `cost`, and the file is held.
  std::uint32_t (*read_rows_per_strip)(const InputFile& file) = nullptr;
  /// Of a damaged file what is missing comes transparent.
  bool missing_is_transparent = false;
};

/// A picture as libvips reads it, turned into 8- or 16-bit grey or RGB.
struct VipsPicture {
  VipsRef<VipsImage> image;
  PictureInfo info;
  bool has_profile = false;  ///< in the file
  bool converted = false;    ///< the samples no longer mean what the file's profile says
};

/// Opens the file without its pixels. `lenient`: what is damaged is no error, and libvips gives what it can.
/// Errors: those of vips_failure(); unsupported.
Result<VipsPicture> open_vips_picture(const VipsApi& api, const VipsLoader& loader, const InputFile& file,
                                      bool lenient);

/// What is told beside the pixels. Errors: those of VipsLoading::read_container.
Result<MetadataPtr> read_vips_metadata(const VipsApi& api, const VipsLoader& loader, const InputFilePtr& file,
                                       const VipsPicture& picture);

/// 1 to 8, as in EXIF. HEIF, AVIF and JPEG XL pictures are turned by their own decoders, and libvips drops the tag then.
int vips_orientation(const VipsApi& api, const VipsPicture& picture);

/// The last failure in our words: what libvips says names its own parts, over several lines at times.
/// Errors: unsupported, over_budget, corrupt.
Error vips_failure(const VipsApi& api, const InputFile& file, const std::string& place);

}  // namespace weir::media
