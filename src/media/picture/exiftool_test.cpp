// An independent check: all metadata that ExifTool finds in an input but not in its output must be listed in
// WriteReport::lost, or in WriteReport::kept if its form changed. The test covers all samples and output formats.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "folder.hpp"
#include "media/picture/metadata_samples_test.hpp"
#include "media/picture/picture.hpp"

namespace weir::media {
namespace {

using test::load;
using test::metadata_samples;
using test::MetadataSample;
using test::options_for;
using test::save;
using test::write_test_file;
using weir::test::Folder;
using Json = nlohmann::json;

std::string output_of(const std::string& command) {
  // NOLINTNEXTLINE(cert-env33-c): the command contains only text of this test
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{::popen(command.c_str(), "r"), ::pclose};
  std::string all;
  std::array<char, 4096> piece{};
  while (pipe != nullptr)
    if (const auto got = std::fread(piece.data(), 1, piece.size(), pipe.get()); got > 0)
      all.append(piece.data(), got);
    else
      break;
  return all;
}

/// Group and name of the tags of a file.
using Tags = std::set<std::pair<std::string, std::string>>;

/// Returns the tags of all files in a folder; the key is the file name.
std::map<std::string, Tags> tags_of_all(const Folder& folder) {
  const auto text = output_of("exiftool -json -G1 -a -u -q -q '" + folder.path().native() + "' 2>/dev/null");
  std::map<std::string, Tags> found;
  for (const Json& file : Json::parse(text)) {
    Tags& tags = found[std::filesystem::path{file.at("SourceFile").get<std::string>()}.filename().native()];
    for (const auto& [key, value] : file.items())
      if (const auto colon = key.find(':'); colon != std::string::npos)
        tags.emplace(key.substr(0, colon), key.substr(colon + 1));
  }
  return found;
}

/// Returns whether a tag describes the file itself or the layout of its samples.
bool is_of_the_file(const std::string& group, const std::string& tag) {
  static const std::set<std::string> kGroups{"System", "File", "Composite", "ExifTool", "JFIF", "RIFF", "Adobe"};
  static const std::set<std::string> kTags{
      "ImageWidth", "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter", "Interlace", "BitsPerSample",
      "PhotometricInterpretation", "StripOffsets", "SamplesPerPixel", "RowsPerStrip", "StripByteCounts",
      "PlanarConfiguration", "Predictor", "SampleFormat", "Orientation", "ResolutionUnit", "XResolution", "YResolution",
      "PixelUnits", "PixelsPerUnitX", "PixelsPerUnitY", "SubfileType", "ExtraSamples", "TileWidth", "TileLength",
      // the canvas of a GIF file
      "GIFVersion", "HasColorMap", "ColorResolutionDepth", "BitsPerPixel", "BackgroundColor", "TransparentColor"};
  return kGroups.contains(group) || (kTags.contains(tag) && !(group == "PNG" && tag == "BackgroundColor"));
}

/// Returns the words that a WriteReport can use for such a tag; the report must contain one of them.
std::vector<std::string> words_for(const std::string& group, const std::string& tag) {
  static const std::set<std::string> kColour{"Gamma",
                                             "SRGBRendering",
                                             "WhitePointX",
                                             "WhitePointY",
                                             "RedX",
                                             "RedY",
                                             "GreenX",
                                             "GreenY",
                                             "BlueX",
                                             "BlueY",
                                             "Color",
                                             "Primaries",
                                             "TransferCharacteristics"};
  if (group == "PNG-cICP" || (group.starts_with("PNG") && kColour.contains(tag))) return {"colour"};
  if (group.starts_with("ICC")) return {"icc", "colour"};
  if (group.starts_with("XMP")) return {"xmp"};
  if (group == "IPTC") return {"iptc"};
  if (group == "Photoshop") return {"iptc", "Photoshop"};
  if (group.starts_with("MPF") || group.starts_with("MPImage")) return {"pictures", "picture"};
  if (group == "JUMBF" || group.starts_with("JUMBF")) return {"C2PA"};
  if (group.starts_with("IFD") || group == "ExifIFD" || group == "GPS" || group == "InteropIFD")
    return {"exif", "pages"};
  if (group == "PNG" && tag == "ModifyDate") return {"time of change"};
  if (group.starts_with("PNG")) return {"text", "frames", "background", "chunk", "C2PA"};
  if (group == "GIF") return {"frames", "text"};
  return {};
}

bool is_reported(const WriteReport& report, const std::vector<std::string>& words) {
  const auto has_word = [&](const std::vector<std::string>& entries, const std::string& word) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const auto& entry) { return entry.find(word) != std::string::npos; });
  };
  return std::any_of(words.begin(), words.end(), [&](const auto& word) {
    return has_word(report.lost, word) || (word == "colour" && has_word(report.kept, word));
  });
}

bool has_name(const Tags& tags, const std::string& name) {
  return std::any_of(tags.begin(), tags.end(), [&](const auto& tag) { return tag.second == name; });
}

TEST(ExifTool, FindsNoUnreportedLoss) {
  if (output_of("exiftool -ver 2>/dev/null").empty()) GTEST_SKIP() << "no exiftool here";
  const Folder folder;
  const auto samples = metadata_samples();
  std::map<std::string, std::pair<std::string, WriteReport>> outputs;  // key: file name
  for (const MetadataSample& sample : samples) {
    write_test_file(folder / sample.name, sample.bytes);
    const auto in = load(folder / sample.name);
    ASSERT_TRUE(in) << sample.name << ": " << in.error().what;
    for (const Format format : {Format::png, Format::jpg, Format::webp, Format::avif, Format::jxl, Format::tiff}) {
      const std::string name = "out_" + sample.name + "." + std::string{name_of(format)};
      auto report = save(folder / name, options_for(format, in->info, in->metadata), in->rows);
      ASSERT_TRUE(report) << name << ": " << report.error().what;
      outputs.emplace(name, std::pair{sample.name, *std::move(report)});
    }
  }
  const auto seen = tags_of_all(folder);
  ASSERT_EQ(seen.size(), samples.size() + outputs.size());
  for (const auto& [name, origin] : outputs) {
    const auto& [input, report] = origin;
    for (const auto& [group, tag] : seen.at(input)) {
      if (is_of_the_file(group, tag) || has_name(seen.at(name), tag)) continue;
      EXPECT_TRUE(is_reported(report, words_for(group, tag))) << name << " has no " << group << ":" << tag;
    }
  }
}

}  // namespace
}  // namespace weir::media
