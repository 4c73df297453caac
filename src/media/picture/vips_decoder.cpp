#include "media/picture/vips_decoder.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace weir::media {
namespace {

constexpr int kRowsAtOnce = 16;  // rows per request; libvips processes strips of this height

class VipsDecoder final : public Decoder {
 public:
  VipsDecoder(const VipsApi& api, const VipsLoader& loader, InputFilePtr file, DamagePolicy damaged)
      : api_{api}, loader_{loader}, file_{std::move(file)}, damaged_{damaged} {}
  ~VipsDecoder() override { close(); }

  Status open();
  MediaNeed need() const override;
  Status restart() override {
    close();
    return ok();
  }
  Status read(std::span<std::byte> rows) override;
  std::vector<Damage> damage() const override;
  void release_thread_resources() override {
    close();
    api_.vips_thread_shutdown();
  }

 private:
  Status open_pixels();
  Status try_open();
  bool try_lenient(const Status& failed);
  Status prepare_row();
  Status check_transparent_row(std::span<const std::byte> row);
  void close();
  std::string name() const { return std::string{name_of(loader_.format)}; }

  const VipsApi& api_;
  const VipsLoader& loader_;
  InputFilePtr file_;
  DamagePolicy damaged_;
  std::uint32_t rows_per_strip_ = 0;  // result of VipsLoader::read_rows_per_strip; 0: unknown
  std::optional<VipsPicture> picture_;
  std::optional<VipsRef<VipsRegion>> region_;
  int row_ = 0, prepared_end_ = 0;  // next row; end of the rows that are decoded in region_
  // Lenient mode is for files that libvips reports as damaged: libvips returns the data that it can decode.
  bool lenient_ = false;
  int first_lenient_row_ = 0;  // first row that needed lenient mode
  std::string damage_reason_;
  int first_missing_row_ = -1;  // first row with transparent pixels, which are missing in the file; -1: none
};

/// Switches to lenient mode after the failure `failed`. Returns false if that is not allowed or cannot help.
bool VipsDecoder::try_lenient(const Status& failed) {
  if (damaged_ == DamagePolicy::refuse || lenient_ || failed.error().code != Errc::corrupt) return false;
  lenient_ = true;
  first_lenient_row_ = row_;
  damage_reason_ = extract_reason(failed.error().what, file_->name());
  return true;
}

Status VipsDecoder::open() {
  auto opened = try_open();
  if (!opened && try_lenient(opened)) opened = try_open();
  return opened;
}

Status VipsDecoder::try_open() {
  const auto picture = open_vips_picture(api_, loader_, *file_, lenient_);
  if (!picture) return picture.error();
  auto metadata = read_vips_metadata(api_, loader_, file_, *picture);
  if (!metadata) return metadata.error();
  info_ = picture->info;
  orientation_ = vips_orientation(api_, *picture);
  metadata_ = *std::move(metadata);
  if (loader_.read_rows_per_strip != nullptr) rows_per_strip_ = loader_.read_rows_per_strip(*file_);
  return ok();
}

Status VipsDecoder::open_pixels() {
  auto opened = open_vips_picture(api_, loader_, *file_, lenient_);
  if (!opened) return opened.error();
  const auto& info = opened->info;
  if (info.width != info_.width || info.height != info_.height || info.row_bytes() != info_.row_bytes())
    return file_->error(Errc::io, "has changed while it was read; run again");
  picture_.emplace(*std::move(opened));
  region_.emplace(api_, api_.vips_region_new(picture_->image.get()));
  row_ = prepared_end_ = 0;
  return ok();
}

void VipsDecoder::close() {
  region_.reset();
  picture_.reset();
}

/// Decodes row row_, and some rows after it, into region_.
Status VipsDecoder::prepare_row() {
  if (!picture_)
    if (auto opened = open_pixels(); !opened) return opened;
  if (row_ < prepared_end_) return ok();
  const int count = std::min(lenient_ ? 1 : kRowsAtOnce, info_.height - row_);
  const VipsRect area{0, row_, info_.width, count};
  if (api_.vips_region_prepare(region_->get(), &area) != 0)
    return vips_failure(api_, *file_, fmt::format("{} row {} of {}", name(), row_ + 1, info_.height));
  prepared_end_ = row_ + count;
  return ok();
}

Status VipsDecoder::read(std::span<std::byte> rows) {
  const auto row_bytes = info_.row_bytes();
  for (std::size_t at = 0; at < rows.size(); at += row_bytes, ++row_) {
    auto prepared = prepare_row();
    if (!prepared && try_lenient(prepared)) {
      // libvips reads rows only in order, so this starts again with the first row.
      const int target_row = row_;
      close();
      prepared = ok();
      for (row_ = prepared_end_ = 0; row_ <= target_row && prepared; ++row_) prepared = prepare_row();
      row_ = target_row;
    }
    if (!prepared) return prepared;
    std::memcpy(rows.data() + at, region_row(region_->get(), row_), row_bytes);
    if (auto checked = check_transparent_row(rows.subspan(at, row_bytes)); !checked) return checked;
  }
  return ok();
}

/// Records row_ in first_missing_row_ if the row has missing pixels. Errors: corrupt, if the whole first row is
/// missing.
Status VipsDecoder::check_transparent_row(std::span<const std::byte> row) {
  if (!lenient_ || !loader_.missing_pixels_are_transparent || !info_.alpha || first_missing_row_ >= 0) return ok();
  const auto channels = static_cast<std::size_t>(info_.channels());
  int transparent_pixels = 0;
  for (std::size_t at = channels - 1; at < row.size(); at += channels)
    transparent_pixels += row[at] == std::byte{0} ? 1 : 0;
  if (transparent_pixels == 0) return ok();
  if (row_ == 0 && transparent_pixels == info_.width)
    return file_->error(Errc::corrupt, name() + ": " + damage_reason_ + "; the file is damaged, get it again");
  first_missing_row_ = row_;
  return ok();
}

std::vector<Damage> VipsDecoder::damage() const {
  if (!lenient_) return {};
  if (first_missing_row_ >= 0)
    return {{Damage::Kind::filled, first_missing_row_, info_.height - first_missing_row_, damage_reason_}};
  return {{Damage::Kind::doubtful, first_lenient_row_, info_.height - first_lenient_row_, damage_reason_}};
}

MediaNeed VipsDecoder::need() const {
  auto sum = vips_need(info_, loader_.cost);
  const auto row = Bytes{info_.row_bytes()};
  if (loader_.read_rows_per_strip != nullptr) {
    // Factor 2: the rows as they are in the file, and decoded.
    const auto height = static_cast<std::uint32_t>(info_.height);
    sum.ram += row * (rows_per_strip_ == 0 || rows_per_strip_ > height ? height : rows_per_strip_) * 2;
  } else {
    sum.ram += Bytes{file_->size()};
  }
  sum.ram += row * 64;  // rows that libvips holds; fitted to measurements (docs/memory.md)
  sum.ram += Bytes{metadata_->bytes()} * 2;
  return sum;
}

/// Errors: over_budget, if opening the file takes more than options.memory_limit.
Status check_opening_memory(const VipsLoader& loader, const InputFile& file, const ReadOptions& options) {
  if (loader.streams) return ok();
  const auto needed = Bytes{file.size()} * 2 + 36_MiB;  // 36 MiB: libvips and its buffers, as in vips_need()
  if (needed <= options.memory_limit) return ok();
  return file.error(
      Errc::over_budget,
      fmt::format("{}: opening it takes up to {} MiB (twice its {} MiB, and libvips), above the {} MiB of "
                  "--ram; raise it",
                  name_of(loader.format), needed.count() >> 20, file.size() >> 20, options.memory_limit.count() >> 20));
}

}  // namespace

Result<DecoderPtr> open_with_vips(const VipsLoader& loader, InputFilePtr file, const ReadOptions& options) {
  if (auto fits = check_opening_memory(loader, *file, options); !fits) return fits.error();
  auto api = VipsApi::get();
  if (!api) return file->error(api.error().code, std::string{name_of(loader.format)} + " " + api.error().what);
  auto decoder = std::make_unique<VipsDecoder>(**api, loader, std::move(file), options.damaged);
  if (auto opened = decoder->open(); !opened) return opened.error();
  return DecoderPtr{std::move(decoder)};
}

}  // namespace weir::media
