// PictureWriter: runs the encoder of the format on a thread of its own, and puts the finished file into place.
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <csignal>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"
#include "media/picture/encoder.hpp"
#include "media/picture/fit_metadata.hpp"
#include "media/picture/format_limits.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/picture_format.hpp"
#include "media/picture/resample.hpp"
#include "media/picture/row_converter.hpp"
#include "media/picture/row_queue.hpp"

namespace weir::media {
namespace {

// Blocks signals in the calling thread, which writes the file. A write to a closed pipe, or above the file-size limit,
// sends a signal to this thread. If the signal is blocked, the write fails with an error and the process goes on.
// The signals that stop the process (SIGINT, ...) are blocked here so that other threads receive them.
void block_writer_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

/// Puts the rows into a queue. A separate thread resizes, converts and encodes them and writes the file.
class ThreadedWriter final : public PictureWriter {
 public:
  ThreadedWriter(std::string name, std::optional<AtomicFile> file, const WriteOptions& options)
      : options_{options},
        rows_left_{static_cast<std::size_t>(options.row_format.height)},
        stored_{fit_picture_info(options, report_.lost)},
        metadata_{fit_metadata(options.metadata, stored_, report_)},
        file_{std::move(file)},
        sink_{file_ ? file_->fd() : STDOUT_FILENO, std::move(name)},
        queue_{std::max<std::size_t>(options.queue_size.count(), options.row_format.row_bytes())} {}
  /// Starts the thread. Errors: io, if it cannot be started.
  Status start() {
    auto thread = start_thread<std::thread>([this] { run(); });
    if (!thread) return Error{thread.error().code, sink_.name() + ": " + thread.error().what};
    thread_ = *std::move(thread);
    return ok();
  }

  ~ThreadedWriter() override {
    if (!thread_.joinable()) return;
    queue_.cancel(Error{Errc::cancelled, sink_.name() + ": writing was stopped"});
    thread_.join();
  }

  Status write(std::span<const std::byte> rows) override {
    const std::size_t row_bytes = options_.row_format.row_bytes();
    assert(rows.size() % row_bytes == 0);
    if (rows.size() / row_bytes > rows_left_)
      return Error{Errc::invalid_argument, fmt::format("{}: received more rows than its height of {}", sink_.name(),
                                                       options_.row_format.height)};
    rows_left_ -= rows.size() / row_bytes;
    return queue_.write(rows);
  }

  Result<WriteReport> finish() override {
    assert(thread_.joinable());
    queue_.close(Error{Errc::invalid_argument, sink_.name() + ": finished before its last row"});
    thread_.join();
    if (!result_) return result_.error();
    if (file_)
      if (auto committed = file_->commit(); !committed) return committed.error();
    return std::move(report_);
  }

 private:
  // The function of the thread.
  void run() {
    block_writer_signals();
    result_ = catch_resource_errors([this] { return encode(); });
    if (!result_) queue_.cancel(result_.error());
    report_.size = Bytes{sink_.size()};
  }

  // Encodes the rows of queue_, after resizing and conversion if they are necessary.
  Status encode() {
    RowSource* rows = &queue_;
    auto picture = options_.row_format;
    std::unique_ptr<RowSource> resized, converted;
    if (picture.width != stored_.width || picture.height != stored_.height) {
      resized = resample_rows(*rows, picture, stored_.width, stored_.height);
      rows = resized.get();
      picture.width = stored_.width;
      picture.height = stored_.height;
    }
    if (picture.alpha != stored_.alpha || picture.bits != stored_.bits) {
      converted = convert_rows(*rows, picture, stored_);
      rows = converted.get();
    }
    const EncodeJob job{stored_, options_.quality, metadata_.get()};
    if (stored_.alpha) report_.kept.emplace_back("alpha");
    if (stored_.bits == 16) report_.kept.emplace_back("16-bit");
    // create() has checked that write_support is not empty.
    return find_format(options_.format).write_support->encode(job, *rows, sink_, report_);
  }

  WriteOptions options_;
  WriteReport report_;     // from start() until the thread is joined, only the thread uses it
  std::size_t rows_left_;  // number of rows that write() still accepts
  PictureInfo stored_;     // format of the picture in the file
  MetadataPtr metadata_;
  std::optional<AtomicFile> file_;
  ByteSink sink_;
  RowQueue queue_;
  Status result_ = ok();  // result of encode(); read it only after the thread has ended
  std::thread thread_;    // last member: the thread uses all others
};

}  // namespace

Result<std::unique_ptr<PictureWriter>> PictureWriter::create(const std::filesystem::path& path,
                                                             const WriteOptions& options) {
  const bool to_stdout = path == "-";
  auto name = to_stdout ? std::string{"standard output"} : printable(path.native());
  if (auto fits = check_format_limits(options); !fits) return Error{fits.error().code, name + ": " + fits.error().what};
  std::optional<AtomicFile> file;
  if (!to_stdout) {
    auto created = AtomicFile::create(path, options.overwrite);
    if (!created) return created.error();
    file.emplace(*std::move(created));
  }
  auto writer = std::make_unique<ThreadedWriter>(std::move(name), std::move(file), options);
  if (auto started = writer->start(); !started) return started.error();
  return std::unique_ptr<PictureWriter>{std::move(writer)};
}

MediaNeed PictureWriter::need(const WriteOptions& options) {
  const auto& support = find_format(options.format).write_support;
  if (!support) return {};
  std::vector<std::string> lost;
  const auto stored = fit_picture_info(options, lost);
  auto sum = support->need(stored, options.quality);
  sum.ram += std::max(options.queue_size, Bytes{options.row_format.row_bytes()}) +
             Bytes{options.row_format.row_bytes()} + 128_KiB;
  // Factor 3: the metadata, the part of it that the format stores, and a compressed copy of one block.
  if (options.metadata != nullptr) sum.ram += Bytes{options.metadata->bytes()} * 3;
  if (stored.width != options.row_format.width || stored.height != options.row_format.height)
    sum.ram += resample_memory_need(options.row_format, stored.width, stored.height);
  return sum;
}

}  // namespace weir::media
