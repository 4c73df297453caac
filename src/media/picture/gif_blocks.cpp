// Reads the metadata of a GIF file, which libvips does not report, and counts its frames.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "media/picture/container_metadata.hpp"
#include "media/picture/text_codec.hpp"

namespace weir::media {
namespace {

// types of blocks, and labels of extensions
constexpr int kExtension = 0x21, kImage = 0x2c, kTrailer = 0x3b;
constexpr int kPlainText = 0x01, kGraphicControl = 0xf9, kCommentLabel = 0xfe, kApplication = 0xff;
// Number of bytes between the XMP packet and the empty sub-block. The packet is not divided into sub-blocks; a program
// that nevertheless reads it as sub-blocks finds the end of the block with the help of these bytes.
constexpr std::size_t kMagicTrailerBytes = 257;

/// Reads the blocks of a GIF file in order. Functions that return bool return false if the file ends or a read fails.
class GifReader {
 public:
  GifReader(InputFilePtr file, Metadata& into) : size_{file->size()}, input_{std::move(file)}, into_{into} {}

  void read_all() {
    std::array<std::byte, 13> head{};
    if (!read(head) || !skip(table_bytes(head[10]))) return;  // head: signature, screen size, flags
    for (int type = read_type(); type == kExtension || type == kImage; type = read_type())
      if (!(type == kImage ? read_image() : read_extension())) break;
    if (has_end_marker_ && offset_ < size_)
      record_omission(into_, "data behind the picture", fmt::format("{} bytes", size_ - offset_));
    if (frames_ > 1) record_omission(into_, "frames", fmt::format("the first of {}", frames_));
  }

 private:
  // Returns the size in bytes of the colour table that follows according to these flags; 0: no table.
  static std::size_t table_bytes(std::byte flags) {
    const auto bits = std::to_integer<unsigned>(flags);
    return (bits & 0x80U) != 0 ? std::size_t{3} << ((bits & 7U) + 1) : 0;
  }

  bool read(std::span<std::byte> into) {
    offset_ += into.size();
    return input_.read(into);
  }
  bool skip(std::size_t count) {
    std::array<std::byte, 256> discarded;
    for (; count > 0; count -= std::min(count, discarded.size()))
      if (!read(std::span{discarded}.first(std::min(count, discarded.size())))) return false;
    return true;
  }
  /// Reads the next byte: the type of a block, or the label of an extension. Returns -1 if the file ends.
  int read_type() {
    std::array<std::byte, 1> type{};
    if (!read(type)) return -1;
    has_end_marker_ = type[0] == std::byte{kTrailer};
    return std::to_integer<int>(type[0]);
  }

  /// Reads sub-blocks (a length byte and data each) up to the empty one. If `data` is not null, appends their data to
  /// it; if `with_lengths` is set, with the length bytes. From about kMaxTextBytes on the rest is only skipped, and
  /// exceeds_limit_ is set.
  bool read_blocks(Blob* data, bool with_lengths = false) {
    for (exceeds_limit_ = false;;) {
      std::array<std::byte, 256> block;
      if (!read(std::span{block}.first(1))) return false;
      const auto length = std::to_integer<std::size_t>(block[0]);
      if (!read(std::span{block}.subspan(1, length))) return false;
      if (length == 0 && !with_lengths) return true;
      exceeds_limit_ = exceeds_limit_ || (data != nullptr && data->size() >= kMaxTextBytes);
      if (data != nullptr && !exceeds_limit_)
        data->insert(data->end(), block.begin() + (with_lengths ? 0 : 1),
                     block.begin() + 1 + static_cast<std::ptrdiff_t>(length));
      if (length == 0) return true;
    }
  }

  bool read_image() {
    std::array<std::byte, 9> head{};
    ++frames_;
    return read(head) && skip(table_bytes(head[8]) + 1) &&
           read_blocks(/*data=*/nullptr);  // 1: code size of the LZW data
  }

  bool read_extension() {
    const int label = read_type();
    if (label == kGraphicControl) return read_blocks(/*data=*/nullptr);
    if (label == kApplication) return read_application();
    Blob body;
    if (!read_blocks(&body)) return false;
    const std::string_view text{reinterpret_cast<const char*>(body.data()), body.size()};
    if (label == kCommentLabel && exceeds_limit_)
      record_omission(into_, fmt::format("text {}", kCommentKey), "too large");
    else if (label == kCommentLabel)
      add_text(into_, {.key = std::string{kCommentKey}, .value = unknown_to_utf8(text)});
    else
      record_omission(into_, label == kPlainText ? "text over the picture" : fmt::format("extension {}", label),
                      "not carried");
    return true;
  }

  bool read_application() {
    std::array<std::byte, 12> head{};  // the first sub-block: its length (11), the name and the code of the application
    if (!read(head)) return false;
    const std::string name{reinterpret_cast<const char*>(head.data()) + 1, 11};
    Blob body;
    const bool is_xmp = name == "XMP DataXMP";
    const bool is_profile = name == "ICCRGBG1012";
    if (!read_blocks(&body, is_xmp)) return false;
    if ((is_xmp || is_profile) && exceeds_limit_) {
      record_omission(into_, is_xmp ? "xmp" : "icc", "takes more than 4 MiB");
    } else if (is_xmp && into_.xmp.empty() && body.size() > kMagicTrailerBytes + 1) {
      body.resize(body.size() - kMagicTrailerBytes - 1);  // 1: the empty sub-block
      into_.xmp = std::move(body);
    } else if (is_profile && into_.icc.empty()) {
      into_.icc = std::move(body);
    } else if (name != "NETSCAPE2.0" && name != "ANIMEXTS1.0") {  // these two contain the repeat count of the frames
      record_omission(into_, "extension " + name, "unknown");
    }
    return true;
  }

  std::uint64_t size_, offset_ = 0;  // size of the file; byte offset of the next byte
  InputCursor input_;
  Metadata& into_;
  bool has_end_marker_ = false;  // the last byte that read_type() read is the end marker
  bool exceeds_limit_ = false;   // the data of the last read_blocks() were too large to be kept
  std::uint64_t frames_ = 0;
};

}  // namespace

void read_gif_blocks(const InputFilePtr& file, Metadata& into) { GifReader{file, into}.read_all(); }

}  // namespace weir::media
