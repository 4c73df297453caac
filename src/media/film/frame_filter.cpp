#include "media/film/frame_filter.hpp"

extern "C" {
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>
}

#include <fmt/format.h>

namespace weir::film {
namespace {

struct EndsFreer {
  void operator()(AVFilterInOut* ends) const { avfilter_inout_free(&ends); }
};
using EndsPtr = std::unique_ptr<AVFilterInOut, EndsFreer>;

/// Describes an open end of a chain of filters, to be connected with `filter`.
EndsPtr make_end(const char* name, AVFilterContext* filter) {
  EndsPtr end{avfilter_inout_alloc()};
  if (!end) return end;
  end->name = av_strdup(name);
  end->filter_ctx = filter;
  end->pad_idx = 0;
  end->next = nullptr;
  return end;
}

}  // namespace

void FrameFilter::GraphFreer::operator()(AVFilterGraph* graph) const { avfilter_graph_free(&graph); }

Result<std::unique_ptr<FrameFilter>> FrameFilter::create(const AVFrame& like, const std::string& filters) {
  std::unique_ptr<FrameFilter> filter{new FrameFilter};
  filter->graph_.reset(avfilter_graph_alloc());
  AVFilterGraph* graph = filter->graph_.get();
  if (graph == nullptr || !filter->input_ || !filter->output_)
    return Error{Errc::over_budget, "no memory for a filter"};
  graph->nb_threads = 1;
  avfilter_graph_set_auto_convert(graph, AVFILTER_AUTO_CONVERT_NONE);
  // Frames are identified by their order, so the unit of their times does not matter.
  const std::string input =
      fmt::format("video_size={}x{}:pix_fmt={}:time_base=1/1000", like.width, like.height, like.format);
  int result = avfilter_graph_create_filter(&filter->source_, avfilter_get_by_name("buffer"), "in", input.c_str(),
                                            nullptr, graph);
  if (result >= 0)
    result = avfilter_graph_create_filter(&filter->sink_, avfilter_get_by_name("buffersink"), "out", nullptr, nullptr,
                                          graph);
  if (result >= 0) {
    // The names are those of the filters' ends: the chain's input is the output of the source.
    AVFilterInOut* outputs = make_end("in", filter->source_).release();
    AVFilterInOut* inputs = make_end("out", filter->sink_).release();
    result = outputs == nullptr || inputs == nullptr
                 ? AVERROR(ENOMEM)
                 : avfilter_graph_parse_ptr(graph, filters.c_str(), &inputs, &outputs, nullptr);
    avfilter_inout_free(&inputs);
    avfilter_inout_free(&outputs);
  }
  if (result >= 0) result = avfilter_graph_config(graph, nullptr);
  if (result == AVERROR(ENOMEM)) return ffmpeg_error(result, filters);
  if (result >= 0) return filter;
  const char* format = av_get_pix_fmt_name(static_cast<AVPixelFormat>(like.format));
  return Error{Errc::unsupported, fmt::format("FFmpeg's filter {} does not take frames of {}x{} {}", filters,
                                              like.width, like.height, format == nullptr ? "unknown" : format)};
}

Status FrameFilter::send(const AVFrame* frame) {
  av_frame_unref(input_.get());
  if (frame != nullptr) {
    if (const int result = av_frame_ref(input_.get(), frame); result < 0) return ffmpeg_error(result, "filter");
  }
  const int result = av_buffersrc_add_frame_flags(source_, frame == nullptr ? nullptr : input_.get(), 0);
  return result < 0 ? Status{ffmpeg_error(result, "filter")} : ok();
}

Result<const AVFrame*> FrameFilter::receive() {
  av_frame_unref(output_.get());
  const int result = av_buffersink_get_frame(sink_, output_.get());
  if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return static_cast<const AVFrame*>(nullptr);
  if (result < 0) return ffmpeg_error(result, "filter");
  return output_.get();
}

}  // namespace weir::film
