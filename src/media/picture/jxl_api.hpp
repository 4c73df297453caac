#pragma once

#include <jxl/decode.h>

#include "base/result.hpp"

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
#define WEIR_JXL_POINTER(name) decltype(&::name) name = nullptr;  // NOLINT(bugprone-macro-parentheses): it declares
  WEIR_JXL_FUNCTIONS(WEIR_JXL_POINTER)
#undef WEIR_JXL_POINTER

  template <class Visit>
  void for_each_function(const Visit& visit) {
#define WEIR_JXL_VISIT(name) visit(#name, name);
    WEIR_JXL_FUNCTIONS(WEIR_JXL_VISIT)
#undef WEIR_JXL_VISIT
  }

  /// Loads the library at the first call. Thread-safe. Errors: unsupported, if the version that weir was built for is not
  /// installed.
  static Result<const JxlApi*> get();
};

}  // namespace weir::media
