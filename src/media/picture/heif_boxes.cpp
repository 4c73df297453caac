#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "media/picture/container_metadata.hpp"
#include "media/picture/iso_boxes.hpp"

namespace weir::media {
namespace {

constexpr std::uint64_t kMostBody = std::uint64_t{1} << 20;  // of one box of the description
constexpr std::size_t kMostEntries = 65536;
constexpr std::array<std::string_view, 9> kPictureTypes{"hvc1", "av01", "grid", "iden", "iovl",
                                                        "jpeg", "avc1", "j2k1", "unci"};
constexpr std::array<std::string_view, 8> kSettledBoxes{"ftyp", "meta", "mdat", "free", "skip", "moov", "wide", "styp"};
constexpr std::string_view kC2pa{"\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81",
                                 16};  // C2PA 1.3, A.5

constexpr std::string_view kXmpType = "application/rdf+xml";

using ItemId = std::uint64_t;

struct Item {
  std::string type, content_type;
  bool hidden = false;
};

/// The boxes within a file's "meta" box that tell what its items are.
class HeifReader {
 public:
  HeifReader(const InputFile& file, Metadata& into) : file_{file}, into_{into} {}

  void read_all() {
    for (const IsoBox& box : iso_boxes(file_, 0, file_.size())) {
      if (box.type == "meta") read_description(box);
      if (box.type == "moov") read_sequence(box);
      if (std::find(kSettledBoxes.begin(), kSettledBoxes.end(), box.type) == kSettledBoxes.end()) name_box(box);
    }
    tell_items();
  }

 private:
  struct Property {
    std::string type;
    Blob body;
  };

  void name_box(const IsoBox& box) {
    const auto start = iso_body(file_, {box.type, box.body, std::min(box.end, box.body + kC2pa.size())}, kC2pa.size());
    const bool c2pa = box.type == "uuid" && start && IsoNumbers{*start}.text(kC2pa.size()) == kC2pa;
    if (c2pa)
      leave_out(into_, "C2PA provenance", "not carried");
    else
      leave_out(into_, "box " + box.type, "unknown");
  }

  void read_description(const IsoBox& meta) {
    constexpr std::uint64_t kVersionAndFlags = 4;
    for (const IsoBox& box : iso_boxes(file_, meta.body + kVersionAndFlags, meta.end)) {
      if (box.type == "iprp") read_properties(box);
      if (box.type == "idat") data_ = box;
      if (box.type == "iloc") locations_ = box;
      if (box.type != "pitm" && box.type != "iinf" && box.type != "iref") continue;
      const auto body = iso_body(file_, box, kMostBody);
      if (!body) {
        leave_out(into_, "list of items", "too long");
        continue;
      }
      IsoNumbers numbers{*body};
      const auto version = numbers.next(1);
      numbers.next(3);
      if (box.type == "pitm") main_ = numbers.next(version == 0 ? 2 : 4);
      if (box.type == "iinf") read_items(box, version == 0 ? 6 : 8);
      if (box.type == "iref") read_references(numbers, version == 0 ? 2 : 4);
    }
  }

  void read_items(const IsoBox& list, std::uint64_t head) {
    for (const IsoBox& box : iso_boxes(file_, list.body + head, list.end)) {
      const auto body = iso_body(file_, box, kMostBody);
      if (box.type != "infe" || !body) continue;
      IsoNumbers numbers{*body};
      const auto version = numbers.next(1), flags = numbers.next(3);
      if (version < 2) continue;
      const ItemId id = numbers.next(version == 2 ? 2 : 4);
      numbers.next(2);  // protection
      Item item{.type = numbers.text(4), .content_type = {}, .hidden = (flags & 1) != 0};
      numbers.line();  // name
      if (item.type == "mime" || item.type == "uri ") item.content_type = numbers.line();
      if (numbers.good()) items_.emplace(id, std::move(item));
    }
  }

  /// The XMP packet, which is an item with a content type of its own. Source: ISO/IEC 14496-12:2020, 8.11.3 (iloc)
  void take_xmp() {
    const auto item = std::find_if(items_.begin(), items_.end(), [](const auto& each) {
      return each.second.type == "mime" && each.second.content_type == kXmpType;
    });
    if (item == items_.end() || !into_.xmp.empty()) return;
    if (!read_item(item->first, into_.xmp)) leave_out(into_, "xmp", "cannot be read, or takes more than 4 MiB");
  }

  /// The bytes of an item, put together from where they lie in the file or in the "idat" box.
  bool read_item(ItemId wanted, Blob& whole) const {
    const auto body = iso_body(file_, locations_, kMostBody);
    if (!body) return false;
    IsoNumbers numbers{*body};
    const auto version = numbers.next(1);
    numbers.next(3);
    const auto sizes = numbers.next(2);  // four numbers of four bits: of offsets, lengths, bases, indices
    const std::size_t of_offset = sizes >> 12, of_length = sizes >> 8 & 15, of_base = sizes >> 4 & 15;
    const std::size_t of_index = version > 0 ? sizes & 15 : 0;
    const auto items = numbers.next(version < 2 ? 2 : 4);
    for (std::uint64_t i = 0; i < items && numbers.good(); ++i) {
      const ItemId id = numbers.next(version < 2 ? 2 : 4);
      const auto method = version > 0 ? numbers.next(2) & 15 : 0;  // 0: of the file, 1: of "idat"
      numbers.next(2);
      const auto base = numbers.next(of_base), extents = numbers.next(2);
      for (std::uint64_t k = 0; k < extents && numbers.good(); ++k) {
        numbers.next(of_index);
        const auto offset = numbers.next(of_offset), length = numbers.next(of_length);
        if (id != wanted) continue;
        if (!numbers.good() || method > 1 || length > kMostMetadata - whole.size()) return false;
        const std::size_t before = whole.size();
        whole.resize(before + length);
        const auto got =
            file_.read_at(base + offset + (method == 1 ? data_.body : 0), std::span{whole}.subspan(before));
        if (!got || *got != length) return whole.clear(), false;
      }
      if (id == wanted) return !whole.empty();
    }
    return false;
  }

  // Boxes of the same form within the body: type, the item it is about, and those it names.
  void read_references(IsoNumbers& numbers, std::size_t id_bytes) {
    std::size_t entries = 0;
    while (numbers.good() && numbers.left() > 0) {
      numbers.next(4);
      const std::string type = numbers.text(4);
      const ItemId from = numbers.next(id_bytes);
      const auto count = numbers.next(2);
      for (std::uint64_t i = 0; i < count && numbers.good() && entries < kMostEntries; ++i, ++entries) {
        const ItemId to = numbers.next(id_bytes);
        if (type == "dimg") part_.emplace(to, from);
        if (type == "thmb") thumbnails_.emplace(from, to);
        if (type == "auxl") auxiliary_.emplace(from, to);
      }
      if (entries >= kMostEntries) break;
    }
  }

  void read_properties(const IsoBox& properties) {
    std::vector<Property> list;
    for (const IsoBox& box : iso_boxes(file_, properties.body, properties.end)) {
      if (box.type == "ipco") {
        for (const IsoBox& each : iso_boxes(file_, box.body, box.end)) {
          const bool wanted = each.type == "colr" || each.type == "auxC" || each.type == "clli" || each.type == "mdcv";
          auto body = wanted ? iso_body(file_, each, kMostBody) : std::nullopt;
          list.push_back({each.type, body ? *std::move(body) : Blob{}});
        }
      } else if (box.type == "ipma") {
        if (const auto body = iso_body(file_, box, kMostBody)) read_associations(*body, list);
      }
    }
  }

  void read_associations(const Blob& body, const std::vector<Property>& list) {
    IsoNumbers numbers{body};
    const auto version = numbers.next(1), flags = numbers.next(3), items = numbers.next(4);
    for (std::uint64_t i = 0; i < items && numbers.good(); ++i) {
      const ItemId id = numbers.next(version == 0 ? 2 : 4);
      const auto count = numbers.next(1);
      for (std::uint64_t k = 0; k < count; ++k) {
        const bool wide = (flags & 1) != 0;
        const auto index = numbers.next(wide ? 2 : 1) & (wide ? 0x7fffU : 0x7fU);
        if (numbers.good() && index >= 1 && index <= list.size() && !list[index - 1].body.empty())
          properties_.emplace(id, list[index - 1]);
      }
    }
  }

  void read_sequence(const IsoBox& movie) {
    for (const IsoBox& track : iso_boxes(file_, movie.body, movie.end))
      if (track.type == "trak") frames_ = std::max(frames_, samples_of(track));
  }

  std::uint64_t samples_of(const IsoBox& track) {
    IsoBox at = track;
    for (const std::string_view type : {"mdia", "minf", "stbl", "stsz"}) {
      const auto inner = iso_boxes(file_, at.body, at.end);
      const auto found = std::find_if(inner.begin(), inner.end(), [&](const IsoBox& box) { return box.type == type; });
      if (found == inner.end()) return 0;
      at = *found;
    }
    at.end = std::min(at.end, at.body + 12);
    const auto head = iso_body(file_, at, 12);
    if (!head) return 0;
    IsoNumbers numbers{*head};
    numbers.next(8);  // version, flags, the size of all samples
    return numbers.next(4);
  }

  void tell_items() {
    std::uint64_t others = 0;
    for (const auto& [id, item] : items_) {
      if (id == main_) continue;
      if (item.type == "tmap") {
        leave_out(into_, "gain map", "not carried");
      } else if (auxiliary_.contains(id)) {
        tell_auxiliary(id);
      } else if (thumbnails_.contains(id)) {
        leave_out(into_, "thumbnail", "not carried");
      } else if (std::find(kPictureTypes.begin(), kPictureTypes.end(), item.type) != kPictureTypes.end()) {
        others += part_.contains(id) || item.hidden ? 0 : 1;
      } else if (item.type != "Exif" && item.content_type != kXmpType) {
        leave_out(into_, fmt::format("item {} {}", item.type, item.content_type), "not carried");
      }
    }
    // A sequence names its first frame as the main picture, too.
    if (frames_ > 1) leave_out(into_, "frames", fmt::format("the first of {}", frames_));
    if (others > 0) leave_out(into_, "pictures", fmt::format("the main one of {}", others + 1));
    take_xmp();
    take_colour();
  }

  void tell_auxiliary(ItemId id) {
    std::string kind;
    const auto [first, last] = properties_.equal_range(id);
    for (auto it = first; it != last; ++it) {
      if (it->second.type != "auxC") continue;
      IsoNumbers numbers{it->second.body};
      numbers.next(4);
      kind = numbers.line();
    }
    const auto ends = [&](std::string_view text) { return std::string_view{kind}.ends_with(text); };
    if (ends("auxid:1") || ends("auxiliary:alpha")) return;  // read with the picture
    if (ends("auxid:2") || ends("auxiliary:depth"))
      leave_out(into_, "depth map", "not carried");
    else if (ends("hdrgainmap"))
      leave_out(into_, "gain map", "not carried");
    else
      leave_out(into_, "auxiliary picture " + kind, "not carried");
  }

  // The main picture's, or that of the first tile that it is made of. An ICC profile says it better.
  void take_colour() {
    auto [first, last] = properties_.equal_range(main_);
    if (first == last) {
      const auto tile =
          std::find_if(part_.begin(), part_.end(), [&](const auto& each) { return each.second == main_; });
      if (tile != part_.end()) std::tie(first, last) = properties_.equal_range(tile->first);
    }
    for (auto it = first; it != last; ++it) {
      const Property& property = it->second;
      if (property.type == "clli" || property.type == "mdcv") leave_out(into_, "HDR display data", "not carried");
      IsoNumbers numbers{property.body};
      if (property.type != "colr" || numbers.text(4) != "nclx" || !into_.icc.empty()) continue;
      const auto primaries = numbers.next(2), transfer = numbers.next(2);
      constexpr std::uint64_t kUnspecifiedColours = 2;
      if (!numbers.good() || primaries > 255 || transfer > 255) continue;
      if (primaries == kUnspecifiedColours && transfer == kUnspecifiedColours) continue;
      // The decoder makes RGB of full range.
      into_.colour.cicp = {static_cast<std::uint8_t>(primaries), static_cast<std::uint8_t>(transfer), 0, 1};
    }
  }

  const InputFile& file_;
  Metadata& into_;
  ItemId main_ = 0;
  IsoBox locations_, data_;  // "iloc" and "idat"
  std::map<ItemId, Item> items_;
  std::multimap<ItemId, Property> properties_;
  std::map<ItemId, ItemId> part_, thumbnails_, auxiliary_;  // to the picture they are of
  std::uint64_t frames_ = 0;
};

}  // namespace

void read_heif_boxes(const InputFile& file, Metadata& into) { HeifReader{file, into}.read_all(); }

}  // namespace weir::media
