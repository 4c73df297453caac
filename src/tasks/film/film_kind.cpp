#include "tasks/film/film_kind.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/file_facts.hpp"
#include "base/process_memory.hpp"
#include "base/text.hpp"
#include "enhance/picture_planner.hpp"
#include "jobs/record.hpp"
#include "jobs/run_folder.hpp"
#include "media/film/joiner.hpp"
#include "media/film/segment_reader.hpp"
#include "media/film/verifier.hpp"
#include "nn/vulkan/gpu.hpp"
#include "tasks/film/film_estimate.hpp"
#include "tasks/film/film_frames.hpp"
#include "tasks/film/segment_run.hpp"
#include "tasks/film/step_memory.hpp"
#include "tasks/gpu_worker.hpp"
#include "tasks/network_identity.hpp"

namespace weir::film {
namespace {

using jobs::Json;

constexpr double kJoinShare = 0.2;  // of the time of joining and verifying

/// What a film's segments have in common; computed once per film.
struct OpenedFilm : FilmFrames {
  FilmIndex index;
};

/// The task for all kinds of items of a film run.
class FilmTask final : public jobs::Task {
 public:
  FilmTask(FilmRequest request, std::vector<tasks::NetworkVariant> variants)
      : request_{std::move(request)},
        variants_{std::move(variants)},
        identity_{variants_.front().cache, request_.upscale.upscale} {}

  std::vector<std::string> variants() const override {
    std::vector<std::string> names;
    for (const tasks::NetworkVariant& variant : variants_) names.push_back(variant.name);
    return names;
  }

  Result<jobs::Estimate> estimate(const jobs::Item& item, std::size_t variant) override {
    if (item.task != kSegmentKind)
      return jobs::Estimate{.cost = 1,
                            .ram = estimate_step(item, variant),
                            .output = item.task == kFilmKind ? segments_size(item) : Bytes{}};
    const auto segment = parse_segment_item(item);
    if (!segment) return segment.error();
    auto film = open(item, *segment, variant);
    if (!film) return film.error();
    const enhance::UpscalePlan& plan = (*film)->plan;
    const auto frames = static_cast<double>((*film)->index.segment(segment->number).count());
    return jobs::Estimate{
        .cost = plan.multiplications * frames,
        .seconds = plan.expected_time.count() * frames,
        .ram = plan.ram,
        .device = plan.device_memory,
        .output = expected_size(plan.output_width, plan.output_height, (*film)->index.segment(segment->number).count(),
                                request_.encode.codec),
        .input_size = fmt::format("{}x{}", plan.input_width, plan.input_height),
        .compute_config = tasks::compute_config_of(plan)};
  }

  jobs::AttemptResult run(const jobs::Attempt& attempt) override {
    jobs::AttemptResult result;
    Status done = attempt.item.task == kIndexKind     ? run_index(attempt, result)
                  : attempt.item.task == kSegmentKind ? run_one_segment(attempt, result)
                                                      : run_join(attempt, result);
    if (!done) result.error = done.error();
    return_free_memory();
    return result;
  }
  Bytes pooled_memory() const override { return upscaler_ ? upscaler_->kept_memory() : Bytes{}; }

 private:
  /// Returns the size of the segments of a film, which its result has about too.
  static Bytes segments_size(const jobs::Item& item) {
    std::uintmax_t size = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator{jobs::work_folder_of(item.outputs.front()), ignored})
      if (entry.path().extension() == ".nut") size += entry.file_size(ignored);
    return Bytes{size};
  }
  /// Returns the memory that the process needs to index or to join a film. A film that cannot be read gets a small number:
  /// the step itself then reports the error.
  Bytes estimate_step(const jobs::Item& item, std::size_t variant) {
    const Result<Bytes> step = measure_step(item, variant);
    constexpr Bytes kUnreadable = 16_MiB;
    return_free_memory();
    return resident_memory() + enhance::kWorkingSlack + (step ? *step : kUnreadable);
  }
  Result<Bytes> measure_step(const jobs::Item& item, std::size_t variant) {
    auto reader = FilmReader::open(item.inputs.front(), {});
    if (!reader) return reader.error();
    const auto decoded = (*reader)->next();
    if (!decoded) return decoded.error();
    if (decoded->frame == nullptr) return Error{Errc::corrupt, "no frame can be decoded"};
    OpenedFilm film;
    auto described = describe_frames(*decoded->frame, (*reader)->stream(),
                                     pixel_turn(orientation_of((*reader)->stream()), item.outputs.front()));
    if (!described) return described.error();
    static_cast<FilmFrames&>(film) = *std::move(described);
    film.decoder = (*reader)->decoder_traits();
    const FilmLength length = length_of(**reader);
    if (item.task == kIndexKind) return index_step_memory(film, length);
    if (auto planned = plan(film, variant); !planned) return planned.error();
    return join_step_memory(film, length, request_.encode);
  }

  Status run_index(const jobs::Attempt& attempt, jobs::AttemptResult& result) {
    auto parsed = parse_index_item(attempt.item);
    if (!parsed) return parsed.error();
    IndexSettings settings = *std::move(parsed);
    settings.partial = attempt.item.outputs.front().string() + ".part";
    settings.stop = attempt.stop;
    settings.progress = [&](FrameNumber frames, double fraction) {
      if (attempt.progress) attempt.progress({fraction, static_cast<double>(frames)});
    };
    auto index = index_film(attempt.item.inputs.front(), settings);
    if (!index) return index.error();
    index->encoder_threads = request_.suggested_encoder_threads;
    result.allows_damaged_input = request_.upscale.damaged == media::DamagePolicy::use;
    if (!index->damage.empty() && !result.allows_damaged_input) {
      return Error{Errc::corrupt,
                   fmt::format("{}: damaged: {}", printable(attempt.item.inputs.front().string()), index->damage)};
    }
    result.damage = index->damage;
    result.report = jobs::dump(Json{{"frames", index->frames.size()}, {"segments", index->segments.size()}});
    return write_file(attempt.outputs.front(), to_text(*index));
  }

  Status run_one_segment(const jobs::Attempt& attempt, jobs::AttemptResult& result) {
    const auto segment = parse_segment_item(attempt.item);
    if (!segment) return segment.error();
    auto film = open(attempt.item, *segment, attempt.variant);
    if (!film) return film.error();
    const FrameRange range = (*film)->index.segment(segment->number);
    const auto report =
        run_segment({.film = segment->film,
                     .index = (*film)->index,
                     .range = range,
                     .output = attempt.outputs.front(),
                     .source = (*film)->source,
                     .turn = (*film)->turn,
                     .deinterlacing = (*film)->deinterlacing,
                     .format = (*film)->format,
                     .network_result = (*film)->network_result,
                     .encoder = encode_settings((*film)->index),
                     .upscaler = *upscaler_,
                     .plan = (*film)->plan,
                     .progress =
                         [&](FrameNumber frames) {
                           if (attempt.progress)
                             attempt.progress({static_cast<double>(frames) / static_cast<double>(range.count()),
                                               static_cast<double>(frames)});
                         },
                     .stop = attempt.stop});
    result.identity = identity_.identify_for_scale(scale_of(turned_format((*film)->source, (*film)->turn)));
    result.compute_config = tasks::compute_config_of((*film)->plan);
    if (!report) return report.error();
    result.amount = static_cast<double>(report->frames);
    result.notes = report->notes;
    result.stage_seconds = {
        {"decode", report->decode.count()}, {"network", report->network.count()}, {"encode", report->encode.count()}};
    result.report = jobs::dump(Json{{"frames", report->frames}, {"repeated", report->repeated}});
    return ok();
  }

  /// Joins the segments, decodes the result and compares it with the index and the film.
  Status run_join(const jobs::Attempt& attempt, jobs::AttemptResult& result) {
    const jobs::Item& item = attempt.item;
    const std::filesystem::path folder = jobs::work_folder_of(item.outputs.front());
    auto index = read_film_index(folder / "index");
    if (!index) return index.error();
    if (auto same = check_film(attempt, *index); !same) return same;
    OpenedFilm film;
    film.index = *index;
    film.turn = pixel_turn(film.index.orientation, item.outputs.front());
    if (auto described = describe(item.inputs.front(), film); !described) return described;
    const FrameFormat frames = turned_format(film.source, film.turn);
    const auto stored = format_for_codec(frames, request_.encode.codec);
    if (!stored) return stored.error();
    JoinRequest join{.source = item.inputs.front(),
                     .index = *index,
                     .segments = {},
                     .output = attempt.outputs.front(),
                     .container = container_of(item.outputs.front()).value_or(Container::mkv),
                     .codec = request_.encode.codec,
                     .display = {.colour = stored->colour,
                                 .sample_aspect = film.format.sample_aspect,
                                 .orientation = film.turn == Orientation{} ? film.index.orientation : Orientation{},
                                 .field_order = film.format.field_order,
                                 .hdr = film.format.hdr},
                     .audio = request_.audio,
                     .progress = [&](double fraction) { report_progress(attempt, kJoinShare * fraction); },
                     .stop = attempt.stop};
    for (std::size_t number = 0; number < index->segments.size(); ++number)
      join.segments.push_back(folder / segment_name(number));
    for (const std::filesystem::path& segment : join.segments) {
      if (auto checked = check_intermediate(segment, kSegmentKind, [&] { report_progress(attempt, 0); }); !checked)
        return checked;
    }
    const auto joined = join_film(join);
    if (!joined) return joined.error();
    const auto verified = verify_film(
        {.result = attempt.outputs.front(),
         .source = item.inputs.front(),
         .index = *index,
         .report = *joined,
         .segments = join.segments,
         .progress = [&](double fraction) { report_progress(attempt, kJoinShare + (1 - kJoinShare) * fraction); },
         .stop = attempt.stop});
    if (!verified) return verified.error();
    result.identity = identity_.identify_for_scale(scale_of(frames));
    if (const std::size_t variant = variant_of(join.segments); variant > attempt.variant) result.variant = variant;
    result.damage = index->damage;
    result.notes = lost_lines(*joined);
    Json report = report_json(*joined, *verified);
    report["size"] = frame_size_of(attempt.outputs.front());
    report["segments"] = index->segments.size();
    result.report = jobs::dump(report);
    return ok();
  }

  /// Checks that the film is the one that was indexed. If it has another time, because it was copied or touched, compares
  /// its hash with the one in the record of the index, and takes over the time.
  static Status check_film(const jobs::Attempt& attempt, FilmIndex& index) {
    const std::filesystem::path& film = attempt.item.inputs.front();
    const auto facts = file_facts(film);
    if (facts == index.file) return ok();
    jobs::Item index_item;
    index_item.task = kIndexKind;
    index_item.outputs = {jobs::work_folder_of(attempt.item.outputs.front()) / "index"};
    const auto record = jobs::read_record(jobs::record_paths(index_item, {}).done);
    const auto hash = hash_file(film, [&] { report_progress(attempt, 0); });
    if (!facts || !hash || !record || !*record || (*record)->inputs.empty() || (*record)->inputs.front().hash != *hash)
      return Error{Errc::io, fmt::format("{}: the film was changed after it was indexed", printable(film.string()))};
    index.file = *facts;
    return ok();
  }

  static void report_progress(const jobs::Attempt& attempt, double fraction) {
    if (attempt.progress) attempt.progress({fraction, 0});
  }

  /// Returns the smallest variant with which a segment was made, by the records: as that the film counts.
  static std::size_t variant_of(const std::vector<std::filesystem::path>& segments) {
    std::size_t variant = 0;
    jobs::Item item;
    item.task = kSegmentKind;
    for (const std::filesystem::path& segment : segments) {
      item.outputs = {segment};
      const auto record = jobs::read_record(jobs::record_paths(item, {}).done);
      if (record && *record) variant = std::max(variant, (*record)->variant);
    }
    return variant;
  }

  /// Returns the size of the frames of a result, such as "1920x1080".
  static std::string frame_size_of(const std::filesystem::path& result) {
    const auto input = open_input(result, Probe::no);
    const int stream = input ? find_video_stream(**input) : -1;
    if (stream < 0) return {};
    const AVCodecParameters& parameters = *(*input)->streams[stream]->codecpar;
    return fmt::format("{}x{}", parameters.width, parameters.height);
  }

  /// Returns what the result does not have, one line each.
  static std::vector<std::string> lost_lines(const JoinReport& joined) {
    std::vector<std::string> lines = joined.plan.lost_lines();
    if (joined.skipped_packets > 0)
      lines.push_back(fmt::format("{} packets of sound, subtitles or data, which could not be read or converted",
                                  joined.skipped_packets));
    return lines;
  }

  static Json report_json(const JoinReport& joined, const VerifyReport& verified) {
    Json streams = Json::array();
    for (const PlannedStream& stream : joined.plan.streams) {
      streams.push_back({{"source", stream.source},
                         {"target", stream.target ? Json(*stream.target) : Json()},
                         {"kind", name_of(stream.kind)},
                         {"codec", stream.codec_name},
                         {"language", stream.language},
                         {"title", stream.title},
                         {"reason", stream.reason}});
    }
    return {{"frames", joined.frames},
            {"bytes", joined.size.count()},
            {"exact_times", verified.has_exact_times},
            {"streams", streams},
            {"lost", lost_lines(joined)}};
  }

  EncodeSettings encode_settings(const FilmIndex& index) const {
    EncodeSettings settings = request_.encode;
    settings.threads = request_.encoder_threads.value_or(index.encoder_threads);
    return settings;
  }

  double scale_of(const FrameFormat& frames) const {
    return tasks::required_scale(request_.upscale.upscale, frames.width, frames.height);
  }

  /// Opens the film of a segment and plans its frames; returns the same object for further segments of the film.
  Result<OpenedFilm*> open(const jobs::Item& item, const SegmentItem& segment, std::size_t variant) {
    const auto key = std::pair{item.inputs.front(), variant};
    if (opened_ && opened_key_ == key) return &*opened_;
    opened_.reset();
    OpenedFilm film;
    auto index = read_film_index(item.inputs.front());
    if (!index) return index.error();
    film.index = *std::move(index);
    film.turn = segment.turn;
    if (auto described = describe(segment.film, film); !described) return described.error();
    if (auto planned = plan(film, variant); !planned) return planned.error();
    opened_ = std::move(film);
    opened_key_ = key;
    return &*opened_;
  }

  /// Reads one frame of the film, which says how its colours are encoded.
  Status describe(const std::filesystem::path& path, OpenedFilm& film) const {
    auto reader = SegmentReader::open(path, film.index, {0, 1}, settings_of(film.index, {}));
    if (!reader) return reader.error();
    const auto frame = (*reader)->next();
    if (!frame) return frame.error();
    const std::unique_ptr<FilmReader> opened = (*reader)->release();
    auto frames = describe_frames(**frame, opened->stream(), film.turn);
    if (!frames)
      return Error{frames.error().code, fmt::format("{}: {}", printable(path.string()), frames.error().what)};
    static_cast<FilmFrames&>(film) = *std::move(frames);
    const auto deinterlacing = decide_deinterlacing(film.index, request_.deinterlace);
    if (!deinterlacing) return deinterlacing.error();
    film.deinterlacing = *deinterlacing;
    // Rows of two fields that become columns are no fields.
    if (request_.deinterlace == Deinterlace::off && film.turn == Orientation{})
      film.format.field_order = field_order_of(film.index);
    film.decoder = opened->decoder_traits();
    film.format.time_offset = segment_time_offset(film.index);
    return ok();
  }

  Status plan(OpenedFilm& film, std::size_t variant) {
    if (auto selected = select_variant(variant, scale_of(turned_format(film.source, film.turn))); !selected)
      return selected;
    return plan_frames(film, *upscaler_, request_.upscale.upscale, encode_settings(film.index));
  }

  /// Prepares the network of a variant for enlarging by `scale`. Keeps it for further films.
  Status select_variant(std::size_t variant, double scale) {
    if (!source_ || current_variant_ != variant) {
      upscaler_ = nullptr;
      source_ = nullptr;
      if (current_variant_ != variant) variants_.at(current_variant_).cache.release();
      current_variant_ = variant;
      tasks::NetworkCache& cache = variants_.at(variant).cache;
      source_ =
          tasks::make_upscaler_source([&cache](double wanted) { return cache.load(wanted); }, request_.upscale.upscale);
    }
    auto upscaler = source_(scale);
    if (!upscaler) return upscaler.error();
    upscaler_ = *std::move(upscaler);
    return ok();
  }

  FilmRequest request_;
  std::vector<tasks::NetworkVariant> variants_;
  tasks::NetworkIdentifier identity_;
  std::size_t current_variant_ = 0;
  tasks::UpscalerSource source_;                              // of the current variant
  std::shared_ptr<enhance::PictureUpscaler> upscaler_;        // that source_ returned last
  std::optional<OpenedFilm> opened_;                          // the film of the last segment
  std::pair<std::filesystem::path, std::size_t> opened_key_;  // its index, and the variant of its plan
};

}  // namespace

Result<std::unique_ptr<jobs::Task>> make_film_task_from_json(const Json& settings,
                                                             const jobs::WorkerResources& resources) {
  auto request = parse_film_request(settings);
  if (!request) return request.error();
  enhance::UpscaleSettings& upscale = request->upscale.upscale;
  upscale.ram = resources.ram;
  upscale.threads = resources.threads;
  upscale.device_settings.memory = resources.vram;
  if (tasks::is_gpu_name(resources.device)) {
    auto gpu = nn::vulkan::find_gpu(resources.device);
    if (!gpu) return gpu.error();
    upscale.gpu = *std::move(gpu);
  }
  auto variants = tasks::open_variants(request->upscale.network_options, request->upscale.variants);
  if (!variants) return variants.error();
  return std::unique_ptr<jobs::Task>{std::make_unique<FilmTask>(*std::move(request), *std::move(variants))};
}

jobs::IdentitySource make_film_identity_source(const tasks::NetworkCache& cache, const FilmRequest& request) {
  const auto identity = std::make_shared<tasks::NetworkIdentifier>(cache, request.upscale.upscale);
  const double scale = request.upscale.upscale.scale;
  return [identity, scale](const jobs::Item& item, const Json&) {
    return item.task == kIndexKind ? Json::object() : identity->identify_for_scale(scale);
  };
}

}  // namespace weir::film
