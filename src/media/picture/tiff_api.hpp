#pragma once

#include <tiffio.h>

#include "base/result.hpp"
#include "media/picture/library_api.hpp"

namespace weir::media {

// Every function of libtiff that is used.
// clang-format never settles on this list.
// clang-format off
#define WEIR_TIFF_FUNCTIONS(X)                                                            \
  X(TIFFOpenOptionsAlloc) X(TIFFOpenOptionsFree) X(TIFFOpenOptionsSetMaxSingleMemAlloc)   \
  X(TIFFOpenOptionsSetErrorHandlerExtR) X(TIFFOpenOptionsSetWarningHandlerExtR)           \
  X(TIFFClientOpenExt) X(TIFFClose) X(TIFFGetField) X(TIFFGetFieldDefaulted)              \
  X(TIFFSetField) X(TIFFIsTiled) X(TIFFIsCODECConfigured) X(TIFFNumberOfDirectories)      \
  X(TIFFNumberOfStrips) X(TIFFNumberOfTiles) X(TIFFGetStrileByteCountWithErr)             \
  X(TIFFScanlineSize64) X(TIFFStripSize64) X(TIFFTileSize64) X(TIFFTileRowSize64)         \
  X(TIFFReadScanline) X(TIFFReadTile)
// clang-format on

/// libtiff, loaded when the first TIFF file is opened, as libvips is: with its codecs it brings ten shared libraries
/// that a run over PNG and JPEG files does without. The members are called like the functions.
struct TiffApi {
  WEIR_TIFF_FUNCTIONS(WEIR_API_POINTER)

  template <class Visit>
  void for_each_function(const Visit& visit) {
    WEIR_TIFF_FUNCTIONS(WEIR_API_VISIT)
  }

  /// Loads the library at the first call. Thread-safe. Errors: unsupported, if it is not installed.
  static Result<const TiffApi*> get();
};

}  // namespace weir::media
