#include "tasks/picture_task.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/process_memory.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"

namespace weir::tasks {
namespace {

namespace fs = std::filesystem;

bool to_standard_output(const PictureItem& item) { return item.output == "-"; }

Status check_output(const PictureItem& item, const PictureSettings& settings) {
  if (to_standard_output(item)) return ok();
  std::error_code problem;
  const fs::file_status status = fs::status(item.output, problem);
  if (fs::is_directory(status))
    return Error{Errc::io, fmt::format("the output {} is a folder", printable(item.output.native()))};
  if (!fs::exists(status) || settings.overwrite) return ok();
  return Error{Errc::exists,
               fmt::format("the output {} exists; give --overwrite to replace it", printable(item.output.native()))};
}

Status make_folder(const PictureItem& item) {
  if (to_standard_output(item) || !item.output.has_parent_path()) return ok();
  std::error_code problem;
  fs::create_directories(item.output.parent_path(), problem);
  if (!problem) return ok();
  return Error{Errc::io, fmt::format("cannot create the folder {}: {}", printable(item.output.parent_path().native()),
                                     problem.message())};
}

using Seconds = std::chrono::duration<double>;

/// Calls and adds the time that it took.
template <class Call>
auto timed(Seconds& sum, Call call) {
  const auto start = std::chrono::steady_clock::now();
  auto result = call();
  sum += std::chrono::steady_clock::now() - start;
  return result;
}

class TimedReader final : public media::PictureReader {
 public:
  TimedReader(media::PictureReader& reader, Seconds& time) : reader_{reader}, time_{time} {}
  const media::PictureInfo& info() const override { return reader_.info(); }
  media::MetadataPtr metadata() const override { return reader_.metadata(); }
  media::MediaNeed need() const override { return reader_.need(); }
  Status read(std::span<std::byte> rows) override {
    return timed(time_, [&] { return reader_.read(rows); });
  }
  Status rewind() override {
    return timed(time_, [&] { return reader_.rewind(); });
  }

 private:
  media::PictureReader& reader_;
  Seconds& time_;
};

class TimedWriter final : public media::PictureWriter {
 public:
  TimedWriter(media::PictureWriter& writer, Seconds& time) : writer_{writer}, time_{time} {}
  Status write(std::span<const std::byte> rows) override {
    return timed(time_, [&] { return writer_.write(rows); });
  }
  Result<media::WriteReport> finish() override {
    return timed(time_, [&] { return writer_.finish(); });
  }

 private:
  media::PictureWriter& writer_;
  Seconds& time_;
};

Result<media::WriteOptions> write_options(const PictureItem& item, const PictureSettings& settings,
                                          const nn::Network& network, const media::PictureReader& reader) {
  const auto size = enhance::final_size(network, reader.info(), settings.upscale);
  if (!size) return size.error();
  media::WriteOptions options;
  options.format = item.format;
  options.quality = settings.quality;
  options.rows = enhance::rows_info(network, reader.info(), settings.upscale);
  options.final_width = size->width;
  options.final_height = size->height;
  options.metadata = reader.metadata();
  options.overwrite = settings.overwrite;
  return options;
}

Status enlarge(const PictureItem& item, const PictureWatch& watch, const media::WriteOptions& options,
               media::PictureReader& reader, PictureOutcome& outcome) {
  if (auto made = make_folder(item); !made) return made.error();
  auto writer = media::PictureWriter::create(item.output, options);
  if (!writer) return writer.error();
  TimedReader timed_reader{reader, outcome.reading};
  TimedWriter timed_writer{**writer, outcome.writing};
  auto events = outcome.upscaler->run({*outcome.plan, timed_reader, timed_writer, watch.progress, watch.stop});
  if (!events) return events.error();
  outcome.events = *std::move(events);
  if (watch.stop.stop_requested()) return Error{Errc::cancelled, "interrupted"};
  outcome.damage = reader.damage();
  auto report = timed_writer.finish();
  if (!report) return report.error();
  outcome.file = *std::move(report);
  outcome.status = ItemStatus::done;
  return ok();
}

Status run_steps(const PictureItem& item, const PictureSettings& settings, const PictureWatch& watch,
                 PictureOutcome& outcome) {
  if (item.problem) return *item.problem;
  if (watch.stop.stop_requested()) return Error{Errc::cancelled, "interrupted"};
  if (auto free = check_output(item, settings); !free) return free.error();
  auto reader = media::PictureReader::open(
      item.source,
      {.spill = settings.upscale.spill_folder, .damaged = settings.damaged, .limit = settings.upscale.ram});
  if (!reader) return reader.error();
  outcome.picture = (*reader)->info();
  auto upscaler = settings.upscalers(wanted_scale(settings.upscale, outcome.picture->width, outcome.picture->height));
  if (!upscaler) return upscaler.error();
  outcome.upscaler = *std::move(upscaler);
  const auto options = write_options(item, settings, outcome.upscaler->network(), **reader);
  if (!options) return options.error();
  auto plan = outcome.upscaler->plan(*outcome.picture, (*reader)->need(), *options);
  if (!plan) return plan.error();
  outcome.plan = *std::move(plan);
  outcome.status = ItemStatus::planned;
  if (settings.dry_run) return ok();
  return enlarge(item, watch, *options, **reader, outcome);
}

void fail(PictureOutcome& outcome, Error error, bool fault) {
  outcome.status = error.code == Errc::cancelled ? ItemStatus::interrupted : ItemStatus::failed;
  outcome.error = std::move(error);
  outcome.fault = fault;
}

}  // namespace

double wanted_scale(const enhance::UpscaleSettings& wanted, int width, int height) {
  if (wanted.width == 0 && wanted.height == 0) return wanted.scale;
  return std::max(static_cast<double>(wanted.width) / width, static_cast<double>(wanted.height) / height);
}

UpscalerSource make_upscaler_source(NetworkSource networks, enhance::UpscaleSettings settings) {
  std::shared_ptr<const nn::Network> network;
  std::shared_ptr<enhance::Upscaler> upscaler;
  return [=](double scale) mutable -> Result<std::shared_ptr<enhance::Upscaler>> {
    auto found = networks(scale);
    if (!found) return found.error();
    if (upscaler && *found == network) return upscaler;
    auto made = enhance::Upscaler::create(*found, settings);
    if (!made) return made.error();
    network = *std::move(found);
    upscaler = *std::move(made);
    return upscaler;
  };
}

std::string_view name_of(ItemStatus status) {
  switch (status) {
    case ItemStatus::done:
      return "done";
    case ItemStatus::planned:
      return "planned";
    case ItemStatus::failed:
      return "failed";
    case ItemStatus::interrupted:
      return "interrupted";
  }
  return "failed";
}

PictureOutcome run_picture(const PictureItem& item, const PictureSettings& settings, const PictureWatch& watch) {
  PictureOutcome outcome;
  const auto start = std::chrono::steady_clock::now();
  try {
    if (auto done = run_steps(item, settings, watch, outcome); !done) fail(outcome, done.error(), false);
  } catch (const std::exception& problem) {
    if (const auto refusal = refusal_of(problem))
      fail(outcome, *refusal, false);
    else
      fail(outcome, {Errc::unsupported, fmt::format("a fault of weir: {}", problem.what())}, true);
  }
  outcome.time = std::chrono::steady_clock::now() - start;
  outcome.peak = peak_resident();
  return outcome;
}

}  // namespace weir::tasks
