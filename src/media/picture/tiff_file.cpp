#include "media/picture/tiff_file.hpp"

#include <cstdarg>
#include <cstdio>
#include <span>

namespace weir::media {

// libtiff calls this function for its errors and warnings. libtiff reports a skipped tag as an error or as a warning.
int TiffFile::record_message(TIFF*, void* self, const char*, const char* format, va_list values) {
  auto& file = *static_cast<TiffFile*>(self);
  char text[512];
  std::vsnprintf(text, sizeof text, format, values);
  file.message_ = text;
  // The message contains "beyond the ... limit defined in open options".
  if (file.message_.find("beyond the") != std::string::npos) file.has_skipped_tags_ = true;
  return 1;  // 1: libtiff prints nothing
}

tmsize_t TiffFile::read(thandle_t self, void* into, tmsize_t count) {
  auto& file = *static_cast<TiffFile*>(self);
  auto got = file.file_->read_at(file.offset_, {static_cast<std::byte*>(into), static_cast<std::size_t>(count)});
  if (!got) {
    file.failure_ = got.error();
    // Not -1: libtiff 4.5 would write zeros from one byte before its buffer on (found by the address sanitizer).
    return 0;
  }
  file.offset_ += *got;
  return static_cast<tmsize_t>(*got);
}

toff_t TiffFile::seek(thandle_t self, toff_t offset, int whence) {
  auto& file = *static_cast<TiffFile*>(self);
  if (whence == SEEK_CUR) offset += file.offset_;
  if (whence == SEEK_END) offset += file.file_->size();
  return file.offset_ = offset;
}

Result<std::unique_ptr<TiffFile>> TiffFile::open(const TiffApi& api, InputFilePtr file, Bytes max_allocation) {
  std::unique_ptr<TiffFile> made{new TiffFile{api, std::move(file)}};
  auto* options = api.TIFFOpenOptionsAlloc();
  if (options == nullptr) return made->file_->error(Errc::over_budget, "tiff: no memory; raise --ram");
  api.TIFFOpenOptionsSetMaxSingleMemAlloc(options, static_cast<tmsize_t>(max_allocation.count()));
  api.TIFFOpenOptionsSetErrorHandlerExtR(options, &TiffFile::record_message, made.get());
  api.TIFFOpenOptionsSetWarningHandlerExtR(options, &TiffFile::record_message, made.get());
  const auto write = [](thandle_t, void*, tmsize_t) -> tmsize_t { return -1; };
  const auto close = [](thandle_t) { return 0; };
  const auto size = [](thandle_t self) -> toff_t { return static_cast<TiffFile*>(self)->file_->size(); };
  // "r": read; "m": do not map the file into memory
  made->tiff_ = api.TIFFClientOpenExt("", "rm", made.get(), &TiffFile::read, write, &TiffFile::seek, close, size,
                                      nullptr, nullptr, options);
  api.TIFFOpenOptionsFree(options);
  if (made->tiff_ != nullptr) return made;
  // "Cannot" or "cannot": the case of the first letter does not matter.
  if (made->message_.find("annot handle different") != std::string::npos)
    return made->file_->error(Errc::unsupported,
                              "tiff: its samples differ in size or kind; convert it to 8- or 16-bit RGB first");
  return made->failure(Errc::corrupt, "tiff: the directory of tags cannot be read; the file is damaged, get it again");
}

TiffFile::~TiffFile() {
  if (tiff_ != nullptr) api_.TIFFClose(tiff_);
}

std::uint16_t TiffFile::u16(std::uint32_t tag) const {
  std::uint16_t value = 0;
  return api_.TIFFGetFieldDefaulted(tiff_, tag, &value) == 1 ? value : std::uint16_t{0};
}

std::uint32_t TiffFile::u32(std::uint32_t tag) const {
  std::uint32_t value = 0;
  return api_.TIFFGetFieldDefaulted(tiff_, tag, &value) == 1 ? value : 0;
}

Error TiffFile::failure(Errc code, const std::string& message) const {
  return failure_ ? *failure_ : file_->error(code, message);
}

}  // namespace weir::media
