#pragma once

#include <vips/vips.h>

#include <cstddef>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "media/picture/library_api.hpp"

namespace weir::media {

// Every function of libvips and GLib that is used.
// clang-format never settles on this list.
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

/// libvips, loaded when the first picture needs it: it brings a hundred shared libraries, about 30 MiB and 40 ms
/// (docs/memory.md), which a run over PNG and JPEG files does without. The members are called like the functions.
struct VipsApi {
  WEIR_VIPS_FUNCTIONS(WEIR_API_POINTER)

  template <class Visit>
  void for_each_function(const Visit& visit) {
    WEIR_VIPS_FUNCTIONS(WEIR_API_VISIT)
  }

  /// Loads and starts the library at the first call, with one thread and without its cache. Thread-safe.
  /// Errors: unsupported, if it is not installed.
  static Result<const VipsApi*> get();

  /// What libvips has to say about its last failure, as one line; forgets it.
  std::string take_error() const;
};

/// The first sample of row `y` in a region whose left edge is that of the picture. (VIPS_REGION_ADDR would call a function
/// of a library that is not linked.)
inline std::byte* region_row(const VipsRegion* region, int y) {
  return reinterpret_cast<std::byte*>(region->data) + static_cast<std::ptrdiff_t>(y - region->valid.top) * region->bpl;
}

/// Owns a reference to a GObject.
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
