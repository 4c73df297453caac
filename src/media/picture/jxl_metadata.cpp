// Reads EXIF and XMP of a JPEG XL file with libjxl, because libvips 8.14 does not read compressed boxes.
#include "media/picture/jxl_metadata.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "media/picture/jxl_api.hpp"

namespace weir::media {
namespace {

// first size of the buffer for the body of a box; number of bytes that are read from the file at once
constexpr std::size_t kFirstBufferBytes = std::size_t{64} << 10, kInputPieceBytes = std::size_t{64} << 10;

/// Boxes that belong to the picture itself. Source: ISO/IEC 18181-2, 9
constexpr std::array<std::string_view, 6> kPictureBoxes{"JXL ", "ftyp", "jxlc", "jxlp", "jxll", "jxli"};

/// Returns the name for users of a box that weir does not copy.
std::string name_of_box(std::string_view type) {
  if (type == "jumb") return "C2PA or other JUMBF data";
  if (type == "jbrd") return "comments and IPTC of the JPEG file it was made from";
  return "box " + std::string{type};
}

/// Reads the boxes of a JPEG XL file with libjxl, which also decompresses them.
class BoxReader {
 public:
  BoxReader(const JxlApi& api, InputFilePtr file, Metadata& into)
      : api_{api},
        file_{std::move(file)},
        into_{into},
        decoder_{api.JxlDecoderCreate(nullptr), api.JxlDecoderDestroy} {}

  void read_all() {
    if (!decoder_ ||
        api_.JxlDecoderSubscribeEvents(decoder_.get(), JXL_DEC_BOX | JXL_DEC_BASIC_INFO) != JXL_DEC_SUCCESS ||
        api_.JxlDecoderSetDecompressBoxes(decoder_.get(), JXL_TRUE) != JXL_DEC_SUCCESS)
      return;
    while (handle_next_event()) continue;
  }

 private:
  // Handles the next event of libjxl; returns false at the end. The number of calls is limited, because each call
  // consumes bytes of the file or enlarges the buffer.
  bool handle_next_event() {
    switch (api_.JxlDecoderProcessInput(decoder_.get())) {
      case JXL_DEC_NEED_MORE_INPUT:
        return feed_input();
      case JXL_DEC_BASIC_INFO:
        return record_animation();
      case JXL_DEC_BOX:
        store_box();
        return start_box();
      case JXL_DEC_BOX_NEED_MORE_OUTPUT:
        return grow_buffer();
      case JXL_DEC_SUCCESS:
        store_box();
        return false;
      default:
        return false;
    }
  }

  bool feed_input() {
    const auto unused_bytes = api_.JxlDecoderReleaseInput(decoder_.get());
    offset_ -= unused_bytes;
    auto got = file_->read_at(offset_, {piece_.get(), kInputPieceBytes});
    if (!got || *got <= unused_bytes) return false;  // no new bytes
    offset_ += *got;
    api_.JxlDecoderSetInput(decoder_.get(), reinterpret_cast<const std::uint8_t*>(piece_.get()), *got);
    if (offset_ == file_->size()) api_.JxlDecoderCloseInput(decoder_.get());
    return true;
  }

  /// The text has no number of frames, because it is unknown until all frames are parsed.
  bool record_animation() {
    JxlBasicInfo info{};
    if (api_.JxlDecoderGetBasicInfo(decoder_.get(), &info) == JXL_DEC_SUCCESS && info.have_animation != 0)
      record_omission(into_, "frames", "the first of an animation");
    return true;
  }

  bool start_box() {
    JxlBoxType raw{};
    if (api_.JxlDecoderGetBoxType(decoder_.get(), raw, JXL_TRUE) != JXL_DEC_SUCCESS) return false;
    const std::string_view type{raw, sizeof raw};
    destination_ = type == "Exif" ? &into_.exif : type == "xml " ? &into_.xmp : nullptr;
    if (destination_ == nullptr) {
      if (std::find(kPictureBoxes.begin(), kPictureBoxes.end(), type) == kPictureBoxes.end())
        record_omission(into_, name_of_box(type), "not carried");
      return true;
    }
    body_.resize(kFirstBufferBytes);
    return set_buffer(0);
  }

  // Makes libjxl write the next bytes of the box into body_, from index `from` on.
  bool set_buffer(std::size_t from) {
    return api_.JxlDecoderSetBoxBuffer(decoder_.get(), reinterpret_cast<std::uint8_t*>(body_.data()) + from,
                                       body_.size() - from) == JXL_DEC_SUCCESS;
  }

  bool grow_buffer() {
    const auto free_bytes = api_.JxlDecoderReleaseBoxBuffer(decoder_.get());
    const auto filled_bytes = body_.size() - free_bytes;
    if (body_.size() >= kMaxMetadataBytes) {
      record_omission(into_, destination_ == &into_.xmp ? "xmp" : "exif", "takes more than 4 MiB");
      destination_ = nullptr;  // the rest of the box is skipped
      body_ = {};
      return true;
    }
    body_.resize(std::min(body_.size() * 2, kMaxMetadataBytes));
    return set_buffer(filled_bytes);
  }

  // Stores the body of the current box, which is complete, in the metadata.
  void store_box() {
    if (destination_ == nullptr) return;
    body_.resize(body_.size() - api_.JxlDecoderReleaseBoxBuffer(decoder_.get()));
    constexpr std::size_t kExifOffset = 4;  // bytes before the TIFF header, which contain its offset
    if (destination_ == &into_.xmp)
      into_.xmp = std::move(body_);
    else if (body_.size() > kExifOffset)
      store_exif(std::span{body_}.subspan(kExifOffset));
    body_ = {};
    destination_ = nullptr;
  }

  void store_exif(std::span<const std::byte> block) {
    into_.exif = strip_exif_prefix(block);
    if (into_.exif.empty()) record_omission(into_, "exif", "damaged");
  }

  const JxlApi& api_;
  InputFilePtr file_;
  Metadata& into_;
  std::unique_ptr<JxlDecoder, decltype(&::JxlDecoderDestroy)> decoder_;
  std::unique_ptr<std::byte[]> piece_ = std::make_unique_for_overwrite<std::byte[]>(kInputPieceBytes);
  std::uint64_t offset_ = 0;     // byte offset in the file after the bytes that libjxl has received
  Blob* destination_ = nullptr;  // member of into_ that receives the current box; null: the box is skipped
  Blob body_;                    // body of the current box, as far as it is decompressed
};

}  // namespace

Status read_jxl_metadata(const InputFilePtr& file, Metadata& into) {
  auto api = JxlApi::get();
  if (!api) return file->error(api.error().code, "jxl " + api.error().what);
  BoxReader{**api, file, into}.read_all();
  return ok();
}

}  // namespace weir::media
