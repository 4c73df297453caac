#pragma once

#include <cstdint>
#include <string>

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/vips_api.hpp"
#include "media/picture/vips_need.hpp"

namespace weir::media {

/// How libvips reads pictures of one format, and what libvips does not report about them.
struct VipsLoader {
  Format format;
  decltype(VipsApi::vips_webpload_source) VipsApi::*load;  ///< loader function of libvips
  /// Reads the metadata that libvips does not report. `pages` is the number of pages that libvips reports.
  /// Errors: unsupported.
  Status (*read_container_metadata)(const InputFilePtr& file, int pages, Metadata& into);
  PixelCost cost = {};  ///< memory per pixel
  /// If set, the library reads the file part by part as rows are requested. Otherwise opening a picture takes up to
  /// twice the size of the file, because the library holds the whole file and the data that it extracts.
  bool streams = false;
  /// Returns the number of rows that the library decodes together; 0: unknown. Null: `cost` includes the memory for
  /// such rows, and the need of the decoder includes the size of the file.
  std::uint32_t (*read_rows_per_strip)(const InputFile& file) = nullptr;
  /// The library makes the pixels that a damaged file lacks transparent.
  bool missing_pixels_are_transparent = false;
};

/// A picture that libvips has open, converted to grey or RGB samples of 8 or 16 bits, with or without alpha.
struct VipsPicture {
  VipsRef<VipsImage> image;
  PictureInfo info;
  bool has_profile = false;  ///< the file has an ICC profile
  bool converted = false;    ///< the colours were converted to sRGB; the file's profile describes them no longer
};

/// Opens the file without decoding its pixels. `lenient`: damage is no error, and libvips returns the data that it can
/// read; otherwise damage is an error when libvips reaches it.
/// Errors: unsupported, over_budget, corrupt, io.
Result<VipsPicture> open_vips_picture(const VipsApi& api, const VipsLoader& loader, const InputFile& file,
                                      bool lenient);

/// Reads the metadata of the file. Errors: those of VipsLoader::read_container_metadata.
Result<MetadataPtr> read_vips_metadata(const VipsApi& api, const VipsLoader& loader, const InputFilePtr& file,
                                       const VipsPicture& picture);

/// Returns the orientation that is still to be applied, 1 to 8 as in EXIF. The decoders of HEIF, AVIF and JPEG XL apply
/// the orientation themselves; for these formats the result is 1.
int vips_orientation(const VipsApi& api, const VipsPicture& picture);

/// Makes an error from the last failure of libvips: unsupported, over_budget, corrupt; or io, if the file cannot be
/// read as a whole. The text is not that of libvips, whose messages name its internal parts.
/// place  what failed, for the text, such as "webp row 3 of 9"
Error vips_failure(const VipsApi& api, const InputFile& file, const std::string& place);

}  // namespace weir::media
