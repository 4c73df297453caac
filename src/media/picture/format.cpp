#include <algorithm>
#include <array>
#include <cctype>

#include "media/picture/picture.hpp"
#include "media/picture/sniff.hpp"

namespace weir::media {
namespace {

struct FormatName {
  Format format;
  std::string_view name;
};
// The first name of a format is the one that it is called by.
constexpr std::array kNames{
    FormatName{Format::png, "png"},   FormatName{Format::jpg, "jpg"},   FormatName{Format::jpg, "jpeg"},
    FormatName{Format::jpg, "jpe"},   FormatName{Format::jpg, "jfif"},  FormatName{Format::webp, "webp"},
    FormatName{Format::avif, "avif"}, FormatName{Format::heif, "heif"}, FormatName{Format::heif, "heic"},
    FormatName{Format::jxl, "jxl"},   FormatName{Format::tiff, "tiff"}, FormatName{Format::tiff, "tif"},
    FormatName{Format::bmp, "bmp"},   FormatName{Format::gif, "gif"},
};

bool starts(std::span<const std::byte> head, std::size_t at, std::string_view text) {
  if (head.size() < at + text.size()) return false;
  return std::equal(text.begin(), text.end(), head.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char c, std::byte b) { return static_cast<std::byte>(c) == b; });
}

// ISO/IEC 14496-12: a file type box comes first and lists the brands that the file conforms to.
std::optional<Format> sniff_brands(std::span<const std::byte> head) {
  if (!starts(head, 4, "ftyp")) return std::nullopt;
  std::optional<Format> found;
  for (std::size_t at = 8; at + 4 <= std::min<std::size_t>(head.size(), 64); at += 4) {
    if (starts(head, at, "avif") || starts(head, at, "avis")) return Format::avif;
    for (const auto* brand : {"heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"})
      if (starts(head, at, brand)) found = Format::heif;
  }
  return found;
}

}  // namespace

std::string_view name_of(Format format) {
  return std::find_if(kNames.begin(), kNames.end(), [&](auto& row) { return row.format == format; })->name;
}

std::optional<Format> format_of_extension(std::string_view ext) {
  if (!ext.empty() && ext.front() == '.') ext.remove_prefix(1);
  std::string lower{ext};
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const auto& row : kNames)
    if (row.name == lower) return row.format;
  return std::nullopt;
}

bool can_write(Format format) { return format != Format::heif && format != Format::bmp && format != Format::gif; }

bool is_lossless(Format format) { return format == Format::png || format == Format::tiff; }

std::optional<Format> sniff_format(std::span<const std::byte> head) {
  using namespace std::string_view_literals;
  if (starts(head, 0, "\x89PNG\r\n\x1a\n"sv)) return Format::png;
  if (starts(head, 0, "\xff\xd8\xff"sv)) return Format::jpg;
  if (starts(head, 0, "RIFF"sv) && starts(head, 8, "WEBP"sv)) return Format::webp;
  if (starts(head, 0, "GIF87a"sv) || starts(head, 0, "GIF89a"sv)) return Format::gif;
  if (starts(head, 0, "II*\0"sv) || starts(head, 0, "MM\0*"sv)) return Format::tiff;
  if (starts(head, 0, "II+\0"sv) || starts(head, 0, "MM\0+"sv)) return Format::tiff;  // BigTIFF
  if (starts(head, 0, "\xff\x0a"sv) || starts(head, 0, "\0\0\0\x0cJXL \r\n\x87\n"sv)) return Format::jxl;
  if (starts(head, 0, "BM"sv) && head.size() >= 26) return Format::bmp;
  return sniff_brands(head);
}

}  // namespace weir::media
