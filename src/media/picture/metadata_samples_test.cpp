#include "media/picture/metadata_samples_test.hpp"

#include <isa-l/crc.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "base/round_up.hpp"
#include "folder.hpp"

namespace weir::media::test {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

Samples operator+(Samples a, const Samples& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
Samples bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}
/// Returns the lowest `bytes` bytes of `value`, most significant byte first.
std::string to_big_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}
std::string to_little_endian(std::uint64_t value, int bytes) {
  std::string out = to_big_endian(value, bytes);
  std::reverse(out.begin(), out.end());
  return out;
}

PictureInfo shape() { return make_picture_info(24, 18, 3, false, 8); }

Samples saved(Format format) {
  const weir::test::Folder folder;
  const auto path = folder / "picture";
  const auto report = save(path, options_for(format, shape()), draw_rows(shape()));
  if (!report) throw std::runtime_error{report.error().what};
  return read_test_file(path);
}

std::string entry(int tag, int type, std::uint32_t count, std::uint32_t value) {
  return to_little_endian(static_cast<std::uint32_t>(tag), 2) + to_little_endian(static_cast<std::uint32_t>(type), 2) +
         to_little_endian(count, 4) + to_little_endian(value, 4);
}

std::uint32_t read_little_endian(const Samples& bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = count - 1; i >= 0; --i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + static_cast<std::size_t>(i)]);
  return value;
}

}  // namespace

Samples png_chunk(std::string_view type, std::string_view body) {
  const std::string inner = std::string{type} + std::string{body};
  const auto crc = crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(inner.data()), inner.size());
  return bytes_of(to_big_endian(static_cast<std::uint32_t>(body.size()), 4) + inner + to_big_endian(crc, 4));
}

Samples png_with_chunks(const Samples& before, const Samples& behind) {
  constexpr std::size_t kHeader = 8 + 25, kEnd = 12;  // the signature and IHDR; IEND
  const Samples plain = saved(Format::png);
  const Samples head(plain.begin(), plain.begin() + kHeader), tail(plain.end() - kEnd, plain.end());
  return head + before + Samples(plain.begin() + kHeader, plain.end() - kEnd) + behind + tail;
}

Samples jpeg_segment(int marker, std::string_view body) {
  return bytes_of("\xff"s + to_big_endian(static_cast<std::uint32_t>(marker), 1) +
                  to_big_endian(static_cast<std::uint32_t>(body.size() + 2), 2) + std::string{body});
}

Samples jpeg_with_segments(const Samples& segments, std::string_view behind) {
  constexpr std::size_t kJfif = 20;  // the start and JFIF's segment
  const Samples plain = saved(Format::jpg);
  return Samples(plain.begin(), plain.begin() + kJfif) + segments + Samples(plain.begin() + kJfif, plain.end()) +
         bytes_of(behind);
}

std::string make_exif_block(int orientation, std::string_view make) {
  const std::string text = std::string{make} + '\0';
  const auto turn = static_cast<std::uint32_t>(orientation);
  std::uint32_t where = 38;  // offset of the text, which follows after the directory; or the text itself if it fits
  if (text.size() <= sizeof where) std::memcpy(&where, text.data(), text.size());
  return "II*\0\x08\0\0\0"s + to_little_endian(2, 2) +
         entry(0x010f, 2, static_cast<std::uint32_t>(text.size()), where) + entry(0x0112, 3, 1, turn) +
         to_little_endian(0, 4) + text;
}

std::string make_rich_exif_block() {
  constexpr std::uint32_t kBelow = 8 + 2 + 5 * 12 + 4, kTexts = kBelow + 2 + 3 * 12 + 4, kThumbnail = kTexts + 24;
  std::string block = "II*\0\x08\0\0\0"s + to_little_endian(5, 2);
  block += entry(0x010f, 2, 4, 0x00636241);  // Make, "Abc"
  block += entry(0x0112, 3, 1, 1);
  block += entry(0x8769, 4, 1, kBelow);
  block += entry(0x9c9b, 1, 4, 0x00000041);  // XPTitle
  block += entry(0xc4a5, 7, 4, 0x01020304);  // PrintIM
  block += to_little_endian(kThumbnail, 4) + to_little_endian(3, 2);
  block += entry(0x927c, 7, 12, kTexts);      // MakerNote
  block += entry(0x9010, 2, 7, kTexts + 12);  // OffsetTime
  block += entry(0xa434, 2, 4, 0x00636241);   // LensModel
  block += to_little_endian(0, 4) + "Maker\0\1\2\3\4\5\6"s + "+01:00\0\0\0\0\0\0"s;
  block +=
      to_little_endian(3, 2) + entry(0x0103, 3, 1, 6) + entry(0x0201, 4, 1, kThumbnail + 42) + entry(0x0202, 4, 1, 4);
  return block + to_little_endian(0, 4) + "\xff\xd8\xff\xd9";
}

std::string make_mpf_block(int pictures) {
  return "MPF\0II*\0\x08\0\0\0"s + to_little_endian(1, 2) + entry(0xb001, 4, 1, static_cast<std::uint32_t>(pictures)) +
         to_little_endian(0, 4);
}

Samples iptc_records() { return bytes_of("\x1c\x02\x05\0\x05Title\x1c\x02\x19\0\x03"sv) + bytes_of("fox"); }

std::string photoshop_iptc() {
  const Samples records = iptc_records();
  std::string body{reinterpret_cast<const char*>(records.data()), records.size()};
  const std::string head =
      "Photoshop 3.0\0"s + "8BIM\x04\x04\0\0"s + to_big_endian(static_cast<std::uint32_t>(body.size()), 4);
  if (body.size() % 2 != 0) body.push_back('\0');
  return head + body;
}

// WebP Container Specification: each frame contains the chunk of the still picture.
Samples webp_with_frames(int frames) {
  const Samples still = saved(Format::webp);
  const std::string all{reinterpret_cast<const char*>(still.data()), still.size()};
  const auto at = all.find("VP8L");
  const std::uint32_t size = read_little_endian(still, at + 4, 4);
  const std::string chunk = all.substr(at, 8 + size + size % 2);
  const std::string place = to_little_endian(0, 6) + to_little_endian(23, 3) + to_little_endian(17, 3) +
                            to_little_endian(100, 3) + to_little_endian(0, 1);
  std::string body = "WEBPVP8X"s + to_little_endian(10, 4) + to_little_endian(0x02, 4) + to_little_endian(23, 3) +
                     to_little_endian(17, 3);
  body += "ANIM"s + to_little_endian(6, 4) + to_little_endian(0, 6);
  for (int i = 0; i < frames; ++i)
    body.append("ANMF")
        .append(to_little_endian(static_cast<std::uint32_t>(place.size() + chunk.size()), 4) + place)
        .append(chunk);
  return bytes_of("RIFF"s + to_little_endian(static_cast<std::uint32_t>(body.size()), 4) + body);
}

// Repeats the directory of the page. Each directory contains the offset of the next directory.
Samples tiff_with_pages(int pages, bool tags) {
  const weir::test::Folder folder;
  auto metadata = std::make_shared<Metadata>();
  if (tags) {
    const auto exif = bytes_of(make_exif_block(1, "Abc"));
    metadata->exif.assign(exif.begin(), exif.end());
    const auto iptc = iptc_records();
    metadata->iptc.assign(iptc.begin(), iptc.end());
  }
  if (const auto report = save(folder / "page", options_for(Format::tiff, shape(), metadata), draw_rows(shape()));
      !report)
    throw std::runtime_error{report.error().what};
  Samples file = read_test_file(folder / "page");
  const std::size_t first = read_little_endian(file, 4, 4), bytes = 2 + 12 * read_little_endian(file, first, 2);
  std::size_t link = first + bytes;
  for (int i = 1; i < pages; ++i) {
    file.resize(round_up(file.size(), 2));
    const Samples next = bytes_of(to_little_endian(static_cast<std::uint32_t>(file.size()), 4));
    std::copy(next.begin(), next.end(), file.begin() + static_cast<std::ptrdiff_t>(link));
    const Samples again(file.begin() + static_cast<std::ptrdiff_t>(first),
                        file.begin() + static_cast<std::ptrdiff_t>(first + bytes));
    link = file.size() + bytes;
    file = file + again + Samples(4);
  }
  return file;
}

Samples gif_with_comment(std::string_view comment) {
  constexpr std::size_t kHead = 13 + 6;  // the header and two colours
  const Samples plain = animated_gif(24, 18);
  const std::string block =
      "\x21\xfe"s + to_big_endian(static_cast<std::uint32_t>(comment.size()), 1) + std::string{comment} + '\0';
  return Samples(plain.begin(), plain.begin() + kHead) + bytes_of(block) + Samples(plain.begin() + kHead, plain.end());
}

std::vector<MetadataSample> metadata_samples() {
  const auto text = [](std::string_view key, std::string_view value) {
    return png_chunk("tEXt", std::string{key} + '\0' + std::string{value});
  };
  const std::string profile_text = [] {
    const std::string exif = "Exif\0\0"s + make_exif_block(6, "Abc");
    std::string out = "\nexif\n    " + std::to_string(exif.size()) + "\n";
    constexpr char kDigits[] = "0123456789abcdef";
    for (const char c : exif) {
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return out + "\n";
  }();
  return {
      {"text.png",
       png_with_chunks(text("parameters", "a red fox, Steps: 20") + png_chunk("iTXt", "Title\0\0\0\0\0A fox"sv)), ""},
      {"text_behind.png", png_with_chunks({}, text("Comment", "behind the pixels")), ""},
      {"exif.png", png_with_chunks(png_chunk("eXIf", make_exif_block(1, "Abc"))), ""},
      {"exif_behind.png", png_with_chunks({}, png_chunk("eXIf", make_exif_block(6, "Abc"))), ""},
      {"raw_exif.png", png_with_chunks(text("Raw profile type exif", profile_text)), ""},
      {"gama.png", png_with_chunks(png_chunk("gAMA", to_big_endian(100000, 4))), ""},
      {"chrm.png",
       png_with_chunks(png_chunk("gAMA", to_big_endian(45455, 4)) +
                       png_chunk("cHRM", to_big_endian(31270, 4) + to_big_endian(32900, 4) + to_big_endian(68000, 4) +
                                             to_big_endian(32000, 4) + to_big_endian(26500, 4) +
                                             to_big_endian(69000, 4) + to_big_endian(15000, 4) +
                                             to_big_endian(6000, 4))),
       ""},
      {"srgb.png", png_with_chunks(png_chunk("sRGB", "\1") + png_chunk("gAMA", to_big_endian(45455, 4))), ""},
      {"hdr.png", png_with_chunks(png_chunk("cICP", "\x09\x10\0\1"sv)), ""},
      {"time.png", png_with_chunks(png_chunk("tIME", "\x07\xe7\3\4\5\6\7")), ""},
      {"density.png", png_with_chunks(png_chunk("pHYs", to_big_endian(11811, 4) + to_big_endian(11811, 4) + "\1")), ""},
      {"aspect.png", png_with_chunks(png_chunk("pHYs", to_big_endian(2, 4) + to_big_endian(1, 4) + "\0"s)),
       "shape of the pixels"},
      {"background.png", png_with_chunks(png_chunk("bKGD", "\0\1\0\2\0\3"sv)), "background"},
      {"unknown.png", png_with_chunks(png_chunk("teSt", "something")), "chunk teSt"},
      {"provenance.png", png_with_chunks(png_chunk("caBX", "something")), "C2PA"},
      {"animated.png", png_with_chunks(png_chunk("acTL", to_big_endian(3, 4) + to_big_endian(0, 4))),
       "frames (the first of 3)"},
      {"behind.png", png_with_chunks({}) + bytes_of("and more"), "data behind the picture"},
      {"plain.jpg", jpeg_with_segments({}), ""},
      {"comment.jpg", jpeg_with_segments(jpeg_segment(0xfe, "drawn by hand")), ""},
      {"exif.jpg", jpeg_with_segments(jpeg_segment(0xe1, "Exif\0\0"s + make_exif_block(6, "Abc"))), ""},
      {"rich_exif.jpg", jpeg_with_segments(jpeg_segment(0xe1, "Exif\0\0"s + make_rich_exif_block())), ""},
      {"iptc.jpg", jpeg_with_segments(jpeg_segment(0xed, photoshop_iptc())), "iptc"},
      {"several.jpg", jpeg_with_segments(jpeg_segment(0xe2, make_mpf_block(2))), "pictures (the first of 2)"},
      {"extended_xmp.jpg", jpeg_with_segments(jpeg_segment(0xe1, "http://ns.adobe.com/xmp/extension/\0something"sv)),
       "extended xmp"},
      {"provenance.jpg", jpeg_with_segments(jpeg_segment(0xeb, "JP\0\1\0\0\0\1something"sv)), "C2PA"},
      {"unknown.jpg", jpeg_with_segments(jpeg_segment(0xe9, "Maker\0something"sv)), "segment APP9 Maker"},
      {"behind.jpg", jpeg_with_segments({}, "and more"), "data behind the picture"},
      {"pages.tif", tiff_with_pages(3, false), "pages (the first of 3)"},
      {"tags.tif", tiff_with_pages(1, true), "iptc"},
      {"moving.gif", animated_gif(24, 18), "frames (the first of 2)"},
      {"comment.gif", gif_with_comment("drawn by hand"), "frames (the first of 2)"},
      {"moving.webp", webp_with_frames(3), "frames (the first of 3)"},
  };
}

}  // namespace weir::media::test
