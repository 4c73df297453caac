#include "tasks/film/film_preview.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/file_facts.hpp"
#include "base/process_memory.hpp"
#include "base/text.hpp"
#include "enhance/picture_planner.hpp"
#include "media/film/film_io.hpp"
#include "media/film/frame_encoder.hpp"
#include "media/film/panel.hpp"
#include "media/film/result_file.hpp"
#include "media/film/segment_encoder.hpp"
#include "tasks/film/preview_frames.hpp"
#include "tasks/network_cache.hpp"

namespace weir::film {
namespace {

namespace fs = std::filesystem;

constexpr int kLargestSide = 16384;       // of a picture that the codecs take
constexpr std::size_t kMostNetworks = 3;  // without --variants

/// Returns how the frames of a network are stored until they are drawn.
EncodeSettings intermediate_encoding() { return {.codec = VideoCodec::ffv1}; }

/// Gives the encoded preview to its file.
class PreviewEncoder final : public FrameEncoder {
 public:
  using FrameEncoder::encoder;
  using FrameEncoder::end;
  using FrameEncoder::open_encoder;
  void set_file(ResultFile& file) { file_ = &file; }

  Status write(std::int64_t pts, std::int64_t duration) override {
    duration_ = duration;
    return FrameEncoder::write(pts, duration);
  }

 private:
  Status take(AVPacket& packet) override {
    // Without a duration of the last frame, players of MP4 do not show it.
    if (packet.duration <= 0) packet.duration = duration_;
    return file_->write_film(packet);
  }

  ResultFile* file_ = nullptr;
  std::int64_t duration_ = 0;  // of the last frame
};

/// Returns further networks of the scale of `first`: one of each kind (equal numbers of multiplications), those with
/// the least work first, from where the first one was searched or is. Errors: those of nn::find_networks().
Result<std::vector<tasks::NetworkCache>> find_other_networks(const tasks::NetworkOptions& options,
                                                             const nn::CatalogueEntry& first) {
  std::optional<fs::path> model;
  std::error_code ignored;
  if (!options.model.empty())
    model =
        fs::is_directory(options.model, ignored) ? options.model : fs::absolute(options.model, ignored).parent_path();
  auto entries = nn::find_networks(model, options.folders);
  if (!entries) return entries.error();
  std::erase_if(*entries, [&](const nn::CatalogueEntry& entry) {
    return !entry.unreadable_reason.empty() || entry.family.scale != first.family.scale ||
           entry.multiplications_per_pixel == first.multiplications_per_pixel ||
           (options.noise && entry.noise != options.noise);
  });
  const auto work = [](const nn::CatalogueEntry& entry) { return entry.multiplications_per_pixel; };
  std::stable_sort(entries->begin(), entries->end(), [&](const auto& a, const auto& b) { return work(a) < work(b); });
  std::vector<tasks::NetworkCache> others;
  others.reserve(kMostNetworks);
  double last = 0;
  for (const nn::CatalogueEntry& entry : *entries) {
    if (others.size() + 1 == kMostNetworks) break;
    if (!others.empty() && work(entry) == last) continue;
    auto cache = tasks::NetworkCache::open({.model = entry.param_path, .name = {}, .noise = {}, .folders = {}});
    if (!cache) return cache.error();
    others.push_back(*std::move(cache));
    last = work(entry);
  }
  return others;
}

/// The making of one preview.
class Preview {
 public:
  explicit Preview(const PreviewRequest& request) : request_{request} {}

  Result<PreviewReport> run() {
    if (auto planned = plan(); !planned) return planned.error();
    if (auto opened = open_output(); !opened) return opened.error();
    for (std::size_t i = 0; i < networks_.size(); ++i)
      if (auto done = enlarge(i); !done) return done.error();
    if (auto done = compose(); !done) return done.error();
    return std::move(report_);
  }

 private:
  /// A network and its panel.
  struct Network {
    tasks::NetworkCache cache;
    std::string label;
    SegmentFormat format;  // of its frames
    FileDescriptor file;   // with its frames
  };
  /// A network that is ready to run.
  struct Prepared {
    std::shared_ptr<enhance::PictureUpscaler> upscaler;
    FilmFrames film;
  };

  const enhance::UpscaleSettings& upscale() const { return request_.settings.upscale.upscale; }
  std::string name() const { return printable(request_.film.native()); }
  Result<std::unique_ptr<PreviewFrames>> open_frames() const {
    return PreviewFrames::open(request_.film, request_.from,
                               {.threads = request_.settings.decoder_threads, .stop = request_.stop});
  }

  Status plan() {
    auto frames = open_frames();
    if (!frames) return frames.error();
    film_ = (*frames)->film();
    const auto first = (*frames)->next();
    if (!first) return first.error();
    if (first->frame == nullptr)
      return Error{Errc::invalid_argument, fmt::format("{}: no frame from {} s on; the film is {:.3f} s long", name(),
                                                       request_.from, (*frames)->end())};
    first_pts_ = first->pts;
    turned_ = turned_format(film_.source, film_.turn);
    if (auto chosen = choose_networks(); !chosen) return chosen;
    for (Network& network : networks_) {
      auto prepared = prepare(network);
      if (!prepared) return prepared.error();
      network.format = prepared->film.format;
      network.cache.release();
    }
    return plan_sheet();
  }

  Status choose_networks() {
    const double scale = tasks::required_scale(upscale(), turned_.width, turned_.height);
    const tasks::UpscaleRequest& settings = request_.settings.upscale;
    auto opened = tasks::open_variants(settings.network_options, settings.variants);
    if (!opened) return opened.error();
    std::vector<tasks::NetworkCache> caches;
    caches.reserve(opened->size());
    for (tasks::NetworkVariant& variant : *opened) caches.push_back(std::move(variant.cache));
    if (settings.variants.empty()) {
      const auto first = caches.front().select(scale);
      if (!first) return first.error();
      auto others = find_other_networks(settings.network_options, *first);
      if (!others) return others.error();
      std::move(others->begin(), others->end(), std::back_inserter(caches));
    }
    networks_.reserve(caches.size());
    for (tasks::NetworkCache& cache : caches) {
      const auto entry = cache.select(scale);
      if (!entry) return entry.error();
      std::string label = nn::format_network_label(entry->name, entry->family.scale, entry->noise);
      networks_.push_back({std::move(cache), std::move(label), {}, {}});
    }
    return ok();
  }

  /// Loads a network and plans its run. Errors: those of UpscalerSource and plan_frames().
  Result<Prepared> prepare(Network& network) const {
    const auto upscalers =
        tasks::make_upscaler_source([&](double scale) { return network.cache.load(scale); }, upscale());
    auto upscaler = upscalers(tasks::required_scale(upscale(), turned_.width, turned_.height));
    if (!upscaler) return upscaler.error();
    Prepared prepared{*std::move(upscaler), film_};
    FilmFrames& film = prepared.film;
    if (auto planned = plan_frames(film, *prepared.upscaler, upscale(), intermediate_encoding()); !planned)
      return planned.error();
    auto stored = format_for_codec(turned_, request_.settings.encode.codec);
    if (!stored) return stored.error();
    film.format.frames = with_size(*stored, film.format.frames.width, film.format.frames.height);
    film.format.time_offset = -first_pts_;
    return prepared;
  }

  /// Decides the sizes of the panels and of the whole picture.
  Status plan_sheet() {
    panel_ = networks_.front().format.frames;
    for (const Network& network : networks_) {
      panel_.width = std::max(panel_.width, network.format.frames.width);
      panel_.height = std::max(panel_.height, network.format.frames.height);
    }
    const PlaneSize even = panel_.padded_luma_size();
    panel_ = with_size(panel_, even.width, even.height);
    report_.is_stacked = panel_.height > panel_.width;
    const int panels = static_cast<int>(networks_.size()) + 1;
    const std::int64_t width = std::int64_t{panel_.width} * (report_.is_stacked ? 1 : panels);
    const std::int64_t height = std::int64_t{panel_.height} * (report_.is_stacked ? panels : 1);
    if (std::max(width, height) > kLargestSide)
      return Error{Errc::invalid_argument,
                   fmt::format("the preview of {} panels would be {}x{}, and codecs take {} pixels at most; name fewer "
                               "--variants or a smaller --scale",
                               panels, width, height, kLargestSide)};
    sheet_ = networks_.front().format;
    sheet_.frames = with_size(panel_, static_cast<int>(width), static_cast<int>(height));
    sheet_.time_offset = 0;
    report_.width = sheet_.frames.width;
    report_.height = sheet_.frames.height;
    report_.panels.reserve(networks_.size() + 1);
    report_.panels.push_back(
        fmt::format("bicubic ({:g}x)", static_cast<double>(panel_.width) / std::max(turned_.width, 1)));
    for (const Network& network : networks_) report_.panels.push_back(network.label);
    return check_memory(static_cast<std::uint64_t>(panels));
  }

  /// Checks that the panels can be read and encoded together within the memory limit.
  Status check_memory(std::uint64_t panels) const {
    const auto bytes = [](const FrameFormat& format) {
      const auto area = [](PlaneSize size) { return static_cast<std::uint64_t>(size.width) * size.height; };
      return (area(format.luma_size()) + 2 * area(format.chroma_size())) * bytes_per_sample(format.sample_type());
    };
    constexpr Bytes kFonts = 16_MiB;
    const Bytes readers{(panels - 1) * decoder_memory(panel_, result_traits(intermediate_encoding())).count()};
    const Bytes frames{3 * panels * bytes(panel_) + 2 * bytes(sheet_.frames)};
    const Bytes needed = resident_memory() + enhance::kWorkingSlack + kFonts +
                         decoder_memory(film_.source, film_.decoder) + readers + frames +
                         encoder_memory(sheet_.frames, request_.settings.encode);
    if (upscale().ram == Bytes{} || needed <= upscale().ram) return ok();
    return Error{Errc::over_budget,
                 fmt::format("the preview of {} panels, {}x{}, needs {} of memory, and the limit is {}; fewer "
                             "--variants, a faster --preset or more --ram help",
                             panels, report_.width, report_.height, to_text(needed), to_text(upscale().ram))};
  }

  Status open_output() {
    if (file_identity(request_.film) == file_identity(request_.output))
      return Error{Errc::invalid_argument, fmt::format("{}: the output would replace the film itself", name())};
    // Refuses what the encoder does not take before the networks run.
    if (auto opened = encoder_.open_encoder(sheet_, request_.settings.encode); !opened) return opened;
    if (!can_hold(request_.container, encoder_.encoder().codec_id))
      return Error{Errc::invalid_argument,
                   fmt::format("{} cannot hold films of {}; choose another --codec or output",
                               film::name_of(request_.container), film::name_of(request_.settings.encode.codec))};
    folder_ = request_.output.has_parent_path() ? request_.output.parent_path() : fs::path{"."};
    std::error_code problem;
    fs::create_directories(folder_, problem);
    if (problem)
      return Error{Errc::io, fmt::format("{}: {}", printable(folder_.native()), printable(problem.message()))};
    auto file = AtomicFile::create(request_.output, request_.overwrite);
    if (!file) return file.error();
    file_.emplace(*std::move(file));
    return ok();
  }

  /// Writes the frames of a network into its file.
  Status enlarge(std::size_t number) {
    Network& network = networks_[number];
    auto prepared = prepare(network);
    if (!prepared) return prepared.error();
    const FilmFrames& film = prepared->film;
    auto scratch = open_scratch_file(folder_);
    if (!scratch) return scratch.error();
    network.file = *std::move(scratch);
    auto encoder = SegmentEncoder::create(path_of(network.file), film.format, intermediate_encoding());
    if (!encoder) return intermediate_error(encoder.error());
    auto frames = open_frames();
    if (!frames) return frames.error();
    const auto done = run_frames(
        {.source = **frames,
         .sink = **encoder,
         .from = film.source,
         .turn = film.turn,
         .to = film.format.frames,
         .network_result = film.network_result,
         .upscaler = *prepared->upscaler,
         .plan = film.plan,
         .progress =
             [&](FrameNumber count) {
               tell(fmt::format("{} of {}: {}, {} frames", number + 1, networks_.size(), network.label, count));
             },
         .stop = request_.stop});
    if (!done) return intermediate_error(done.error());
    report_.notes.reserve(report_.notes.size() + done->notes.size());
    for (const std::string& note : done->notes) report_.notes.push_back(fmt::format("{}: {}", network.label, note));
    if (auto finished = (*encoder)->finish(); !finished) return intermediate_error(finished.error());
    network.cache.release();
    return ok();
  }

  static fs::path path_of(const FileDescriptor& file) { return fmt::format("/proc/self/fd/{}", file.get()); }
  /// Names the place of an unnamed file.
  Error intermediate_error(const Error& error) const {
    if (error.what.find("/proc/self/fd/") == std::string::npos) return error;
    return {error.code, fmt::format("the intermediate frames in {}: {}", printable(folder_.native()), error.what)};
  }
  void tell(const std::string& line) const {
    if (request_.progress) request_.progress(line);
  }

  /// Draws the panels of all frames, and encodes them.
  Status compose() {
    return_free_memory();
    auto source = open_frames();
    if (!source) return source.error();
    std::vector<Panel> panels;
    std::vector<std::unique_ptr<FilmReader>> readers;
    panels.reserve(networks_.size() + 1);
    readers.reserve(networks_.size());
    panels.emplace_back(film_.source, panel_, film_.turn, report_.panels.front());
    for (const Network& network : networks_) {
      auto reader = FilmReader::open(path_of(network.file), {.stop = request_.stop});
      if (!reader) return intermediate_error(reader.error());
      readers.push_back(*std::move(reader));
      panels.emplace_back(network.format.frames, panel_, Orientation{}, network.label);
    }
    if (auto begun = begin_file((*source)->reader().input()); !begun) return begun;
    for (;;) {
      if (request_.stop.stop_requested()) return Error{Errc::cancelled, "stopped"};
      const auto frame = (*source)->next();
      if (!frame) return frame.error();
      if (frame->frame == nullptr) break;
      if (auto drawn = draw(*frame->frame, panels, readers); !drawn) return drawn;
      if (auto written = encoder_.write(frame->pts, frame->duration); !written) return written;
      tell(fmt::format("{} frames of the preview", ++report_.frames));
    }
    report_.has_labels = std::all_of(panels.begin(), panels.end(), [](const Panel& each) { return each.has_label(); });
    if (auto ended = encoder_.end(); !ended) return ended;
    if (auto finished = result_->finish(); !finished) return finished.error();
    return file_->commit();
  }

  Status draw(const AVFrame& source, std::vector<Panel>& panels, std::vector<std::unique_ptr<FilmReader>>& readers) {
    auto sheet = encoder_.next_frame();
    if (!sheet) return sheet.error();
    for (std::size_t i = 0; i < panels.size(); ++i) {
      const AVFrame* frame = &source;
      if (i > 0) {
        const auto decoded = readers[i - 1]->next();
        if (!decoded) return intermediate_error(decoded.error());
        if (decoded->frame == nullptr)
          return Error{Errc::io, fmt::format("{}: the film changed while its preview was made", name())};
        frame = decoded->frame;
      }
      const int x = report_.is_stacked ? 0 : static_cast<int>(i) * panel_.width;
      const int y = report_.is_stacked ? static_cast<int>(i) * panel_.height : 0;
      if (auto drawn = panels[i].draw(*frame, x, y, **sheet); !drawn) return drawn;
    }
    return ok();
  }

  /// Writes the header of the preview, which has no stream beside the film.
  Status begin_file(AVFormatContext& source) {
    plan_.container = request_.container;
    plan_.video_stream = find_video_stream(source);
    plan_.streams.resize(source.nb_streams);
    for (std::size_t i = 0; i < plan_.streams.size(); ++i) plan_.streams[i].source = static_cast<int>(i);
    PlannedStream& video = plan_.streams[static_cast<std::size_t>(plan_.video_stream)];
    video.target = 0;
    video.kind = StreamKind::video;
    video.fate = StreamFate::encoded;
    video.codec = encoder_.encoder().codec_id;
    auto converter = PacketConverter::create(source, plan_);
    if (!converter) return converter.error();
    converter_ = *std::move(converter);
    parameters_ = parameters_of(encoder_.encoder());
    if (!parameters_) return Error{Errc::over_budget, "no memory for a stream"};
    auto io = FilmIo::open(file_->fd(), FilmIo::Direction::write, request_.output.string(), request_.stop);
    if (!io) return io.error();
    io_ = *std::move(io);
    display_.colour = sheet_.frames.colour;
    display_.sample_aspect = sheet_.sample_aspect;
    display_.hdr = sheet_.hdr;
    const AVRational unit{sheet_.time_base.numerator, sheet_.time_base.denominator};
    const TimeWindow window{first_pts_, first_pts_ + static_cast<std::int64_t>(PreviewFrames::kSeconds / av_q2d(unit)),
                            unit};
    auto result = ResultFile::create({.output = request_.output,
                                      .io = io_->context(),
                                      .plan = plan_,
                                      .source = source,
                                      .converter = *converter_,
                                      .film = *parameters_,
                                      .time_base = sheet_.time_base,
                                      .display = display_,
                                      .window = window,
                                      .shift = ShiftFinder{plan_, sheet_.time_base, first_pts_, window}.shift()});
    if (!result) return result.error();
    result_ = *std::move(result);
    encoder_.set_file(*result_);
    return ok();
  }

  const PreviewRequest& request_;
  PreviewReport report_;
  FilmFrames film_;     // of the source
  FrameFormat turned_;  // of the source as it is shown
  std::int64_t first_pts_ = 0;
  std::vector<Network> networks_;
  FrameFormat panel_;    // of each panel
  SegmentFormat sheet_;  // of the whole picture
  fs::path folder_;      // of the output
  std::optional<AtomicFile> file_;
  std::unique_ptr<FilmIo> io_;
  StreamPlan plan_;
  std::unique_ptr<PacketConverter> converter_;
  ParametersPtr parameters_;
  DisplayProperties display_;
  std::unique_ptr<ResultFile> result_;
  PreviewEncoder encoder_;
};

}  // namespace

Result<PreviewReport> make_preview(const PreviewRequest& request) { return Preview{request}.run(); }

}  // namespace weir::film
