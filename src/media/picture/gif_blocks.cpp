#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "media/picture/container_metadata.hpp"
#include "media/picture/text_codec.hpp"

namespace weir::media {
namespace {

constexpr int kExtension = 0x21, kImage = 0x2c, kTrailer = 0x3b;
constexpr int kPlainText = 0x01, kGraphicControl = 0xf9, kCommentLabel = 0xfe, kApplication = 0xff;
constexpr std::size_t kMagicTrailer = 257;  // of XMP: bytes that lead any reader of sub-blocks to the end

class GifReader {
 public:
  GifReader(InputFilePtr file, Metadata& into) : size_{file->size()}, input_{std::move(file)}, into_{into} {}

  void read_all() {
    std::array<std::byte, 13> head{};
    if (!take(head) || !skip(table_bytes(head[10]))) return;
    for (int type = next(); type == kExtension || type == kImage; type = next())
      if (!(type == kImage ? read_image() : read_extension())) break;
    if (ended_ && at_ < size_) leave_out(into_, "data behind the picture", fmt::format("{} bytes", size_ - at_));
    if (frames_ > 1) leave_out(into_, "frames", fmt::format("the first of {}", frames_));
  }

 private:
  static std::size_t table_bytes(std::byte flags) {
    const auto bits = std::to_integer<unsigned>(flags);
    return (bits & 0x80U) != 0 ? std::size_t{3} << ((bits & 7U) + 1) : 0;
  }

  bool take(std::span<std::byte> into) {
    at_ += into.size();
    return input_.take(into);
  }
  bool skip(std::size_t count) {
    std::array<std::byte, 256> thrown;
    for (; count > 0; count -= std::min(count, thrown.size()))
      if (!take(std::span{thrown}.first(std::min(count, thrown.size())))) return false;
    return true;
  }
  int next() {
    std::array<std::byte, 1> type{};
    if (!take(type)) return -1;
    ended_ = type[0] == std::byte{kTrailer};
    return std::to_integer<int>(type[0]);
  }

  /// The sub-blocks up to the empty one. `keep` gets at most kMostTextBytes of them, with their lengths if `raw`.
  bool read_blocks(Blob* keep, bool raw = false) {
    for (;;) {
      std::array<std::byte, 256> block;
      if (!take(std::span{block}.first(1))) return false;
      const auto length = std::to_integer<std::size_t>(block[0]);
      if (!take(std::span{block}.subspan(1, length))) return false;
      if (keep != nullptr && keep->size() < kMostTextBytes)
        keep->insert(keep->end(), block.begin() + (raw ? 0 : 1),
                     block.begin() + 1 + static_cast<std::ptrdiff_t>(length));
      if (length == 0) return true;
    }
  }

  bool read_image() {
    std::array<std::byte, 9> head{};
    ++frames_;
    return take(head) && skip(table_bytes(head[8]) + 1) && read_blocks(nullptr);
  }

  bool read_extension() {
    const int label = next();
    if (label == kGraphicControl) return read_blocks(nullptr);
    if (label == kApplication) return read_application();
    Blob body;
    if (!read_blocks(&body)) return false;
    const std::string_view text{reinterpret_cast<const char*>(body.data()), body.size()};
    if (label == kCommentLabel)
      keep_text(into_, {.key = std::string{kCommentKey}, .value = utf8_of_unknown(text)});
    else
      leave_out(into_, label == kPlainText ? "text over the picture" : fmt::format("extension {}", label),
                "not carried");
    return true;
  }

  bool read_application() {
    std::array<std::byte, 12> head{};
    if (!take(head)) return false;
    const std::string name{reinterpret_cast<const char*>(head.data()) + 1, 11};
    Blob body;
    const bool xmp = name == "XMP DataXMP";
    if (!read_blocks(&body, xmp)) return false;
    if (xmp && into_.xmp.empty() && body.size() > kMagicTrailer + 1) {
      body.resize(body.size() - kMagicTrailer - 1);  // and the empty block
      into_.xmp = std::move(body);
    } else if (name == "ICCRGBG1012" && into_.icc.empty()) {
      into_.icc = std::move(body);
    } else if (name != "NETSCAPE2.0" && name != "ANIMEXTS1.0") {  // how often the frames are repeated
      leave_out(into_, "extension " + name, "unknown");
    }
    return true;
  }

  std::uint64_t size_, at_ = 0;
  InputCursor input_;
  Metadata& into_;
  bool ended_ = false;
  std::uint64_t frames_ = 0;
};

}  // namespace

void read_gif_blocks(const InputFilePtr& file, Metadata& into) { GifReader{file, into}.read_all(); }

}  // namespace weir::media
