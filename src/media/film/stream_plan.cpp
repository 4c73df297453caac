#include "media/film/stream_plan.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "media/film/audio_codec.hpp"
#include "media/film/codec_table.hpp"
#include "media/film/film_files.hpp"
#include "media/film/film_reader.hpp"

namespace weir::film {
namespace {

constexpr std::array kVideoCodecs{VideoCodec::x264, VideoCodec::x265, VideoCodec::av1, VideoCodec::ffv1};
constexpr std::array kFileContainers{Container::mkv, Container::mp4, Container::mov, Container::webm};

/// Returns FFmpeg's number of what an encoder makes; NONE if FFmpeg was built without it.
AVCodecID codec_id_of(VideoCodec codec) {
  const AVCodec* encoder = avcodec_find_encoder_by_name(row_of(codec).encoder);
  return encoder == nullptr ? AV_CODEC_ID_NONE : encoder->id;
}

/// Returns "a or b": the containers for which `can_hold_it` is true.
template <class Predicate>
std::string containers_where(Predicate can_hold_it) {
  std::string text;
  for (const Container container : kFileContainers)
    if (can_hold_it(container)) text += fmt::format("{}{}", text.empty() ? "" : " or ", name_of(container));
  return text;
}

std::string codecs_for(Container container) {
  std::string text;
  for (const VideoCodec codec : kVideoCodecs)
    if (can_hold(container, codec_id_of(codec)))
      text += fmt::format("{}{}", text.empty() ? "" : " or ", name_of(codec));
  return text;
}

StreamKind kind_of(const AVStream& stream) {
  switch (stream.codecpar->codec_type) {
    case AVMEDIA_TYPE_VIDEO:
      return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0
                 ? StreamKind::cover
                 : StreamKind::video;
    case AVMEDIA_TYPE_AUDIO:
      return StreamKind::audio;
    case AVMEDIA_TYPE_SUBTITLE:
      return StreamKind::subtitles;
    case AVMEDIA_TYPE_ATTACHMENT:
      return StreamKind::attachment;
    default:
      return StreamKind::data;
  }
}

bool is_text(AVCodecID codec) {
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(codec);
  return descriptor != nullptr && (descriptor->props & AV_CODEC_PROP_TEXT_SUB) != 0;
}

/// Files of QuickTime's family store the titles of chapters as a track of text, which FFmpeg shows as a data stream.
bool is_chapter_track(const AVFormatContext& source, const AVStream& stream) {
  return source.nb_chapters > 0 && stream.codecpar->codec_type == AVMEDIA_TYPE_DATA &&
         stream.codecpar->codec_tag == MKTAG('t', 'e', 'x', 't');
}

/// Decides for one source.
class Planner {
 public:
  Planner(const AVFormatContext& source, const PlanRequest& request, std::string name)
      : source_{source}, request_{request}, row_{row_of(request.container)}, name_{std::move(name)} {}

  Result<StreamPlan> plan() {
    if (auto checked = check_audio_name(request_.audio); !checked) return checked.error();
    plan_.container = request_.container;
    plan_.audio = request_.audio;
    plan_.video_stream = request_.video_stream ? *request_.video_stream : find_video_stream(source_);
    if (plan_.video_stream < 0 || plan_.video_stream >= static_cast<int>(source_.nb_streams))
      return Error{Errc::unsupported, fmt::format("{}: no video stream", name_)};
    for (unsigned i = 0; i < source_.nb_streams; ++i)
      if (auto added = add(*source_.streams[i]); !added) return added.error();
    place_targets();
    if (request_.orientation != Orientation{} && !row_.has_display_matrix) {
      plan_.lost.push_back(fmt::format("the orientation ({} degrees{}): {} cannot store it; mp4 or mov can",
                                       request_.orientation.degrees,
                                       request_.orientation.is_mirrored ? ", mirrored" : "", row_.name));
    }
    if (source_.nb_chapters > 0 && (request_.container == Container::nut || request_.container == Container::y4m))
      plan_.lost.push_back(fmt::format("the chapters: {} cannot store them here; mkv can", row_.name));
    return std::move(plan_);
  }

 private:
  Status add(const AVStream& stream) {
    PlannedStream planned{.source = stream.index,
                          .target = {},
                          .kind = kind_of(stream),
                          .fate = StreamFate::copied,
                          .codec = stream.codecpar->codec_id,
                          .codec_name = {},
                          .language = tag_of(stream.metadata, "language"),
                          .title = tag_of(stream.metadata, "title"),
                          .reason = {},
                          .is_lossless = false,
                          .moved_packets = 0};
    if (auto decided = stream.index == plan_.video_stream ? decide_film(planned) : decide(stream, planned); !decided)
      return decided;
    planned.codec_name = avcodec_get_name(planned.codec);
    plan_.streams.push_back(std::move(planned));
    return ok();
  }

  Status decide_film(PlannedStream& planned) const {
    const AVCodecID codec = codec_id_of(request_.codec);
    if (codec == AV_CODEC_ID_NONE)
      return Error{Errc::unsupported,
                   fmt::format("FFmpeg was built without the encoder {}", row_of(request_.codec).encoder)};
    const bool is_raw = request_.codec == VideoCodec::raw;
    if (!can_hold(request_.container, codec) || (is_raw && request_.container != Container::nut)) {
      const std::string codecs = codecs_for(request_.container);
      return Error{Errc::unsupported,
                   fmt::format("{} cannot hold films of {}: use {}{}{}", row_.name, name_of(request_.codec),
                               is_raw ? "nut or y4m" : containers_where([&](Container container) {
                                 return can_hold(container, codec);
                               }),
                               codecs.empty() ? "" : ", or the codec ", codecs)};
    }
    planned.fate = StreamFate::encoded;
    planned.codec = codec;
    return ok();
  }

  Status decide(const AVStream& stream, PlannedStream& planned) const {
    if (request_.container == Container::y4m) {
      lose(planned, "streams beside the film", Container::nut);
      return ok();
    }
    switch (planned.kind) {
      case StreamKind::video:
        return decide_essential(*stream.codecpar, planned);
      case StreamKind::audio:
        return request_.audio == kCopyAudio ? decide_essential(*stream.codecpar, planned)
                                            : decide_encoded_audio(*stream.codecpar, planned);
      case StreamKind::subtitles:
        decide_subtitles(planned);
        return ok();
      case StreamKind::attachment:
        // avformat_query_codec() refuses fonts although they are stored, so the table of containers decides.
        if (!row_.has_attachments) lose(planned, "attachments", Container::mkv);
        return ok();
      case StreamKind::cover:
        if (!row_.has_attachments && !row_.has_cover_streams) lose(planned, "covers", Container::mkv);
        if ((stream.disposition & AV_DISPOSITION_ATTACHED_PIC) == 0 || stream.attached_pic.size == 0)
          lose(planned, "pictures with times of their own");
        return ok();
      case StreamKind::data:
        if (is_chapter_track(source_, stream)) {
          planned.fate = StreamFate::chapters;
          planned.reason = "the titles of the chapters";
        } else if (!can_hold(request_.container, planned.codec)) {
          lose(planned, "data of this kind");
        }
        return ok();
    }
    return ok();
  }

  /// A result without the sound of the film is no result, so the user chooses another container.
  Status decide_essential(const AVCodecParameters& parameters, PlannedStream& planned) const {
    const Acceptance acceptance = acceptance_of(request_.container, parameters);
    if (acceptance == Acceptance::experimental)
      planned.reason = fmt::format("{} in {}: some players cannot play it", avcodec_get_name(planned.codec), row_.name);
    if (acceptance != Acceptance::no) return ok();
    std::string others =
        containers_where([&](Container container) { return acceptance_of(container, parameters) == Acceptance::yes; });
    if (planned.kind == StreamKind::audio) {
      const std::string codecs = audio_codecs_for(request_.container, parameters);
      if (!codecs.empty()) others += fmt::format("{}--audio {}", others.empty() ? "" : ", or ", codecs);
    }
    return Error{Errc::unsupported,
                 fmt::format("{}: {} cannot hold {} {} (stream {}){}{}", name_, row_.name, name_of(planned.kind),
                             avcodec_get_name(planned.codec), planned.source, others.empty() ? "" : ": use ", others)};
  }

  Status decide_encoded_audio(const AVCodecParameters& source, PlannedStream& planned) const {
    const auto encoder = open_audio_encoder(request_.audio, source);
    if (!encoder)
      return Error{encoder.error().code,
                   fmt::format("{}: audio (stream {}): {}", name_, planned.source, encoder.error().what)};
    const ParametersPtr parameters = parameters_of(*encoder->context);
    if (!parameters) return Error{Errc::over_budget, "no memory for an encoder"};
    planned.fate = StreamFate::converted;
    planned.codec = parameters->codec_id;
    planned.is_lossless = encoder->is_lossless;
    if (auto accepted = decide_essential(*parameters, planned); !accepted) {
      const std::string codecs = audio_codecs_for(request_.container, source);
      const std::string others =
          containers_where([&](Container other) { return acceptance_of(other, *parameters) == Acceptance::yes; });
      return Error{Errc::unsupported, fmt::format("{}: {} cannot hold sound of {} (stream {}): use {}{}{}", name_,
                                                  row_.name, request_.audio, planned.source, others,
                                                  codecs.empty()   ? ""
                                                  : others.empty() ? "--audio "
                                                                   : ", or --audio ",
                                                  codecs)};
    }
    planned.reason = encoder->conversion + (planned.reason.empty() ? "" : "; " + planned.reason);
    return ok();
  }

  void decide_subtitles(PlannedStream& planned) const {
    if (can_hold(request_.container, planned.codec)) return;
    const AVCodecID target = row_.text_subtitles;
    if (is_text(planned.codec) && target != AV_CODEC_ID_NONE && avcodec_find_decoder(planned.codec) != nullptr &&
        avcodec_find_encoder(target) != nullptr) {
      planned.fate = StreamFate::converted;
      planned.reason = fmt::format("from {}{}", avcodec_get_name(planned.codec),
                                   planned.codec == AV_CODEC_ID_ASS ? ", without its fonts and places" : "");
      planned.codec = target;
      return;
    }
    lose(planned, "subtitles of this kind", can_hold(Container::mkv, planned.codec) ? Container::mkv : row_.container);
  }

  void lose(PlannedStream& planned, std::string_view what) const { lose(planned, what, request_.container); }
  /// `other`: a container that can hold it; that of the result if there is none.
  void lose(PlannedStream& planned, std::string_view what, Container other) const {
    planned.fate = StreamFate::lost;
    planned.reason = fmt::format("{} cannot store {}", row_.name, what);
    if (other != request_.container) planned.reason += fmt::format("; {} can", name_of(other));
  }

  /// Demuxers list attachments and covers after the streams with packets, so they are written in this order.
  void place_targets() {
    int next = 0;
    for (const bool is_late : {false, true}) {
      for (PlannedStream& planned : plan_.streams) {
        const bool is_picture_or_file = planned.kind == StreamKind::attachment || planned.kind == StreamKind::cover;
        const bool is_stream = planned.fate != StreamFate::lost && planned.fate != StreamFate::chapters;
        if (is_stream && is_picture_or_file == is_late) planned.target = next++;
      }
    }
  }

  const AVFormatContext& source_;
  const PlanRequest& request_;
  const ContainerRow& row_;
  std::string name_;
  StreamPlan plan_;
};

}  // namespace

std::string_view name_of(StreamKind kind) {
  constexpr std::array<std::string_view, 6> kNames{"video", "audio", "subtitles", "attachment", "cover", "data"};
  return kNames[static_cast<std::size_t>(kind)];
}

int StreamPlan::count_targets() const {
  return static_cast<int>(std::count_if(streams.begin(), streams.end(),
                                        [](const PlannedStream& planned) { return planned.target.has_value(); }));
}

std::vector<std::string> StreamPlan::lost_lines() const {
  std::vector<std::string> lines;
  for (const PlannedStream& planned : streams) {
    if (planned.fate != StreamFate::lost) continue;
    lines.push_back(fmt::format("stream {} ({}, {}): {}", planned.source, name_of(planned.kind), planned.codec_name,
                                planned.reason));
  }
  lines.insert(lines.end(), lost.begin(), lost.end());
  return lines;
}

Result<StreamPlan> plan_streams(const AVFormatContext& source, const PlanRequest& request, const std::string& name) {
  return Planner{source, request, name}.plan();
}

Result<StreamPlan> plan_streams(const std::filesystem::path& source, const PlanRequest& request) {
  auto input = open_input(source);
  if (!input) return input.error();
  return plan_streams(**input, request, printable(source.string()));
}

}  // namespace weir::film
