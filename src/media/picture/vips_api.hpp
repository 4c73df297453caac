#pragma once

#include <vips/vips.h>

#include <cstddef>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "media/picture/library_api.hpp"

namespace weir::media {

// The list of all functions of libvips and GLib that weir uses. It declares the members of the struct below.
// (clang-format would format it differently at each run.)
// clang-format off
#define WEIR_VIPS_FUNCTIONS(X)                                                                                         \
  X(vips_init)                                                                                                         \
  X(vips_cache_set_max)                                                                                                \
  X(vips_concurrency_set)                                                                                              \
  X(vips_error_buffer_copy)                                                                                            \
  X(vips_error_clear)                                                                                                  \
  X(vips_error) X(vips_thread_shutdown) X(vips_source_new_from_descriptor) X(vips_source_new_from_memory)              \
      X(vips_jpegload_source) X(vips_webpload_source) X(vips_tiffload_source) X(vips_heifload_source)                  \
          X(vips_jxlload_source) X(vips_gifload_source) X(vips_image_hasalpha) X(vips_image_get_typeof)                \
              X(vips_image_get_blob) X(vips_image_get_int) X(vips_blob_get_type) X(vips_icc_transform)                 \
                  X(vips_colourspace) X(vips_extract_band) X(vips_region_new) X(vips_region_prepare) X(vips_image_new) \
                      X(vips_image_init_fields) X(vips_image_pipelinev) X(vips_image_generate)                         \
                          X(vips_image_set_blob_copy) X(vips_image_set_int) X(vips_image_set_string)                   \
                              X(vips_target_new_to_descriptor) X(vips_webpsave_target) X(vips_heifsave_target)         \
                                  X(vips_jxlsave_target) X(vips_tiffsave_target) X(g_object_unref) X(g_free)           \
                                      X(g_log_set_handler)
// clang-format on

/// Pointers to the functions of libvips; each member has the name of its function. The library is loaded when the first
/// picture needs it. It loads a hundred other libraries and takes about 30 MiB and 40 ms (docs/memory.md). A run with
/// only PNG and JPEG files does not need it.
struct VipsApi {
  WEIR_VIPS_FUNCTIONS(WEIR_API_POINTER)

  template <class Visit>
  void for_each_function(const Visit& visit) {
    WEIR_VIPS_FUNCTIONS(WEIR_API_VISIT)
  }

  /// Returns the functions; the first call loads and initializes the library, with one worker thread and no cache.
  /// Thread-safe. Errors: unsupported, if it is not installed or its initialization fails.
  static Result<const VipsApi*> get();

  /// Returns the messages of libvips since the last call as one line, and clears them; "unknown error" if there are
  /// none.
  std::string take_error() const;
};

/// Returns a pointer to the first sample of picture row `y` in a region, which must start at the left edge of the
/// picture. (The macro VIPS_REGION_ADDR would call a function of a library that is not linked.)
inline std::byte* region_row(const VipsRegion* region, int y) {
  return reinterpret_cast<std::byte*>(region->data) + static_cast<std::ptrdiff_t>(y - region->valid.top) * region->bpl;
}

/// Owns a reference to an object of GLib, such as a picture of libvips; may be null.
template <class T>
class VipsRef {
 public:
  VipsRef(const VipsApi& api, T* object) : api_{&api}, object_{object} {}
  VipsRef(VipsRef&& other) noexcept : api_{other.api_}, object_{std::exchange(other.object_, nullptr)} {}
  VipsRef& operator=(VipsRef&& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(object_, other.object_);
    return *this;
  }
  ~VipsRef() {
    if (object_ != nullptr) api_->g_object_unref(object_);
  }
  T* get() const { return object_; }

 private:
  const VipsApi* api_;
  T* object_;
};

}  // namespace weir::media
