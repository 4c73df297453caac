#include "media/film/container.hpp"

#include <array>

namespace weir::film {
namespace {

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
                                              .adds_padding_when_read = false}};

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

}  // namespace weir::film
