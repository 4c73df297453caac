// Finds the data of a HEIF or AVIF file that libvips does not report: further pictures, auxiliary pictures, colour,
// XMP.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "media/picture/container_metadata.hpp"
#include "media/picture/iso_boxes.hpp"

namespace weir::media {
namespace {

constexpr std::uint64_t kMaxBodyBytes = std::uint64_t{1} << 20;  // largest body of a box that is read, in bytes
constexpr std::size_t kMaxEntries = 65536;                       // largest number of references that are read
// types of items that are pictures, or parts of pictures
constexpr std::array<std::string_view, 9> kPictureTypes{"hvc1", "av01", "grid", "iden", "iovl",
                                                        "jpeg", "avc1", "j2k1", "unci"};
// boxes at the top level of a file that are read below or contain no metadata
constexpr std::array<std::string_view, 8> kIgnoredBoxes{"ftyp", "meta", "mdat", "free", "skip", "moov", "wide", "styp"};
constexpr std::string_view kC2pa{"\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81",
                                 16};  // identifier of the boxes with C2PA data; C2PA 1.3, A.5

constexpr std::string_view kXmpType = "application/rdf+xml";

using ItemId = std::uint64_t;

struct Item {
  std::string type, content_type;  // four characters; MIME type, only for some items
  bool hidden = false;             // not to be displayed alone
};

/// Reads the boxes of a HEIF file. The box "meta" describes the items of the file: pictures, tiles, auxiliary pictures,
/// XMP.
class HeifReader {
 public:
  HeifReader(const InputFile& file, Metadata& into) : file_{file}, into_{into} {}

  void read_all() {
    for (const IsoBox& box : read_iso_boxes(file_, 0, file_.size())) {
      if (box.type == "meta") read_description(box);
      if (box.type == "moov") read_sequence(box);
      if (std::find(kIgnoredBoxes.begin(), kIgnoredBoxes.end(), box.type) == kIgnoredBoxes.end())
        record_unknown_box(box);
    }
    process_items();
  }

 private:
  struct Property {
    std::string type;
    Blob body;
  };

  void record_unknown_box(const IsoBox& box) {
    const auto start = read_iso_body(
        file_, {box.type, box.body_offset, std::min(box.end_offset, box.body_offset + kC2pa.size())}, kC2pa.size());
    const bool is_c2pa = box.type == "uuid" && start && IsoBodyReader{*start}.read_text(kC2pa.size()) == kC2pa;
    if (is_c2pa)
      record_omission(into_, "C2PA provenance", "not carried");
    else
      record_omission(into_, "box " + box.type, "unknown");
  }

  // Reads the box "meta". Its child boxes used here are iprp (properties), idat (bytes of items), iloc (locations of
  // items), pitm (main item), iinf (list of items) and iref (references between items).
  void read_description(const IsoBox& meta) {
    constexpr std::uint64_t kVersionAndFlags = 4;
    for (const IsoBox& box : read_iso_boxes(file_, meta.body_offset + kVersionAndFlags, meta.end_offset)) {
      if (box.type == "iprp") read_properties(box);
      if (box.type == "idat") data_box_ = box;
      if (box.type == "iloc") locations_box_ = box;
      if (box.type != "pitm" && box.type != "iinf" && box.type != "iref") continue;
      const auto body = read_iso_body(file_, box, kMaxBodyBytes);
      if (!body) {
        record_omission(into_, "list of items", "too long");
        continue;
      }
      IsoBodyReader numbers{*body};
      const auto version = numbers.read_number(1);
      numbers.read_number(3);
      if (box.type == "pitm") main_item_ = numbers.read_number(version == 0 ? 2 : 4);
      if (box.type == "iinf") read_items(box, version == 0 ? 6 : 8);
      if (box.type == "iref") read_references(numbers, version == 0 ? 2 : 4);
    }
  }

  // `head_bytes`: size of the fields before the first entry: version, flags and number of entries
  void read_items(const IsoBox& list, std::uint64_t head_bytes) {
    for (const IsoBox& box : read_iso_boxes(file_, list.body_offset + head_bytes, list.end_offset)) {
      const auto body = read_iso_body(file_, box, kMaxBodyBytes);
      if (box.type != "infe" || !body) continue;
      IsoBodyReader numbers{*body};
      const auto version = numbers.read_number(1), flags = numbers.read_number(3);
      if (version < 2) continue;  // older versions have no type of the item
      const ItemId id = numbers.read_number(version == 2 ? 2 : 4);
      numbers.read_number(2);  // protection
      Item item{.type = numbers.read_text(4), .content_type = {}, .hidden = (flags & 1) != 0};
      numbers.read_c_string();  // name
      if (item.type == "mime" || item.type == "uri ") item.content_type = numbers.read_c_string();
      if (numbers.good()) items_.emplace(id, std::move(item));
    }
  }

  /// Reads the XMP packet, which is an item with its own content type. Source: ISO/IEC 14496-12:2020, 8.11.3 (iloc)
  void read_xmp() {
    const auto item = std::find_if(items_.begin(), items_.end(), [](const auto& each) {
      return each.second.type == "mime" && each.second.content_type == kXmpType;
    });
    if (item == items_.end() || !into_.xmp.empty()) return;
    auto packet = read_item(item->first);
    if (packet)
      into_.xmp = *std::move(packet);
    else
      record_omission(into_, "xmp", "cannot be read, or takes more than 4 MiB");
  }

  /// Reads the bytes of an item. They are in one or more extents (offset and length) in the file or in the box "idat".
  /// Returns nothing if they cannot all be read, if there are none, or if they exceed kMaxMetadataBytes.
  std::optional<Blob> read_item(ItemId item_id) const {
    const auto body = read_iso_body(file_, locations_box_, kMaxBodyBytes);
    if (!body) return std::nullopt;
    Blob data;
    IsoBodyReader numbers{*body};
    const auto version = numbers.read_number(1);
    numbers.read_number(3);
    // Four bits each: the sizes in bytes of the fields offset, length, base and index.
    const auto sizes = numbers.read_number(2);
    const std::size_t offset_bytes = sizes >> 12, length_bytes = sizes >> 8 & 15, base_bytes = sizes >> 4 & 15;
    const std::size_t index_bytes = version > 0 ? sizes & 15 : 0;
    const auto items = numbers.read_number(version < 2 ? 2 : 4);
    for (std::uint64_t i = 0; i < items && numbers.good(); ++i) {
      const ItemId id = numbers.read_number(version < 2 ? 2 : 4);
      // 0: the offsets count from the start of the file; 1: from the start of the body of "idat".
      const auto construction_method = version > 0 ? numbers.read_number(2) & 15 : 0;
      numbers.read_number(2);
      const auto base = numbers.read_number(base_bytes), extents = numbers.read_number(2);
      for (std::uint64_t k = 0; k < extents && numbers.good(); ++k) {
        numbers.read_number(index_bytes);
        const auto offset = numbers.read_number(offset_bytes), length = numbers.read_number(length_bytes);
        if (id != item_id) continue;
        if (!numbers.good() || construction_method > 1 || length > kMaxMetadataBytes - data.size()) return std::nullopt;
        const std::size_t before = data.size();
        data.resize(before + length);
        const auto got = file_.read_at(base + offset + (construction_method == 1 ? data_box_.body_offset : 0),
                                       std::span{data}.subspan(before));
        if (!got || *got != length) return std::nullopt;
      }
      if (id == item_id) return !numbers.good() || data.empty() ? std::nullopt : std::optional{std::move(data)};
    }
    return std::nullopt;
  }

  // The body of "iref" is a list of entries: a type, an item, and the items that this item refers to.
  void read_references(IsoBodyReader& numbers, std::size_t id_bytes) {
    std::size_t entries = 0;
    while (numbers.good() && numbers.remaining_bytes() > 0) {
      numbers.read_number(4);
      const std::string type = numbers.read_text(4);
      const ItemId from = numbers.read_number(id_bytes);
      const auto count = numbers.read_number(2);
      for (std::uint64_t i = 0; i < count && numbers.good() && entries < kMaxEntries; ++i, ++entries) {
        const ItemId to = numbers.read_number(id_bytes);
        if (type == "dimg") derived_from_input_.emplace(to, from);
        if (type == "thmb") thumbnails_.emplace(from, to);
        if (type == "auxl") auxiliary_.emplace(from, to);
      }
      if (entries >= kMaxEntries) break;
    }
  }

  // Reads "ipco", the list of properties, and "ipma", which assigns properties to items.
  void read_properties(const IsoBox& properties) {
    std::vector<Property> list;
    for (const IsoBox& box : read_iso_boxes(file_, properties.body_offset, properties.end_offset)) {
      if (box.type == "ipco") {
        for (const IsoBox& each : read_iso_boxes(file_, box.body_offset, box.end_offset)) {
          const bool is_needed =
              each.type == "colr" || each.type == "auxC" || each.type == "clli" || each.type == "mdcv";
          auto body = is_needed ? read_iso_body(file_, each, kMaxBodyBytes) : std::nullopt;
          list.push_back({each.type, body ? *std::move(body) : Blob{}});
        }
      } else if (box.type == "ipma") {
        if (const auto body = read_iso_body(file_, box, kMaxBodyBytes)) read_associations(*body, list);
      }
    }
  }

  // Fills properties_. `body` is the body of "ipma"; it refers to the entries of `list` by their numbers, from 1.
  void read_associations(const Blob& body, const std::vector<Property>& list) {
    IsoBodyReader numbers{body};
    const auto version = numbers.read_number(1), flags = numbers.read_number(3), items = numbers.read_number(4);
    for (std::uint64_t i = 0; i < items && numbers.good(); ++i) {
      const ItemId id = numbers.read_number(version == 0 ? 2 : 4);
      const auto count = numbers.read_number(1);
      for (std::uint64_t k = 0; k < count; ++k) {
        const bool has_15_bits = (flags & 1) != 0;  // width of the number; the highest bit is another flag
        const auto index = numbers.read_number(has_15_bits ? 2 : 1) & (has_15_bits ? 0x7fffU : 0x7fU);
        if (numbers.good() && index >= 1 && index <= list.size() && !list[index - 1].body.empty())
          properties_.emplace(id, list[index - 1]);
      }
    }
  }

  // Reads the number of frames of a sequence, which is stored as a movie.
  void read_sequence(const IsoBox& movie) {
    for (const IsoBox& track : read_iso_boxes(file_, movie.body_offset, movie.end_offset))
      if (track.type == "trak") frames_ = std::max(frames_, count_samples(track));
  }

  // Returns the number of frames of a track, which the standard calls samples; 0 if it cannot be read.
  std::uint64_t count_samples(const IsoBox& track) {
    IsoBox current = track;  // becomes the inner box of each type in the list
    for (const std::string_view type : {"mdia", "minf", "stbl", "stsz"}) {
      const auto inner = read_iso_boxes(file_, current.body_offset, current.end_offset);
      const auto found = std::find_if(inner.begin(), inner.end(), [&](const IsoBox& box) { return box.type == type; });
      if (found == inner.end()) return 0;
      current = *found;
    }
    current.end_offset = std::min(current.end_offset, current.body_offset + 12);
    const auto head = read_iso_body(file_, current, 12);
    if (!head) return 0;
    IsoBodyReader numbers{*head};
    numbers.read_number(8);  // version, flags, and the common size of all samples
    return numbers.read_number(4);
  }

  // Records the items that weir does not copy, and reads the XMP packet and the colour of the main picture.
  void process_items() {
    std::uint64_t other_pictures = 0;
    for (const auto& [id, item] : items_) {
      if (id == main_item_) continue;
      if (item.type == "tmap") {
        record_omission(into_, "gain map", "not carried");
      } else if (auxiliary_.contains(id)) {
        record_auxiliary(id);
      } else if (thumbnails_.contains(id)) {
        record_omission(into_, "thumbnail", "not carried");
      } else if (std::find(kPictureTypes.begin(), kPictureTypes.end(), item.type) != kPictureTypes.end()) {
        other_pictures += derived_from_input_.contains(id) || item.hidden ? 0 : 1;
      } else if (item.type != "Exif" && item.content_type != kXmpType) {
        record_omission(into_, fmt::format("item {} {}", item.type, item.content_type), "not carried");
      }
    }
    // The main picture of a file with a sequence is usually its first frame.
    if (frames_ > 1) record_omission(into_, "frames", fmt::format("the first of {}", frames_));
    if (other_pictures > 0) record_omission(into_, "pictures", fmt::format("the main one of {}", other_pictures + 1));
    read_xmp();
    read_colour();
  }

  void record_auxiliary(ItemId id) {
    std::string kind;  // a URN, such as "urn:mpeg:hevc:2015:auxid:1"
    const auto [first, last] = properties_.equal_range(id);
    for (auto it = first; it != last; ++it) {
      if (it->second.type != "auxC") continue;
      IsoBodyReader numbers{it->second.body};
      numbers.read_number(4);
      kind = numbers.read_c_string();
    }
    const auto ends_with = [&](std::string_view text) { return std::string_view{kind}.ends_with(text); };
    if (ends_with("auxid:1") || ends_with("auxiliary:alpha")) return;  // the decoder reads alpha with the picture
    if (ends_with("auxid:2") || ends_with("auxiliary:depth"))
      record_omission(into_, "depth map", "not carried");
    else if (ends_with("hdrgainmap"))
      record_omission(into_, "gain map", "not carried");
    else
      record_omission(into_, "auxiliary picture " + kind, "not carried");
  }

  // Reads the colour of the main picture; if the picture has no properties, that of its first tile. An ICC profile is
  // more precise and takes precedence.
  void read_colour() {
    auto [first, last] = properties_.equal_range(main_item_);
    if (first == last) {
      const auto tile = std::find_if(derived_from_input_.begin(), derived_from_input_.end(),
                                     [&](const auto& each) { return each.second == main_item_; });
      if (tile != derived_from_input_.end()) std::tie(first, last) = properties_.equal_range(tile->first);
    }
    for (auto it = first; it != last; ++it) {
      const Property& property = it->second;
      if (property.type == "clli" || property.type == "mdcv") record_omission(into_, "HDR display data", "not carried");
      IsoBodyReader numbers{property.body};
      if (property.type != "colr" || numbers.read_text(4) != "nclx" || !into_.icc.empty()) continue;
      const auto primaries = numbers.read_number(2), transfer = numbers.read_number(2);
      constexpr std::uint64_t kUnspecifiedColours = 2;
      if (!numbers.good() || primaries > 255 || transfer > 255) continue;
      if (primaries == kUnspecifiedColours && transfer == kUnspecifiedColours) continue;
      // The decoder outputs RGB of full range, hence matrix 0 and range 1.
      into_.colour.cicp = {static_cast<std::uint8_t>(primaries), static_cast<std::uint8_t>(transfer), 0, 1};
    }
  }

  const InputFile& file_;
  Metadata& into_;
  ItemId main_item_ = 0;
  IsoBox locations_box_, data_box_;  // "iloc" (where the bytes of the items are) and "idat" (bytes of items)
  std::map<ItemId, Item> items_;
  std::multimap<ItemId, Property> properties_;
  // In the three maps the key is an item, and the value is another picture: the picture that is composed from the item
  // (a tile, for example), the picture that the item is a thumbnail of, or the picture that the item is auxiliary to.
  std::map<ItemId, ItemId> derived_from_input_, thumbnails_, auxiliary_;
  std::uint64_t frames_ = 0;  // number of frames of the longest track
};

}  // namespace

void read_heif_boxes(const InputFile& file, Metadata& into) { HeifReader{file, into}.read_all(); }

}  // namespace weir::media
