#pragma once

#include <jxl/decode.h>

#include "base/result.hpp"
#include "media/picture/library_api.hpp"

namespace weir::media {

// The list of all functions of libjxl that weir uses. It declares the members of the struct below. (clang-format would
// format it differently at each run.)
// clang-format off
#define WEIR_JXL_FUNCTIONS(X)                                                       \
  X(JxlDecoderCreate) X(JxlDecoderDestroy) X(JxlDecoderSubscribeEvents)             \
  X(JxlDecoderSetDecompressBoxes) X(JxlDecoderSetInput) X(JxlDecoderReleaseInput)   \
  X(JxlDecoderCloseInput) X(JxlDecoderProcessInput) X(JxlDecoderGetBoxType)         \
  X(JxlDecoderSetBoxBuffer) X(JxlDecoderReleaseBoxBuffer) X(JxlDecoderGetBasicInfo)
// clang-format on

/// Pointers to the functions of libjxl; each member has the name of its function. The library is loaded when the
/// metadata of a JPEG XL file is read for the first time.
struct JxlApi {
  WEIR_JXL_FUNCTIONS(WEIR_API_POINTER)

  template <class Visit>
  void for_each_function(const Visit& visit) {
    WEIR_JXL_FUNCTIONS(WEIR_API_VISIT)
  }

  /// Returns the functions; the first call loads the library. Thread-safe.
  /// Errors: unsupported, if the version that weir was built for is not installed.
  static Result<const JxlApi*> get();
};

}  // namespace weir::media
