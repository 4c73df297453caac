#include "tasks/film/segment_run.hpp"

#include <memory>
#include <utility>

#include "media/film/prepared_reader.hpp"

namespace weir::film {
namespace {

/// The frames of a segment, with what the index knows of them.
class SegmentFrames final : public FrameSource {
 public:
  SegmentFrames(PreparedReader& reader, const SegmentJob& job) : reader_{reader}, job_{job}, next_{job.range.first} {}

  Result<SourceFrame> next() override {
    const auto frame = reader_.next();
    if (!frame) return frame.error();
    if (*frame == nullptr) return SourceFrame{};
    const IndexedFrame& indexed = job_.index.frames[static_cast<std::size_t>(next_)];
    const bool repeats_last =
        next_ > job_.range.first && PreparedReader::repeats_last(job_.index, job_.deinterlacing, next_);
    ++next_;
    return SourceFrame{.frame = *frame, .repeats_last = repeats_last, .pts = indexed.pts, .duration = indexed.duration};
  }

 private:
  PreparedReader& reader_;
  const SegmentJob& job_;
  FrameNumber next_;
};

}  // namespace

Result<SegmentReport> run_segment(const SegmentJob& job) {
  auto reader =
      PreparedReader::open(job.film, job.index, job.range, job.deinterlacing, settings_of(job.index, job.stop));
  if (!reader) return reader.error();
  auto encoder = SegmentEncoder::create(job.output, job.format, job.encoder);
  if (!encoder) return encoder.error();
  SegmentFrames frames{**reader, job};
  auto report = run_frames({.source = frames,
                            .sink = **encoder,
                            .from = job.source,
                            .turn = job.turn,
                            .to = job.format.frames,
                            .network_result = job.network_result,
                            .upscaler = job.upscaler,
                            .plan = job.plan,
                            .progress = job.progress,
                            .stop = job.stop});
  if (!report) return report.error();
  auto size = (*encoder)->finish();
  if (!size) return size.error();
  return SegmentReport{*std::move(report), *size};
}

}  // namespace weir::film
