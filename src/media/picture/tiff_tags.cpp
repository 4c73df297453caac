// Turns the tags of a TIFF page into Metadata, for files that libtiff or libvips decode.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "media/picture/container_metadata.hpp"
#include "media/picture/text_codec.hpp"
#include "media/picture/tiff_tree.hpp"

namespace weir::media {
namespace {

// Tags that describe the samples and their layout, or that are read elsewhere (resolution, XMP, ICC).
// Source: TIFF 6.0, appendix A; 700 is XMP; 34675 is ICC.
constexpr std::array<std::uint16_t, 50> kIgnoredTags{254, 255, 256, 257, 258, 259, 262, 263, 264, 265,   266, 273, 274,
                                                     277, 278, 279, 280, 281, 282, 283, 284, 288, 289,   290, 291, 292,
                                                     293, 296, 317, 320, 321, 322, 323, 324, 325, 338,   339, 340, 341,
                                                     347, 512, 513, 514, 529, 530, 531, 532, 700, 34675, 297};
// Tags that become part of the EXIF block: tags that EXIF defines too, and the texts that Windows adds.
constexpr std::array<std::uint16_t, 17> kExifTags{269,   270,   271,   272,   285,   305,   306,   315,  316,
                                                  33432, 18246, 18249, 40091, 40092, 40093, 40094, 40095};
// A known tag that weir does not copy, and its name for users.
struct NamedTag {
  std::uint16_t tag;
  std::string_view name;
};
constexpr std::array kNamedTags{
    NamedTag{301, "transfer function"}, NamedTag{330, "subpictures of the page"}, NamedTag{37724, "layers"},
    NamedTag{332, "set of inks"},       NamedTag{333, "names of inks"},
};
constexpr std::uint16_t kWhitePoint = 318, kPrimaries = 319, kIptc = 33723, kImageResources = 34377;

template <class List>
bool contains(const List& list, std::uint16_t tag) {
  return std::find(list.begin(), list.end(), tag) != list.end();
}

// Stores the IPTC records in Photoshop's image resources, and records the other resources as an omission.
void store_photoshop(const Blob& resources, Metadata& into) {
  std::vector<int> other_ids;
  auto iptc = extract_iptc(resources, other_ids);
  if (into.iptc.empty()) into.iptc = std::move(iptc);
  record_omitted_resources(into, other_ids);
}

// An ICC profile is more precise and takes precedence. If the white point is missing, it is D65.
void store_primaries(const TiffDirectory& page, Metadata& into) {
  const auto white = page.read_numbers(kWhitePoint), primaries = page.read_numbers(kPrimaries);
  if (primaries.size() != 6 || !into.icc.empty()) return;
  auto& stored = into.colour.primaries.emplace(std::array<double, 8>{0.3127, 0.3290});
  if (white.size() == 2) std::copy(white.begin(), white.end(), stored.begin());
  std::copy(primaries.begin(), primaries.end(), stored.begin() + 2);
}

}  // namespace

void read_tiff_tags(const InputFile& file, Metadata& into) {
  const auto page = read_tiff_tree(file);
  if (!page) return;
  TiffDirectory exif_directory{
      .little_endian = page->little_endian, .has_next = false, .tags = {}, .subdirectories = page->subdirectories};
  for (const TiffTag& tag : page->tags) {
    if (tag.count == 0) continue;
    if (contains(kIgnoredTags, tag.tag) || tag.tag == kWhitePoint || tag.tag == kPrimaries) continue;
    const auto* known =
        std::find_if(kNamedTags.begin(), kNamedTags.end(), [&](const NamedTag& each) { return each.tag == tag.tag; });
    if (known != kNamedTags.end())
      record_omission(into, known->name, "not carried");
    else if (tag.value.empty())
      record_omission(into, fmt::format("tag {}", tag.tag), "too large");
    else if (contains(kExifTags, tag.tag))
      exif_directory.tags.push_back(tag);
    else if (tag.tag == kIptc && into.iptc.empty() && tag.value.front() == std::byte{0x1c})
      into.iptc = tag.value;
    else if (tag.tag == kImageResources)
      store_photoshop(tag.value, into);
    else
      record_omission(into, fmt::format("tag {}", tag.tag), "not carried");
  }
  for (const std::uint16_t tag : remove_unread_tags(exif_directory))
    record_omission(into, fmt::format("tag {}", tag), "too large");
  store_primaries(*page, into);
  if (!into.exif.empty() || (exif_directory.tags.empty() && exif_directory.subdirectories.empty())) return;
  constexpr std::uint32_t kHeader = 8;  // bytes of the header, and offset of the directory after it
  const Blob directory = write_tiff_tree(exif_directory, kHeader);
  constexpr std::array<unsigned char, kHeader> kLittle{'I', 'I', 42, 0, 8, 0, 0, 0}, kBig{'M', 'M', 0, 42, 0, 0, 0, 8};
  const auto head = std::as_bytes(std::span{page->little_endian ? kLittle : kBig});
  into.exif.assign(head.begin(), head.end());
  into.exif.insert(into.exif.end(), directory.begin(), directory.end());
}

}  // namespace weir::media
