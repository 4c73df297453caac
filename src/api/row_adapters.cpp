#include "api/row_adapters.hpp"

#include <algorithm>
#include <cstring>

#include "base/threads.hpp"
#include "media/picture/resample.hpp"

namespace weir::api {
namespace {

Error source_error() { return {Errc::io, "the row source failed"}; }
Error sink_error() { return {Errc::io, "the row sink failed"}; }

std::size_t sample_bytes(const PictureShape& shape) { return static_cast<std::size_t>(shape.bits / 8); }

}  // namespace

Status SourceReader::read(std::span<std::byte> rows) {
  if (source_.read(rows)) return ok();
  return source_error();
}

Status SourceReader::rewind() {
  if (source_.rewind()) return ok();
  return source_error();
}

SinkWriter::SinkWriter(const media::WriteOptions& options, RowSink& sink) : options_{options}, sink_{sink} {
  const media::PictureInfo& rows = options_.row_format;
  if (rows.width == options_.final_width && rows.height == options_.final_height) return;
  queue_.emplace(std::max<std::size_t>(options_.queue_size.count(), rows.row_bytes()));
  auto thread = start_thread<std::thread>([this] {
    resized_ = catch_resource_errors([this] { return resize(); });
    if (!resized_) queue_->cancel(resized_.error());
  });
  if (thread)
    thread_ = *std::move(thread);
  else
    queue_->cancel(thread.error());  // write() returns this error
}

SinkWriter::~SinkWriter() {
  if (!thread_.joinable()) return;
  queue_->cancel(Error{Errc::cancelled, "stopped"});
  thread_.join();
}

Status SinkWriter::pass_on(std::span<const std::byte> rows) {
  if (sink_.write(rows)) return ok();
  return sink_error();
}

Status SinkWriter::write(std::span<const std::byte> rows) { return queue_ ? queue_->write(rows) : pass_on(rows); }

Status SinkWriter::resize() {
  const auto resized = media::resample_rows(*queue_, options_.row_format, options_.final_width, options_.final_height);
  media::PictureInfo info = options_.row_format;
  info.width = options_.final_width;
  std::vector<std::byte> row(info.row_bytes());
  for (int y = 0; y < options_.final_height; ++y) {
    if (auto read = resized->read(row); !read) return read;
    if (auto passed = pass_on(row); !passed) return passed;
  }
  return ok();
}

Result<media::WriteReport> SinkWriter::finish() {
  if (queue_) {
    queue_->close(Error{Errc::invalid_argument, "the picture ended before its last row"});
    if (thread_.joinable()) thread_.join();
    if (!resized_) return resized_.error();
  }
  return media::WriteReport{};
}

bool PlaneSource::read(std::span<std::byte> rows) {
  const std::size_t sample_size = sample_bytes(shape_);
  for (std::size_t offset = 0; offset < rows.size(); offset += shape_.row_bytes(), ++row_) {
    if (row_ >= shape_.height) return false;
    for (int c = 0; c < shape_.channels; ++c) {
      const auto* from = static_cast<const std::byte*>(planes_[c].samples) + planes_[c].stride_bytes * row_;
      std::byte* to = rows.data() + offset + c * sample_size;
      for (int x = 0; x < shape_.width; ++x)
        std::memcpy(to + x * sample_size * shape_.channels, from + x * sample_size, sample_size);
    }
  }
  return true;
}

bool PlaneSink::write(std::span<const std::byte> rows) {
  const std::size_t sample_size = sample_bytes(shape_);
  for (std::size_t offset = 0; offset < rows.size(); offset += shape_.row_bytes(), ++row_) {
    if (row_ >= shape_.height) return false;
    for (int c = 0; c < shape_.channels; ++c) {
      auto* to = static_cast<std::byte*>(planes_[c].samples) + planes_[c].stride_bytes * row_;
      const std::byte* from = rows.data() + offset + c * sample_size;
      for (int x = 0; x < shape_.width; ++x)
        std::memcpy(to + x * sample_size, from + x * sample_size * shape_.channels, sample_size);
    }
  }
  return true;
}

}  // namespace weir::api
