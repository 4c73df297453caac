// Tests that all data of an input that is missing in its output is listed in WriteReport::lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "folder.hpp"
#include "media/picture/container_metadata.hpp"
#include "media/picture/icc_profile.hpp"
#include "media/picture/metadata_samples_test.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/text_codec.hpp"

namespace weir::media {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using test::draw_rows;
using test::load;
using test::LoadedPicture;
using test::metadata_samples;
using test::MetadataSample;
using test::options_for;
using test::read_test_file;
using test::Samples;
using test::save;
using test::write_test_file;
using weir::test::Folder;

std::string joined(const std::vector<std::string>& entries) {
  std::string all;
  for (const auto& entry : entries) all += entry + "; ";
  return all;
}

/// Reads the sample and writes it in another format.
struct Copied {
  LoadedPicture in, out;
  WriteReport report;
};
Copied copy(const Folder& folder, const MetadataSample& sample, Format format) {
  Copied copied;
  write_test_file(folder / sample.name, sample.bytes);
  auto in = load(folder / sample.name);
  EXPECT_TRUE(in) << sample.name << ": " << in.error().what;
  if (!in) return copied;
  copied.in = *std::move(in);
  const auto out = folder / ("out." + std::string{name_of(format)});
  auto options = options_for(format, copied.in.info, copied.in.metadata);
  options.overwrite = true;
  auto report = save(out, options, copied.in.rows);
  EXPECT_TRUE(report) << sample.name << ": " << report.error().what;
  if (!report) return copied;
  copied.report = *std::move(report);
  auto read = load(out);
  EXPECT_TRUE(read) << sample.name << ": " << read.error().what;
  if (read) copied.out = *std::move(read);
  return copied;
}

MetadataSample sample_of(std::string_view name) {
  for (MetadataSample& sample : metadata_samples())
    if (sample.name == name) return std::move(sample);
  ADD_FAILURE() << "no sample " << name;
  return {};
}

bool has_entry_with(const std::vector<std::string>& entries, std::string_view word) {
  return joined(entries).find(word) != std::string::npos;
}

TEST(Losses, EveryPngOutputReportsWhatPngCannotStore) {
  const Folder folder;
  for (const MetadataSample& sample : metadata_samples()) {
    const auto copied = copy(folder, sample, Format::png);
    const auto& lost = copied.report.lost;
    if (sample.expected_loss.empty())
      EXPECT_TRUE(lost.empty()) << sample.name << ": " << joined(lost);
    else
      EXPECT_TRUE(has_entry_with(lost, sample.expected_loss)) << sample.name << ": " << joined(lost);
  }
}

TEST(Losses, EveryEntryIsOneShortLineWithAReason) {
  const Folder folder;
  for (const MetadataSample& sample : metadata_samples())
    for (const Format format : {Format::jpg, Format::webp, Format::tiff}) {
      const auto copied = copy(folder, sample, format);
      for (const auto& entry : copied.report.lost) {
        EXPECT_NE(entry.find(" ("), std::string::npos) << entry;
        EXPECT_EQ(entry.back(), ')') << entry;
        EXPECT_LT(entry.size(), 200U) << entry;
      }
    }
}

TEST(Losses, AChunkThatTheEndOfAPngTruncatesIsReported) {
  const Folder folder;
  auto bytes = test::png_with_chunks({}, test::png_chunk("tEXt", "Title\0A fox"sv));
  bytes.resize(bytes.size() - 12 - 6);  // without IEND, the checksum of the text and its last letters
  write_test_file(folder / "a.png", bytes);
  const auto loaded = load(folder / "a.png");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_TRUE(loaded->metadata->texts.empty());
  EXPECT_EQ(joined(loaded->metadata->omissions), "text (damaged); ");
}

TEST(Losses, PngTextsAreKeptInPngAndReportedElsewhere) {
  const Folder folder;
  const auto kept = copy(folder, sample_of("text.png"), Format::png);
  EXPECT_EQ(kept.in.metadata->texts.size(), 2U);
  EXPECT_EQ(kept.out.metadata->texts, kept.in.metadata->texts);
  const auto lost = copy(folder, sample_of("text.png"), Format::jpg);
  EXPECT_TRUE(has_entry_with(lost.report.lost, "text parameters")) << joined(lost.report.lost);
  EXPECT_TRUE(has_entry_with(lost.report.lost, "text Title")) << joined(lost.report.lost);
}

TEST(Losses, TextsOfAnyLanguageStayTheSame) {
  const Folder folder;
  auto metadata = std::make_shared<Metadata>();
  metadata->texts = {
      {.key = "parameters", .value = "tEXt in Latin-1: \xc3\xa4"},
      {.key = "prompt", .value = "\xe7\x8b\x90", .is_international = true},
      {.key = "Title", .value = "Fuchs", .is_international = true, .language = "de", .translated_key = "Titel"}};
  const auto picture = test::make_picture_info(8, 8, 3, false, 8);
  ASSERT_TRUE(save(folder / "a.png", options_for(Format::png, picture, metadata), draw_rows(picture)));
  EXPECT_EQ(load(folder / "a.png")->metadata->texts, metadata->texts);
}

TEST(Losses, ExifAfterThePixelsSetsTheOrientation) {
  const Folder folder;
  for (const char* name : {"exif_behind.png", "raw_exif.png", "exif.jpg"}) {
    const auto copied = copy(folder, sample_of(name), Format::png);
    EXPECT_EQ(copied.in.info.width, 18) << name;
    EXPECT_EQ(copied.in.info.height, 24) << name;
    EXPECT_EQ(copied.out.metadata->exif, copied.in.metadata->exif) << name;
    EXPECT_EQ(read_exif_orientation(copied.out.metadata->exif), 1) << name;
    EXPECT_FALSE(copied.out.metadata->exif.empty()) << name;
  }
}

TEST(Losses, CommentsAndIptcOfJpegStayInJpeg) {
  const Folder folder;
  const auto comment = copy(folder, sample_of("comment.jpg"), Format::jpg);
  EXPECT_TRUE(comment.report.lost.empty()) << joined(comment.report.lost);
  ASSERT_EQ(comment.out.metadata->texts.size(), 1U);
  EXPECT_EQ(comment.out.metadata->texts[0].value, "drawn by hand");
  for (const Format format : {Format::jpg, Format::tiff}) {
    const auto iptc = copy(folder, sample_of("iptc.jpg"), format);
    EXPECT_TRUE(iptc.report.lost.empty()) << joined(iptc.report.lost);
    EXPECT_EQ(iptc.out.metadata->iptc, test::iptc_records()) << name_of(format);
  }
}

TEST(Losses, XmpStaysInEveryFormat) {
  const Folder folder;
  auto metadata = std::make_shared<Metadata>();
  constexpr std::string_view kPacket = "<x:xmpmeta xmlns:x='adobe:ns:meta/'>fox</x:xmpmeta>";
  const auto packet = std::as_bytes(std::span{kPacket});
  metadata->xmp.assign(packet.begin(), packet.end());
  for (const Format format : {Format::png, Format::jpg, Format::webp, Format::avif, Format::jxl, Format::tiff}) {
    const auto path = folder / name_of(format);
    const PictureInfo picture{.width = 24, .height = 18};
    ASSERT_TRUE(save(path, options_for(format, picture, metadata), draw_rows(picture))) << name_of(format);
    const auto loaded = load(path);
    ASSERT_TRUE(loaded) << loaded.error().what;
    const auto& xmp = loaded->metadata->xmp;
    const std::string_view text{reinterpret_cast<const char*>(xmp.data()), xmp.size()};
    EXPECT_NE(text.find("fox"), std::string_view::npos) << name_of(format);
  }
}

TEST(Losses, TiffTagsAreKeptInTiffAndBecomeExifElsewhere) {
  const Folder folder;
  for (const Format format : {Format::tiff, Format::jpg, Format::png}) {
    const auto copied = copy(folder, sample_of("tags.tif"), format);
    EXPECT_FALSE(has_entry_with(copied.report.lost, "exif")) << joined(copied.report.lost);
    const auto& exif = copied.out.metadata->exif;
    const std::string_view text{reinterpret_cast<const char*>(exif.data()), exif.size()};
    EXPECT_NE(text.find("Abc"), std::string_view::npos) << name_of(format);
  }
}

TEST(Losses, ColourStaysInPngAndBecomesAProfileElsewhere) {
  const Folder folder;
  for (const char* name : {"gama.png", "chrm.png", "hdr.png", "srgb.png"}) {
    const auto copied = copy(folder, sample_of(name), Format::png);
    EXPECT_EQ(copied.out.metadata->colour.gamma, copied.in.metadata->colour.gamma) << name;
    EXPECT_EQ(copied.out.metadata->colour.primaries, copied.in.metadata->colour.primaries) << name;
    EXPECT_EQ(copied.out.metadata->colour.cicp, copied.in.metadata->colour.cicp) << name;
    EXPECT_EQ(copied.out.metadata->colour.srgb_intent, copied.in.metadata->colour.srgb_intent) << name;
  }
  for (const char* name : {"gama.png", "chrm.png"})
    for (const Format format : {Format::jpg, Format::webp, Format::tiff}) {
      const auto copied = copy(folder, sample_of(name), format);
      EXPECT_TRUE(copied.report.lost.empty()) << name << ": " << joined(copied.report.lost);
      EXPECT_TRUE(profile_matches(copied.out.metadata->icc, 3)) << name;
    }
  EXPECT_TRUE(copy(folder, sample_of("srgb.png"), Format::jpg).out.metadata->icc.empty());
  const auto hdr = copy(folder, sample_of("hdr.png"), Format::jpg);
  EXPECT_TRUE(has_entry_with(hdr.report.lost, "PQ of BT.2020")) << joined(hdr.report.lost);
}

TEST(Losses, AreLimitedInNumber) {
  const Folder folder;
  Samples chunks;
  for (char a = 'a'; a <= 'z'; ++a)
    for (const auto b : test::png_chunk(std::string{'q', 'x', 'X'} + a, "body")) chunks.push_back(b);
  const auto copied = copy(folder, {"many.png", test::png_with_chunks(chunks), ""}, Format::png);
  EXPECT_EQ(copied.report.lost.size(), kMaxOmissions + 1);
  EXPECT_EQ(copied.report.lost.back(), "and 10 more (not named)");
}

TEST(Losses, TooMuchTextIsReported) {
  const Folder folder;
  Samples chunks;
  for (int i = 0; i < 3; ++i) {
    const std::string text = "key" + std::to_string(i) + '\0' + std::string(kMaxTextBytes / 2 - 64, 'x');
    for (const auto b : test::png_chunk("tEXt", text)) chunks.push_back(b);
  }
  const auto copied = copy(folder, {"long.png", test::png_with_chunks(chunks), ""}, Format::png);
  EXPECT_EQ(copied.out.metadata->texts.size(), 2U);
  EXPECT_TRUE(has_entry_with(copied.report.lost, "text key2")) << joined(copied.report.lost);
}

// --- Files of other formats: only their structure, without pixels.

std::string number(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}
std::string box(std::string_view type, std::string_view body) {
  return number(static_cast<std::uint32_t>(body.size() + 8), 4) + std::string{type} + std::string{body};
}
std::string item(int id, std::string_view type) {
  return box("infe", "\2\0\0\0"s + number(static_cast<std::uint32_t>(id), 2) + "\0\0"s + std::string{type} + "\0"s);
}
std::string reference(std::string_view type, int from, int to) {
  return box(type,
             number(static_cast<std::uint32_t>(from), 2) + number(1, 2) + number(static_cast<std::uint32_t>(to), 2));
}

Metadata read_heif(std::string_view file) {
  const auto bytes = std::as_bytes(std::span{file});
  const auto opened =
      InputFile::open({.path = "-", .bytes = std::make_shared<const Samples>(bytes.begin(), bytes.end())});
  Metadata found;
  read_heif_boxes(**opened, found);
  return found;
}

TEST(Losses, PicturesMapsAndColourOfHeif) {
  const std::string items =
      box("iinf", number(0, 4) + number(7, 2) + item(1, "grid") + item(2, "hvc1") + item(3, "hvc1") + item(4, "hvc1") +
                      item(5, "hvc1") + item(6, "hvc1") + item(7, "Exif"));
  const std::string references = box("iref", number(0, 4) + reference("dimg", 1, 2) + reference("thmb", 3, 1) +
                                                 reference("auxl", 4, 1) + reference("auxl", 5, 1));
  const std::string properties =
      box("iprp", box("ipco", box("colr", "nclx" + number(12, 2) + number(16, 2) + number(6, 2) + "\x80") +
                                  box("auxC", number(0, 4) + "urn:mpeg:hevc:2015:auxid:2\0"s) +
                                  box("auxC", number(0, 4) + "urn:com:apple:photo:2020:aux:hdrgainmap\0"s)) +
                      box("ipma", number(0, 4) + number(3, 4) + number(1, 2) + "\1\1" + number(4, 2) + "\1\2" +
                                      number(5, 2) + "\1\3"));
  const std::string meta =
      box("meta", number(0, 4) + box("pitm", number(0, 4) + number(1, 2)) + items + references + properties);
  const Metadata found = read_heif(box("ftyp", "heicxxxxheic") + meta + box("mdat", "samples"));
  const std::string lost = joined(found.omissions);
  for (const char* word : {"pictures (the main one of 2)", "thumbnail", "depth map", "gain map"})
    EXPECT_NE(lost.find(word), std::string::npos) << word << " in " << lost;
  EXPECT_EQ(found.omissions.size(), 4U) << lost;
  ASSERT_TRUE(found.colour.cicp);
  EXPECT_EQ(*found.colour.cicp, (std::array<std::uint8_t, 4>{12, 16, 0, 1}));
}

/// Makes a HEIF file with an XMP packet in two extents. `second_length` is the declared length of the second extent,
/// which has four bytes.
std::string heif_with_xmp(std::uint32_t second_length) {
  const auto file_with = [&](std::uint32_t data_offset) {
    // iloc of version 0: offsets and lengths of 4 bytes, no base; one item with two extents
    const std::string locations =
        box("iloc", number(0, 4) + number(0x4400, 2) + number(1, 2) + number(1, 2) + number(0, 2) + number(2, 2) +
                        number(data_offset, 4) + number(5, 4) + number(data_offset + 5, 4) + number(second_length, 4));
    const std::string item = box("infe", "\2\0\0\0"s + number(1, 2) + "\0\0mime\0application/rdf+xml\0"s);
    const std::string meta = box("meta", number(0, 4) + box("iinf", number(0, 4) + number(1, 2) + item) + locations);
    return box("ftyp", "heicxxxxheic") + meta;
  };
  const auto data_offset = static_cast<std::uint32_t>(file_with(0).size() + 8);
  return file_with(data_offset) + box("mdat", "<xmp>rest");
}

TEST(Losses, AnXmpPacketOfHeifIsKeptWholeOrNotAtAll) {
  const Metadata whole = read_heif(heif_with_xmp(4));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(whole.xmp.data()), whole.xmp.size()), "<xmp>rest");
  EXPECT_TRUE(whole.omissions.empty()) << joined(whole.omissions);
  for (const std::uint32_t length : {5U, 5U << 20}) {  // beyond the end of the file; above 4 MiB
    const Metadata part = read_heif(heif_with_xmp(length));
    EXPECT_TRUE(part.xmp.empty()) << length << ": a part of the packet was kept";
    EXPECT_TRUE(has_entry_with(part.omissions, "xmp")) << length;
  }
}

TEST(Losses, FramesOfASequence) {
  const std::string sizes = box("stsz", number(0, 4) + number(0, 4) + number(48, 4));
  const std::string movie = box("moov", box("trak", box("mdia", box("minf", box("stbl", sizes)))));
  const Metadata found = read_heif(box("ftyp", "avisxxxxavis") + movie);
  EXPECT_EQ(joined(found.omissions), "frames (the first of 48); ");
}

TEST(Losses, ABoxThatClaimsToBeLongerThanTheFileEndsTheSearch) {
  const Metadata found = read_heif(box("ftyp", "avifxxxxavif") + number(0xfffffff0, 4) + "meta" + number(0, 4));
  EXPECT_TRUE(found.omissions.empty()) << joined(found.omissions);
}

// --- Colour.

TEST(ColourProfile, SrgbNeedsNoProfile) {
  EXPECT_TRUE(is_srgb({.gamma = 0.45455}));
  EXPECT_TRUE(is_srgb({.srgb_intent = 0}));
  EXPECT_TRUE(is_srgb({.cicp = std::array<std::uint8_t, 4>{1, 13, 0, 1}}));
  EXPECT_FALSE(is_srgb({.gamma = 1}));
  EXPECT_FALSE(is_srgb({.cicp = std::array<std::uint8_t, 4>{9, 13, 0, 1}}));
  EXPECT_FALSE(is_srgb({.cicp = std::array<std::uint8_t, 4>{9, 16, 0, 1}}));
}

// Expects the columns of sRGB under D50 that the sRGB profile of the ICC has.
TEST(ColourProfile, HasTheColumnsOfTheStandard) {
  const Blob icc = make_icc_profile({.srgb_intent = 0}, false);
  const auto at = [&](std::string_view tag) {
    for (std::size_t entry = 132; entry < 132 + 9 * 12; entry += 12)
      if (std::memcmp(icc.data() + entry, tag.data(), 4) == 0) {
        std::size_t offset = 0;
        for (std::size_t i = 4; i < 8; ++i) offset = offset << 8 | std::to_integer<std::size_t>(icc[entry + i]);
        return offset;
      }
    return std::size_t{0};
  };
  const auto value = [&](std::string_view tag, std::size_t i) {
    std::uint32_t sum = 0;
    for (std::size_t k = 0; k < 4; ++k) sum = sum << 8 | std::to_integer<std::uint32_t>(icc[at(tag) + 8 + 4 * i + k]);
    return static_cast<std::int32_t>(sum) / 65536.0;
  };
  constexpr double kColumns[3][3]{{0.4361, 0.2225, 0.0139}, {0.3851, 0.7169, 0.0971}, {0.1431, 0.0606, 0.7141}};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_NEAR(value(std::array{"rXYZ", "gXYZ", "bXYZ"}[c], i), kColumns[c][i], 0.0005);
}

TEST(ColourProfile, InvalidNumbersGiveNoProfile) {
  EXPECT_TRUE(make_icc_profile({.cicp = std::array<std::uint8_t, 4>{9, 16, 0, 1}}, false).empty());
  EXPECT_TRUE(make_icc_profile({.cicp = std::array<std::uint8_t, 4>{200, 13, 0, 1}}, false).empty());
  EXPECT_TRUE(make_icc_profile({.gamma = 0.5, .primaries = std::array<double, 8>{}}, false).empty());
  EXPECT_TRUE(make_icc_profile({.gamma = 1e-9}, true).empty());
}

// --- Texts.

TEST(TextCodec, DamagedRawProfilesAreRejected) {
  EXPECT_FALSE(decode_raw_profile(""));
  EXPECT_FALSE(decode_raw_profile("\nexif\n"));
  EXPECT_FALSE(decode_raw_profile("\nexif\n      99999999999999999999\nab"));
  EXPECT_FALSE(decode_raw_profile("\nexif\n      8\nabcd"));
  EXPECT_EQ(decode_raw_profile("\nexif\n      2\nab\ncd\n"), (Blob{std::byte{0xab}, std::byte{0xcd}}));
}

TEST(TextCodec, TruncatedResourcesEndTheSearch) {
  const std::string whole = test::photoshop_iptc().substr(14);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::vector<int> other;
    const auto bytes = std::as_bytes(std::span{whole.data(), size});
    EXPECT_LE(extract_iptc(bytes, other).size(), size);
  }
}

}  // namespace
}  // namespace weir::media
