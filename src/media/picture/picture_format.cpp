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

// Returns whether `text` is at byte offset `at` of the file. `head`: the first bytes of the file
bool has_text_at(Head head, std::size_t at, std::string_view text) {
  if (head.size() < at + text.size()) return false;
  return std::equal(text.begin(), text.end(), head.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char c, std::byte b) { return static_cast<std::byte>(c) == b; });
}

bool starts_with_any(Head head, std::initializer_list<std::string_view> texts) {
  return std::any_of(texts.begin(), texts.end(), [&](auto text) { return has_text_at(head, 0, text); });
}

// Returns whether the file type box at the start of the file lists one of these brands (names of formats that the file
// conforms to). Source: ISO/IEC 14496-12.
bool has_brand(Head head, std::initializer_list<std::string_view> brands) {
  if (!has_text_at(head, 4, "ftyp")) return false;
  for (std::size_t at = 8; at + 4 <= head.size(); at += 4)
    if (std::any_of(brands.begin(), brands.end(), [&](auto brand) { return has_text_at(head, at, brand); }))
      return true;
  return false;
}

// sniff_format() tests the formats in this order, and list_format_titles() has this order.
constexpr PictureFormat kFormats[] = {
    {.format = Format::png,
     .names = {"png"},
     .title = "PNG",
     .sniff = [](Head head) { return has_text_at(head, 0, "\x89PNG\r\n\x1a\n"sv); },
     .open = open_png,
     .write_support = WriteSupport{.encode = encode_png,
                                   .need = encode_png_need,
                                   .lossless = true,
                                   .sixteen_bits = true,
                                   .colour_info = true,
                                   .texts = true,
                                   .modified_time = true}},
    {.format = Format::jpg,
     .names = {"jpg", "jpeg", "jpe", "jfif"},
     .title = "JPEG",
     .sniff = [](Head head) { return has_text_at(head, 0, "\xff\xd8\xff"sv); },
     .open = open_jpeg,
     .write_support = WriteSupport{.encode = encode_jpeg,
                                   .need = encode_jpeg_need,
                                   .max_side_px = 65500,  // JPEG_MAX_DIMENSION of libjpeg
                                   .alpha = false,
                                   .max_comment_bytes = 65533,  // content of a JPEG segment
                                   .iptc = true}},
    {.format = Format::webp,
     .names = {"webp"},
     .title = "WebP",
     .sniff = [](Head head) { return has_text_at(head, 0, "RIFF"sv) && has_text_at(head, 8, "WEBP"sv); },
     .open = open_webp,
     .write_support = WriteSupport{.encode = encode_webp,
                                   .need = encode_webp_need,
                                   .max_side_px = 16383}},  // 14 bits, WebP container specification
    {.format = Format::tiff,
     .names = {"tiff", "tif"},
     .title = "TIFF",
     .sniff =
         [](Head head) {
           return starts_with_any(head, {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv});  // the last two: BigTIFF
         },
     .open = open_tiff,
     .write_support =
         WriteSupport{
             .encode = encode_tiff, .need = encode_tiff_need, .lossless = true, .sixteen_bits = true, .iptc = true}},
    {.format = Format::avif,
     .names = {"avif"},
     .title = "AVIF",
     .sniff =
         [](Head head) {
           return has_brand(head, {"avif", "avis"});
         },
     .open = open_avif,
     .write_support = WriteSupport{.encode = encode_avif,
                                   .need = encode_avif_need,
                                   .max_side_px = 65536,  // AV1 bitstream: 16 bits store a side minus one
                                   .sixteen_bits = true}},
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
     .write_support = WriteSupport{.encode = encode_jxl, .need = encode_jxl_need, .sixteen_bits = true}},
    {.format = Format::bmp,
     .names = {"bmp"},
     .title = "BMP",
     // 26: bytes of the file header and the shortest picture header
     .sniff = [](Head head) { return has_text_at(head, 0, "BM"sv) && head.size() >= 26; },
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

using FormatList = std::vector<const PictureFormat*>;

/// Returns the writable formats for which `holds` returns true, in the order of Format.
FormatList find_written_formats(bool (*holds)(const WriteSupport&)) {
  FormatList found;
  for (const auto& entry : kFormats)
    if (entry.write_support && holds(*entry.write_support)) found.push_back(&entry);
  std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) { return a->format < b->format; });
  return found;
}

std::string_view short_name(const PictureFormat& entry) { return entry.names.front(); }
std::string_view title(const PictureFormat& entry) { return entry.title; }

std::string join_list(const FormatList& formats, std::string_view (*name_of_entry)(const PictureFormat&),
                      std::string_view separator, std::string_view last_separator) {
  std::string list;
  for (std::size_t i = 0; i < formats.size(); ++i) {
    if (i > 0) list += i + 1 == formats.size() ? last_separator : separator;
    list += name_of_entry(*formats[i]);
  }
  return list;
}

}  // namespace

const PictureFormat& find_format(Format format) {
  const auto* entry =
      std::find_if(std::begin(kFormats), std::end(kFormats), [&](auto& each) { return each.format == format; });
  assert(entry != std::end(kFormats));
  return *entry;
}

const PictureFormat* sniff_format(std::span<const std::byte> head) {
  head = head.first(std::min(head.size(), kSniffBytes));
  const auto* entry =
      std::find_if(std::begin(kFormats), std::end(kFormats), [&](auto& each) { return each.sniff(head); });
  return entry == std::end(kFormats) ? nullptr : entry;
}

std::string_view name_of(Format format) { return find_format(format).names.front(); }

std::optional<Format> format_of_extension(std::string_view ext) {
  if (!ext.empty() && ext.front() == '.') ext.remove_prefix(1);
  std::string lower{ext};
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (lower.empty()) return std::nullopt;
  for (const auto& entry : kFormats)
    if (std::find(entry.names.begin(), entry.names.end(), lower) != entry.names.end()) return entry.format;
  return std::nullopt;
}

bool can_write(Format format) { return find_format(format).write_support.has_value(); }

bool is_lossless(Format format) {
  const auto& support = find_format(format).write_support;
  return support && support->lossless;
}

std::string list_written_formats(std::string_view separator, std::string_view last_separator) {
  return join_list(find_written_formats([](const WriteSupport&) { return true; }), short_name, separator,
                   last_separator);
}

std::string list_lossy_formats() {
  return join_list(find_written_formats([](const WriteSupport& support) { return !support.lossless; }), title, ", ",
                   " and ");
}

std::string list_format_titles() {
  FormatList all;
  std::transform(std::begin(kFormats), std::end(kFormats), std::back_inserter(all),
                 [](const auto& entry) { return &entry; });
  return join_list(all, title, ", ", " and ");
}

std::string list_formats_with(bool (*holds)(const WriteSupport&)) {
  return join_list(find_written_formats(holds), short_name, ", ", " or ");
}

}  // namespace weir::media
