#pragma once

#include <jxl/decode.h>

#include "base/result.hpp"
#include "media/picture/library_api.hpp"

namespace weir::media {

// Every function of libjxl that is used.
// clang-format never settles on this list.
// clang-format off
#define WEIR_JXL_FUNCTIONS(X)                                                       \
  X(JxlDecoderCreate) X(JxlDecoderDestroy) X(JxlDecoderSubscribeEvents)             \
  X(JxlDecoderSetDecompressBoxes) X(JxlDecoderSetInput) X(JxlDecoderReleaseInput)   \
  X(JxlDecoderCloseInput) X(JxlDecoderProcessInput) X(JxlDecoderGetBoxType)         \
  X(JxlDecoderSetBoxBuffer) X(JxlDecoderReleaseBoxBuffer) X(JxlDecoderGetBasicInfo)
// clang-format on

/// libjxl, loaded when the first JPEG XL picture is opened, as libvips is. The members are called like the functions.
struct JxlApi {
  WEIR_JXL_FUNCTIONS(WEIR_API_POINTER)

  template <class Visit>
  void for_each_function(const Visit& visit) {
    WEIR_JXL_FUNCTIONS(WEIR_API_VISIT)
  }

  /// Loads the library at the first call. Thread-safe. Errors: unsupported, if the version that weir was built for is not
  /// installed.
  static Result<const JxlApi*> get();
};

}  // namespace weir::media
