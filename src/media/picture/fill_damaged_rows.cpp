#include "media/picture/fill_damaged_rows.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace weir::media {
namespace {

/// The decoder that fill_damaged_rows() returns.
class DamagedRowFiller final : public Decoder {
 public:
  DamagedRowFiller(DecoderPtr decoder, const InputFile& file)
      : decoder_{std::move(decoder)},
        file_name_{file.name()},
        last_row_{std::make_unique_for_overwrite<std::byte[]>(decoder_->info().row_bytes())} {
    info_ = decoder_->info();
    orientation_ = decoder_->orientation();
    metadata_ = decoder_->metadata();
  }

  MediaNeed need() const override {
    auto sum = decoder_->need();
    sum.ram += Bytes{info().row_bytes()};
    return sum;
  }
  std::vector<std::string> losses() const override { return decoder_->losses(); }
  void release_thread_resources() override { decoder_->release_thread_resources(); }
  Status restart() override {
    row_ = 0;
    return decoder_->restart();
  }

  Status read(std::span<std::byte> rows) override {
    const auto row_bytes = info().row_bytes();
    for (; !rows.empty(); rows = rows.subspan(row_bytes), ++row_)
      if (auto got = read_row(rows.first(row_bytes)); !got) return got;
    return ok();
  }

  std::vector<Damage> damage() const override {
    auto all = decoder_->damage();
    if (!filled_) return all;
    // filled_ covers all rows that the decoder did not yield.
    std::erase_if(all, [&](const Damage& each) { return each.first_row >= filled_->first_row; });
    // An entry with the same reason is the failure that ended decoding, which filled_ reports.
    std::erase_if(all, [&](const Damage& each) { return each.reason == filled_->reason; });
    for (Damage& each : all) each.row_count = std::min(each.row_count, filled_->first_row - each.first_row);
    all.push_back(*filled_);
    return all;
  }

 private:
  Status read_row(std::span<std::byte> row) {
    if (!filled_ || row_ < filled_->first_row) {
      auto got = decoder_->read(row);
      if (got) {
        std::memcpy(last_row_.get(), row.data(), row.size());
        return got;
      }
      if (got.error().code != Errc::corrupt || row_ == 0) return got;
      filled_ = Damage{Damage::Kind::filled, row_, info().height - row_, extract_reason(got.error().what, file_name_)};
    }
    std::memcpy(row.data(), last_row_.get(), row.size());
    return ok();
  }

  DecoderPtr decoder_;
  std::string file_name_;
  std::unique_ptr<std::byte[]> last_row_;  // the last good row
  int row_ = 0;                            // index of the next row
  // rows from the first failure to the end; restart() keeps this member, so that the rows are the same each time the
  // picture is read
  std::optional<Damage> filled_;
};

}  // namespace

DecoderPtr fill_damaged_rows(DecoderPtr decoder, const InputFile& file) {
  return std::make_unique<DamagedRowFiller>(std::move(decoder), file);
}

}  // namespace weir::media
