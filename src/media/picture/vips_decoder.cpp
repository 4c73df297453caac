#include "media/picture/vips_decoder.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace weir::media {
namespace {

constexpr int kRowsAtOnce = 16;  // asked of libvips; its own pipelines work in strips of this height

class VipsDecoder final : public Decoder {
 public:
  VipsDecoder(const VipsApi& api, const VipsLoading& how, InputFilePtr file, Damaged damaged)
      : api_{api}, how_{how}, file_{std::move(file)}, damaged_{damaged} {}
  ~VipsDecoder() override { close(); }

  Status start();
  MediaNeed need() const override;
  Status restart() override {
    close();
    return ok();
  }
  Status read(std::span<std::byte> rows) override;
  std::vector<Damage> damage() const override;
  void leave_thread() override {
    close();
    api_.vips_thread_shutdown();
  }

 private:
  Status open_pixels();
  Status start_once();
  bool try_lenient(const Status& failed);
  Status prepare_row();
  Status note_row(std::span<const std::byte> row);
  void close();
  std::string name() const { return std::string{name_of(how_.format)}; }

  const VipsApi& api_;
  const VipsLoading& how_;
  InputFilePtr file_;
  Damaged damaged_;
  std::uint32_t rows_at_once_ = 0;
  std::optional<VipsPicture> picture_;
  std::optional<VipsRef<VipsRegion>> region_;
  int row_ = 0, prepared_to_ = 0;
  // Of a file that libvips found damaged: it is asked to give what it can, row by row.
  bool lenient_ = false;
  int lenient_from_ = 0;  // the first row that could not be had otherwise
  std::string why_;
  int missing_from_ = -1;  // the first row of which not every pixel is there, where those are transparent
};

/// Whether what failed may be had from a file that libvips found damaged; it is taken so from then on.
bool VipsDecoder::try_lenient(const Status& failed) {
  if (damaged_ == Damaged::refuse || lenient_ || failed.error().code != Errc::corrupt) return false;
  lenient_ = true;
  lenient_from_ = row_;
  why_ = reason_of(failed.error().what, file_->name());
  return true;
}

Status VipsDecoder::start() {
  auto started = start_once();
  if (!started && try_lenient(started)) started = start_once();
  return started;
}

Status VipsDecoder::start_once() {
  const auto picture = open_vips_picture(api_, how_, *file_, lenient_);
  if (!picture) return picture.error();
  auto metadata = read_vips_metadata(api_, how_, file_, *picture);
  if (!metadata) return metadata.error();
  info_ = picture->info;
  orientation_ = vips_orientation(api_, *picture);
  metadata_ = *std::move(metadata);
  if (how_.rows_at_once != nullptr) rows_at_once_ = how_.rows_at_once(*file_);
  return ok();
}

Status VipsDecoder::open_pixels() {
  auto opened = open_vips_picture(api_, how_, *file_, lenient_);
  if (!opened) return opened.error();
  const auto& info = opened->info;
  if (info.width != info_.width || info.height != info_.height || info.row_bytes() != info_.row_bytes())
    return file_->error(Errc::io, "has changed while it was read; run again");
  picture_.emplace(*std::move(opened));
  region_.emplace(api_, api_.vips_region_new(picture_->image.get()));
  row_ = prepared_to_ = 0;
  return ok();
}

void VipsDecoder::close() {
  region_.reset();
  picture_.reset();
}

/// Row row_ and some after it.
Status VipsDecoder::prepare_row() {
  if (!picture_)
    if (auto opened = open_pixels(); !opened) return opened;
  if (row_ < prepared_to_) return ok();
  const int count = std::min(lenient_ ? 1 : kRowsAtOnce, info_.height - row_);
  const VipsRect area{0, row_, info_.width, count};
  if (api_.vips_region_prepare(region_->get(), &area) != 0)
    return vips_failure(api_, *file_, fmt::format("{} row {} of {}", name(), row_ + 1, info_.height));
  prepared_to_ = row_ + count;
  return ok();
}

Status VipsDecoder::read(std::span<std::byte> rows) {
  const auto row_bytes = info_.row_bytes();
  for (std::size_t at = 0; at < rows.size(); at += row_bytes, ++row_) {
    auto prepared = prepare_row();
    if (!prepared && try_lenient(prepared)) {
      // Rows come in order alone: again from the first one.
      const int wanted = row_;
      close();
      prepared = ok();
      for (row_ = prepared_to_ = 0; row_ <= wanted && prepared; ++row_) prepared = prepare_row();
      row_ = wanted;
    }
    if (!prepared) return prepared;
    std::memcpy(rows.data() + at, region_row(region_->get(), row_), row_bytes);
    if (auto noted = note_row(rows.subspan(at, row_bytes)); !noted) return noted;
  }
  return ok();
}

/// Errors: corrupt, if what is missing is all of the first row.
Status VipsDecoder::note_row(std::span<const std::byte> row) {
  if (!lenient_ || !how_.missing_is_transparent || !info_.alpha || missing_from_ >= 0) return ok();
  const auto pixel = static_cast<std::size_t>(info_.channels());
  int transparent = 0;
  for (std::size_t at = pixel - 1; at < row.size(); at += pixel) transparent += row[at] == std::byte{0} ? 1 : 0;
  if (transparent == 0) return ok();
  if (row_ == 0 && transparent == info_.width)
    return file_->error(Errc::corrupt, name() + ": " + why_ + "; the file is damaged, get it again");
  missing_from_ = row_;
  return ok();
}

std::vector<Damage> VipsDecoder::damage() const {
  if (!lenient_) return {};
  if (missing_from_ >= 0) return {{Damage::Kind::filled, missing_from_, info_.height - missing_from_, why_}};
  return {{Damage::Kind::doubtful, lenient_from_, info_.height - lenient_from_, why_}};
}

MediaNeed VipsDecoder::need() const {
  auto sum = vips_need(info_, how_.cost);
  const auto row = Bytes{info_.row_bytes()};
  if (how_.rows_at_once != nullptr) {
    // Rows as they are stored and as they are decoded.
    const auto height = static_cast<std::uint32_t>(info_.height);
    sum.ram += row * (rows_at_once_ == 0 || rows_at_once_ > height ? height : rows_at_once_) * 2;
  } else {
    sum.ram += Bytes{file_->size()};
  }
  sum.ram += row * 64;
  sum.ram += Bytes{metadata_->bytes()} * 2;
  return sum;
}

Status check_held(const VipsLoading& how, const InputFile& file, const ReadOptions& options) {
  if (how.streams) return ok();
  const auto held = Bytes{file.size()} * 2 + 36_MiB;
  if (held <= options.limit) return ok();
  return file.error(
      Errc::over_budget,
      fmt::format("{}: opening it takes up to {} MiB (twice its {} MiB, and libvips), above the {} MiB of "
                  "--ram; raise it",
                  name_of(how.format), held.count() >> 20, file.size() >> 20, options.limit.count() >> 20));
}

}  // namespace

Result<DecoderPtr> open_by_vips(const VipsLoading& how, InputFilePtr file, const ReadOptions& options) {
  if (auto fits = check_held(how, *file, options); !fits) return fits.error();
  auto api = VipsApi::get();
  if (!api) return file->error(api.error().code, std::string{name_of(how.format)} + " " + api.error().what);
  auto decoder = std::make_unique<VipsDecoder>(**api, how, std::move(file), options.damaged);
  if (auto started = decoder->start(); !started) return started.error();
  return DecoderPtr{std::move(decoder)};
}

}  // namespace weir::media
