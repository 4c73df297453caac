#include "media/picture.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "media/picture_samples_test.hpp"

namespace weir::media {
namespace {

using namespace test;

struct Case {
  Format format;
  int colours;
  bool alpha;
  int bits;
  int tolerance;  // of a sample, in the units of `bits`
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << name_of(c.format) << " " << c.colours << (c.alpha ? "+alpha " : " ") << c.bits << " bits";
}

class RoundTrip : public ::testing::TestWithParam<Case> {};

TEST_P(RoundTrip, KeepsFormSamplesAndMetadata) {
  const auto& c = GetParam();
  TemporaryFolder folder;
  const auto path = folder / (std::string{"picture."} + std::string{name_of(c.format)});
  const auto picture = form(83, 61, c.colours, c.alpha, c.bits);
  const auto rows = draw(picture);
  const auto metadata = make_metadata(c.colours == 1);
  const auto report = save(path, options_for(c.format, picture, metadata), rows);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->size.count(), std::filesystem::file_size(path));
  EXPECT_EQ(folder.entries(), 1U);
  const auto loaded = load(path);
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->info.width, picture.width);
  EXPECT_EQ(loaded->info.height, picture.height);
  EXPECT_EQ(loaded->info.colours, picture.colours);
  EXPECT_EQ(loaded->info.alpha, picture.alpha);
  EXPECT_EQ(loaded->info.bits, picture.bits);
  EXPECT_EQ(loaded->info.format, c.format);
  EXPECT_LE(largest_difference(picture, rows, loaded->rows), c.tolerance);
  const auto has = [&](const char* what) {
    for (const auto& kept : report->kept)
      if (kept == what) return true;
    return false;
  };
  // What the report calls kept is there.
  if (has("icc")) { EXPECT_TRUE(loaded->metadata->icc == metadata->icc); }
  if (has("xmp")) { EXPECT_TRUE(loaded->metadata->xmp == metadata->xmp); }
  if (has("exif")) {
    const std::string exif{reinterpret_cast<const char*>(loaded->metadata->exif.data()), loaded->metadata->exif.size()};
    EXPECT_NE(exif.find("weir"), std::string::npos);
  }
  if (has("resolution")) { EXPECT_NEAR(loaded->metadata->dots_per_mm_x, 300 / 25.4, 0.01); }
  EXPECT_EQ(report->kept.size() + report->lost.size(), 4U + (c.alpha ? 1 : 0) + (c.bits == 16 ? 1 : 0));
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundTrip,
                         ::testing::Values(Case{Format::png, 3, false, 8, 0}, Case{Format::png, 3, true, 8, 0},
                                           Case{Format::png, 1, false, 8, 0}, Case{Format::png, 1, true, 8, 0},
                                           Case{Format::png, 3, false, 16, 0}, Case{Format::png, 3, true, 16, 0},
                                           Case{Format::png, 1, false, 16, 0}, Case{Format::png, 1, true, 16, 0},
                                           Case{Format::jpg, 3, false, 8, 24}, Case{Format::jpg, 1, false, 8, 24},
                                           Case{Format::webp, 3, false, 8, 0}, Case{Format::webp, 3, true, 8, 0},
                                           Case{Format::tiff, 3, false, 8, 0}, Case{Format::tiff, 3, true, 8, 0},
                                           Case{Format::tiff, 1, false, 8, 0}, Case{Format::tiff, 1, true, 8, 0},
                                           Case{Format::tiff, 3, false, 16, 0}, Case{Format::tiff, 1, false, 16, 0},
                                           Case{Format::avif, 3, false, 8, 24}, Case{Format::avif, 3, true, 8, 24},
                                           Case{Format::avif, 3, false, 16, 6000}, Case{Format::jxl, 3, false, 8, 0},
                                           Case{Format::jxl, 3, true, 8, 0}, Case{Format::jxl, 1, false, 8, 0},
                                           Case{Format::jxl, 3, false, 16, 0}));

}  // namespace
}  // namespace weir::media
