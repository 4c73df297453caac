// Writes PNG files and compresses them with igzip's deflate.
// Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)": 5 (chunks), 11 (their contents).
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "media/picture/encoder.hpp"
#include "media/picture/png_filter.hpp"
#include "media/picture/text_codec.hpp"

namespace weir::media {
namespace {

using Byte = std::uint8_t;
constexpr std::size_t kStripBytes = std::size_t{256} << 10;   // size of a strip: the filtered rows that deflate gets
                                                              // per call; at least one row
constexpr std::size_t kOutputBytes = std::size_t{128} << 10;  // size of an IDAT chunk, except the last
// The compression level of igzip. Level 1 makes smaller files than common PNG writers in a tenth of their time. Levels
// 2 and 3 do not make them smaller (docs/measurements.md).
constexpr int kLevel = 1;
constexpr std::size_t kLevelBufferBytes = ISAL_DEF_LVL1_DEFAULT;  // size of igzip's working memory at this level

void put_be32(Byte* at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<Byte>(value >> (24 - 8 * i));
}

Status put_chunk(ByteSink& sink, std::string_view type, std::span<const Byte> data) {
  Byte head[8], tail[4];
  put_be32(head, static_cast<std::uint32_t>(data.size()));
  std::memcpy(head + 4, type.data(), 4);
  auto crc = crc32_gzip_refl(0, head + 4, 4);
  crc = crc32_gzip_refl(crc, data.data(), data.size());
  put_be32(tail, crc);
  if (auto done = sink.put(std::as_bytes(std::span{head})); !done) return done;
  if (auto done = sink.put(std::as_bytes(data)); !done) return done;
  return sink.put(std::as_bytes(std::span{tail}));
}

std::vector<Byte> text_bytes(std::string_view text) { return {text.begin(), text.end()}; }

void append(std::vector<Byte>& to, const Blob& blob) {
  const auto* first = reinterpret_cast<const Byte*>(blob.data());
  to.insert(to.end(), first, first + blob.size());
}

/// Compresses the data of many calls into one zlib stream.
class Deflater {
 public:
  Deflater() {
    isal_deflate_init(&stream_);
    stream_.gzip_flag = IGZIP_ZLIB;
    stream_.level = kLevel;
    stream_.level_buf = level_buffer_.get();
    stream_.level_buf_size = kLevelBufferBytes;
    stream_.flush = NO_FLUSH;
  }
  /// Compresses all of `data`. Calls `write(span)` for each full output buffer, and for the rest if `last` is set.
  template <class Write>
  Status put(std::span<Byte> data, bool last, Write&& write) {
    stream_.next_in = data.data();
    stream_.avail_in = static_cast<std::uint32_t>(data.size());
    stream_.end_of_stream = last ? 1 : 0;
    for (;;) {
      stream_.next_out = out_.get() + filled_;
      stream_.avail_out = static_cast<std::uint32_t>(kOutputBytes - filled_);
      if (isal_deflate(&stream_) != COMP_OK) return Error{Errc::io, "deflate refused its input"};
      filled_ = kOutputBytes - stream_.avail_out;
      const bool ended = last && stream_.internal_state.state == ZSTATE_END;
      if (filled_ == kOutputBytes || (ended && filled_ > 0)) {
        if (auto done = write(std::span<const Byte>{out_.get(), filled_}); !done) return done;
        filled_ = 0;
      }
      if (ended || (!last && stream_.avail_in == 0 && stream_.avail_out != 0)) return ok();
    }
  }

 private:
  isal_zstream stream_;
  std::unique_ptr<Byte[]> level_buffer_ = std::make_unique_for_overwrite<Byte[]>(kLevelBufferBytes);
  std::unique_ptr<Byte[]> out_ = std::make_unique_for_overwrite<Byte[]>(kOutputBytes);
  std::size_t filled_ = 0;  // number of bytes in out_
};

std::vector<Byte> deflate_all(const Blob& blob) {
  Deflater deflater;
  std::vector<Byte> input, output;
  append(input, blob);
  // The result is not needed: the callback cannot fail, and igzip fails only with wrong settings.
  (void)!deflater.put(input, /*last=*/true, [&](std::span<const Byte> piece) {
    output.insert(output.end(), piece.begin(), piece.end());
    return ok();
  });
  return output;
}

Status put_header(const PictureInfo& picture, ByteSink& sink) {
  constexpr Byte kSignature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  if (auto done = sink.put(std::as_bytes(std::span{kSignature})); !done) return done;
  Byte header[13] = {};
  put_be32(header, static_cast<std::uint32_t>(picture.width));
  put_be32(header + 4, static_cast<std::uint32_t>(picture.height));
  header[8] = static_cast<Byte>(picture.bits);
  // colour type: 2 means colour, 4 means alpha
  header[9] = static_cast<Byte>((picture.colours == 3 ? 2 : 0) + (picture.alpha ? 4 : 0));
  return put_chunk(sink, "IHDR", header);
}

Status put_resolution(const Metadata& metadata, ByteSink& sink) {
  const auto per_metre = [](double per_mm) {
    constexpr double kMaxNumber = 2147483647;  // largest integer in PNG: 2^31 - 1
    return static_cast<std::uint32_t>(std::lround(std::clamp(per_mm * 1000, 1.0, kMaxNumber)));
  };
  Byte data[9] = {};
  put_be32(data, per_metre(metadata.dots_per_mm_x));
  put_be32(data + 4, per_metre(metadata.dots_per_mm_y));
  data[8] = 1;  // the unit: metre
  return put_chunk(sink, "pHYs", data);
}

Status put_profile(const Metadata& metadata, ByteSink& sink) {
  using namespace std::string_view_literals;
  auto data = text_bytes("icc\0\0"sv);  // name of the profile, terminating zero, compression method 0
  const auto compressed = deflate_all(metadata.icc);
  data.insert(data.end(), compressed.begin(), compressed.end());
  return put_chunk(sink, "iCCP", data);
}

// PNG stores gamma and chromaticities as integers, multiplied by 100,000.
std::vector<Byte> encode_fractions(std::span<const double> values) {
  std::vector<Byte> data(4 * values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    put_be32(data.data() + 4 * i,
             static_cast<std::uint32_t>(static_cast<std::int32_t>(std::lround(values[i] * 100000))));
  return data;
}

// A file should not have both an sRGB chunk and an ICC profile. If there is a profile, only the profile is written,
// because it is more precise.
Status put_colour(const Metadata& metadata, ByteSink& sink) {
  const ColourInfo& colour = metadata.colour;
  std::vector<std::pair<std::string_view, std::vector<Byte>>> chunks;
  if (colour.cicp) chunks.emplace_back("cICP", std::vector<Byte>(colour.cicp->begin(), colour.cicp->end()));
  if (!colour.mastering_display.empty())
    append(chunks.emplace_back("mDCV", std::vector<Byte>{}).second, colour.mastering_display);
  if (!colour.content_light_level.empty())
    append(chunks.emplace_back("cLLI", std::vector<Byte>{}).second, colour.content_light_level);
  if (colour.srgb_intent && metadata.icc.empty()) chunks.emplace_back("sRGB", std::vector<Byte>{*colour.srgb_intent});
  if (colour.gamma > 0) chunks.emplace_back("gAMA", encode_fractions(std::span{&colour.gamma, 1}));
  if (colour.primaries) chunks.emplace_back("cHRM", encode_fractions(*colour.primaries));
  for (const auto& [type, data] : chunks)
    if (auto done = put_chunk(sink, type, data); !done) return done;
  return ok();
}

// Writes a text from a chunk iTXt into such a chunk. Writes other texts into tEXt, or into iTXt if they have characters
// outside of Latin-1.
Status put_text(const TextEntry& text, ByteSink& sink) {
  auto data = text_bytes(text.key);
  data.push_back(0);
  const auto latin1 = text.is_international ? std::nullopt : utf8_to_latin1(text.value);
  const auto add = [&](std::string_view part) { data.insert(data.end(), part.begin(), part.end()); };
  if (latin1) {
    add(*latin1);
    return put_chunk(sink, "tEXt", data);
  }
  data.insert(data.end(), 2, 0);  // flag: not compressed; compression method 0
  add(text.language);
  data.push_back(0);
  add(text.translated_key);
  data.push_back(0);
  add(text.value);
  return put_chunk(sink, "iTXt", data);
}

Status put_metadata(const Metadata& metadata, ByteSink& sink, WriteReport& report) {
  using namespace std::string_view_literals;
  if (!metadata.colour.empty()) {
    if (auto done = put_colour(metadata, sink); !done) return done;
    report.kept.emplace_back("colour");
  }
  if (!metadata.icc.empty()) {
    if (auto done = put_profile(metadata, sink); !done) return done;
    report.kept.emplace_back("icc");
  }
  if (metadata.dots_per_mm_x > 0) {
    if (auto done = put_resolution(metadata, sink); !done) return done;
    report.kept.emplace_back("resolution");
  }
  if (!metadata.exif.empty()) {
    std::vector<Byte> data;
    append(data, metadata.exif);
    if (auto done = put_chunk(sink, "eXIf", data); !done) return done;
    report.kept.emplace_back("exif");
  }
  if (!metadata.xmp.empty()) {
    auto data = text_bytes("XML:com.adobe.xmp\0\0\0\0\0"sv);  // keyword, not compressed, no language
    append(data, metadata.xmp);
    if (auto done = put_chunk(sink, "iTXt", data); !done) return done;
    report.kept.emplace_back("xmp");
  }
  if (metadata.modified_time) {
    if (auto done = put_chunk(sink, "tIME", *metadata.modified_time); !done) return done;
    report.kept.emplace_back("time of change");
  }
  for (const TextEntry& text : metadata.texts)
    if (auto done = put_text(text, sink); !done) return done;
  if (!metadata.texts.empty()) report.kept.emplace_back("text");
  return ok();
}

// Converts a row of 16-bit samples to the byte order of PNG.
void to_big_endian(std::span<Byte> row) {
  if constexpr (std::endian::native == std::endian::big) return;
  for (std::size_t i = 0; i + 1 < row.size(); i += 2) std::swap(row[i], row[i + 1]);
}

Status put_rows(const PictureInfo& picture, RowSource& rows, ByteSink& sink) {
  const auto row_bytes = picture.row_bytes();
  const auto strip_rows = static_cast<int>(std::clamp<std::size_t>(kStripBytes / (row_bytes + 1), 1, 4096));
  const auto row = std::make_unique_for_overwrite<Byte[]>(row_bytes);
  const auto strip = std::make_unique_for_overwrite<Byte[]>((row_bytes + 1) * static_cast<std::size_t>(strip_rows));
  PngFilter filter{row_bytes, static_cast<std::size_t>(picture.channels() * picture.bits / 8)};
  Deflater deflater;
  const auto put_data = [&](std::span<const Byte> piece) { return put_chunk(sink, "IDAT", piece); };
  for (int y = 0; y < picture.height; y += strip_rows) {
    const int count = std::min(strip_rows, picture.height - y);
    for (int i = 0; i < count; ++i) {
      const std::span pixels{row.get(), row_bytes};
      if (auto got = rows.read(std::as_writable_bytes(pixels)); !got) return got;
      if (picture.bits == 16) to_big_endian(pixels);
      filter.apply(pixels, {strip.get() + static_cast<std::size_t>(i) * (row_bytes + 1), row_bytes + 1});
    }
    const std::span filtered{strip.get(), static_cast<std::size_t>(count) * (row_bytes + 1)};
    if (auto done = deflater.put(filtered, y + count == picture.height, put_data); !done) return done;
  }
  return ok();
}

}  // namespace

Status encode_png(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report) {
  if (auto done = put_header(job.picture, sink); !done) return done;
  if (auto done = put_metadata(*job.metadata, sink, report); !done) return done;
  if (auto done = put_rows(job.picture, rows, sink); !done) return done;
  if (auto done = put_chunk(sink, "IEND", {}); !done) return done;
  return sink.flush();
}

MediaNeed encode_png_need(const PictureInfo& picture, int /*quality*/) {
  // The sum of: the input row, the row above, a candidate row, the strip of filtered rows, the tables of deflate, the
  // output buffers of Deflater and ByteSink (at most kOutputBytes each), and a constant (docs/memory.md).
  const auto row = picture.row_bytes() + 1;
  return {Bytes{3 * row} + Bytes{std::max(kStripBytes, row)} + Bytes{kLevelBufferBytes + 2 * kOutputBytes} + 768_KiB,
          Bytes{}};
}

}  // namespace weir::media
