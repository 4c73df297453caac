#include "tasks/film/film_stream.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
}

#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/atomic_file.hpp"
#include "base/descriptor_io.hpp"
#include "base/text.hpp"
#include "media/film/film_io.hpp"
#include "media/film/film_reader.hpp"
#include "media/film/frame_data.hpp"
#include "media/film/frame_encoder.hpp"
#include "media/film/interleaved_result.hpp"
#include "media/film/result_streams.hpp"
#include "tasks/film/stream_frames.hpp"

namespace weir::film {
namespace {

std::string name_of(const FileOrDescriptor& file) {
  if (const auto* open = std::get_if<OpenDescriptor>(&file)) return open->name;
  return printable(std::get<std::filesystem::path>(file).string());
}

/// Gives the encoded frames to a result.
class StreamEncoder final : public FrameEncoder {
 public:
  explicit StreamEncoder(InterleavedResult& result) : result_{result} {}
  using FrameEncoder::encoder;
  using FrameEncoder::end;
  using FrameEncoder::open_encoder;

  Status write(std::int64_t pts, std::int64_t duration) override {
    step_ = duration > 0 ? duration : last_pts_ ? pts - *last_pts_ : 0;
    last_pts_ = pts;
    return FrameEncoder::write(pts, duration);
  }

 private:
  Status take(AVPacket& packet) override {
    // Without a duration of the last frame, players of MP4 do not show it.
    if (packet.duration <= 0) packet.duration = step_;
    return result_.write_film(packet);
  }

  InterleavedResult& result_;
  std::optional<std::int64_t> last_pts_;
  std::int64_t step_ = 0;  // duration of the last frame
};

/// The run of one film.
class FilmStream {
 public:
  explicit FilmStream(const StreamRequest& request)
      : request_{request}, encode_{request.encode}, forward_stop_{request.stop, [this] { stop_.request_stop(); }} {
    if (is_raw() && request.container == Container::y4m) encode_.codec = VideoCodec::frames;
  }

  Result<StreamReport> run() {
    auto done = enlarge();
    if (done) return std::move(report_);
    // FFmpeg's errors do not have the reasons of the descriptors'.
    if (request_.stop.stop_requested()) return Error{Errc::cancelled, "stopped"};
    for (const FilmIo* io : {output_io_.get(), input_io_.get()})
      if (io != nullptr && io->error() && io->error()->code != Errc::cancelled) return *io->error();
    return done.error();
  }

 private:
  Status enlarge() {
    if (auto opened = open_input(); !opened) return opened;
    if (auto planned = plan(); !planned) return planned;
    if (auto opened = open_output(); !opened) return opened;
    auto stages = run_frames({.source = *frames_,
                              .sink = encoder_,
                              .from = report_.film.source,
                              .turn = report_.film.turn,
                              .to = report_.film.format.frames,
                              .network_result = report_.film.network_result,
                              .upscaler = *upscaler_,
                              .plan = report_.film.plan,
                              .progress = request_.progress,
                              .on_error = [this] { stop_.request_stop(); },
                              .stop = stop_.get_token()});
    if (!stages) return stages.error();
    static_cast<FrameReport&>(report_) = *std::move(stages);
    if (auto ended = encoder_.end(); !ended) return ended;
    auto size = result_.finish();
    if (!size) return size.error();
    report_.size = *size;
    if (file_) {
      const auto file_size = size_of_file(file_->fd());  // the muxer has written parts of it twice
      if (!file_size) return file_size.error();
      report_.size = Bytes{*file_size};
    }
    report_.damage = frames_->damage();
    if (auto listed = list_losses(); !listed) return listed;
    return file_ ? file_->commit() : ok();
  }

  Status open_input() {
    ReadSettings settings{.threads = request_.decoder_threads,
                          .other_packets = [this](AVPacket& packet) { return result_.add(packet); },
                          .stop = stop_.get_token()};
    if (const auto* open = std::get_if<OpenDescriptor>(&request_.input)) {
      auto io = FilmIo::open(open->fd, FilmIo::Direction::read, open->name, stop_.get_token());
      if (!io) return io.error();
      input_io_ = *std::move(io);
      settings.io = input_io_.get();
    }
    const auto* path = std::get_if<std::filesystem::path>(&request_.input);
    auto reader = FilmReader::open(path != nullptr ? *path : std::filesystem::path{name_of(request_.input)}, settings);
    if (!reader) return reader.error();
    reader_ = *std::move(reader);
    const auto first = reader_->next();
    if (!first) return first.error();
    if (first->frame == nullptr)
      return Error{Errc::corrupt, fmt::format("{}: no frame can be decoded", name_of(request_.input))};
    frames_.emplace(*reader_, *first, name_of(request_.input));
    auto film = describe_frames(*first->frame, reader_->stream(), turn());
    if (!film) return Error{film.error().code, fmt::format("{}: {}", name_of(request_.input), film.error().what)};
    report_.film = *std::move(film);
    report_.film.decoder = reader_->decoder_traits();
    return ok();
  }

  bool has_display_matrix() const { return row_of(request_.container).has_display_matrix; }
  /// Returns how the pixels are turned, because the container of the result cannot tell players to do it.
  Orientation turn() const { return has_display_matrix() ? Orientation{} : orientation_of(reader_->stream()); }
  /// Returns the orientation that the result has.
  Orientation orientation() const { return has_display_matrix() ? orientation_of(reader_->stream()) : Orientation{}; }

  /// Decides everything before the first frame is computed.
  Status plan() {
    FilmFrames& film = report_.film;
    auto streams = plan_streams(reader_->input(),
                                {.container = request_.container,
                                 .codec = encode_.codec,
                                 .video_stream = reader_->stream().index,
                                 .orientation = orientation()},
                                name_of(request_.input));
    if (!streams) return streams.error();
    report_.plan = *std::move(streams);
    const FrameFormat turned = turned_format(film.source, film.turn);
    auto upscaler = request_.upscalers(tasks::required_scale(request_.upscale, turned.width, turned.height));
    if (!upscaler) return upscaler.error();
    upscaler_ = *std::move(upscaler);
    const Bytes waiting = InterleavedResult::kMostWaiting + Bytes{std::uint64_t{kPipeProbeBytes}};
    if (auto planned = plan_frames(film, *upscaler_, request_.upscale, encode_, waiting); !planned) return planned;
    if (request_.container == Container::y4m && film.format.frame_rate.numerator <= 0) {
      film.format.frame_rate = {25, 1};
      report_.plan.lost.emplace_back("the film does not give its frame rate; the y4m header says 25 frames per second");
    }
    if (auto found = find_shift(); !found) return found;
    if (request_.planned) request_.planned(film);
    return ok();
  }

  Status find_shift() {
    ShiftFinder finder{report_.plan, report_.film.format.time_base, frames_->first_pts()};
    result_.find_shift(finder, reader_->input());
    report_.shift = finder.shift();
    const auto* path = std::get_if<std::filesystem::path>(&request_.input);
    if (path == nullptr) return ok();
    auto shift = find_time_shift(*path, finder, report_.plan, stop_.get_token());
    if (!shift) return shift.error();
    report_.shift = *shift;
    return ok();
  }

  Status open_output() {
    const FilmFrames& film = report_.film;
    if (auto opened = encoder_.open_encoder(film.format, encode_); !opened) return opened;
    CodecParameters parameters{avcodec_parameters_alloc()};
    if (!parameters || avcodec_parameters_from_context(parameters.get(), &encoder_.encoder()) < 0)
      return Error{Errc::over_budget, "no memory for a stream"};
    film_parameters_ = std::move(parameters);
    const std::string pixel_format = av_get_pix_fmt_name(film.format.frames.pixel_format);
    if (request_.container == Container::nut && is_raw() && film_parameters_->codec_tag == 0)
      return Error{Errc::unsupported, fmt::format("raw frames of {} cannot be stored; --codec ffv1 can", pixel_format)};
    auto converter = PacketConverter::create(reader_->input(), report_.plan);
    if (!converter) return converter.error();
    converter_ = *std::move(converter);
    if (auto opened = open_output_io(); !opened) return opened;
    set_display();
    const bool is_y4m = request_.container == Container::y4m;
    const bool has_rate = is_y4m || std::string_view{reader_->input().iformat->name} == "yuv4mpegpipe";
    auto file = ResultFile::create({.output = output_name_,
                                    .io = output_io_->context(),
                                    .plan = report_.plan,
                                    .source = reader_->input(),
                                    .converter = *converter_,
                                    .film = *film_parameters_,
                                    .time_base = film.format.time_base,
                                    .frame_rate = has_rate ? film.format.frame_rate : Fraction{0, 1},
                                    .display = display_,
                                    .shift = report_.shift});
    if (!file && is_y4m && !output_io_->error())
      return Error{Errc::unsupported, fmt::format("y4m cannot store frames of {}; --format nut can", pixel_format)};
    if (!file) return file.error();
    return result_.begin(*std::move(file), report_.plan, *converter_,
                         {film.format.time_base.numerator, film.format.time_base.denominator});
  }

  Status open_output_io() {
    output_name_ = name_of(request_.output);
    int fd = 0;
    if (const auto* open = std::get_if<OpenDescriptor>(&request_.output)) {
      fd = open->fd;
    } else {
      auto file = AtomicFile::create(std::get<std::filesystem::path>(request_.output), request_.overwrite);
      if (!file) return file.error();
      file_.emplace(*std::move(file));
      fd = file_->fd();
    }
    auto io = FilmIo::open(fd, FilmIo::Direction::write, output_name_.string(), stop_.get_token());
    if (!io) return io.error();
    output_io_ = *std::move(io);
    return ok();
  }

  void set_display() {
    const FilmFrames& film = report_.film;
    display_ = {.colour = film.source.colour,
                .sample_aspect = film.format.sample_aspect,
                .orientation = orientation(),
                .hdr = film.format.hdr};
    if (is_raw()) display_.field_order = reader_->stream().codecpar->field_order;
  }

  Status list_losses() {
    report_.lost = report_.plan.lost_lines();
    for (std::string& lost : find_lost_frame_data(frames_->data_kinds(), request_.encode.codec))
      report_.lost.push_back(std::move(lost));
    if (request_.container == Container::y4m && !frames_->has_constant_rate()) {
      const Fraction rate = report_.film.format.frame_rate;
      report_.lost.push_back(
          fmt::format("the times of the frames, which follow at different distances: y4m stores none, its header has "
                      "the average of {}/{} frames per second; nut keeps them",
                      rate.numerator, rate.denominator));
    }
    if (is_raw()) list_losses_of_raw_frames();
    if (!file_) return ok();
    auto written = film::open_input(fmt::format("/proc/self/fd/{}", file_->fd()));
    if (!written) return written.error();
    for (std::string& lost : find_lost_properties(reader_->input(), **written, report_.plan, display_, {}))
      report_.lost.push_back(std::move(lost));
    return ok();
  }

  /// Raw frames have no tags, and their containers store few.
  void list_losses_of_raw_frames() {
    const AVCodecParameters& source = *reader_->stream().codecpar;
    const bool is_nut = request_.container == Container::nut;
    std::vector<std::string> tags;
    if (source.color_space != AVCOL_SPC_UNSPECIFIED && source.color_space != AVCOL_SPC_RGB) tags.emplace_back("matrix");
    if (source.color_primaries != AVCOL_PRI_UNSPECIFIED) tags.emplace_back("primaries");
    if (source.color_trc != AVCOL_TRC_UNSPECIFIED) tags.emplace_back("transfer");
    if (is_nut && !report_.film.source.is_rgb && source.color_range == AVCOL_RANGE_JPEG) tags.emplace_back("range");
    if (!tags.empty()) {
      report_.lost.push_back(
          fmt::format("the colour tags ({}): {} cannot store them for raw frames, so players guess "
                      "them; --codec ffv1 keeps them in nut",
                      fmt::join(tags, ", "), film::name_of(request_.container)));
    }
    if (is_nut && source.field_order > AV_FIELD_PROGRESSIVE)
      report_.lost.emplace_back("the order of the fields: nut cannot store it for raw frames; y4m can");
  }

  struct ParametersFreer {
    void operator()(AVCodecParameters* parameters) const { avcodec_parameters_free(&parameters); }
  };
  using CodecParameters = std::unique_ptr<AVCodecParameters, ParametersFreer>;

  bool is_raw() const { return request_.encode.codec == VideoCodec::raw; }

  const StreamRequest& request_;
  EncodeSettings encode_;
  std::stop_source stop_;  // also requested when a stage fails, so that the others do not wait for a pipe
  std::stop_callback<std::function<void()>> forward_stop_;
  StreamReport report_;
  std::optional<AtomicFile> file_;
  std::unique_ptr<FilmIo> input_io_, output_io_;
  std::unique_ptr<FilmReader> reader_;
  std::optional<StreamFrames> frames_;
  std::shared_ptr<enhance::PictureUpscaler> upscaler_;
  std::unique_ptr<PacketConverter> converter_;
  CodecParameters film_parameters_;
  std::filesystem::path output_name_;
  DisplayProperties display_;
  InterleavedResult result_;
  StreamEncoder encoder_{result_};
};

}  // namespace

Result<StreamReport> run_film_stream(const StreamRequest& request) { return FilmStream{request}.run(); }

}  // namespace weir::film
