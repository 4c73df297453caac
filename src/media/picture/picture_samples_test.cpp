#include "media/picture/picture_samples_test.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>

#include "media/picture/append_bytes_test.hpp"

namespace weir::media::test {
namespace {

// The next functions write tags of an ICC profile. Numbers are big-endian; fractions have 16 bits before and 16 bits
// after the point. Source: ICC.1:2001-04, 6.1 (header) and 6.5 (types).
std::uint32_t fixed(double value) { return static_cast<std::uint32_t>(static_cast<std::int32_t>(value * 65536 + 0.5)); }

Samples icc_xyz(double x, double y, double z) {
  Samples tag;
  append(tag, "XYZ \0\0\0\0", 8);
  for (const double v : {x, y, z}) append_be(tag, fixed(v), 4);
  return tag;
}
Samples icc_gamma() {
  Samples tag;
  append(tag, "curv\0\0\0\0", 8);
  append_be(tag, 1, 4);
  append_be(tag, 0x0233, 2);  // 2.2, with 8 bits after the point
  append(tag, {0, 0});
  return tag;
}
Samples icc_text(const char* type) {
  Samples tag;
  append(tag, type, 4);
  append_be(tag, 0, 4);
  if (std::string_view{type} == "desc") {
    append_be(tag, 5, 4);
    append(tag, "test\0", 5);
    tag.resize(tag.size() + 78 + 1);
  } else {
    append(tag, "none", 4);
  }
  while (tag.size() % 4 != 0) tag.push_back(std::byte{0});
  return tag;
}

}  // namespace

PictureInfo make_picture_info(int width, int height, int colours, bool alpha, int bits) {
  PictureInfo made;
  made.width = width;
  made.height = height;
  made.colours = colours;
  made.alpha = alpha;
  made.bits = bits;
  return made;
}

Samples draw_rows(const PictureInfo& picture) {
  Samples rows(picture.row_bytes() * static_cast<std::size_t>(picture.height));
  const int channels = picture.channels();
  std::size_t at = 0;
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x)
      for (int c = 0; c < channels; ++c) {
        const bool edge = (x / 16 + y / 16) % 3 == 0;
        const int value = (edge ? 12000 : 30000) + x * 180 + y * 90 + c * 5000;
        const auto sample = static_cast<std::uint16_t>(std::clamp(value, 0, 65535));
        if (picture.bits == 16) {
          std::memcpy(rows.data() + at, &sample, 2);
          at += 2;
        } else {
          rows[at++] = static_cast<std::byte>(sample >> 8);
        }
      }
  return rows;
}

Result<LoadedPicture> load(const std::filesystem::path& path, int rows_at_once) {
  auto reader = PictureReader::open({.path = path, .bytes = nullptr});
  if (!reader) return reader.error();
  LoadedPicture loaded{(*reader)->info(), {}, (*reader)->metadata()};
  loaded.rows.resize(loaded.info.row_bytes() * static_cast<std::size_t>(loaded.info.height));
  for (int y = 0; y < loaded.info.height; y += rows_at_once) {
    const auto count = static_cast<std::size_t>(std::min(rows_at_once, loaded.info.height - y));
    const auto row_bytes = loaded.info.row_bytes();
    if (auto got = (*reader)->read(std::span{loaded.rows}.subspan(y * row_bytes, count * row_bytes)); !got)
      return got.error();
  }
  return loaded;
}

WriteOptions options_for(Format format, const PictureInfo& rows, MetadataPtr metadata) {
  WriteOptions options;
  options.format = format;
  options.row_format = rows;
  options.metadata = std::move(metadata);
  return options;
}

Result<WriteReport> save(const std::filesystem::path& path, const WriteOptions& options, const Samples& rows) {
  auto writer = PictureWriter::create(path, options);
  if (!writer) return writer.error();
  const auto row_bytes = options.row_format.row_bytes();
  for (std::size_t at = 0; at < rows.size(); at += 5 * row_bytes) {
    const auto count = std::min(5 * row_bytes, rows.size() - at);
    if (auto put = (*writer)->write(std::span{rows}.subspan(at, count)); !put) return put.error();
  }
  return (*writer)->finish();
}

int largest_difference(const PictureInfo& picture, const Samples& a, const Samples& b) {
  if (a.size() != b.size()) return 1 << 30;
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); i += picture.bits / 8) {
    std::uint16_t p = std::to_integer<std::uint16_t>(a[i]), q = std::to_integer<std::uint16_t>(b[i]);
    if (picture.bits == 16) {
      std::memcpy(&p, a.data() + i, 2);
      std::memcpy(&q, b.data() + i, 2);
    }
    largest = std::max(largest, std::abs(p - q));
  }
  return largest;
}

Blob make_exif(int orientation) {
  Blob exif;
  append(exif, "II*\0", 4);
  append_le(exif, 8, 4);
  append_le(exif, 2, 2);       // number of entries, which are ordered by tag
  append_le(exif, 0x010f, 2);  // Make
  append_le(exif, 2, 2);
  append_le(exif, 5, 4);
  append_le(exif, 38, 4);
  append_le(exif, 0x0112, 2);  // Orientation
  append_le(exif, 3, 2);
  append_le(exif, 1, 4);
  append_le(exif, static_cast<std::uint32_t>(orientation), 4);
  append_le(exif, 0, 4);
  append(exif, "weir\0\0", 6);
  return exif;
}

Blob make_xmp() {
  constexpr std::string_view kText =
      "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
      "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'></rdf:RDF></x:xmpmeta>";
  Blob xmp;
  append(xmp, kText.data(), kText.size());
  return xmp;
}

Blob make_icc(bool grey) {
  struct Tag {
    const char* name;
    Samples data;
  };
  std::vector<Tag> tags{{"desc", icc_text("desc")}, {"cprt", icc_text("text")}, {"wtpt", icc_xyz(0.9642, 1, 0.8249)}};
  if (grey) {
    tags.push_back({"kTRC", icc_gamma()});
  } else {
    tags.push_back({"rXYZ", icc_xyz(0.4361, 0.2225, 0.0139)});
    tags.push_back({"gXYZ", icc_xyz(0.3851, 0.7169, 0.0971)});
    tags.push_back({"bXYZ", icc_xyz(0.1431, 0.0606, 0.7141)});
    for (const char* name : {"rTRC", "gTRC", "bTRC"}) tags.push_back({name, icc_gamma()});
  }
  Samples table, data;
  append_be(table, static_cast<std::uint32_t>(tags.size()), 4);
  const auto start = 128 + 4 + 12 * tags.size();
  for (const auto& tag : tags) {
    append(table, tag.name, 4);
    append_be(table, static_cast<std::uint32_t>(start + data.size()), 4);
    append_be(table, static_cast<std::uint32_t>(tag.data.size()), 4);
    data.insert(data.end(), tag.data.begin(), tag.data.end());
  }
  Blob icc;
  append_be(icc, static_cast<std::uint32_t>(start + data.size()), 4);
  append_be(icc, 0, 4);
  append_be(icc, 0x02100000, 4);
  append(icc, "mntr", 4);
  append(icc, grey ? "GRAY" : "RGB ", 4);
  append(icc, "XYZ ", 4);
  append(icc, {7, 0xe7, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0});
  append(icc, "acsp", 4);
  icc.resize(68);
  append_be(icc, fixed(0.9642), 4);
  append_be(icc, fixed(1), 4);
  append_be(icc, fixed(0.8249), 4);
  icc.resize(128);
  icc.insert(icc.end(), table.begin(), table.end());
  icc.insert(icc.end(), data.begin(), data.end());
  return icc;
}

std::shared_ptr<Metadata> make_metadata(bool grey, int orientation) {
  auto made = std::make_shared<Metadata>();
  made->icc = make_icc(grey);
  made->exif = make_exif(orientation);
  made->xmp = make_xmp();
  made->dots_per_mm_x = made->dots_per_mm_y = 300 / 25.4;
  return made;
}

void write_test_file(const std::filesystem::path& path, const void* data, std::size_t size) {
  std::ofstream{path, std::ios::binary}.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
}
void write_test_file(const std::filesystem::path& path, const Samples& bytes) {
  write_test_file(path, bytes.data(), bytes.size());
}

Samples read_test_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  Samples bytes;
  append(bytes, text.data(), text.size());
  return bytes;
}

}  // namespace weir::media::test
