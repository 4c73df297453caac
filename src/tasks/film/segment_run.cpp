#include "tasks/film/segment_run.hpp"

#include <memory>
#include <utility>

#include "media/film/segment_reader.hpp"

namespace weir::film {
namespace {

/// The frames of a segment, with what the index knows of them.
class SegmentFrames final : public FrameSource {
 public:
  SegmentFrames(SegmentReader& reader, const FilmIndex& index, FrameRange range)
      : reader_{reader}, index_{index}, range_{range}, next_{range.first} {}

  Result<SourceFrame> next() override {
    const auto frame = reader_.next();
    if (!frame) return frame.error();
    if (*frame == nullptr) return SourceFrame{};
    const IndexedFrame& indexed = index_.frames[static_cast<std::size_t>(next_)];
    const bool repeats_last =
        next_ > range_.first && indexed.hash == index_.frames[static_cast<std::size_t>(next_ - 1)].hash;
    ++next_;
    return SourceFrame{.frame = *frame, .repeats_last = repeats_last, .pts = indexed.pts, .duration = indexed.duration};
  }

 private:
  SegmentReader& reader_;
  const FilmIndex& index_;
  FrameRange range_;
  FrameNumber next_;
};

}  // namespace

Result<SegmentReport> run_segment(const SegmentJob& job) {
  auto reader = SegmentReader::open(job.film, job.index, job.range, settings_of(job.index, job.stop));
  if (!reader) return reader.error();
  auto encoder = SegmentEncoder::create(job.output, job.format, job.encoder);
  if (!encoder) return encoder.error();
  SegmentFrames frames{**reader, job.index, job.range};
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
