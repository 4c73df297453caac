// Reads the metadata of a PNG file chunk by chunk; libspng reads only the ICC profile.
#include "media/picture/png_chunks.hpp"

#include <isa-l/crc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "media/picture/text_codec.hpp"

namespace weir::media {
namespace {

constexpr std::size_t kSignatureBytes = 8, kHeadBytes = 8, kCrcBytes = 4;
// Largest number of chunks of a file that are read, far above the number in usual files: a file of 1 GiB in chunks of
// 8 KiB has 131,072.
constexpr int kMaxChunks = 1 << 22;
constexpr std::size_t kMaxExifBytes = std::size_t{64} << 20;   // largest EXIF block that is read
constexpr std::string_view kXmpKeyword = "XML:com.adobe.xmp";  // XMP specification part 3, "PNG"
constexpr std::string_view kRawProfile = "Raw profile type ";  // start of the keyword of ImageMagick's metadata

/// Chunks that are read elsewhere, that belong to frames (acTL counts them), or that are useless after decoding, such
/// as iDOT, Apple's table for parallel decoding.
constexpr std::array<std::string_view, 9> kIgnoredChunks{"IHDR", "PLTE", "IDAT", "IEND", "tRNS",
                                                         "iCCP", "iDOT", "fcTL", "fdAT"};

/// A known chunk that weir does not copy, and its name for users.
struct NamedChunk {
  std::string_view type, name;
};
constexpr std::array kNamedChunks{
    NamedChunk{"bKGD", "background colour"},
    NamedChunk{"hIST", "histogram of the palette"},
    NamedChunk{"sBIT", "count of significant bits"},
    NamedChunk{"sPLT", "suggested palette"},
    NamedChunk{"oFFs", "offset on the page"},
    NamedChunk{"pCAL", "calibration of values"},
    NamedChunk{"sCAL", "physical scale"},
    NamedChunk{"sTER", "stereo arrangement"},
    NamedChunk{"caBX", "C2PA provenance"},
    NamedChunk{"gIFg", "GIF control"},
    NamedChunk{"gIFx", "GIF extension"},
    NamedChunk{"gIFt", "GIF text"},
    NamedChunk{"vpAg", "virtual page"},
    NamedChunk{"dSIG", "digital signature"},
};

std::uint32_t read_be32(const std::byte* at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(at[i]);
  return value;
}

class ChunkReader {
 public:
  ChunkReader(const InputFile& file, Metadata& into) : file_{file}, into_{into} {}

  void read_all() {
    std::uint64_t at = kSignatureBytes;
    for (int count = 0; count < kMaxChunks; ++count) {
      std::array<std::byte, kHeadBytes> head{};
      auto got = file_.read_at(at, head);
      if (!got || *got < head.size()) break;  // the decoder reports a file that ends too early
      size_ = read_be32(head.data());
      type_ = as_chars(std::span{head}.subspan(4));
      body_offset_ = at + kHeadBytes;
      at = body_offset_ + size_ + kCrcBytes;
      process_chunk();
      if (type_ == "IEND") break;
    }
    if (type_ == "IEND" && at < file_.size())
      record_omission(into_, "data behind the picture", fmt::format("{} bytes", file_.size() - at));
    if (frames_ > 1) record_omission(into_, "frames", fmt::format("the first of {}", frames_));
  }

 private:
  void process_chunk() {
    // The caller has read the profile already; if it is missing in into_, the chunk is damaged.
    if (type_ == "iCCP" && into_.icc.empty()) return record_omission(into_, "icc", "damaged");
    if (std::find(kIgnoredChunks.begin(), kIgnoredChunks.end(), type_) != kIgnoredChunks.end()) return;
    if (type_ == "tEXt" || type_ == "zTXt" || type_ == "iTXt") return store_text();
    if (type_ == "eXIf") return store_exif();
    if (type_ == "acTL" || type_ == "gAMA" || type_ == "cHRM" || type_ == "sRGB" || type_ == "cICP" ||
        type_ == "pHYs" || type_ == "tIME" || type_ == "mDCV" || type_ == "cLLI")
      return store_numbers();
    const auto* known =
        std::find_if(kNamedChunks.begin(), kNamedChunks.end(), [&](auto& each) { return each.type == type_; });
    if (known != kNamedChunks.end())
      record_omission(into_, known->name, fmt::format("the chunk {} is not carried", type_));
    else
      record_omission(into_, "chunk " + type_, "unknown");
  }

  // Returns the data of the current chunk. If it has more than `limit` bytes or a wrong checksum, or if the file ends
  // inside it, records an omission with `name` and returns nothing.
  std::optional<Blob> read_body(std::size_t limit, std::string_view name) {
    if (size_ > limit) {
      record_omission(into_, name, fmt::format("{} bytes; at most {} are carried", size_, limit));
      return std::nullopt;
    }
    Blob whole(std::size_t{size_} + kCrcBytes);
    auto got = file_.read_at(body_offset_, whole);
    if (!got || *got < whole.size()) {
      record_omission(into_, name, "damaged");
      return std::nullopt;
    }
    auto crc = crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(type_.data()), type_.size());
    crc = crc32_gzip_refl(crc, reinterpret_cast<const unsigned char*>(whole.data()), size_);
    if (crc != read_be32(whole.data() + size_)) {
      record_omission(into_, name, "damaged");
      return std::nullopt;
    }
    whole.resize(size_);
    return whole;
  }

  void store_exif() {
    auto found = read_body(kMaxExifBytes, "exif");
    if (found && into_.exif.empty()) into_.exif = strip_exif_prefix(*found);
    if (found && into_.exif.empty()) record_omission(into_, "exif", "damaged");
  }

  // Stores the data of a chunk that consists of numbers.
  void store_numbers() {
    const auto found = read_body(1024, "chunk " + type_);  // 1024: more than each of these chunks needs
    if (!found) return;
    const auto number = [&](std::size_t i) { return read_be32(found->data() + 4 * i); };
    ColourInfo& colour = into_.colour;
    const std::size_t size = found->size();
    if (type_ == "acTL" && size == 8) {
      frames_ = number(0);
    } else if (type_ == "gAMA" && size == 4 && number(0) > 0) {
      colour.gamma = number(0) / 100000.0;
    } else if (type_ == "cHRM" && size == 32) {
      auto& primaries = colour.primaries.emplace();
      for (std::size_t i = 0; i < primaries.size(); ++i) primaries[i] = static_cast<std::int32_t>(number(i)) / 100000.0;
    } else if (type_ == "sRGB" && size == 1) {
      colour.srgb_intent = std::to_integer<std::uint8_t>((*found)[0]);
    } else if (type_ == "cICP" && size == 4) {
      auto& cicp = colour.cicp.emplace();
      for (std::size_t i = 0; i < cicp.size(); ++i) cicp[i] = std::to_integer<std::uint8_t>((*found)[i]);
    } else if (type_ == "pHYs" && size == 9) {
      store_density(number(0), number(1), (*found)[8]);
    } else if (type_ == "tIME" && size == 7) {
      auto& changed = into_.modified_time.emplace();
      for (std::size_t i = 0; i < changed.size(); ++i) changed[i] = std::to_integer<std::uint8_t>((*found)[i]);
    } else if (type_ == "mDCV" && size == 24) {
      colour.mastering_display = *found;
    } else if (type_ == "cLLI" && size == 8) {
      colour.content_light_level = *found;
    } else {
      record_omission(into_, "chunk " + type_, "damaged");
    }
  }

  void store_density(std::uint32_t x, std::uint32_t y, std::byte unit) {
    if (unit == std::byte{1}) {  // pixels per metre; otherwise only the aspect ratio of a pixel
      into_.dots_per_mm_x = x / 1000.0;
      into_.dots_per_mm_y = y / 1000.0;
    } else if (x != y) {
      record_omission(into_, "shape of the pixels", fmt::format("{}:{}", x, y));
    }
  }

  void store_text() {
    auto found = read_body(kMaxTextBytes, "text");
    if (!found) return;
    const auto all = as_chars(*found);
    const auto key_end = all.find('\0');
    if (key_end == std::string_view::npos || key_end == 0 || key_end > 79)
      return record_omission(into_, "text", "damaged");
    TextEntry text{.key = std::string{all.substr(0, key_end)}, .value = {}, .is_international = type_ == "iTXt"};
    if (!read_value(all.substr(key_end + 1), text))
      return record_omission(into_, "text " + text.key, "damaged or too large");
    if (text.key == kXmpKeyword) {
      const auto bytes = std::as_bytes(std::span{text.value});
      into_.xmp.assign(bytes.begin(), bytes.end());
    } else if (!store_raw_profile(text)) {
      add_text(into_, std::move(text));
    }
  }

  // Reads the part of a text chunk after the keyword. Returns false if it is damaged or too large.
  bool read_value(std::string_view rest, TextEntry& text) const {
    bool is_compressed = type_ == "zTXt";
    if (type_ == "iTXt") {
      if (rest.size() < 4) return false;
      is_compressed = rest[0] != 0;
      rest.remove_prefix(2);  // compression flag and method
      for (std::string* field : {&text.language, &text.translated_key}) {
        const auto end = rest.find('\0');
        if (end == std::string_view::npos) return false;
        *field = rest.substr(0, end);
        rest.remove_prefix(end + 1);
      }
    } else if (is_compressed) {
      if (rest.empty()) return false;
      rest.remove_prefix(1);  // compression method
    }
    std::optional<Blob> decompressed;
    if (is_compressed) {
      decompressed = inflate_zlib(std::as_bytes(std::span{rest}), kMaxTextBytes);
      if (!decompressed) return false;
      rest = as_chars(*decompressed);
    }
    text.value = text.is_international ? std::string{rest} : latin1_to_utf8(rest);
    return true;
  }

  // Returns whether the text is a metadata block that ImageMagick wrote in hexadecimal digits. Stores the block if no
  // block of the same kind is already there.
  bool store_raw_profile(const TextEntry& text) {
    if (!text.key.starts_with(kRawProfile)) return false;
    const auto name = std::string_view{text.key}.substr(kRawProfile.size());
    const auto block = decode_raw_profile(text.value);
    if (!block) return false;
    if (name == "exif" || name == "APP1") {
      if (into_.exif.empty()) into_.exif = strip_exif_prefix(*block);
      return !into_.exif.empty();
    }
    if (name == "xmp" && into_.xmp.empty()) into_.xmp = *block;
    if ((name == "icc" || name == "icm") && into_.icc.empty()) into_.icc = *block;
    if (name == "iptc" || name == "8bim") {
      store_iptc(*block);
      return true;
    }
    return name == "xmp" || name == "icc" || name == "icm";
  }

  // `block`: IPTC records, or Photoshop's image resources that contain them
  void store_iptc(const Blob& block) {
    if (!into_.iptc.empty()) return;
    if (!block.empty() && block.front() == std::byte{0x1c}) {
      into_.iptc = block;
      return;
    }
    std::vector<int> other_ids;
    into_.iptc = extract_iptc(block, other_ids);
    record_omitted_resources(into_, other_ids);
  }

  const InputFile& file_;
  Metadata& into_;
  std::string type_;               // type_, size_ and body_offset_ describe the current chunk
  std::uint32_t size_ = 0;         // number of data bytes
  std::uint64_t body_offset_ = 0;  // byte offset in the file of the data
  std::uint32_t frames_ = 0;       // number of frames that the chunk acTL declares
};

}  // namespace

void read_png_chunks(const InputFile& file, Metadata& into) { ChunkReader{file, into}.read_all(); }

}  // namespace weir::media
