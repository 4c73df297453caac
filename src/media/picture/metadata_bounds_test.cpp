// Tests that the size of metadata is limited before it is held in memory, in every format.
#include <gtest/gtest.h>
#include <isa-l.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "folder.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media {
namespace {

using test::draw_rows;
using test::load;
using test::make_picture_info;
using test::options_for;
using test::read_test_file;
using test::Samples;
using test::save;
using test::write_test_file;
using weir::test::Folder;

constexpr std::size_t kSegment = 65533;
constexpr std::uint64_t kMaxGrowthKib = 24 << 10;  // memory that the metadata of a picture may take, copies included

std::uint64_t peak_kib() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::stoull(line.substr(6));
  return 0;
}

void forget_peak() { std::ofstream{"/proc/self/clear_refs"} << "5"; }

std::uint64_t growth_of_opening(const std::filesystem::path& path) {
  forget_peak();
  const auto before = peak_kib();
  auto reader = PictureReader::open({.path = path, .bytes = nullptr});
  EXPECT_TRUE(reader || reader.error().code != Errc::corrupt) << reader.error().what;
  return peak_kib() - before;
}

Samples small_picture(Folder& folder, Format format) {
  const auto picture = make_picture_info(24, 16, 3, false, 8);
  const auto path = folder / ("small." + std::string{name_of(format)});
  EXPECT_TRUE(save(path, options_for(format, picture), draw_rows(picture)));
  return read_test_file(path);
}

/// Makes a JPEG file with `count` segments of full length after its first marker; `start` is the start of their
/// content.
void put_jpeg_with_segments(Folder& folder, int marker, int count, std::string_view start) {
  const auto small = small_picture(folder, Format::jpg);
  std::ofstream file{folder / "big.jpg", std::ios::binary};
  file.write(reinterpret_cast<const char*>(small.data()), 2);
  std::string segment{static_cast<char>(0xff), static_cast<char>(marker), static_cast<char>(0xff),
                      static_cast<char>(0xff)};
  segment += start;
  segment.resize(4 + kSegment, 'x');
  for (int i = 0; i < count; ++i) file << segment;
  file.write(reinterpret_cast<const char*>(small.data()) + 2, static_cast<std::streamsize>(small.size() - 2));
}

TEST(MetadataBounds, SegmentsOfJpegAreCountedBeforeTheyAreSaved) {
  using namespace std::string_view_literals;
  for (const int marker : {0xe1, 0xe2, 0xe3, 0xfe}) {
    Folder folder;
    put_jpeg_with_segments(folder, marker, 1000, marker == 0xe1 ? "Exif\0\0"sv : "ICC_PROFILE\0\1\1"sv);
    EXPECT_LT(growth_of_opening(folder / "big.jpg"), kMaxGrowthKib) << marker;
    EXPECT_TRUE(load(folder / "big.jpg")) << marker;
  }
}

TEST(MetadataBounds, AProfileInManySegmentsIsJoined) {
  Folder folder;
  auto metadata = test::make_metadata(false);
  metadata->icc.resize(200000, std::byte{7});
  const auto picture = make_picture_info(24, 16, 3, false, 8);
  ASSERT_TRUE(save(folder / "a.jpg", options_for(Format::jpg, picture, metadata), draw_rows(picture)));
  const auto loaded = load(folder / "a.jpg");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->metadata->icc, metadata->icc);
}

std::uint32_t crc_of(const Samples& bytes) {
  return crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

void put_big_endian(Samples& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift));
}

/// Makes a zlib stream of `count` zeros.
Samples deflated_zeros(std::size_t count) {
  std::vector<std::uint8_t> zeros(count), out(count / 100 + 65536);
  isal_zstream stream{};
  isal_deflate_stateless_init(&stream);
  stream.gzip_flag = IGZIP_ZLIB;
  stream.next_in = zeros.data();
  stream.avail_in = static_cast<std::uint32_t>(count);
  stream.next_out = out.data();
  stream.avail_out = static_cast<std::uint32_t>(out.size());
  stream.end_of_stream = 1;
  EXPECT_EQ(isal_deflate_stateless(&stream), COMP_OK);
  const auto* first = reinterpret_cast<const std::byte*>(out.data());
  return Samples(first, first + stream.total_out);
}

void put_png_with_chunk(Folder& folder, std::string_view type, std::string_view start, const Samples& body) {
  const auto small = small_picture(folder, Format::png);
  Samples chunk;
  for (const char c : type) chunk.push_back(static_cast<std::byte>(c));
  for (const char c : start) chunk.push_back(static_cast<std::byte>(c));
  chunk.insert(chunk.end(), body.begin(), body.end());
  Samples out(small.begin(), small.begin() + 33);
  put_big_endian(out, static_cast<std::uint32_t>(chunk.size() - 4));
  out.insert(out.end(), chunk.begin(), chunk.end());
  put_big_endian(out, crc_of(chunk));
  out.insert(out.end(), small.begin() + 33, small.end());
  write_test_file(folder / "big.png", out);
}

TEST(MetadataBounds, ChunksOfPngThatInflateAreStopped) {
  using namespace std::string_view_literals;
  const auto bomb = deflated_zeros(std::size_t{200} << 20);
  ASSERT_LT(bomb.size(), std::size_t{2} << 20);
  for (const auto& [type, start] :
       {std::pair{"iCCP"sv, "p\0\0"sv}, std::pair{"zTXt"sv, "k\0\0"sv}, std::pair{"iTXt"sv, "k\0\1\0\0\0"sv}}) {
    Folder folder;
    put_png_with_chunk(folder, type, start, bomb);
    EXPECT_LT(growth_of_opening(folder / "big.png"), kMaxGrowthKib) << type;
  }
}

void put_little_endian(Samples& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::byte>(value >> shift));
}

/// Makes a lossless WebP file with one more chunk, before the picture or after it.
Samples webp_with_chunk(Folder& folder, std::string_view type, const Samples& body, int flags, bool before) {
  const auto small = small_picture(folder, Format::webp);
  const std::string_view type_of_pixels = "VP8L";
  const auto pixels_at = std::search(small.begin(), small.end(), type_of_pixels.begin(), type_of_pixels.end(),
                                     [](std::byte a, char b) { return a == static_cast<std::byte>(b); });
  // Without the chunk EXIF that libvips adds behind the pixels. A chunk is its type, its size, and data of even size.
  std::uint32_t size = 0;
  std::memcpy(&size, &*pixels_at + 4, sizeof size);
  const Samples pixels(pixels_at, pixels_at + 8 + size + size % 2);
  Samples chunk;
  for (const char c : type) chunk.push_back(static_cast<std::byte>(c));
  put_little_endian(chunk, static_cast<std::uint32_t>(body.size()));
  chunk.insert(chunk.end(), body.begin(), body.end());
  Samples out;
  for (const char c : std::string_view{"RIFF"}) out.push_back(static_cast<std::byte>(c));
  put_little_endian(out, static_cast<std::uint32_t>(4 + 18 + chunk.size() + pixels.size()));
  for (const char c : std::string_view{"WEBPVP8X"}) out.push_back(static_cast<std::byte>(c));
  put_little_endian(out, 10);
  put_little_endian(out, static_cast<std::uint32_t>(flags));
  for (const int value : {23, 0, 0, 15, 0, 0}) out.push_back(static_cast<std::byte>(value));  // width - 1, height - 1
  if (before) out.insert(out.end(), chunk.begin(), chunk.end());
  out.insert(out.end(), pixels.begin(), pixels.end());
  if (!before) out.insert(out.end(), chunk.begin(), chunk.end());
  return out;
}

TEST(MetadataBounds, BlocksThatLibvipsReadsAreReportedAboveTheLimit) {
  struct Case {
    std::string_view type, name;
    int flag;  // of the chunk VP8X: the file has this chunk
  };
  for (const Case& each : {Case{"ICCP", "icc", 0x20}, Case{"EXIF", "exif", 0x08}, Case{"XMP ", "xmp", 0x04}}) {
    Folder folder;
    const Samples body((std::size_t{4} << 20) + 2, std::byte{'x'});
    write_test_file(folder / "big.webp", webp_with_chunk(folder, each.type, body, each.flag, each.type == "ICCP"));
    const auto loaded = load(folder / "big.webp");
    ASSERT_TRUE(loaded) << each.name << ": " << loaded.error().what;
    EXPECT_EQ(loaded->metadata->omissions,
              (std::vector<std::string>{std::string{each.name} + " (takes more than 4 MiB)"}));
  }
}

TEST(MetadataBounds, AnExifBlockWithoutAHeaderIsReported) {
  Folder folder;
  write_test_file(folder / "a.webp", webp_with_chunk(folder, "EXIF", Samples(64, std::byte{'x'}), 0x08, false));
  const auto loaded = load(folder / "a.webp");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->metadata->omissions, (std::vector<std::string>{"exif (damaged)"}));
}

/// Makes the sub-blocks of a GIF extension with `size` bytes of data.
std::string gif_blocks(std::size_t size) {
  std::string out;
  for (std::size_t done = 0; done < size; done += 255) out += '\xff' + std::string(255, 'x');
  return out + '\0';
}

TEST(MetadataBounds, BlocksOfGifAreKeptWholeOrReported) {
  struct Case {
    std::string head, name;
  };
  const auto gif = test::animated_gif(24, 18);
  constexpr std::ptrdiff_t kHead = 13 + 6;  // the header and two colours
  for (const Case& each : {Case{"\x21\xff\x0bXMP DataXMP", "xmp"}, Case{"\x21\xff\x0bICCRGBG1012", "icc"},
                           Case{"\x21\xfe", "text Comment"}}) {
    const std::string block = each.head + gif_blocks((std::size_t{4} << 20) + 300);
    Samples out(gif.begin(), gif.begin() + kHead);
    for (const char c : block) out.push_back(static_cast<std::byte>(c));
    out.insert(out.end(), gif.begin() + kHead, gif.end());
    Folder folder;
    write_test_file(folder / "a.gif", out);
    const auto loaded = load(folder / "a.gif");
    ASSERT_TRUE(loaded) << loaded.error().what;
    const Metadata& found = *loaded->metadata;
    EXPECT_TRUE(found.xmp.empty() && found.icc.empty() && found.texts.empty()) << each.name << ": kept in part";
    EXPECT_TRUE(std::any_of(found.omissions.begin(), found.omissions.end(), [&](const std::string& entry) {
      return entry.starts_with(each.name + " (");
    })) << each.name;
  }
}

TEST(MetadataBounds, AFileAboveTheMemoryLimitIsRefusedUnread) {
  for (const Format format : {Format::webp, Format::avif, Format::jxl}) {
    Folder folder;
    auto bytes = small_picture(folder, format);
    bytes.resize(std::size_t{40} << 20);
    write_test_file(folder / "big", bytes);
    bytes = {};
    forget_peak();
    const auto before = peak_kib();
    ReadOptions options;
    options.memory_limit = 64_MiB;
    auto reader = PictureReader::open({.path = folder / "big", .bytes = nullptr}, options);
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().code, Errc::over_budget);
    EXPECT_NE(reader.error().what.find("64 MiB"), std::string::npos) << reader.error().what;
    EXPECT_LT(peak_kib() - before, 4096U);
  }
}

// Makes the body of a box "brob" (ISO/IEC 18181-2): the type of another box and its body as a Brotli stream, here with
// uncompressed blocks (RFC 7932, 9.2).
Samples brotli_box(const std::string& body) {
  Samples out;
  for (const char c : std::string_view{"xml "}) out.push_back(static_cast<std::byte>(c));
  for (std::size_t at = 0; at < body.size(); at += 65536) {
    const auto run = std::min<std::size_t>(65536, body.size() - at);
    // The size of the window takes one more bit before the first block.
    const auto head = at == 0 ? (run - 1) << 4 | 1U << 20 : (run - 1) << 3 | 1U << 19;
    for (int i = 0; i < 3; ++i) out.push_back(static_cast<std::byte>(head >> (8 * i)));
    for (std::size_t i = 0; i < run; ++i) out.push_back(static_cast<std::byte>(body[at + i]));
  }
  out.push_back(std::byte{3});
  return out;
}

/// Makes a JPEG XL file that is a container with one more box before the picture.
void put_jxl_with_box(Folder& folder, std::string_view type, std::span<const std::byte> box) {
  using namespace std::string_view_literals;
  const auto codestream = small_picture(folder, Format::jxl);
  const auto text = [](Samples& out, std::string_view words) {
    for (const char c : words) out.push_back(static_cast<std::byte>(c));
  };
  ASSERT_EQ(codestream[0], std::byte{0xff});  // a bare codestream
  Samples out;
  text(out,
       "\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14"
       "ftypjxl \0\0\0\0jxl "sv);
  put_big_endian(out, static_cast<std::uint32_t>(box.size() + 8));
  text(out, type);
  out.insert(out.end(), box.begin(), box.end());
  text(out, "\0\0\0\0jxlc"sv);
  out.insert(out.end(), codestream.begin(), codestream.end());
  write_test_file(folder / "a.jxl", out);
}

void put_jxl_with_packet(Folder& folder, const std::string& packet) {
  put_jxl_with_box(folder, "brob", brotli_box(packet));
}

TEST(JxlMetadata, OmittedBoxesAreReported) {
  for (const auto& [type, omission] :
       {std::pair{"jumb", "C2PA or other JUMBF data (not carried)"}, std::pair{"abcd", "box abcd (not carried)"}}) {
    Folder folder;
    put_jxl_with_box(folder, type, std::vector<std::byte>(40, std::byte{7}));
    const auto loaded = load(folder / "a.jxl");
    ASSERT_TRUE(loaded) << loaded.error().what;
    EXPECT_EQ(loaded->metadata->omissions, std::vector<std::string>{omission});
  }
}

TEST(JxlMetadata, AnExifBoxWithoutATiffHeaderIsReported) {
  Folder folder;
  put_jxl_with_box(folder, "Exif", std::vector<std::byte>(40, std::byte{7}));
  const auto loaded = load(folder / "a.jxl");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_TRUE(loaded->metadata->exif.empty());
  EXPECT_EQ(loaded->metadata->omissions, std::vector<std::string>{"exif (damaged)"});
}

TEST(JxlMetadata, CompressedBoxesAreRead) {
  Folder folder;
  put_jxl_with_packet(folder, "<x:xmpmeta>fox</x:xmpmeta>");
  const auto loaded = load(folder / "a.jxl");
  ASSERT_TRUE(loaded) << loaded.error().what;
  const std::string_view found{reinterpret_cast<const char*>(loaded->metadata->xmp.data()),
                               loaded->metadata->xmp.size()};
  EXPECT_EQ(found, "<x:xmpmeta>fox</x:xmpmeta>");
}

TEST(JxlMetadata, ALargeBoxIsSkippedAboveTheLimit) {
  Folder folder, other;
  put_jxl_with_packet(folder, std::string(300000, 'x'));
  auto loaded = load(folder / "a.jxl");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->metadata->xmp.size(), 300000U);
  put_jxl_with_packet(other, std::string(kMaxMetadataBytes + 1, 'x'));
  loaded = load(other / "a.jxl");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_TRUE(loaded->metadata->xmp.empty());
  EXPECT_EQ(loaded->metadata->omissions, std::vector<std::string>{"xmp (takes more than 4 MiB)"});
}

}  // namespace
}  // namespace weir::media
