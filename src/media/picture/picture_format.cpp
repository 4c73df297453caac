#include "media/picture/picture_format.hpp"

#include <algorithm>
#include <cassert>
#include <initializer_list>
#include <iterator>
#include <vector>

namespace weir::media {
namespace {

using namespace std::string_view_literals;
using Head = std::span<const std::byte>;

bool starts(Head head, std::size_t at, std::string_view text) {
  if (head.size() < at + text.size()) return false;
  return std::equal(text.begin(), text.end(), head.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char c, std::byte b) { return static_cast<std::byte>(c) == b; });
}

bool starts_with_any(Head head, std::initializer_list<std::string_view> texts) {
  return std::any_of(texts.begin(), texts.end(), [&](auto text) { return starts(head, 0, text); });
}

// ISO/IEC 14496-12: a file type box comes first and lists the brands that the file conforms to.
bool has_brand(Head head, std::initializer_list<std::string_view> brands) {
  if (!starts(head, 4, "ftyp")) return false;
  for (std::size_t at = 8; at + 4 <= head.size(); at += 4)
    if (std::any_of(brands.begin(), brands.end(), [&](auto brand) { return starts(head, at, brand); })) return true;
  return false;
}

// In the order in which first bytes are compared, and in which formats are told of as read.
constexpr PictureFormat kRows[] = {
    {.format = Format::png,
     .names = {"png"},
     .title = "PNG",
     .sniff = [](Head head) { return starts(head, 0, "\x89PNG\r\n\x1a\n"sv); },
     .open = open_png,
     .writing = FormatWriting{.encode = encode_png,
                              .need = encode_png_need,
                              .lossless = true,
                              .deep = true,
                              .colour = true,
                              .texts = true,
                              .time_of_change = true}},
    {.format = Format::jpg,
     .names = {"jpg", "jpeg", "jpe", "jfif"},
     .title = "JPEG",
     .sniff = [](Head head) { return starts(head, 0, "\xff\xd8\xff"sv); },
     .open = open_jpeg,
     .writing = FormatWriting{.encode = encode_jpeg,
                              .need = encode_jpeg_need,
                              .max_side = 65500,  // JPEG_MAX_DIMENSION of libjpeg
                              .alpha = false,
                              .comment_bytes = 65533,  // of a segment
                              .iptc = true}},
    {.format = Format::webp,
     .names = {"webp"},
     .title = "WebP",
     .sniff = [](Head head) { return starts(head, 0, "RIFF"sv) && starts(head, 8, "WEBP"sv); },
     .open = open_webp,
     .writing = FormatWriting{.encode = encode_webp,
                              .need = encode_webp_need,
                              .max_side = 16383}},  // 14 bits, WebP container specification
    {.format = Format::tiff,
     .names = {"tiff", "tif"},
     .title = "TIFF",
     .sniff =
         [](Head head) {
           return starts_with_any(head, {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv});  // the last two: BigTIFF
         },
     .open = open_tiff,
     .writing =
         FormatWriting{.encode = encode_tiff, .need = encode_tiff_need, .lossless = true, .deep = true, .iptc = true}},
    {.format = Format::avif,
     .names = {"avif"},
     .title = "AVIF",
     .sniff =
         [](Head head) {
           return has_brand(head, {"avif", "avis"});
         },
     .open = open_avif,
     .writing = FormatWriting{.encode = encode_avif,
                              .need = encode_avif_need,
                              .max_side = 65536,  // AV1 bitstream: 16 bits hold the size minus one
                              .deep = true}},
    {.format = Format::heif,
     .names = {"heif", "heic"},
     .title = "HEIF",
     .sniff =
         [](Head head) {
           return has_brand(head, {"heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"});
         },
     .open = open_heif},
    {.format = Format::jxl,
     .names = {"jxl"},
     .title = "JPEG XL",
     .sniff =
         [](Head head) {
           return starts_with_any(head, {"\xff\x0a"sv, "\0\0\0\x0cJXL \r\n\x87\n"sv});
         },
     .open = open_jxl,
     .writing = FormatWriting{.encode = encode_jxl, .need = encode_jxl_need, .deep = true}},
    {.format = Format::bmp,
     .names = {"bmp"},
     .title = "BMP",
     .sniff = [](Head head) { return starts(head, 0, "BM"sv) && head.size() >= 26; },
     .open = open_bmp},
    {.format = Format::gif,
     .names = {"gif"},
     .title = "GIF",
     .sniff =
         [](Head head) {
           return starts_with_any(head, {"GIF87a"sv, "GIF89a"sv});
         },
     .open = open_gif},
};

using Rows = std::vector<const PictureFormat*>;

/// Rows that are written, in the order of Format, in which they are offered.
Rows written(bool (*holds)(const FormatWriting&)) {
  Rows found;
  for (const auto& row : kRows)
    if (row.writing && holds(*row.writing)) found.push_back(&row);
  std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) { return a->format < b->format; });
  return found;
}

std::string_view name_in(const PictureFormat& row) { return row.names.front(); }
std::string_view title_in(const PictureFormat& row) { return row.title; }

std::string listed(const Rows& rows, std::string_view (*word)(const PictureFormat&), std::string_view comma,
                   std::string_view last) {
  std::string list;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) list += i + 1 == rows.size() ? last : comma;
    list += word(*rows[i]);
  }
  return list;
}

}  // namespace

const PictureFormat& traits_of(Format format) {
  const auto* row = std::find_if(std::begin(kRows), std::end(kRows), [&](auto& each) { return each.format == format; });
  assert(row != std::end(kRows));
  return *row;
}

const PictureFormat* sniff_format(std::span<const std::byte> head) {
  head = head.first(std::min(head.size(), kSniffBytes));
  const auto* row = std::find_if(std::begin(kRows), std::end(kRows), [&](auto& each) { return each.sniff(head); });
  return row == std::end(kRows) ? nullptr : row;
}

std::string_view name_of(Format format) { return traits_of(format).names.front(); }

std::optional<Format> format_of_extension(std::string_view ext) {
  if (!ext.empty() && ext.front() == '.') ext.remove_prefix(1);
  std::string lower{ext};
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (lower.empty()) return std::nullopt;
  for (const auto& row : kRows)
    if (std::find(row.names.begin(), row.names.end(), lower) != row.names.end()) return row.format;
  return std::nullopt;
}

bool can_write(Format format) { return traits_of(format).writing.has_value(); }

bool is_lossless(Format format) {
  const auto& writing = traits_of(format).writing;
  return writing && writing->lossless;
}

std::string written_formats(std::string_view comma, std::string_view last) {
  return listed(written([](const FormatWriting&) { return true; }), name_in, comma, last);
}

std::string formats_with_quality() {
  return listed(written([](const FormatWriting& writing) { return !writing.lossless; }), title_in, ", ", " and ");
}

std::string titles_of_all() {
  Rows all;
  std::transform(std::begin(kRows), std::end(kRows), std::back_inserter(all), [](const auto& row) { return &row; });
  return listed(all, title_in, ", ", " and ");
}

std::string written_with(bool (*holds)(const FormatWriting&)) { return listed(written(holds), name_in, ", ", " or "); }

}  // namespace weir::media
