#include "media/picture/jpeg_segments.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "media/picture/jpeg_markers.hpp"
#include "media/picture/text_codec.hpp"

namespace weir::media {
namespace {

using namespace std::string_view_literals;

constexpr int kEnd = 0xd9, kApp0 = 0xe0, kApp15 = 0xef, kComment = 0xfe;
constexpr std::uint64_t kMaxScannedBytes = std::uint64_t{64} << 20;  // largest distance to the next marker
constexpr int kMaxSegments = 1 << 16;                                // segments per file; at most 64 KiB each
constexpr std::size_t kReadBytes = std::size_t{64} << 10;            // bytes that are read from the file at once

constexpr auto kMpf = "MPF\0"sv;
constexpr std::uint16_t kMpfPictures = 0xb001;  // tag with the number of pictures

/// A known segment: its marker, the first bytes of its content, and its name for users. Segments with an empty name are
/// read elsewhere; weir does not copy the others.
struct NamedSegment {
  int marker;
  std::string_view start, name;
};
constexpr std::array kNamedSegments{
    NamedSegment{0xe0, "JFIF\0"sv, ""},  // libjpeg reads it
    NamedSegment{0xe0, "JFXX\0"sv, "thumbnail of JFIF"},
    NamedSegment{0xe1, "http://ns.adobe.com/xmp/extension/\0"sv, "extended xmp"},
    NamedSegment{0xe2, "ICC_PROFILE\0"sv, ""},
    NamedSegment{0xe2, "urn:iso:std:iso:ts:21496:-1\0"sv, "gain map"},
    NamedSegment{0xe2, "FPXR\0"sv, "FlashPix data"},
    NamedSegment{0xeb, "JP"sv, "C2PA or other JUMBF data"},
    NamedSegment{0xee, "Adobe"sv, ""},  // the colour transform; libjpeg reads it
};

class SegmentReader {
 public:
  SegmentReader(const InputFile& file, Metadata& into) : file_{file}, into_{into} {}

  // Reads the segments in order up to the end marker (kEnd), then records what the segments together show.
  void read_all() {
    std::uint64_t at = 2;  // byte offset in the file of the next segment; the first one follows the start marker
    bool ended = false;
    int count = 0;
    for (int marker = find_marker(at); marker >= 0 && count < kMaxSegments; marker = find_marker(at), ++count) {
      if (marker == kEnd) {
        ended = true;
        break;
      }
      if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;  // markers without a length
      std::array<std::byte, 2> length{};
      if (!read_at(at, length)) break;
      const auto size = std::to_integer<std::uint64_t>(length[0]) << 8 | std::to_integer<std::uint64_t>(length[1]);
      if (size < 2) break;
      if ((marker >= kApp0 && marker <= kApp15) || marker == kComment) process_segment(marker, at + 2, size - 2);
      at += size;
    }
    store_iptc();
    record_xmp_references();
    if (ended) record_trailing_data(at);
    if (picture_count_ > 1) record_omission(into_, "pictures", fmt::format("the first of {}", picture_count_));
  }

 private:
  bool read_at(std::uint64_t at, std::span<std::byte> into) const {
    auto got = file_.read_at(at, into);
    return got && *got == into.size();
  }

  // Finds the next marker at or after byte offset `at`, and sets `at` to the offset after the marker. Skips compressed
  // samples. Returns the second byte of the marker, or -1 if no marker was found.
  int find_marker(std::uint64_t& at) {
    std::array<std::byte, 2> next{};  // usual case: the next segment follows without a gap
    if (!read_at(at, next)) return -1;
    const int code = std::to_integer<int>(next[1]);
    if (next[0] == std::byte{0xff} && code != 0 && code != 0xff && (code < 0xd0 || code > 0xd7)) {
      at += next.size();
      return code;
    }
    const std::uint64_t from = at;
    while (at - from <= kMaxScannedBytes) {
      auto got = file_.read_at(at, {piece_.get(), kReadBytes});
      if (!got || *got < 2) return -1;
      const std::span piece{piece_.get(), *got};
      for (std::size_t i = 0; i + 1 < piece.size();) {
        const void* found = std::memchr(piece.data() + i, 0xff, piece.size() - 1 - i);
        if (found == nullptr) break;
        i = static_cast<std::size_t>(static_cast<const std::byte*>(found) - piece.data());
        const int marker = std::to_integer<int>(piece[i + 1]);
        const bool is_in_samples = marker == 0 || (marker >= 0xd0 && marker <= 0xd7);
        if (is_in_samples || marker == 0xff) {
          i += marker == 0xff ? 1 : 2;
          continue;
        }
        at += i + 2;
        return marker;
      }
      at += piece.size() - 1;  // a marker may start in the last byte
    }
    return -1;
  }

  // `at` and `size`: byte offset in the file, and size, of the content
  void process_segment(int marker, std::uint64_t at, std::uint64_t size) {
    Blob body(static_cast<std::size_t>(size));
    if (!read_at(at, body)) return;
    const auto starts = [&](std::string_view text) { return as_chars(body).starts_with(text); };
    const auto content_after = [&](std::string_view text) {
      return std::span<const std::byte>{body}.subspan(text.size());
    };
    if (marker == kComment) return add_comment(as_chars(body));
    if (marker == 0xe1 && starts("Exif\0"sv)) return store_exif(body);
    if (marker == 0xe1 && starts(kJpegXmp)) return store_xmp(content_after(kJpegXmp));
    if (marker == 0xed && starts(kJpegPhotoshop)) return append_resources(content_after(kJpegPhotoshop));
    if (marker == 0xe2 && starts(kMpf)) {
      picture_count_ = read_tiff_number(content_after(kMpf), kMpfPictures).value_or(0);
      return;
    }
    for (const NamedSegment& known : kNamedSegments) {
      if (marker != known.marker || !starts(known.start)) continue;
      if (!known.name.empty()) record_omission(into_, known.name, "not carried");
      // The only 0xe2 segment without a name is the ICC profile. If libjpeg did not return the profile, it is damaged.
      if (marker == 0xe2 && known.name.empty() && into_.icc.empty()) record_omission(into_, "icc", "damaged");
      return;
    }
    const auto name = as_chars(body).substr(0, std::min<std::size_t>(as_chars(body).find('\0'), 24));
    record_omission(into_, fmt::format("segment APP{}{}{}", marker - kApp0, name.empty() ? "" : " ", name), "unknown");
  }

  void add_comment(std::string_view text) {
    while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
    add_text(into_, {.key = std::string{kCommentKey}, .value = unknown_to_utf8(text)});
  }

  void store_exif(const Blob& body) {
    if (!into_.exif.empty()) return;
    into_.exif = strip_exif_prefix(body);
    if (into_.exif.empty()) record_omission(into_, "exif", "damaged");
  }

  void store_xmp(std::span<const std::byte> packet) {
    if (into_.xmp.empty()) into_.xmp.assign(packet.begin(), packet.end());
  }

  void append_resources(std::span<const std::byte> part) {
    if (resources_.size() + part.size() > kMaxTextBytes) return record_omission(into_, "Photoshop data", "too large");
    resources_.insert(resources_.end(), part.begin(), part.end());
  }

  // Stores the IPTC records in resources_, and records the other resources as an omission.
  void store_iptc() {
    std::vector<int> other_ids;
    auto iptc = extract_iptc(resources_, other_ids);
    if (into_.iptc.empty()) into_.iptc = std::move(iptc);
    record_omitted_resources(into_, other_ids);
  }

  // Records data that weir does not copy and that only the XMP packet mentions.
  void record_xmp_references() {
    const auto text = as_chars(into_.xmp);
    const auto contains = [&](std::string_view word) { return text.find(word) != std::string_view::npos; };
    if (contains("hdr-gain-map/") || contains("HDRGainMap")) record_omission(into_, "gain map", "not carried");
    if (contains("MotionPhoto") || contains("MicroVideo"))
      record_omission(into_, "video of a motion photo", "not carried");
  }

  void record_trailing_data(std::uint64_t at) {
    if (picture_count_ > 1 || at >= file_.size()) return;
    auto got = file_.read_at(at, {piece_.get(), kReadBytes});
    if (!got) return;
    const std::span rest{piece_.get(), *got};
    if (std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; })) return;  // padding
    const bool is_picture = as_chars(rest).starts_with("\xff\xd8\xff"sv);
    record_omission(into_, is_picture ? "a second picture" : "data behind the picture",
                    fmt::format("{} bytes", file_.size() - at));
  }

  const InputFile& file_;
  Metadata& into_;
  Blob resources_;                   // Photoshop's image resources from all segments
  std::uint32_t picture_count_ = 0;  // number of pictures in the file that an MPF segment declares
  std::unique_ptr<std::byte[]> piece_ = std::make_unique_for_overwrite<std::byte[]>(kReadBytes);
};

}  // namespace

void read_jpeg_segments(const InputFile& file, Metadata& into) { SegmentReader{file, into}.read_all(); }

}  // namespace weir::media
