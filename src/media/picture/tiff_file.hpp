#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "media/picture/input_file.hpp"
#include "media/picture/tiff_api.hpp"

namespace weir::media {

/// A TIFF file that libtiff has open, at its first picture. Messages of libtiff are stored and never printed. Not
/// thread-safe.
class TiffFile {
 public:
  /// Opens the file.
  /// max_allocation  largest single allocation of libtiff in bytes; libtiff skips tags that need more
  /// Errors: corrupt, io, unsupported, over_budget
  static Result<std::unique_ptr<TiffFile>> open(const TiffApi& api, InputFilePtr file, Bytes max_allocation);
  ~TiffFile();
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  /// Returns the handle for calls of libtiff; never null.
  TIFF* get() const { return tiff_; }
  // u16() returns the value of a tag of 16 bits, u32() that of a tag of 32 bits. If the file lacks the tag, they return
  // its default value; 0 if there is no default.
  std::uint16_t u16(std::uint32_t tag) const;
  std::uint32_t u32(std::uint32_t tag) const;
  /// Returns the error of a call of libtiff that failed: the error of reading the file if there was one, or else an
  /// error with `code` and the text `message`.
  Error failure(Errc code, const std::string& message) const;
  /// Returns whether libtiff skipped a tag because it is larger than `max_allocation`.
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
  std::string message_;  // last message of libtiff
  bool has_skipped_tags_ = false;
};

}  // namespace weir::media
