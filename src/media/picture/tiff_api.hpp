#pragma once

#include <tiffio.h>

#include "base/result.hpp"
#include "media/picture/library_api.hpp"

namespace weir::media {

// The list of all functions of libtiff that weir uses. It declares the members of the struct below. (clang-format would
// format it differently at each run.)
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

/// Pointers to the functions of libtiff; each member has the name of its function. The library is loaded when the first
/// TIFF file is opened, because it and its codecs are ten shared libraries, which other runs do not need.
struct TiffApi {
  WEIR_TIFF_FUNCTIONS(WEIR_API_POINTER)

  template <class Visit>
  void for_each_function(const Visit& visit) {
    WEIR_TIFF_FUNCTIONS(WEIR_API_VISIT)
  }

  /// Returns the functions; the first call loads the library. Thread-safe. Errors: unsupported, if it is not installed
  /// or too old.
  static Result<const TiffApi*> get();
};

}  // namespace weir::media
