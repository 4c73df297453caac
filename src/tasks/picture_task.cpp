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

bool writes_to_standard_output(const PictureItem& item) { return item.output == "-"; }

Status check_output(const PictureItem& item, const PictureSettings& settings) {
  if (writes_to_standard_output(item)) return ok();
  std::error_code problem;
  const fs::file_status status = fs::status(item.output, problem);
  if (fs::is_directory(status))
    return Error{Errc::io, fmt::format("the output {} is a folder", printable(item.output.native()))};
  if (!fs::exists(status) || settings.overwrite) return ok();
  return Error{Errc::exists,
               fmt::format("the output {} exists; give --overwrite to replace it", printable(item.output.native()))};
}

Status make_folder(const PictureItem& item) {
  if (writes_to_standard_output(item) || !item.output.has_parent_path()) return ok();
  std::error_code problem;
  fs::create_directories(item.output.parent_path(), problem);
  if (!problem) return ok();
  return Error{Errc::io, fmt::format("cannot create the folder {}: {}", printable(item.output.parent_path().native()),
                                     problem.message())};
}

using Seconds = std::chrono::duration<double>;

/// Calls `call` and adds its duration to `sum`.
template <class Call>
auto timed(Seconds& sum, Call call) {
  const auto start = std::chrono::steady_clock::now();
  auto result = call();
  sum += std::chrono::steady_clock::now() - start;
  return result;
}

/// Forwards all calls to a reader and adds the time of reading to `time`. It does not forward damage() and losses(),
/// which enlarge_and_write() calls on the reader itself.
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

/// Forwards all calls to a writer and adds the time of writing to `time`.
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

/// Returns how the output is written.
Result<media::WriteOptions> write_options(const PictureItem& item, const PictureSettings& settings,
                                          const nn::Network& network, const media::PictureReader& reader) {
  const auto size = enhance::final_size(network, reader.info(), settings.upscale);
  if (!size) return size.error();
  media::WriteOptions options;
  options.format = item.format;
  options.quality = settings.quality;
  options.row_format = enhance::rows_info(network, reader.info(), settings.upscale);
  options.final_width = size->width;
  options.final_height = size->height;
  options.metadata = reader.metadata();
  options.overwrite = settings.overwrite;
  return options;
}

/// Enlarges the picture and writes the output: the last step of run_steps().
Status enlarge_and_write(const PictureItem& item, const PictureCallbacks& callbacks, const media::WriteOptions& options,
                         media::PictureReader& reader, PictureResult& result) {
  if (auto made = make_folder(item); !made) return made.error();
  auto writer = media::PictureWriter::create(item.output, options);
  if (!writer) return writer.error();
  TimedReader timed_reader{reader, result.read_wait};
  TimedWriter timed_writer{**writer, result.write_wait};
  auto events = result.upscaler->run({*result.plan, timed_reader, timed_writer, callbacks.progress, callbacks.stop});
  if (!events) return events.error();
  result.events = *std::move(events);
  if (callbacks.stop.stop_requested()) return Error{Errc::cancelled, "interrupted"};
  result.damage = reader.damage();
  auto report = timed_writer.finish();
  if (!report) return report.error();
  result.write_report = *std::move(report);
  for (std::string& loss : reader.losses()) result.write_report.lost.push_back(std::move(loss));
  result.status = ItemStatus::done;
  return ok();
}

/// Runs the steps of upscale_picture() and stores in `result` what each step found.
Status run_steps(const PictureItem& item, const PictureSettings& settings, const PictureCallbacks& callbacks,
                 PictureResult& result) {
  if (item.problem) return *item.problem;
  if (callbacks.stop.stop_requested()) return Error{Errc::cancelled, "interrupted"};
  if (auto writable = check_output(item, settings); !writable) return writable.error();
  auto reader = media::PictureReader::open(item.source, {.spill_folder = settings.upscale.spill_folder,
                                                         .damaged = settings.damaged,
                                                         .memory_limit = settings.upscale.ram});
  if (!reader) return reader.error();
  result.input_info = (*reader)->info();
  auto upscaler =
      settings.upscalers(required_scale(settings.upscale, result.input_info->width, result.input_info->height));
  if (!upscaler) return upscaler.error();
  result.upscaler = *std::move(upscaler);
  const auto options = write_options(item, settings, result.upscaler->network(), **reader);
  if (!options) return options.error();
  auto plan = result.upscaler->plan(*result.input_info, (*reader)->need(), *options);
  if (!plan) return plan.error();
  result.plan = *std::move(plan);
  result.status = ItemStatus::planned;
  if (settings.dry_run) return ok();
  return enlarge_and_write(item, callbacks, *options, **reader, result);
}

/// Stores the error in the result. `is_internal`: PictureResult::internal_error.
void set_error(PictureResult& result, Error error, bool is_internal) {
  result.status = error.code == Errc::cancelled ? ItemStatus::interrupted : ItemStatus::failed;
  result.error = std::move(error);
  result.internal_error = is_internal;
}

}  // namespace

double required_scale(const enhance::UpscaleSettings& settings, int width, int height) {
  if (settings.width == 0 && settings.height == 0) return settings.scale;
  return std::max(static_cast<double>(settings.width) / width, static_cast<double>(settings.height) / height);
}

UpscalerSource make_upscaler_source(NetworkSource networks, enhance::UpscaleSettings settings) {
  std::shared_ptr<const nn::Network> network;
  std::shared_ptr<enhance::PictureUpscaler> upscaler;
  return [=](double scale) mutable -> Result<std::shared_ptr<enhance::PictureUpscaler>> {
    auto found = networks(scale);
    if (!found) return found.error();
    if (upscaler && *found == network) return upscaler;
    auto made = enhance::PictureUpscaler::create(*found, settings);
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

PictureResult upscale_picture(const PictureItem& item, const PictureSettings& settings,
                              const PictureCallbacks& callbacks) {
  PictureResult result;
  const auto start = std::chrono::steady_clock::now();
  try {
    if (auto done = run_steps(item, settings, callbacks, result); !done)
      set_error(result, done.error(), /*is_internal=*/false);
  } catch (const std::exception& problem) {
    if (const auto refusal = resource_error_of(problem))
      set_error(result, *refusal, /*is_internal=*/false);
    else
      set_error(result, {Errc::unsupported, fmt::format("an internal error of weir: {}", problem.what())},
                /*is_internal=*/true);
  }
  result.total_time = std::chrono::steady_clock::now() - start;
  result.peak_ram = peak_resident_memory();
  return result;
}

}  // namespace weir::tasks
