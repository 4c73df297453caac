// PictureReader: finds the decoder of a file by its first bytes, and runs it on a thread of its own.
#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <thread>

#include "base/threads.hpp"
#include "media/picture/apply_orientation.hpp"
#include "media/picture/decoder.hpp"
#include "media/picture/fill_damaged_rows.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/picture_format.hpp"
#include "media/picture/row_queue.hpp"

namespace weir::media {
namespace {

Error make_unknown_format_error(const InputFile& file) {
  return file.error(Errc::corrupt, "is not a picture of a known format; " + list_format_titles() + " are read");
}

Result<DecoderPtr> open_decoder(const InputFilePtr& file, const ReadOptions& options) {
  std::array<std::byte, kSniffBytes> head{};
  auto got = file->read_at(0, head);
  if (!got) return got.error();
  const auto* format = sniff_format(std::span{head}.first(*got));
  return format == nullptr ? make_unknown_format_error(*file) : format->open(file, options);
}

/// Runs a decoder on a separate thread, which decodes rows ahead of the caller.
class ThreadedReader final : public PictureReader {
 public:
  /// read_ahead   largest size of the rows that are decoded but not read; one row if it is smaller
  /// orientation  orientation of the file, for the texts of damage()
  /// file_height  number of rows in the file, for the texts of damage()
  ThreadedReader(DecoderPtr decoder, Bytes read_ahead, int orientation, int file_height)
      : decoder_{std::move(decoder)},
        orientation_{orientation},
        file_height_{file_height},
        info_{decoder_->info()},
        read_ahead_bytes_{std::max<std::size_t>(read_ahead.count(), info_.row_bytes())} {}
  ~ThreadedReader() override { stop(); }

  const PictureInfo& info() const override { return info_; }
  MetadataPtr metadata() const override { return decoder_->metadata(); }

  MediaNeed need() const override {
    auto sum = decoder_->need();
    sum.ram += Bytes{read_ahead_bytes_} + Bytes{info_.row_bytes()};
    return sum;
  }

  Status read(std::span<std::byte> rows) override {
    assert(rows.size() % info_.row_bytes() == 0);
    if (!queue_) {
      if (auto started = start(); !started) return started;
    }
    return queue_->read(rows);
  }

  std::vector<std::string> damage() override {
    end_thread();
    std::vector<std::string> texts;
    for (const Damage& each : decoder_->damage()) texts.push_back(to_text(each, file_height_, orientation_));
    return texts;
  }

  std::vector<std::string> losses() override {
    end_thread();
    return decoder_->losses();
  }

  Status rewind() override {
    if (!queue_) return ok();
    stop();
    return decoder_->restart();
  }

 private:
  // Starts the thread, which decodes all rows into a new queue.
  Status start() {
    queue_.emplace(read_ahead_bytes_);
    auto thread = start_thread<std::thread>([this] {
      auto done = catch_resource_errors([this] { return decode(); });
      decoder_->release_thread_resources();
      queue_->close(std::move(done));
    });
    if (!thread) {
      queue_.reset();
      return thread.error();
    }
    thread_ = *std::move(thread);
    return ok();
  }

  // Ends the thread if it runs. Afterwards the decoder can be used by the calling thread.
  void end_thread() {
    if (!thread_.joinable()) return;
    queue_->cancel(Error{Errc::cancelled, "reading was stopped"});
    thread_.join();
  }

  // Ends the thread and drops the rows in the queue.
  void stop() {
    end_thread();
    queue_.reset();
  }

  // The work of the thread.
  Status decode() {
    const auto row = std::make_unique_for_overwrite<std::byte[]>(info_.row_bytes());
    for (int y = 0; y < info_.height; ++y) {
      if (auto got = decoder_->read({row.get(), info_.row_bytes()}); !got) return got;
      if (auto put = queue_->write({row.get(), info_.row_bytes()}); !put) return put;
    }
    return ok();
  }

  DecoderPtr decoder_;
  int orientation_, file_height_;
  PictureInfo info_;
  std::size_t read_ahead_bytes_;
  std::optional<RowQueue> queue_;  // empty before the first read() and after rewind()
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<PictureReader>> PictureReader::open(const PictureSource& source, const ReadOptions& options) {
  auto file = InputFile::open(source);
  if (!file) return file.error();
  auto decoder = open_decoder(*file, options);
  if (!decoder) return decoder.error();
  const auto& info = (*decoder)->info();
  if (info.width < 1 || info.height < 1 || info.width > kMaxSide || info.height > kMaxSide)
    return (*file)->error(Errc::unsupported, "is " + std::to_string(info.width) + "x" + std::to_string(info.height) +
                                                 " pixels; at most 1048576 on a side are read");
  const int orientation = (*decoder)->orientation();
  const int height = info.height;
  auto filled =
      options.damaged == DamagePolicy::use ? fill_damaged_rows(*std::move(decoder), **file) : *std::move(decoder);
  auto oriented = apply_orientation(std::move(filled), options);
  return std::unique_ptr<PictureReader>{
      std::make_unique<ThreadedReader>(std::move(oriented), options.read_ahead, orientation, height)};
}

}  // namespace weir::media
