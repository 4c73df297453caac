#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"

struct AVFilterGraph;
struct AVFilterContext;

namespace weir::film {

/// Runs filters of libavfilter on frames of one size and format, in one thread. The filters get the frames as they are:
/// a conversion is never inserted. Not thread-safe.
class FrameFilter {
 public:
  /// `like`: a frame of the size and format of those that follow; `filters`: as the program ffmpeg takes them, such as
  /// "bwdif=mode=send_frame". Errors: unsupported, if the filters do not take the format or the size; over_budget.
  static Result<std::unique_ptr<FrameFilter>> create(const AVFrame& like, const std::string& filters);

  /// Gives a frame to the filters, which keep a reference to its planes; null: no further frame follows.
  /// Errors: over_budget, io.
  Status send(const AVFrame* frame);
  /// Returns the next filtered frame, which is valid until the next call; null: none is ready. Errors: over_budget, io.
  Result<const AVFrame*> receive();

 private:
  FrameFilter() = default;
  struct GraphFreer {
    void operator()(AVFilterGraph* graph) const;
  };
  std::unique_ptr<AVFilterGraph, GraphFreer> graph_;
  AVFilterContext* source_ = nullptr;  // of graph_
  AVFilterContext* sink_ = nullptr;    // of graph_
  FramePtr input_ = make_frame();
  FramePtr output_ = make_frame();
};

}  // namespace weir::film
