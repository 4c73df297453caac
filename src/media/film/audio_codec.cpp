#include "media/film/audio_codec.hpp"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/samplefmt.h>
}

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::film {
namespace {

/// What the encoders of sound differ in.
struct AudioCodecRow {
  std::string_view name;  ///< for users
  const char* encoder;    ///< FFmpeg's name; null: one of several, by the samples of the source
  bool is_lossless = false;
  int bit_rate_per_channel = 0;  ///< in bits per second; 0: the encoder has none
  int quality = 0;               ///< if it has no bit rate: 0 to 10
  int rate = 0;                  ///< the only rate, in samples per second; 0: that of the source, or a near one
  /// Five and six channels with surround speakers at the sides are named as if they were at the back: players
  /// know no other layout of this codec.
  bool has_back_speakers = false;
};

constexpr std::array kCodecTable{
    AudioCodecRow{.name = "aac", .encoder = "aac", .bit_rate_per_channel = 96000, .has_back_speakers = true},
    AudioCodecRow{.name = "opus", .encoder = "libopus", .bit_rate_per_channel = 80000, .rate = 48000},
    AudioCodecRow{.name = "flac", .encoder = "flac", .is_lossless = true},
    AudioCodecRow{.name = "mp3", .encoder = "libmp3lame", .bit_rate_per_channel = 112000},
    AudioCodecRow{.name = "pcm", .encoder = nullptr, .is_lossless = true},
    AudioCodecRow{.name = "alac", .encoder = "alac", .is_lossless = true, .has_back_speakers = true},
    AudioCodecRow{.name = "ac3", .encoder = "ac3", .bit_rate_per_channel = 96000},
    AudioCodecRow{.name = "eac3", .encoder = "eac3", .bit_rate_per_channel = 96000},
    AudioCodecRow{.name = "vorbis", .encoder = "libvorbis", .quality = 6}};

constexpr int kMostBitsCompressed = 24;  // of a sample of FLAC and ALAC

const AudioCodecRow* find_row(std::string_view name) {
  const auto* row = std::find_if(kCodecTable.begin(), kCodecTable.end(),
                                 [&](const AudioCodecRow& candidate) { return candidate.name == name; });
  return row == kCodecTable.end() ? nullptr : row;
}

AVSampleFormat format_of(const AVCodecParameters& source) {
  return av_get_packed_sample_fmt(static_cast<AVSampleFormat>(source.format));
}

bool is_float(AVSampleFormat format) { return format == AV_SAMPLE_FMT_FLT || format == AV_SAMPLE_FMT_DBL; }

/// Returns the bits of a sample that the source uses: decoders give samples of 24 bits in 32.
int bits_of(const AVCodecParameters& source) {
  if (const int exact = av_get_exact_bits_per_sample(source.codec_id); exact > 8) return exact;
  const int whole = 8 * av_get_bytes_per_sample(format_of(source));
  return source.bits_per_raw_sample > 0 ? std::min(source.bits_per_raw_sample, whole) : whole;
}

/// Returns FFmpeg's name of the encoder for the samples of a source.
const char* encoder_name(const AudioCodecRow& row, const AVCodecParameters& source) {
  if (row.encoder != nullptr) return row.encoder;
  switch (format_of(source)) {
    case AV_SAMPLE_FMT_S32:
      return bits_of(source) <= 24 ? "pcm_s24le" : "pcm_s32le";
    case AV_SAMPLE_FMT_S64:
      return "pcm_s64le";
    case AV_SAMPLE_FMT_FLT:
      return "pcm_f32le";
    case AV_SAMPLE_FMT_DBL:
      return "pcm_f64le";
    default:
      return "pcm_s16le";
  }
}

bool is_available(const AudioCodecRow& row) {
  return avcodec_find_encoder_by_name(row.encoder == nullptr ? "pcm_s16le" : row.encoder) != nullptr;
}

/// Returns the format of samples in which an encoder loses least of those of the source: the same one, or the smallest that
/// is not smaller.
AVSampleFormat choose_format(const AVCodec& encoder, AVSampleFormat source) {
  AVSampleFormat best = AV_SAMPLE_FMT_NONE;
  const auto cost = [&](AVSampleFormat candidate) {
    const AVSampleFormat packed = av_get_packed_sample_fmt(candidate);
    if (packed == source) return 0;
    const int bytes = av_get_bytes_per_sample(packed), wanted = av_get_bytes_per_sample(source);
    const int other_kind = is_float(packed) == is_float(source) ? 0 : 1;
    return bytes >= wanted ? 1 + (2 * bytes) + other_kind : 100 - (2 * bytes) + other_kind;
  };
  for (const AVSampleFormat* format = encoder.sample_fmts; format != nullptr && *format != AV_SAMPLE_FMT_NONE; ++format)
    if (best == AV_SAMPLE_FMT_NONE || cost(*format) < cost(best)) best = *format;
  return best;
}

/// Returns the rate of the source if the encoder takes it, else the next higher one, else the highest.
int choose_rate(const AVCodec& encoder, const AudioCodecRow& row, int source) {
  if (row.rate > 0) return row.rate;
  if (encoder.supported_samplerates == nullptr) return source;
  int above = 0, highest = 0;
  for (const int* rate = encoder.supported_samplerates; *rate != 0; ++rate) {
    if (*rate >= source && (above == 0 || *rate < above)) above = *rate;
    highest = std::max(highest, *rate);
  }
  return above > 0 ? above : highest;
}

/// Returns the layout with the speakers at the sides named as if they were at the back; the same layout if it has none
/// there, or others at the back.
AVChannelLayout with_back_speakers(const AVChannelLayout& layout) {
  constexpr std::uint64_t kSides = AV_CH_SIDE_LEFT | AV_CH_SIDE_RIGHT;
  constexpr std::uint64_t kBacks = AV_CH_BACK_LEFT | AV_CH_BACK_RIGHT;
  AVChannelLayout result = layout;
  if ((layout.u.mask & kSides) == kSides && (layout.u.mask & (kBacks | AV_CH_BACK_CENTER)) == 0)
    av_channel_layout_from_mask(&result, (layout.u.mask & ~kSides) | kBacks);
  return result;
}

std::string name_of_layout(const AVChannelLayout& layout) {
  std::array<char, 128> text{};
  av_channel_layout_describe(&layout, text.data(), text.size());
  return text.data();
}

/// Opens an encoder for a layout; null if it does not take it.
Result<CodecPtr> try_layout(const AudioCodecRow& row, const AVCodec& encoder, const AVCodecParameters& source,
                            const AVChannelLayout& layout) {
  CodecPtr context{avcodec_alloc_context3(&encoder)};
  if (!context) return Error{Errc::over_budget, "no memory for an encoder"};
  context->sample_fmt = choose_format(encoder, format_of(source));
  context->sample_rate = choose_rate(encoder, row, source.sample_rate);
  context->time_base = {1, context->sample_rate};
  if (av_channel_layout_copy(&context->ch_layout, &layout) < 0)
    return Error{Errc::over_budget, "no memory for an encoder"};
  if (row.quality > 0) {
    context->flags |= AV_CODEC_FLAG_QSCALE;
    context->global_quality = row.quality * FF_QP2LAMBDA;
  }
  if (row.bit_rate_per_channel > 0) context->bit_rate = std::int64_t{row.bit_rate_per_channel} * layout.nb_channels;
  if (row.is_lossless && context->sample_fmt != AV_SAMPLE_FMT_NONE &&
      av_get_packed_sample_fmt(context->sample_fmt) == AV_SAMPLE_FMT_S32)
    context->bits_per_raw_sample = row.encoder == nullptr ? bits_of(source) : kMostBitsCompressed;
  context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  if (avcodec_open2(context.get(), &encoder, nullptr) < 0) context.reset();
  return context;
}

/// Returns whether an encoder that is open stores every sample of the source.
bool keeps_samples(const AudioCodecRow& row, const AVCodecContext& encoder, const AVCodecParameters& source) {
  if (!row.is_lossless || encoder.sample_rate != source.sample_rate) return false;
  const AVSampleFormat stored = av_get_packed_sample_fmt(encoder.sample_fmt);
  if (is_float(format_of(source))) return stored == format_of(source);
  const int stored_bits = 8 * av_get_bytes_per_sample(stored);
  return !is_float(stored) &&
         bits_of(source) <= (row.encoder == nullptr ? stored_bits : std::min(stored_bits, kMostBitsCompressed));
}

std::string describe(const AudioCodecRow& row, const AudioEncoder& encoder, const AVCodecParameters& source) {
  const AVCodecContext& context = *encoder.context;
  std::string text = fmt::format("from {}", avcodec_get_name(source.codec_id));
  if (source.sample_rate != context.sample_rate)
    text += fmt::format(", {} to {} Hz", source.sample_rate, context.sample_rate);
  const AVChannelLayout layout = standard_layout(source.ch_layout);
  if (av_channel_layout_compare(&layout, &context.ch_layout) != 0)
    text += fmt::format(", {} named {}", name_of_layout(layout), name_of_layout(context.ch_layout));
  if (row.is_lossless) {
    text += encoder.is_lossless
                ? ", lossless"
                : fmt::format(", rounded to {} bits", context.bits_per_raw_sample > 0
                                                          ? context.bits_per_raw_sample
                                                          : 8 * av_get_bytes_per_sample(context.sample_fmt));
  }
  return text;
}

Result<AudioEncoder> open_row(const AudioCodecRow& row, const AVCodecParameters& source) {
  if (source.format < 0 || source.sample_rate <= 0 || source.ch_layout.nb_channels <= 0 ||
      avcodec_find_decoder(source.codec_id) == nullptr)
    return Error{Errc::unsupported, fmt::format("{} cannot be decoded here", avcodec_get_name(source.codec_id))};
  const AVChannelLayout layout = standard_layout(source.ch_layout);
  if (layout.order != AV_CHANNEL_ORDER_NATIVE)
    return Error{Errc::unsupported, fmt::format("its {} channels have no standard layout", layout.nb_channels)};
  const AVCodec* codec = avcodec_find_encoder_by_name(encoder_name(row, source));
  if (codec == nullptr)
    return Error{Errc::unsupported, fmt::format("FFmpeg was built without the encoder {}", encoder_name(row, source))};
  std::vector<AVChannelLayout> layouts{layout, with_back_speakers(layout)};
  if (row.has_back_speakers) std::swap(layouts[0], layouts[1]);
  for (const AVChannelLayout& tried : layouts) {
    auto context = try_layout(row, *codec, source, tried);
    if (!context) return context.error();
    if (!*context) continue;
    AudioEncoder encoder{.context = *std::move(context)};
    encoder.is_lossless = keeps_samples(row, *encoder.context, source);
    encoder.conversion = describe(row, encoder, source);
    return encoder;
  }
  return Error{Errc::unsupported, fmt::format("{} takes no sound of {} Hz with the channels {}", row.name,
                                              source.sample_rate, name_of_layout(layout))};
}

template <class Predicate>
std::string names_where(Predicate is_named, std::string_view separator) {
  std::string text;
  for (const AudioCodecRow& row : kCodecTable)
    if (is_available(row) && is_named(row)) text += fmt::format("{}{}", text.empty() ? "" : separator, row.name);
  return text;
}

}  // namespace

AVChannelLayout standard_layout(const AVChannelLayout& layout) {
  if (layout.order != AV_CHANNEL_ORDER_UNSPEC) return layout;
  AVChannelLayout usual{};
  av_channel_layout_default(&usual, layout.nb_channels);
  return usual;
}

Status check_audio_name(const std::string& name) {
  const AudioCodecRow* row = find_row(name);
  if (name == kCopyAudio || (row != nullptr && is_available(*row))) return ok();
  const std::string names = names_where([](const AudioCodecRow&) { return true; }, ", ");
  if (row != nullptr)
    return Error{Errc::unsupported,
                 fmt::format("FFmpeg was built without the encoder {}: --audio copy, {}", row->encoder, names)};
  return Error{Errc::invalid_argument,
               fmt::format("'{}' is no encoder of sound: --audio copy, {}", printable(name), names)};
}

Result<AudioEncoder> open_audio_encoder(const std::string& name, const AVCodecParameters& source) {
  if (auto checked = check_audio_name(name); !checked) return checked.error();
  const AudioCodecRow* row = find_row(name);
  if (row == nullptr) return Error{Errc::invalid_argument, "sound that is copied has no encoder"};
  auto encoder = open_row(*row, source);
  if (encoder || encoder.error().code != Errc::unsupported) return encoder;
  const std::string others =
      names_where([&](const AudioCodecRow& other) { return static_cast<bool>(open_row(other, source)); }, " or ");
  return Error{Errc::unsupported, fmt::format("{}{}", encoder.error().what,
                                              others.empty() ? ": use --audio copy" : ": use --audio " + others)};
}

std::string audio_codecs_for(Container container, const AVCodecParameters& source) {
  return names_where(
      [&](const AudioCodecRow& row) {
        const auto encoder = open_row(row, source);
        const ParametersPtr parameters = encoder ? parameters_of(*encoder->context) : nullptr;
        return parameters && acceptance_of(container, *parameters) == Acceptance::yes;
      },
      " or ");
}

}  // namespace weir::film
