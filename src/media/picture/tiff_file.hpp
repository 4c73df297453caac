#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "media/picture/input_file.hpp"
#include "media/picture/tiff_api.hpp"

namespace weir::media {

/// The first picture of a TIFF file, opened with libtiff. What libtiff says goes into message(), never to standard error.
/// Not thread-safe.
class TiffFile {
 public:
  /// most   bytes that libtiff may allocate at once; tags of more are left out
  /// Errors: corrupt, io
  static Result<std::unique_ptr<TiffFile>> open(const TiffApi& api, InputFilePtr file, Bytes max_allocation);
  ~TiffFile();
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  TIFF* get() const { return tiff_; }
  /// A tag of 16 bits, or its default; 0 if it has none.
  std::uint16_t u16(std::uint32_t tag) const;
  std::uint32_t u32(std::uint32_t tag) const;
  /// Why the last call failed: the failure of reading the file, or `otherwise`.
  Error failure(Errc code, const std::string& message) const;
  /// Something was not read because it is larger than `most`.
  bool has_skipped_tags() const { return has_skipped_tags_; }

 private:
  TiffFile(const TiffApi& api, InputFilePtr file) : api_{api}, file_{std::move(file)} {}
  static int record_message(TIFF* tiff, void* self, const char* module, const char* format, va_list values);
  static tmsize_t read(thandle_t self, void* into, tmsize_t count);
  static toff_t seek(thandle_t self, toff_t offset, int whence);

  const TiffApi& api_;
  InputFilePtr file_;
  TIFF* tiff_ = nullptr;
  std::uint64_t offset_ = 0;
  std::optional<Error> failure_;
  std::string message_;
  bool has_skipped_tags_ = false;
};

}  // namespace weir::media
