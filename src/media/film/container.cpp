#include "media/film/container.hpp"

extern "C" {
#include <libavutil/mem.h>
}

#include <array>

#include "media/film/film_files.hpp"

namespace weir::film {
namespace {

/// Frees a file that is written to memory, with its memory.
struct MemoryOutputFreer {
  void operator()(AVFormatContext* context) const {
    std::uint8_t* bytes = nullptr;
    if (context->pb != nullptr) avio_close_dyn_buf(context->pb, &bytes);
    av_free(bytes);
    context->pb = nullptr;
    avformat_free_context(context);
  }
};

constexpr std::array kContainers{ContainerRow{.container = Container::mkv,
                                              .name = "mkv",
                                              .muxer = "matroska",
                                              .text_subtitles = AV_CODEC_ID_SUBRIP,
                                              .has_attachments = true,
                                              .has_cover_streams = false,
                                              .has_display_matrix = false,
                                              .has_edit_lists = false,
                                              .adds_padding_when_read = true,
                                              .has_fixed_time_unit = true},
                                 ContainerRow{.container = Container::webm,
                                              .name = "webm",
                                              .muxer = "webm",
                                              .text_subtitles = AV_CODEC_ID_WEBVTT,
                                              .has_attachments = false,
                                              .has_cover_streams = false,
                                              .has_display_matrix = false,
                                              .has_edit_lists = false,
                                              .adds_padding_when_read = true,
                                              .has_fixed_time_unit = true},
                                 ContainerRow{.container = Container::mp4,
                                              .name = "mp4",
                                              .muxer = "mp4",
                                              .text_subtitles = AV_CODEC_ID_MOV_TEXT,
                                              .has_attachments = false,
                                              .has_cover_streams = true,
                                              .has_display_matrix = true,
                                              .has_edit_lists = true,
                                              .adds_padding_when_read = false},
                                 ContainerRow{.container = Container::mov,
                                              .name = "mov",
                                              .muxer = "mov",
                                              .text_subtitles = AV_CODEC_ID_MOV_TEXT,
                                              .has_attachments = false,
                                              .has_cover_streams = false,
                                              .has_display_matrix = true,
                                              .has_edit_lists = true,
                                              .adds_padding_when_read = false},
                                 ContainerRow{.container = Container::nut,
                                              .name = "nut",
                                              .muxer = "nut",
                                              .text_subtitles = AV_CODEC_ID_NONE,
                                              .has_attachments = false,
                                              .has_cover_streams = false,
                                              .has_display_matrix = false,
                                              .has_edit_lists = false,
                                              .adds_padding_when_read = false,
                                              .has_decoding_times_from_zero = true},
                                 ContainerRow{.container = Container::y4m,
                                              .name = "y4m",
                                              .muxer = "yuv4mpegpipe",
                                              .text_subtitles = AV_CODEC_ID_NONE,
                                              .has_attachments = false,
                                              .has_cover_streams = false,
                                              .has_display_matrix = false,
                                              .has_edit_lists = false,
                                              .adds_padding_when_read = false}};

/// Returns whether the muxer writes the header of a file with this stream alone.
bool writes_header(Container container, const AVCodecParameters& parameters, int compliance) {
  AVFormatContext* context = nullptr;
  if (avformat_alloc_output_context2(&context, nullptr, row_of(container).muxer, nullptr) < 0) return false;
  const std::unique_ptr<AVFormatContext, MemoryOutputFreer> file{context};
  AVStream* stream = avformat_new_stream(context, nullptr);
  if (stream == nullptr || avcodec_parameters_copy(stream->codecpar, &parameters) < 0) return false;
  stream->codecpar->codec_tag = 0;
  stream->time_base = {1, parameters.sample_rate > 0 ? parameters.sample_rate : 90000};
  context->strict_std_compliance = compliance;
  return avio_open_dyn_buf(&context->pb) >= 0 && avformat_write_header(context, nullptr) >= 0;
}

}  // namespace

const ContainerRow& row_of(Container container) { return kContainers[static_cast<std::size_t>(container)]; }

std::string_view name_of(Container container) { return row_of(container).name; }

std::optional<Container> container_named(std::string_view name) {
  for (const ContainerRow& row : kContainers)
    if (name == row.name) return row.container;
  return std::nullopt;
}

bool can_hold(Container container, AVCodecID codec) {
  const AVOutputFormat* format = av_guess_format(row_of(container).muxer, nullptr, nullptr);
  return format != nullptr && codec != AV_CODEC_ID_NONE &&
         avformat_query_codec(format, codec, FF_COMPLIANCE_NORMAL) == 1;
}

Acceptance acceptance_of(Container container, const AVCodecParameters& parameters) {
  if (!can_hold(container, parameters.codec_id)) return Acceptance::no;
  if (writes_header(container, parameters, FF_COMPLIANCE_NORMAL)) return Acceptance::yes;
  return writes_header(container, parameters, FF_COMPLIANCE_EXPERIMENTAL) ? Acceptance::experimental : Acceptance::no;
}

}  // namespace weir::film
