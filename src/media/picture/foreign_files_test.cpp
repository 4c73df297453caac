// Makes files that weir's writers do not make, byte by byte or with the encoders of the libraries.
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // after the two headers above, which it needs

#include <spng.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "base/round_up.hpp"
#include "media/picture/append_bytes_test.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media::test {
namespace {

using Byte = std::uint8_t;

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

// Makes rows of packed samples as PNG stores them; pixel (x, y) has the value (x + y) modulo 2^bits.
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

}  // namespace

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
  const std::size_t stride = round_up(static_cast<std::size_t>(width) * depth, 32) / 8;
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

// Writes LZW codes of constant length (nine bits): frequent clear codes prevent that the codes become longer.
// Source: GIF89a, appendix F.
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
