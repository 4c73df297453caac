#include "media/film/encoder_check.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "media/film/codec_table.hpp"
#include "media/film/frame_encoder.hpp"

namespace weir::film {
namespace {

constexpr std::array<std::string_view, 10> kPresets{"ultrafast", "superfast", "veryfast", "faster",   "fast",
                                                    "medium",    "slow",      "slower",   "veryslow", "placebo"};
constexpr int kFastestAv1Preset = 13;
constexpr int kWorstCrf = 51;     // of x264 and x265
constexpr int kWorstAv1Crf = 63;  // of SVT-AV1

/// An encoder that is opened and given up.
class TrialEncoder final : public FrameEncoder {
 public:
  Status open(const EncodeSettings& settings) {
    SegmentFormat format;
    format.frames.width = 128;
    format.frames.height = 96;
    format.frames.pixel_format = AV_PIX_FMT_YUV420P;
    format.time_base = {1, 25};
    format.frame_rate = {25, 1};
    return open_encoder(format, settings);
  }

 private:
  Status take(AVPacket& /*packet*/) override { return ok(); }
};

Error wrong(std::string what) { return {Errc::invalid_argument, std::move(what)}; }

Status check_crf(const EncodeSettings& settings, const CodecRow& row) {
  if (!settings.crf) return ok();
  if (*row.crf_option == '\0') return wrong(fmt::format("{} has no crf: it loses nothing", row.name));
  const int worst = settings.codec == VideoCodec::av1 ? kWorstAv1Crf : kWorstCrf;
  if (*settings.crf <= worst) return ok();
  return wrong(fmt::format("{} takes a crf from 0 to {}, not {}", row.name, worst, *settings.crf));
}

Status check_preset(const EncodeSettings& settings, const CodecRow& row) {
  const std::string& preset = settings.preset;
  if (preset.empty()) return ok();
  if (*row.default_preset == '\0') return wrong(fmt::format("{} has no presets", row.name));
  if (settings.codec == VideoCodec::av1) {
    if (parse_integer(preset, 0, kFastestAv1Preset)) return ok();
    return wrong(
        fmt::format("{} takes a preset from 0 to {}, not '{}'", row.name, kFastestAv1Preset, printable(preset)));
  }
  if (std::find(kPresets.begin(), kPresets.end(), preset) != kPresets.end()) return ok();
  return wrong(fmt::format("{} has no preset '{}'; it has {}", row.name, printable(preset), fmt::join(kPresets, ", ")));
}

}  // namespace

Status check_encoder(const EncodeSettings& settings) {
  const CodecRow& row = row_of(settings.codec);
  if (auto checked = check_crf(settings, row); !checked) return checked;
  if (auto checked = check_preset(settings, row); !checked) return checked;
  // SVT-AV1 writes to standard error otherwise, also in the worker processes, which inherit the variable.
  if (settings.codec == VideoCodec::av1) setenv("SVT_LOG", "0", /*overwrite=*/0);
  return TrialEncoder{}.open(settings);
}

}  // namespace weir::film
