// The numbers here were measured with FFmpeg 5.1.9, x264 0.164, x265 3.5 and SVT-AV1 1.4.1; docs/memory.md says how and
// compares them with whole runs.
#include "media/film/codec_memory.hpp"

extern "C" {
#include <libavcodec/codec_desc.h>
}

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/round_up.hpp"
#include "base/system_cpus.hpp"

namespace weir::film {
namespace {

constexpr double kMiB = 1 << 20;

Bytes to_bytes(double bytes) { return Bytes{static_cast<std::uint64_t>(bytes)}; }

double pixels_of(const FrameFormat& frames) { return static_cast<double>(frames.width) * frames.height; }

/// Returns the pixels of a frame with borders, in which encoders search for motion.
double pixels_with_borders(const FrameFormat& frames, int across, int down) {
  return static_cast<double>(frames.width + across) * (frames.height + down);
}

/// Returns the samples of all planes, per pixel.
double samples_per_pixel(const FrameFormat& frames) {
  if (frames.colours == 1) return 1;
  const double chroma = static_cast<double>(frames.chroma_size().width) * frames.chroma_size().height;
  return 1 + 2 * chroma / pixels_of(frames);
}

/// Returns the number at the beginning of a text; nothing if there is none.
std::optional<int> number_in(std::string_view text) {
  int number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) return std::nullopt;
  return number;
}

/// Returns the last number that the user gives to one of these options, either as an option of FFmpeg or within a list
/// such as x264-params; nothing if there is none.
std::optional<int> option_of(const EncodeSettings& settings, std::initializer_list<std::string_view> names) {
  std::optional<int> found;
  const auto read = [&](std::string_view name, std::string_view value) {
    if (std::find(names.begin(), names.end(), name) == names.end()) return;
    if (const auto number = number_in(value)) found = number;
  };
  for (const auto& [name, value] : settings.options) {
    read(name, value);
    if (!name.ends_with("-params") && !name.ends_with("opts")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const std::string_view entry = rest.substr(0, rest.find(':'));
      if (const auto equals = entry.find('='); equals != std::string_view::npos)
        read(entry.substr(0, equals), entry.substr(equals + 1));
      rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
    }
  }
  return found;
}

bool has_option(const EncodeSettings& settings, std::string_view wanted) {
  return std::any_of(settings.options.begin(), settings.options.end(),
                     [&](const auto& option) { return option.first == wanted; });
}

/// What a preset of x264 or x265 looks ahead.
struct LookaheadPreset {
  std::string_view name;
  int lookahead = 0;      ///< frames
  int bidirectional = 0;  ///< largest number of B-frames in sequence
  int references = 0;
};

/// Returns the row of a preset; the last one, which takes the most, for an unknown name.
template <class Row, std::size_t count>
const Row& row_named(const Row (&rows)[count], std::string_view name) {
  const Row* row = std::find_if(std::begin(rows), std::end(rows), [&](const Row& each) { return each.name == name; });
  return row == std::end(rows) ? rows[count - 1] : *row;
}

constexpr LookaheadPreset kX264Presets[] = {{"ultrafast", 0, 0, 1}, {"superfast", 0, 3, 1}, {"veryfast", 10, 3, 1},
                                            {"faster", 20, 3, 2},   {"fast", 30, 3, 2},     {"medium", 40, 3, 3},
                                            {"slow", 50, 3, 5},     {"slower", 60, 3, 8},   {"veryslow", 60, 8, 16},
                                            {"placebo", 60, 16, 16}};

/// A frame that waits takes its planes, half of them again at half the size, and tables of motion. A reference frame,
/// and the one of each thread, has three more planes between its pixels.
double x264_memory(const FrameFormat& frames, const EncodeSettings& settings) {
  const LookaheadPreset& preset = row_named(kX264Presets, settings.preset.empty() ? "medium" : settings.preset);
  const bool is_tuned = has_option(settings, "tune");  // animation: twice the references, two more B-frames
  const int lookahead = option_of(settings, {"rc-lookahead", "rc_lookahead"}).value_or(preset.lookahead);
  const int bidirectional = option_of(settings, {"bf", "bframes"}).value_or(preset.bidirectional + (is_tuned ? 2 : 0));
  const int references = option_of(settings, {"refs", "ref"}).value_or(preset.references * (is_tuned ? 2 : 1));
  const int more_threads = std::max(option_of(settings, {"threads"}).value_or(1), settings.threads) - 1;
  double waiting = std::max(lookahead, bidirectional) + 1;
  // With threads the lookahead runs ahead of them by a group of B-frames.
  if (more_threads > 0 && waiting > 1)
    waiting += more_threads + std::max(option_of(settings, {"sync-lookahead"}).value_or(0), bidirectional + 1);
  const double pixels = pixels_with_borders(frames, 160, 96);
  const bool is_simple = waiting == 1 && references == 1;
  double per_pixel = is_simple ? 18.5 : 41.5 + 2.8 * waiting;
  per_pixel += 0.12 * std::max(bidirectional - 3, 0) * waiting + 5.7 * std::max(references - 4, 0);
  per_pixel += 5.7 * more_threads;
  if (frames.depth > 8) per_pixel *= 1.77;
  per_pixel *= samples_per_pixel(frames) > 2.5 ? 1.8 : samples_per_pixel(frames) > 1.5 ? 1.2 : 1;
  const double per_thread = std::min(3 * kMiB, 3 * pixels);  // tables of each thread
  return per_pixel * pixels + (is_simple ? 6 : 2) * kMiB + per_thread * more_threads;
}

/// A preset of x265: the memory in MiB, and in bytes per pixel.
struct X265Preset {
  std::string_view name;
  int lookahead = 0, bidirectional = 0, references = 0;
  double base_mib = 0, per_pixel = 0;
};
constexpr X265Preset kX265Presets[] = {{"ultrafast", 5, 3, 1, 3, 98},   {"superfast", 10, 3, 1, 5, 110},
                                       {"veryfast", 15, 4, 2, 15, 133}, {"faster", 15, 4, 2, 15, 133},
                                       {"fast", 15, 4, 3, 15, 136},     {"medium", 20, 4, 3, 18, 155},
                                       {"slow", 25, 4, 4, 19, 173},     {"slower", 40, 8, 5, 21, 280},
                                       {"veryslow", 40, 8, 5, 21, 280}, {"placebo", 60, 8, 5, 21, 360}};

double x265_memory(const FrameFormat& frames, const EncodeSettings& settings) {
  const X265Preset& preset = row_named(kX265Presets, settings.preset.empty() ? "medium" : settings.preset);
  const auto more_than = [&](std::initializer_list<std::string_view> names, int usual) {
    return std::max(option_of(settings, names).value_or(usual) - usual, 0);
  };
  double per_pixel = preset.per_pixel + 4 * more_than({"rc-lookahead"}, preset.lookahead) +
                     6 * more_than({"bframes"}, preset.bidirectional) + 6 * more_than({"ref"}, preset.references) +
                     30 * more_than({"frame-threads"}, 1);
  if (has_option(settings, "x265-params")) per_pixel += 12;  // options that are not read here
  const bool is_deep = frames.depth > 8;
  if (is_deep) per_pixel *= 1.68;
  per_pixel *= samples_per_pixel(frames) > 2.5 ? 1.5 : samples_per_pixel(frames) > 1.5 ? 1.16 : 1;
  return per_pixel * pixels_with_borders(frames, 192, 160) +
         ((is_deep ? 1.3 : 1) * preset.base_mib + (is_deep ? 3.4 : 2.2) * (settings.threads - 1)) * kMiB;
}

/// MiB, and MiB per million pixels.
struct Av1Share {
  double base = 0, per_megapixel = 0;
  double of(double megapixels) const { return base + per_megapixel * megapixels; }
};
/// The presets of SVT-AV1 from `first` on: the memory with one thread, and what 2 to 5 and 6 to 11 threads add.
struct Av1Preset {
  int first = 0;
  Av1Share single, few_threads, more_threads;
};
constexpr Av1Preset kAv1Presets[] = {{12, {28, 143}, {26, 77}, {99, 216}},  {9, {29, 165}, {30, 89}, {124, 227}},
                                     {7, {29, 171}, {30, 102}, {120, 258}}, {6, {32, 182}, {50, 96}, {207, 248}},
                                     {4, {41, 220}, {90, 120}, {405, 295}}, {0, {60, 300}, {160, 180}, {700, 450}}};

/// SVT-AV1 has pools of frames, whose sizes grow in steps with the threads, of which it starts no more than there are
/// processors.
double av1_memory(const FrameFormat& frames, const EncodeSettings& settings) {
  const int preset = number_in(settings.preset).value_or(settings.preset.empty() ? 8 : 0);
  const Av1Preset* row = std::find_if(std::begin(kAv1Presets), std::end(kAv1Presets) - 1,
                                      [&](const Av1Preset& each) { return preset >= each.first; });
  const double megapixels = pixels_of(frames) / 1e6;
  const bool is_deep = frames.depth > 8;
  const auto widened = [&](Av1Share share, double base, double per_megapixel) {
    return is_deep ? Av1Share{share.base * base, share.per_megapixel * per_megapixel} : share;
  };
  constexpr double kLargePictures = 5.46;  // megapixels from which one thread looks ahead less
  const int threads = std::min(settings.threads, online_cpus());
  Av1Share single = row->single;
  if (threads == 1 && megapixels >= kLargePictures) single.per_megapixel *= 0.68;
  double mib = widened(single, 1.3, megapixels >= kLargePictures ? 1.52 : 1.45).of(megapixels);
  if (threads > 1) {
    const double steps = threads >= 32 ? 2.3 : threads >= 12 ? 1.75 : threads == 2 ? 0.55 : 1;
    mib += steps * widened(threads < 6 ? row->few_threads : row->more_threads, 1.2, 1.8).of(megapixels);
  }
  if (has_option(settings, "svtav1-params")) mib *= 1.5;  // its options are not read here
  return 1.03 * mib * kMiB;
}

double ffv1_memory(const FrameFormat& frames) {
  // Most of it is the packet, of which each slice fills the beginning of its part.
  const double per_pixel = frames.depth > 8 ? 172 : 167;
  return per_pixel * pixels_of(frames) + 3 * kMiB;
}

/// Returns the largest number of frames that an HEVC decoder stores for pictures of this size (ITU-T H.265, A.4.2).
/// `level`: 30 times the number of the level.
int hevc_stored_frames(double pixels, int level) {
  constexpr std::pair<int, double> kLevels[] = {{30, 36864},  {60, 122880},   {63, 245760},   {90, 552960},
                                                {93, 983040}, {123, 2228224}, {156, 8912896}, {186, 35651584}};
  for (const auto& [highest, most] : kLevels) {
    if (level > highest || level <= 0) continue;
    return pixels <= most / 4 ? 16 : pixels <= most / 2 ? 12 : pixels <= most * 3 / 4 ? 8 : 6;
  }
  return 16;
}

/// The frames that a decoder holds at once, and the tables of a frame in bytes per pixel.
struct DecodedFrames {
  double count = 0;
  double tables = 0;
};

DecodedFrames frames_of(const DecoderTraits& stream, double pixels) {
  constexpr int kMostReferences = 16;
  switch (stream.codec) {
    case AV_CODEC_ID_H264: {
      const int references = stream.references > 0 ? stream.references : kMostReferences;
      return {std::max(references + std::max(stream.reordered, 1) + 1.5, 3.5), 0.5};
    }
    case AV_CODEC_ID_HEVC:
      return {(stream.references > 0 ? stream.references : hevc_stored_frames(pixels, stream.level)) + 2.0, 0.75};
    case AV_CODEC_ID_AV1:
      return {11, 0.1};
    case AV_CODEC_ID_VP9:
      return {10.5, 0.2};
    case AV_CODEC_ID_FFV1:
      return {2.5, 0};
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
      return {4.5, 0.1};
    default:
      break;
  }
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(stream.codec);
  const bool is_intra = descriptor != nullptr && (descriptor->props & AV_CODEC_PROP_INTRA_ONLY) != 0;
  return is_intra ? DecodedFrames{2.5, 0} : DecodedFrames{kMostReferences + 2, 0.5};
}

}  // namespace

Bytes encoder_memory(const FrameFormat& frames, const EncodeSettings& settings) {
  switch (settings.codec) {
    case VideoCodec::x264:
      return to_bytes(x264_memory(frames, settings));
    case VideoCodec::x265:
      return to_bytes(x265_memory(frames, settings));
    case VideoCodec::av1:
      return to_bytes(av1_memory(frames, settings));
    case VideoCodec::ffv1:
      return to_bytes(ffv1_memory(frames));
    case VideoCodec::raw:
    case VideoCodec::frames:
      break;
  }
  constexpr std::uint64_t kLargestPixel = 6, kFrames = 3;  // 16 bits; the frame, its packet and what waits
  const PlaneSize size = frames.padded_luma_size();
  return Bytes{kFrames * kLargestPixel * static_cast<std::uint64_t>(size.width) * size.height} + 8_MiB;
}

DecoderTraits result_traits(const EncodeSettings& settings) {
  const int asked = option_of(settings, {"refs", "ref"}).value_or(0);
  switch (settings.codec) {
    case VideoCodec::x264: {
      const LookaheadPreset& preset = row_named(kX264Presets, settings.preset.empty() ? "medium" : settings.preset);
      const int references = asked > 0 ? asked : preset.references * (has_option(settings, "tune") ? 2 : 1);
      const bool is_reordered =
          option_of(settings, {"bf", "bframes"}).value_or(has_option(settings, "tune") ? 2 : preset.bidirectional) > 0;
      return {.codec = AV_CODEC_ID_H264,
              .references = std::clamp(references, is_reordered ? 4 : 1, 16),
              .reordered = is_reordered ? 2 : 0};
    }
    case VideoCodec::x265: {
      const X265Preset& preset = row_named(kX265Presets, settings.preset.empty() ? "medium" : settings.preset);
      return {.codec = AV_CODEC_ID_HEVC, .references = std::clamp(std::max(asked, preset.references) + 1, 5, 16)};
    }
    case VideoCodec::av1:
      return {.codec = AV_CODEC_ID_AV1};
    case VideoCodec::raw:
    case VideoCodec::frames:
    case VideoCodec::ffv1:
      break;
  }
  return {.codec = AV_CODEC_ID_FFV1};
}

Bytes decoder_memory(const FrameFormat& frames, const DecoderTraits& stream) {
  constexpr double kReader = 3 * kMiB;  // the reader and its packets
  // Decoders store whole blocks of up to 128 x 128 pixels.
  constexpr int kBlock = 128;
  FrameFormat stored = frames;
  if (stream.codec == AV_CODEC_ID_AV1)
    stored = with_size(frames, round_up(frames.width, kBlock), round_up(frames.height, kBlock));
  const double pixels = pixels_of(stored);
  const DecodedFrames held = frames_of(stream, pixels_of(frames));
  const double frame = pixels * (samples_per_pixel(frames) * bytes_per_sample(frames.sample_type()) + held.tables);
  return to_bytes(kReader + held.count * frame);
}

}  // namespace weir::film
