#include "tasks/film/frame_stages.hpp"

#include <memory>
#include <utility>

#include "base/pipeline.hpp"
#include "media/film/frame_converter.hpp"
#include "media/film/frame_data.hpp"
#include "media/film/frame_unpacker.hpp"
#include "tasks/film/frame_rows.hpp"

namespace weir::film {
namespace {

using Seconds = std::chrono::duration<double>;

/// Calls `call`, adds its duration to `sum` and returns its result.
template <class Call>
auto timed(Seconds& sum, Call&& call) {
  const auto start = std::chrono::steady_clock::now();
  auto result = call();
  sum += std::chrono::steady_clock::now() - start;
  return result;
}

/// A decoded frame on its way to the network.
struct DecodedPicture {
  std::int64_t pts = 0, duration = 0;
  bool repeats_last = false;  // it is equal to the frame before it, and `picture` is empty
  NetworkFrame picture;
  std::vector<std::uint8_t> captions;
};

/// An enlarged frame on its way to the encoder.
struct EnlargedPicture {
  std::int64_t pts = 0, duration = 0;
  bool repeats_last = false;  // the encoder gets the frame before it once more
  std::vector<std::uint16_t> samples;
  Planes remainder;
  std::vector<std::uint8_t> captions;
};

/// The three stages of one run.
class FrameStages {
 public:
  explicit FrameStages(const FrameJob& job) : job_{job} {}

  Result<FrameReport> run() {
    Pipeline pipeline{[this] {
      decoded_.cancel();
      enlarged_.cancel();
      if (job_.on_error) job_.on_error();
    }};
    pipeline.start([this] { return decode_all(); });
    pipeline.start([this] { return encode_all(); });
    if (auto done = pipeline.finish([this] { return enlarge_all(); }); !done) return done.error();
    return std::move(report_);
  }

 private:
  Result<std::unique_ptr<FrameConverter>> create_converter() const {
    return FrameConverter::create(job_.from, job_.to, job_.network_result, job_.turn);
  }

  Status decode_all() {
    std::unique_ptr<FrameConverter> converter;
    for (;;) {
      auto slot = decoded_.take_free();
      if (!slot) return ok();  // another stage failed
      bool is_end = false;
      auto decoded = timed(report_.decode, [&]() -> Status {
        const auto next = job_.source.next();
        if (!next) return next.error();
        is_end = next->frame == nullptr;
        slot->pts = next->pts;
        slot->duration = next->duration;
        slot->repeats_last = next->repeats_last;
        if (is_end) return ok();
        const auto captions = captions_of(*next->frame);
        slot->captions.assign(captions.begin(), captions.end());
        if (next->repeats_last) return ok();
        if (!converter) {
          auto created = create_converter();
          if (!created) return created.error();
          converter = *std::move(created);
        }
        if (is_plain_planar(static_cast<AVPixelFormat>(next->frame->format)))
          return converter->to_network(*next->frame, slot->picture);
        const auto unpacked = unpack_frame(*next->frame);
        if (!unpacked) return unpacked.error();
        return converter->to_network(**unpacked, slot->picture);
      });
      if (!decoded) return decoded;
      if (is_end) break;
      decoded_.add(*std::move(slot));
    }
    decoded_.close();
    return ok();
  }

  Status enlarge_all() {
    const std::size_t samples =
        static_cast<std::size_t>(job_.network_result.width) * job_.network_result.height * job_.to.colours;
    FrameNumber done = 0;
    while (auto decoded = decoded_.take()) {
      auto slot = enlarged_.take_free();
      if (!slot) return ok();
      slot->pts = decoded->pts;
      slot->duration = decoded->duration;
      slot->repeats_last = decoded->repeats_last;
      std::swap(slot->captions, decoded->captions);
      if (decoded->repeats_last) {
        ++report_.repeated;
      } else {
        slot->samples.resize(samples);
        if (auto made = timed(report_.network, [&] { return enlarge(decoded->picture.samples, slot->samples); }); !made)
          return made;
        std::swap(slot->remainder, decoded->picture.remainder);
      }
      if (job_.progress) job_.progress(++done);
      enlarged_.add(*std::move(slot));
      decoded_.give_back(*std::move(decoded));
    }
    enlarged_.close();
    return ok();
  }

  Status enlarge(std::span<const std::uint16_t> from, std::span<std::uint16_t> to) {
    FrameRowReader rows{network_picture(turned_format(job_.from, job_.turn)), from};
    FrameRowWriter writer{to};
    auto events = job_.upscaler.run({job_.plan, rows, writer, {}, job_.stop, /*keep_memory=*/true});
    if (!events) return events.error();
    for (std::string& note : *events) add_note(std::move(note));
    auto finished = writer.finish();
    return finished ? ok() : Status{finished.error()};
  }

  /// Keeps the first messages: a film may have any number of frames.
  void add_note(std::string note) {
    constexpr std::size_t kMost = 100;
    if (report_.notes.size() == kMost) report_.notes.emplace_back("further messages of the network are left out");
    if (report_.notes.size() < kMost) report_.notes.push_back(std::move(note));
  }

  Status encode_all() {
    std::unique_ptr<FrameConverter> converter;
    FramePtr last = make_frame();
    if (!last) return Error{Errc::over_budget, "no memory for a frame"};
    while (auto enlarged = enlarged_.take()) {
      auto encoded = timed(report_.encode, [&]() -> Status {
        auto frame = job_.sink.next_frame();
        if (!frame) return frame.error();
        if (auto added = add_captions(enlarged->captions, **frame); !added) return added;
        if (enlarged->repeats_last) {
          if (const int copied = av_frame_copy(*frame, last.get()); copied < 0) return ffmpeg_error(copied, "frame");
        } else {
          if (!converter) {
            auto created = create_converter();
            if (!created) return created.error();
            converter = *std::move(created);
          }
          if (auto made = converter->to_frame(enlarged->samples, enlarged->remainder, **frame); !made) return made;
        }
        av_frame_unref(last.get());
        if (const int kept = av_frame_ref(last.get(), *frame); kept < 0) return ffmpeg_error(kept, "frame");
        return job_.sink.write(enlarged->pts, enlarged->duration);
      });
      if (!encoded) return encoded;
      ++report_.frames;
      enlarged_.give_back(*std::move(enlarged));
    }
    return ok();
  }

  const FrameJob& job_;
  SlotQueue<DecodedPicture> decoded_{kFramesBetweenStages + 1};
  SlotQueue<EnlargedPicture> enlarged_{kFramesBetweenStages + 1};
  FrameReport report_;  // each stage writes fields of its own
};

}  // namespace

media::PictureInfo network_picture(const FrameFormat& frames) {
  media::PictureInfo info;
  info.width = frames.width;
  info.height = frames.height;
  info.colours = frames.colours;
  info.bits = 16;
  return info;
}

Bytes frame_memory(const FrameFormat& source, const FrameFormat& result, PlaneSize network_result,
                   const Deinterlacing& deinterlacing) {
  const auto area = [](PlaneSize size) { return static_cast<std::uint64_t>(size.width) * size.height; };
  const auto samples = [&](const FrameFormat& format) {  // of all planes
    return area(format.padded_luma_size()) + (format.colours == 1 ? 0 : 2 * area(format.chroma_size()));
  };
  const auto stored = [&](const FrameFormat& format) {
    return samples(format) * bytes_per_sample(format.sample_type());
  };
  const auto colours = static_cast<std::uint64_t>(source.colours);
  constexpr std::uint64_t kFloat = sizeof(float), kSample = sizeof(std::uint16_t);
  const std::uint64_t read = area(source.padded_luma_size()) * colours * kSample;  // by the network
  const std::uint64_t made = area(network_result) * colours * kSample;
  const std::uint64_t remainder = samples(source) * kFloat;
  constexpr std::uint64_t kWaiting = kFramesBetweenStages + 1;
  // Each converter uses its planes of one side: the frame, two copies in float, and the picture of the network.
  const std::uint64_t converters =
      stored(source) + 2 * remainder + read + stored(result) + 2 * samples(result) * kFloat + made;
  const std::uint64_t encoded = 2 * stored(result);  // the frame and the one before it
  // The deinterlacer holds three frames and makes one; another one is unpacked, and its input.
  const std::uint64_t prepared = (deinterlacing.frames == Deinterlacing::Frames::none ? 1 : 6) * stored(source);
  return Bytes{kWaiting * (read + made + 2 * remainder) + converters + encoded + prepared};
}

Result<FrameReport> run_frames(const FrameJob& job) { return FrameStages{job}.run(); }

}  // namespace weir::film
