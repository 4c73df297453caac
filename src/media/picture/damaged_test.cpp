// Tests of files that are truncated anywhere or have wrong bits: readable rows are exact, the other rows are reported,
// and every pass over the file yields the same rows.

#include <gtest/gtest.h>
#include <isa-l/crc.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "folder.hpp"
#include "media/picture/decoder.hpp"
#include "media/picture/fill_damaged_rows.hpp"
#include "media/picture/picture_format.hpp"
#include "media/picture/picture_samples_test.hpp"
#include "places.hpp"

namespace weir::media::test {
namespace {

using weir::test::Folder;

Result<DecoderPtr> open_bytes(const Samples& bytes, DamagePolicy damaged) {
  auto file = InputFile::open({.path = "memory", .bytes = std::make_shared<const Samples>(bytes)});
  if (!file) return file.error();
  const auto* format = sniff_format(bytes);
  if (format == nullptr) return Error{Errc::corrupt, "no picture"};
  const ReadOptions options{.spill_folder = {}, .damaged = damaged};
  auto decoder = format->open(*file, options);
  if (!decoder || damaged == DamagePolicy::refuse) return decoder;
  return fill_damaged_rows(*std::move(decoder), **file);
}

/// The result of reading a file.
struct Read {
  PictureInfo info;
  Samples rows;
  std::vector<Damage> damage;
  bool is_reported(int row) const {
    return std::any_of(damage.begin(), damage.end(), [&](const Damage& each) {
      return row >= each.first_row && row < each.first_row + each.row_count;
    });
  }
};

/// Reads the file twice, once row by row and once in pieces.
Result<Read> read_bytes(const Samples& bytes, DamagePolicy damaged) {
  auto decoder = open_bytes(bytes, damaged);
  if (!decoder) return decoder.error();
  Read read{(*decoder)->info(), {}, {}};
  const auto row_bytes = read.info.row_bytes();
  const auto pass = [&](int at_once) -> Result<Samples> {
    Samples rows(row_bytes * static_cast<std::size_t>(read.info.height));
    for (int y = 0; y < read.info.height; y += at_once) {
      const auto count = static_cast<std::size_t>(std::min(at_once, read.info.height - y));
      const std::span part{rows.data() + static_cast<std::size_t>(y) * row_bytes, count * row_bytes};
      if (auto got = (*decoder)->read(part); !got) return got.error();
    }
    return rows;
  };
  auto first = pass(1);
  read.damage = (*decoder)->damage();
  if (!first) return first.error();
  if (auto again = (*decoder)->restart(); !again) return again.error();
  const auto second = pass(7);
  EXPECT_TRUE(second && *second == *first) << "another pass gave other rows";
  EXPECT_EQ((*decoder)->damage().size(), read.damage.size());
  (*decoder)->release_thread_resources();
  read.rows = *std::move(first);
  return read;
}

std::string texts(const Read& read) {
  std::string all;
  for (const Damage& each : read.damage) all += to_text(each, read.info.height, 1) + "; ";
  return all;
}

/// Checks that all rows without reported damage equal those of the intact file. The damaged file may have an alpha
/// channel that the intact file lacks.
void expect_kept(const Read& read, const Read& whole, const std::string& what) {
  ASSERT_EQ(read.info.width, whole.info.width) << what;
  ASSERT_EQ(read.info.height, whole.info.height) << what;
  const auto channels = static_cast<std::size_t>(whole.info.channels());
  const auto bytes = static_cast<std::size_t>(whole.info.bits / 8);
  for (int y = 0; y < whole.info.height; ++y) {
    if (read.is_reported(y)) continue;
    const auto* is = read.rows.data() + static_cast<std::size_t>(y) * read.info.row_bytes();
    const auto* was = whole.rows.data() + static_cast<std::size_t>(y) * whole.info.row_bytes();
    bool equal = true;
    for (int x = 0; x < whole.info.width && equal; ++x, was += channels * bytes)
      equal = std::memcmp(is + static_cast<std::size_t>(x * read.info.channels()) * bytes, was, channels * bytes) == 0;
    EXPECT_TRUE(equal) << what << ": row " << y
                       << " differs from the intact file and is not reported; reported: " << texts(read);
    if (!equal) return;
  }
}

std::uint32_t big_endian(const Samples& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
  return value;
}

Samples chunk(std::string_view type, std::span<const std::byte> body) {
  Samples made;
  const auto put = [&](std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) made.push_back(static_cast<std::byte>(value >> shift));
  };
  put(static_cast<std::uint32_t>(body.size()));
  for (const char c : type) made.push_back(static_cast<std::byte>(c));
  made.insert(made.end(), body.begin(), body.end());
  put(crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(made.data()) + 4, made.size() - 4));
  return made;
}

/// Returns the PNG file with its pixel data split into chunks of `size` bytes. `change` can change each of these
/// chunks.
Samples rechunked(const Samples& png, std::size_t size, const std::function<void(Samples&, int number)>& change = {}) {
  Samples made(png.begin(), png.begin() + 8);
  Samples pixels;
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::size_t length = big_endian(png, at);
    const std::string_view type{reinterpret_cast<const char*>(png.data()) + at + 4, 4};
    const auto body = std::span{png}.subspan(at + 8, length);
    if (type == "IDAT") {
      pixels.insert(pixels.end(), body.begin(), body.end());
    } else {
      int number = 0;
      for (std::size_t i = 0; type == "IEND" && i < pixels.size(); i += size, ++number) {
        auto part = chunk("IDAT", std::span{pixels}.subspan(i, std::min(size, pixels.size() - i)));
        if (change) change(part, number);
        made.insert(made.end(), part.begin(), part.end());
      }
      const auto other = std::span{png}.subspan(at, length + 12);
      made.insert(made.end(), other.begin(), other.end());
    }
    at += length + 12;
  }
  return made;
}

struct File {
  std::string name;
  Samples bytes;
};

Samples saved(const Folder& folder, Format format, const PictureInfo& picture, int quality = -1) {
  auto options = options_for(format, picture);
  options.overwrite = true;
  options.quality = quality;
  const auto written = save(folder / "file", options, draw_rows(picture));
  EXPECT_TRUE(written) << written.error().what;
  return read_test_file(folder / "file");
}

/// Makes an uncompressed TIFF file with strips of eight rows after the directory. Source: TIFF 6.0, sections 2 and 6.
Samples tiff_with_directory_first(const PictureInfo& picture) {
  constexpr int kStripRows = 8;
  const auto rows = draw_rows(picture);
  const int strips = (picture.height + kStripRows - 1) / kStripRows;
  Samples made;
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) made.push_back(static_cast<std::byte>(value >> (8 * i)));
  };
  constexpr std::uint32_t kEntries = 10;
  const std::uint32_t bits_at = 8 + 2 + kEntries * 12 + 4;
  const std::uint32_t offsets_at = bits_at + 6;
  const auto counts_at = offsets_at + static_cast<std::uint32_t>(strips) * 4;
  const auto pixels_at = counts_at + static_cast<std::uint32_t>(strips) * 4;
  const auto strip_bytes = static_cast<std::uint32_t>(picture.row_bytes()) * kStripRows;
  for (const char c : {'I', 'I', '*', '\0'}) made.push_back(static_cast<std::byte>(c));
  put(8, 4);
  put(kEntries, 2);
  const auto entry = [&](std::uint32_t tag, std::uint32_t type, int count, std::uint32_t value) {
    put(tag, 2);
    put(type, 2);
    put(static_cast<std::uint32_t>(count), 4);
    put(value, 4);
  };
  entry(256, 3, 1, static_cast<std::uint32_t>(picture.width));
  entry(257, 3, 1, static_cast<std::uint32_t>(picture.height));
  entry(258, 3, 3, bits_at);
  entry(259, 3, 1, 1);  // no compression
  entry(262, 3, 1, 2);  // RGB
  entry(273, 4, strips, offsets_at);
  entry(277, 3, 1, 3);
  entry(278, 3, 1, kStripRows);
  entry(279, 4, strips, counts_at);
  entry(284, 3, 1, 1);  // interleaved
  put(0, 4);
  for (int i = 0; i < 3; ++i) put(8, 2);
  for (int i = 0; i < strips; ++i) put(pixels_at + static_cast<std::uint32_t>(i) * strip_bytes, 4);
  for (int i = 0; i < strips; ++i)
    put(std::min(strip_bytes, static_cast<std::uint32_t>(rows.size()) - static_cast<std::uint32_t>(i) * strip_bytes),
        4);
  made.insert(made.end(), rows.begin(), rows.end());
  return made;
}

std::vector<File> drawn_files(const Folder& folder) {
  const auto rgb = make_picture_info(61, 47, 3, false, 8);
  std::vector<File> files{{"png", saved(folder, Format::png, rgb)},
                          {"png of 16 bits", saved(folder, Format::png, make_picture_info(61, 47, 3, true, 16))},
                          {"grey png", saved(folder, Format::png, make_picture_info(61, 47, 1, false, 8))},
                          {"palette png", palette_png(61, 47, 4)},
                          {"interlaced png", interlaced_png(rgb, draw_rows(rgb))},
                          {"jpg", saved(folder, Format::jpg, rgb, 90)},
                          {"progressive jpg", progressive_jpeg(rgb, draw_rows(rgb))},
                          {"grey jpg", saved(folder, Format::jpg, make_picture_info(61, 47, 1, false, 8), 90)},
                          {"cmyk jpg", cmyk_jpeg(61, 47)},
                          {"bmp", bitmap(31, 23, 24, false)},
                          {"bmp from the top", bitmap(31, 23, 32, true)},
                          {"palette bmp", bitmap(31, 23, 8, false)},
                          {"gif", animated_gif(31, 17)},
                          {"tiff", tiff_with_directory_first(rgb)},
                          {"webp", saved(folder, Format::webp, rgb)},
                          {"jxl", saved(folder, Format::jxl, rgb)},
                          {"avif", saved(folder, Format::avif, rgb)}};
  files.push_back({"png of many chunks", rechunked(files[0].bytes, 60)});
  return files;
}

/// Returns about `count` different byte offsets in a file of `size` bytes. They include the last bytes.
std::vector<std::size_t> sample_offsets(std::size_t size, std::size_t count) {
  std::vector<std::size_t> all;
  for (std::size_t at = 1; at < size; at += std::max<std::size_t>(1, size / count)) all.push_back(at);
  for (std::size_t less = 1; less <= 24 && less < size; ++less) all.push_back(size - less);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// For each format and each place of the cut: the rows without reported damage are exact; damage is reported if and only
// if DamagePolicy::refuse refuses the file; and the rest of the file is used at all.
TEST(Damaged, AFileCutAnywhere) {
  Folder folder;
  for (const File& file : drawn_files(folder)) {
    const auto whole = read_bytes(file.bytes, DamagePolicy::refuse);
    ASSERT_TRUE(whole) << file.name << ": " << whole.error().what;
    int used = 0;
    for (const std::size_t size : sample_offsets(file.bytes.size(), 60)) {
      const Samples cut(file.bytes.begin(), file.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const std::string what =
          file.name + " cut to " + std::to_string(size) + " of " + std::to_string(file.bytes.size());
      const auto strict = read_bytes(cut, DamagePolicy::refuse);
      const auto read = read_bytes(cut, DamagePolicy::use);
      if (!read) {
        EXPECT_FALSE(strict) << what
                             << ": refused, although it is good enough without the option: " << read.error().what;
        EXPECT_NE(read.error().code, Errc::io) << what;
        continue;
      }
      ++used;
      EXPECT_EQ(static_cast<bool>(strict), read->damage.empty()) << what << ": reported " << texts(*read);
      if (strict) {
        EXPECT_EQ(strict->rows, read->rows) << what;
      }
      for (const Damage& each : read->damage) {
        EXPECT_GE(each.row_count, 1) << what;
        EXPECT_LE(each.first_row + each.row_count, whole->info.height) << what;
        EXPECT_FALSE(each.reason.empty()) << what;
      }
      expect_kept(*read, *whole, what);
    }
    // The libraries of these formats return no rows of truncated files.
    const bool all_or_nothing = file.name == "webp" || file.name == "jxl" || file.name == "avif";
    // the picture has only one colour, so most of the file is its header
    if (!all_or_nothing && file.name != "cmyk jpg") {
      EXPECT_GT(used, 8) << file.name;
    }
  }
}

// As above, with a changed bit. Most formats cannot detect it, so the rows are compared only for a format with
// checksums.
TEST(Damaged, AWrongBitAnywhere) {
  Folder folder;
  for (const File& file : drawn_files(folder)) {
    const auto whole = read_bytes(file.bytes, DamagePolicy::refuse);
    ASSERT_TRUE(whole) << file.name;
    int bit = 0;
    for (const std::size_t at : sample_offsets(file.bytes.size(), 60)) {
      Samples wrong = file.bytes;
      wrong[at] ^= static_cast<std::byte>(1 << (bit++ % 8));
      const std::string what = file.name + " with a wrong bit in byte " + std::to_string(at);
      const auto strict = read_bytes(wrong, DamagePolicy::refuse);
      const auto read = read_bytes(wrong, DamagePolicy::use);
      if (!read) {
        EXPECT_FALSE(strict) << what;
        continue;
      }
      EXPECT_EQ(static_cast<bool>(strict), read->damage.empty()) << what << ": reported " << texts(*read);
      if (strict) {
        EXPECT_EQ(strict->rows, read->rows) << what;
      }
      // With a single chunk all data has a checksum. (The header's checksum may hide another format of the picture.)
      const bool same_form = read->info.width == whole->info.width && read->info.height == whole->info.height &&
                             read->info.channels() == whole->info.channels() && read->info.bits == whole->info.bits;
      if (file.name == "png" && same_form) expect_kept(*read, *whole, what);
    }
  }
}

TEST(Damaged, BytesAfterAnIntactPictureAreNoDamage) {
  Folder folder;
  for (File& file : drawn_files(folder)) {
    if (file.name == "avif") continue;  // its last box ends with the file
    for (const char c : std::string_view{"something behind the end of the picture"})
      file.bytes.push_back(static_cast<std::byte>(c));
    const auto read = read_bytes(file.bytes, DamagePolicy::use);
    ASSERT_TRUE(read) << file.name << ": " << read.error().what;
    EXPECT_TRUE(read->damage.empty()) << file.name << ": " << texts(*read);
  }
}

class DamagedPng : public ::testing::Test {
 protected:
  DamagedPng() : picture_{make_picture_info(61, 47, 3, false, 8)}, bytes_{saved(folder_, Format::png, picture_)} {}
  /// Checks that DamagePolicy::refuse refuses the file and that DamagePolicy::use yields all rows unchanged (only with
  /// `all_rows_intact`). Returns the texts of the reported damage.
  std::string damage_of(const Samples& bytes, bool all_rows_intact = true) const {
    const auto strict = read_bytes(bytes, DamagePolicy::refuse);
    EXPECT_FALSE(strict);
    const auto read = read_bytes(bytes, DamagePolicy::use);
    EXPECT_TRUE(read) << read.error().what;
    if (!read) return {};
    if (all_rows_intact) {
      EXPECT_EQ(read->rows, draw_rows(picture_));
    }
    return texts(*read);
  }
  Folder folder_;
  PictureInfo picture_;
  Samples bytes_;
};

TEST_F(DamagedPng, WithAWrongChecksumOfAllPixels) {
  const auto wrong = rechunked(bytes_, 1 << 30, [](Samples& part, int) {
    part[part.size() - 5] ^= std::byte{1};  // the last byte of Adler-32
    part = chunk("IDAT", std::span{part}.subspan(8, part.size() - 12));
  });
  EXPECT_EQ(damage_of(wrong), "all 47 rows may be wrong: the checksum of all pixels is wrong; ");
}

TEST_F(DamagedPng, WithAWrongChecksumOfAChunkOfPixels) {
  const auto wrong = rechunked(bytes_, 60, [](Samples& part, int number) {
    if (number == 3) part.back() ^= std::byte{1};
  });
  const auto text = damage_of(wrong);
  EXPECT_NE(text.find("rows may be wrong: the checksum of the pixel data is wrong; "), std::string::npos) << text;
  EXPECT_EQ(text.find("all 47"), std::string::npos) << text << ": the rows before that chunk are right";
}

TEST_F(DamagedPng, WithBytesBetweenItsChunks) {
  const auto wrong = rechunked(bytes_, 60, [](Samples& part, int number) {
    if (number == 3) part.insert(part.end(), 17, std::byte{0x55});
  });
  EXPECT_NE(damage_of(wrong).find("bytes between its chunks"), std::string::npos);
}

TEST_F(DamagedPng, WithAWrongTypeOrLengthOfAChunk) {
  for (const std::size_t byte : {0U, 2U, 3U, 4U, 6U}) {
    const auto wrong = rechunked(bytes_, 60, [&](Samples& part, int number) {
      if (number == 3) part[byte] ^= std::byte{4};
    });
    EXPECT_FALSE(damage_of(wrong).empty()) << byte;
  }
}

TEST_F(DamagedPng, IsIntactWithoutItsEndMarker) {
  bytes_.erase(bytes_.end() - 12, bytes_.end());
  for (const DamagePolicy damaged : {DamagePolicy::use, DamagePolicy::refuse}) {
    const auto read = read_bytes(bytes_, damaged);
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->rows, draw_rows(picture_));
    EXPECT_TRUE(read->damage.empty());
  }
}

TEST(DamagedReader, TheSharedCases) {
  const std::filesystem::path cases = std::filesystem::path{places::source()} / "../shared/cases/pictures";
  if (!std::filesystem::exists(cases / "plain.png")) GTEST_SKIP() << "no ../shared/cases/pictures beside the project";
  const auto plain = read_bytes(read_test_file(cases / "plain.png"), DamagePolicy::refuse);
  ASSERT_TRUE(plain);
  const auto adler = read_bytes(read_test_file(cases / "wrong_adler.png"), DamagePolicy::use);
  ASSERT_TRUE(adler) << adler.error().what;
  EXPECT_EQ(adler->rows, plain->rows);
  EXPECT_EQ(adler->damage.size(), 1u);
  const auto cut = read_bytes(read_test_file(cases / "last_20_bytes_missing.jpg"), DamagePolicy::use);
  ASSERT_TRUE(cut) << cut.error().what;
  ASSERT_EQ(cut->damage.size(), 1u);
  EXPECT_EQ(cut->damage[0].kind, Damage::Kind::filled);
  EXPECT_GE(cut->damage[0].first_row, 48);
}

}  // namespace
}  // namespace weir::media::test
