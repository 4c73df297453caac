#include "media/picture/picture_samples_test.hpp"

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // after the two above, which it needs

#include <spng.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace weir::media::test {
namespace {

using Byte = std::uint8_t;

void append(Samples& to, const void* data, std::size_t size) {
  if (size == 0) return;
  const auto before = to.size();
  to.resize(before + size);
  std::memcpy(to.data() + before, data, size);
}
void append(Samples& to, std::initializer_list<int> bytes) {
  for (const int byte : bytes) to.push_back(static_cast<std::byte>(byte));
}
void append_le(Samples& to, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}
void append_be(Samples& to, std::uint32_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

Samples encode_with_spng(spng_ihdr header, const void* rows, std::size_t size, const spng_plte* palette) {
  auto* ctx = spng_ctx_new(SPNG_CTX_ENCODER);
  spng_set_option(ctx, SPNG_ENCODE_TO_BUFFER, 1);
  spng_set_ihdr(ctx, &header);
  if (palette != nullptr) spng_set_plte(ctx, const_cast<spng_plte*>(palette));
  int error = spng_encode_image(ctx, rows, size, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
  std::size_t count = 0;
  void* data = error == 0 ? spng_get_png_buffer(ctx, &count, &error) : nullptr;
  Samples file;
  if (data != nullptr) append(file, data, count);
  std::free(data);
  spng_ctx_free(ctx);
  if (error != 0) throw std::runtime_error{spng_strerror(error)};
  return file;
}

// Rows of packed indices (x + y) modulo 2^bits, as PNG wants them.
Samples packed_rows(int width, int height, int bits) {
  Samples rows;
  for (int y = 0; y < height; ++y) {
    Samples row((static_cast<std::size_t>(width) * bits + 7) / 8);
    for (int x = 0; x < width; ++x) {
      const int value = (x + y) % (1 << bits);
      row[static_cast<std::size_t>(x) * bits / 8] |= static_cast<std::byte>(value << (8 - bits - x * bits % 8));
    }
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

template <class Prepare>
Samples encode_with_libjpeg(int width, int height, int components, J_COLOR_SPACE space, const Samples& rows,
                            Prepare&& prepare) {
  jpeg_compress_struct codec{};
  jpeg_error_mgr errors{};
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &out, &size);
  codec.image_width = static_cast<JDIMENSION>(width);
  codec.image_height = static_cast<JDIMENSION>(height);
  codec.input_components = components;
  codec.in_color_space = space;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, 97, TRUE);
  prepare(codec);
  jpeg_start_compress(&codec, TRUE);
  for (int y = 0; y < height; ++y) {
    auto* row = reinterpret_cast<JSAMPROW>(const_cast<std::byte*>(rows.data())) +
                static_cast<std::size_t>(y) * static_cast<std::size_t>(width * components);
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  Samples file;
  append(file, out, size);
  jpeg_destroy_compress(&codec);
  std::free(out);
  return file;
}

// ICC.1:2001-04: 6.1 (header), 6.5 (types). Numbers are big-endian, fractions in 16.16.
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
  append_be(tag, 0x0233, 2);  // 2.2 in 8.8
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

PictureInfo form(int width, int height, int colours, bool alpha, int bits) {
  PictureInfo made;
  made.width = width;
  made.height = height;
  made.colours = colours;
  made.alpha = alpha;
  made.bits = bits;
  return made;
}

Samples draw(const PictureInfo& picture) {
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

Result<Loaded> load(const std::filesystem::path& path, int rows_at_once) {
  auto reader = PictureReader::open({.path = path, .bytes = nullptr});
  if (!reader) return reader.error();
  Loaded loaded{(*reader)->info(), {}, (*reader)->metadata()};
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
  options.rows = rows;
  options.metadata = std::move(metadata);
  return options;
}

Result<WriteReport> save(const std::filesystem::path& path, const WriteOptions& options, const Samples& rows) {
  auto writer = PictureWriter::create(path, options);
  if (!writer) return writer.error();
  const auto row_bytes = options.rows.row_bytes();
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
  append_le(exif, 2, 2);       // entries, by tag
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

void put_file(const std::filesystem::path& path, const void* data, std::size_t size) {
  std::ofstream{path, std::ios::binary}.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
}
void put_file(const std::filesystem::path& path, const Samples& bytes) { put_file(path, bytes.data(), bytes.size()); }

Samples get_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  Samples bytes;
  append(bytes, text.data(), text.size());
  return bytes;
}

Samples interlaced_png(const PictureInfo& picture, const Samples& rows) {
  auto file = encode_with_spng({.width = static_cast<std::uint32_t>(picture.width),
                                .height = static_cast<std::uint32_t>(picture.height),
                                .bit_depth = 8,
                                .color_type = SPNG_COLOR_TYPE_TRUECOLOR,
                                .compression_method = 0,
                                .filter_method = 0,
                                .interlace_method = 1},
                               rows.data(), rows.size(), nullptr);
  return file;
}

Samples palette_png(int width, int height, int bits) {
  spng_plte palette{};
  palette.n_entries = 1U << bits;
  for (std::uint32_t i = 0; i < palette.n_entries; ++i)
    palette.entries[i] = {.red = static_cast<Byte>(i * 40),
                          .green = static_cast<Byte>(255 - i * 40),
                          .blue = static_cast<Byte>(i * 20),
                          .alpha = 255};
  const auto rows = packed_rows(width, height, bits);
  return encode_with_spng({.width = static_cast<std::uint32_t>(width),
                           .height = static_cast<std::uint32_t>(height),
                           .bit_depth = static_cast<Byte>(bits),
                           .color_type = SPNG_COLOR_TYPE_INDEXED,
                           .compression_method = 0,
                           .filter_method = 0,
                           .interlace_method = 0},
                          rows.data(), rows.size(), &palette);
}

Samples grey_png(int width, int height, int bits) {
  const auto rows = packed_rows(width, height, bits);
  return encode_with_spng({.width = static_cast<std::uint32_t>(width),
                           .height = static_cast<std::uint32_t>(height),
                           .bit_depth = static_cast<Byte>(bits),
                           .color_type = SPNG_COLOR_TYPE_GRAYSCALE,
                           .compression_method = 0,
                           .filter_method = 0,
                           .interlace_method = 0},
                          rows.data(), rows.size(), nullptr);
}

Samples progressive_jpeg(const PictureInfo& picture, const Samples& rows) {
  return encode_with_libjpeg(picture.width, picture.height, 3, JCS_RGB, rows,
                             [](jpeg_compress_struct& codec) { jpeg_simple_progression(&codec); });
}

Samples cmyk_jpeg(int width, int height) {
  Samples rows;
  for (int i = 0; i < width * height; ++i) append(rows, {0, 255, 255, 255});  // Adobe stores ink inverted
  return encode_with_libjpeg(width, height, 4, JCS_CMYK, rows, [](jpeg_compress_struct&) {});
}

Samples bitmap(int width, int height, int depth, bool top_down) {
  const std::size_t stride = (static_cast<std::size_t>(width) * depth + 31) / 32 * 4;
  const std::uint32_t palette = depth <= 8 ? 1U << depth : 0;
  const std::uint32_t start = 14 + 40 + palette * 4;
  Samples file;
  append(file, "BM", 2);
  append_le(file, static_cast<std::uint32_t>(start + stride * height), 4);
  append_le(file, 0, 4);
  append_le(file, start, 4);
  append_le(file, 40, 4);
  append_le(file, static_cast<std::uint32_t>(width), 4);
  append_le(file, static_cast<std::uint32_t>(top_down ? -height : height), 4);
  append_le(file, 1, 2);
  append_le(file, static_cast<std::uint32_t>(depth), 2);
  append_le(file, 0, 4);
  append_le(file, 0, 4);
  append_le(file, 3780, 4);  // dots per metre
  append_le(file, 3780, 4);
  append_le(file, palette, 4);
  append_le(file, 0, 4);
  for (std::uint32_t i = 0; i < palette; ++i) append(file, {64, 0, static_cast<int>(i) * 8, 0});
  for (int i = 0; i < height; ++i) {
    const int y = top_down ? i : height - 1 - i;
    Samples row;
    for (int x = 0; x < width; ++x) {
      if (depth == 8) append(row, {x});
      if (depth == 16) append_le(row, static_cast<std::uint32_t>(x << 10 | y << 5 | 8), 2);
      if (depth == 24) append(row, {64, y * 8, x * 8});
      if (depth == 32) append(row, {64, y * 8, x * 8, 0});
    }
    row.resize(stride);
    append(file, row.data(), row.size());
  }
  return file;
}

// GIF89a, appendix F: nine-bit codes, with a clear code so often that they never grow.
Samples animated_gif(int width, int height) {
  Samples file;
  append(file, "GIF89a", 6);
  append_le(file, static_cast<std::uint32_t>(width), 2);
  append_le(file, static_cast<std::uint32_t>(height), 2);
  append(file, {0xf0, 0, 0, 255, 0, 0, 0, 0, 255});  // two colours: red, blue
  for (int frame = 0; frame < 2; ++frame) {
    append(file, {0x21, 0xf9, 4, 4, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0});
    append_le(file, static_cast<std::uint32_t>(width), 2);
    append_le(file, static_cast<std::uint32_t>(height), 2);
    append(file, {0, 8});
    Samples codes;
    std::uint32_t bits = 0;
    int count = 0;
    const auto put = [&](std::uint32_t code) {
      bits |= code << count;
      for (count += 9; count >= 8; count -= 8, bits >>= 8) codes.push_back(static_cast<std::byte>(bits & 255));
    };
    for (int i = 0; i < width * height; ++i) {
      if (i % 100 == 0) put(256);
      put(static_cast<std::uint32_t>(frame));
    }
    put(257);
    if (count > 0) codes.push_back(static_cast<std::byte>(bits & 255));
    for (std::size_t at = 0; at < codes.size(); at += 255) {
      const auto size = std::min<std::size_t>(255, codes.size() - at);
      append(file, {static_cast<int>(size)});
      append(file, codes.data() + at, size);
    }
    append(file, {0});
  }
  append(file, {0x3b});
  return file;
}

}  // namespace weir::media::test
