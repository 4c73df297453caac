#include "media/picture/filled.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace weir::media {
namespace {

class Filled final : public Decoder {
 public:
  Filled(DecoderPtr decoder, const InputFile& file)
      : decoder_{std::move(decoder)},
        file_{file.name()},
        last_{std::make_unique_for_overwrite<std::byte[]>(decoder_->info().row_bytes())} {
    info_ = decoder_->info();
    orientation_ = decoder_->orientation();
    metadata_ = decoder_->metadata();
  }

  MediaNeed need() const override {
    auto sum = decoder_->need();
    sum.ram += Bytes{info().row_bytes()};
    return sum;
  }
  void leave_thread() override { decoder_->leave_thread(); }
  Status restart() override {
    row_ = 0;
    return decoder_->restart();
  }

  Status read(std::span<std::byte> rows) override {
    const auto row_bytes = info().row_bytes();
    for (; !rows.empty(); rows = rows.subspan(row_bytes), ++row_)
      if (auto got = next(rows.first(row_bytes)); !got) return got;
    return ok();
  }

  std::vector<Damage> damage() const override {
    auto all = decoder_->damage();
    if (!filled_) return all;
    // What the decoder says of rows that it did not yield is no news.
    std::erase_if(all, [&](const Damage& each) { return each.first >= filled_->first; });
    // The decoder knows no better reason for doubt than what ended it.
    std::erase_if(all, [&](const Damage& each) { return each.why == filled_->why; });
    for (Damage& each : all) each.count = std::min(each.count, filled_->first - each.first);
    all.push_back(*filled_);
    return all;
  }

 private:
  Status next(std::span<std::byte> row) {
    if (!filled_ || row_ < filled_->first) {
      auto got = decoder_->read(row);
      if (got) {
        std::memcpy(last_.get(), row.data(), row.size());
        return got;
      }
      if (got.error().code != Errc::corrupt || row_ == 0) return got;
      filled_ = Damage{Damage::Kind::filled, row_, info().height - row_, reason_of(got.error().what, file_)};
    }
    std::memcpy(row.data(), last_.get(), row.size());
    return ok();
  }

  DecoderPtr decoder_;
  std::string file_;
  std::unique_ptr<std::byte[]> last_;  // one row
  int row_ = 0;
  std::optional<Damage> filled_;  // the same in every pass
};

}  // namespace

DecoderPtr fill_damaged(DecoderPtr decoder, const InputFile& file) {
  return std::make_unique<Filled>(std::move(decoder), file);
}

}  // namespace weir::media
