#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "media/picture/container_metadata.hpp"
#include "media/picture/decoder.hpp"
#include "media/picture/jpeg_segments.hpp"
#include "media/picture/jxl_metadata.hpp"
#include "media/picture/tiff_strips.hpp"
#include "media/picture/vips_api.hpp"
#include "media/picture/vips_need.hpp"

namespace weir::media {
namespace {

using ImageRef = VipsRef<VipsImage>;
constexpr int kRowsAtOnce = 16;  // asked of libvips; its own pipelines work in strips of this height

/// Any picture that libvips can read, as 8- or 16-bit grey or RGB.
class VipsDecoder final : public Decoder {
 public:
  VipsDecoder(const VipsApi& api, InputFilePtr file, Format format, Damaged damaged)
      : api_{api}, file_{std::move(file)}, damaged_{damaged} {
    info_.format = format;
  }
  ~VipsDecoder() override { close(); }

  Status start();
  const PictureInfo& info() const override { return info_; }
  int orientation() const override { return orientation_; }
  MetadataPtr metadata() const override { return metadata_; }
  MediaNeed need() const override {
    auto sum = vips_decoder_need(info_, file_->size(), strip_rows_);
    sum.ram += Bytes{metadata_->bytes()} * 2;
    return sum;
  }
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
  Result<ImageRef> load() const;
  Result<ImageRef> convert(ImageRef loaded);
  Result<ImageRef> to_srgb(const VipsImage* image, bool deep) const;
  Status read_metadata(const VipsImage* image);
  void read_container(const VipsImage* image, Metadata& found) const;
  void read_tiff_pages(const VipsImage* image, Metadata& found) const;
  Blob blob(const VipsImage* image, const char* name) const;
  Status open_pixels();
  Status start_once();
  bool try_lenient(const Status& failed);
  Status prepare_row();
  Status note_row(std::span<const std::byte> row);
  void close();
  Error failure(const std::string& where) const;
  Error unsupported(const std::string& what) const;

  const VipsApi& api_;
  InputFilePtr file_;
  Damaged damaged_;
  PictureInfo info_;
  MetadataPtr metadata_;
  int orientation_ = 1;
  std::uint32_t strip_rows_ = 0;
  bool has_profile_ = false;  // in the file
  bool converted_ = false;    // the samples no longer mean what the file's profile says
  std::optional<ImageRef> image_;
  std::optional<VipsRef<VipsRegion>> region_;
  int row_ = 0, prepared_to_ = 0;
  // Of a file that libvips found damaged: it is asked to give what it can, row by row.
  bool lenient_ = false;
  int lenient_from_ = 0;  // the first row that could not be had otherwise
  std::string why_;
  int missing_from_ = -1;  // GIF: the first row of which not every pixel is there
};

// What libvips says names its own parts, over several lines at times: it is put into our words.
Error VipsDecoder::failure(const std::string& where) const {
  const auto text = api_.take_error();
  const auto says = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  if (says("nsupported") || says("not supported") || says("unimplemented") || says("nknown compression"))
    return file_->error(Errc::unsupported, where + ": of a kind that is not read; convert it to PNG first");
  if (says("emory")) return file_->error(Errc::over_budget, where + ": no memory for its decoder; raise --ram");
  return file_->error(Errc::corrupt, where + ": cannot be decoded; the file is damaged, get it again");
}

Error VipsDecoder::unsupported(const std::string& what) const {
  return file_->error(Errc::unsupported, what + "; convert it to 8- or 16-bit RGB first");
}

Result<ImageRef> VipsDecoder::load() const {
  const auto bytes = file_->bytes();
  const VipsRef<VipsSource> source{api_, file_->fd() >= 0
                                             ? api_.vips_source_new_from_descriptor(file_->fd())
                                             : api_.vips_source_new_from_memory(bytes.data(), bytes.size())};
  if (source.get() == nullptr) return failure("open");
  const auto run = [&](auto* loader) -> Result<ImageRef> {
    VipsImage* image = nullptr;
    if (loader(source.get(), &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
               lenient_ ? VIPS_FAIL_ON_NONE : VIPS_FAIL_ON_ERROR, nullptr) != 0)
      return failure(std::string{name_of(info_.format)});
    return ImageRef{api_, image};
  };
  switch (info_.format) {
    case Format::jpg:
      return run(api_.vips_jpegload_source);
    case Format::webp:
      return run(api_.vips_webpload_source);
    case Format::tiff:
      return run(api_.vips_tiffload_source);
    case Format::avif:
    case Format::heif:
      return run(api_.vips_heifload_source);
    case Format::jxl:
      return run(api_.vips_jxlload_source);
    case Format::gif:
      return run(api_.vips_gifload_source);
    default:
      return unsupported(std::string{name_of(info_.format)} + " is not read through libvips");
  }
}

Blob VipsDecoder::blob(const VipsImage* image, const char* name) const {
  if (api_.vips_image_get_typeof(image, name) != api_.vips_blob_get_type()) return {};
  const void* data = nullptr;
  std::size_t size = 0;
  if (api_.vips_image_get_blob(image, name, &data, &size) != 0 || size > kMostMetadata) return {};
  const auto* first = static_cast<const std::byte*>(data);
  return Blob(first, first + size);
}

void VipsDecoder::read_container(const VipsImage* image, Metadata& found) const {
  switch (info_.format) {
    case Format::jpg:
      return read_jpeg_segments(*file_, found);
    case Format::gif:
      return read_gif_blocks(file_, found);
    case Format::webp:
      return read_webp_chunks(*file_, found);
    case Format::avif:
    case Format::heif:
      return read_heif_boxes(*file_, found);
    case Format::tiff:
      return read_tiff_pages(image, found);
    default:
      return;
  }
}

void VipsDecoder::read_tiff_pages(const VipsImage* image, Metadata& found) const {
  int pages = 1;
  if (api_.vips_image_get_typeof(image, VIPS_META_N_PAGES) != 0 &&
      api_.vips_image_get_int(image, VIPS_META_N_PAGES, &pages) == 0 && pages > 1)
    leave_out(found, "pages", fmt::format("the first of {}", pages));
  read_tiff_tags(*file_, found);
}

Status VipsDecoder::read_metadata(const VipsImage* image) {
  auto found = std::make_shared<Metadata>();
  found->icc = blob(image, VIPS_META_ICC_NAME);
  found->exif = exif_body(blob(image, VIPS_META_EXIF_NAME));
  found->xmp = blob(image, VIPS_META_XMP_NAME);
  // A file that says nothing comes with one dot per millimetre.
  if (image->Xres != 1.0 || image->Yres != 1.0) {
    found->dots_per_mm_x = image->Xres;
    found->dots_per_mm_y = image->Yres;
  }
  // HEIF, AVIF and JPEG XL pictures are turned by their own decoders, and libvips drops the tag then.
  int orientation = 1;
  if (api_.vips_image_get_typeof(image, VIPS_META_ORIENTATION) != 0 &&
      api_.vips_image_get_int(image, VIPS_META_ORIENTATION, &orientation) == 0)
    orientation_ = orientation >= 1 && orientation <= 8 ? orientation : 1;
  read_container(image, *found);
  if (converted_ && !found->icc.empty()) {
    found->icc.clear();
    if (has_profile_) leave_out(*found, "icc", "not of RGB or grey samples; the colours became sRGB");
  }
  if (info_.format == Format::jxl)
    if (auto boxes = read_jxl_metadata(file_, *found); !boxes) return boxes;
  settle(*found);
  metadata_ = std::move(found);
  return ok();
}

Result<ImageRef> VipsDecoder::to_srgb(const VipsImage* image, bool deep) const {
  VipsImage* out = nullptr;
  auto* in = const_cast<VipsImage*>(image);
  const bool cmyk = image->Type == VIPS_INTERPRETATION_CMYK;
  const int result =
      cmyk ? api_.vips_icc_transform(in, &out, "srgb", "embedded", TRUE, "input_profile", "cmyk", "depth",
                                     deep ? 16 : 8, nullptr)
           : api_.vips_colourspace(in, &out, deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB, nullptr);
  if (result != 0) return failure("conversion to sRGB");
  return ImageRef{api_, out};
}

Result<ImageRef> VipsDecoder::convert(ImageRef loaded) {
  const auto type = loaded.get()->Type;
  has_profile_ = api_.vips_image_get_typeof(loaded.get(), VIPS_META_ICC_NAME) != 0;
  const bool plain = type == VIPS_INTERPRETATION_sRGB || type == VIPS_INTERPRETATION_RGB ||
                     type == VIPS_INTERPRETATION_RGB16 || type == VIPS_INTERPRETATION_B_W ||
                     type == VIPS_INTERPRETATION_GREY16 || type == VIPS_INTERPRETATION_MULTIBAND;
  auto image = std::move(loaded);
  converted_ = !plain;
  if (!plain) {
    const auto format = image.get()->BandFmt;
    auto turned = to_srgb(image.get(), format != VIPS_FORMAT_UCHAR && type != VIPS_INTERPRETATION_LABQ);
    if (!turned) return turned;
    image = *std::move(turned);
  }
  const auto format = image.get()->BandFmt;
  if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT)
    return unsupported(std::string{name_of(info_.format)} + ": samples are neither 8- nor 16-bit whole numbers");
  info_.bits = format == VIPS_FORMAT_USHORT ? 16 : 8;
  const int bands = image.get()->Bands;
  info_.colours = bands >= 3 ? 3 : 1;
  info_.alpha = bands > info_.colours && (bands == 2 || api_.vips_image_hasalpha(image.get()) != 0);
  if (bands == info_.channels()) return image;
  VipsImage* cut = nullptr;  // samples beyond colour and alpha: masks, spot colours
  if (api_.vips_extract_band(image.get(), &cut, 0, "n", info_.channels(), nullptr) != 0) return failure("channels");
  return ImageRef{api_, cut};
}

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
  auto loaded = load();
  if (!loaded) return loaded.error();
  auto image = convert(*std::move(loaded));
  if (!image) return image.error();
  info_.width = image->get()->Xsize;
  info_.height = image->get()->Ysize;
  if (auto metadata = read_metadata(image->get()); !metadata) return metadata;
  if (info_.format == Format::tiff) strip_rows_ = tiff_rows_at_once(*file_);
  return ok();
}

Status VipsDecoder::open_pixels() {
  auto loaded = load();
  if (!loaded) return loaded.error();
  auto image = convert(*std::move(loaded));
  if (!image) return image.error();
  if (image->get()->Xsize != info_.width || image->get()->Ysize != info_.height)
    return file_->error(Errc::io, "has changed while it was read; run again");
  image_.emplace(*std::move(image));
  region_.emplace(api_, api_.vips_region_new(image_->get()));
  row_ = prepared_to_ = 0;
  return ok();
}

void VipsDecoder::close() {
  region_.reset();
  image_.reset();
}

/// Row row_ and some after it.
Status VipsDecoder::prepare_row() {
  if (!image_)
    if (auto opened = open_pixels(); !opened) return opened;
  if (row_ < prepared_to_) return ok();
  const int count = std::min(lenient_ ? 1 : kRowsAtOnce, info_.height - row_);
  const VipsRect area{0, row_, info_.width, count};
  if (api_.vips_region_prepare(region_->get(), &area) != 0)
    return failure(std::string{name_of(info_.format)} + " row " + std::to_string(row_ + 1) + " of " +
                   std::to_string(info_.height));
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

/// What is missing in a GIF is transparent. Errors: corrupt, if that is all of the first row.
Status VipsDecoder::note_row(std::span<const std::byte> row) {
  if (!lenient_ || info_.format != Format::gif || !info_.alpha || missing_from_ >= 0) return ok();
  const auto pixel = static_cast<std::size_t>(info_.channels());
  int transparent = 0;
  for (std::size_t at = pixel - 1; at < row.size(); at += pixel) transparent += row[at] == std::byte{0} ? 1 : 0;
  if (transparent == 0) return ok();
  if (row_ == 0 && transparent == info_.width)
    return file_->error(Errc::corrupt, "gif: " + why_ + "; the file is damaged, get it again");
  missing_from_ = row_;
  return ok();
}

std::vector<Damage> VipsDecoder::damage() const {
  if (!lenient_) return {};
  if (missing_from_ >= 0) return {{Damage::Kind::filled, missing_from_, info_.height - missing_from_, why_}};
  return {{Damage::Kind::doubtful, lenient_from_, info_.height - lenient_from_, why_}};
}

// These libraries hold a whole file, and what is in it besides the picture once more, before they tell its size. TIFF and
// JPEG stream; those that open them have looked at what stands beside the pixels.
Status check_held(const InputFile& file, Format format, const ReadOptions& options) {
  if (format == Format::tiff || format == Format::jpg) return ok();
  const auto held = Bytes{file.size()} * 2 + 36_MiB;
  if (held <= options.limit) return ok();
  return file.error(
      Errc::over_budget,
      fmt::format("{}: opening it takes up to {} MiB (twice its {} MiB, and libvips), above the {} MiB of "
                  "--ram; raise it",
                  name_of(format), held.count() >> 20, file.size() >> 20, options.limit.count() >> 20));
}

}  // namespace

Result<DecoderPtr> open_other(InputFilePtr file, Format format, const ReadOptions& options) {
  if (auto fits = check_held(*file, format, options); !fits) return fits.error();
  auto api = VipsApi::get();
  if (!api) return file->error(api.error().code, std::string{name_of(format)} + " " + api.error().what);
  auto decoder = std::make_unique<VipsDecoder>(**api, std::move(file), format, options.damaged);
  if (auto started = decoder->start(); !started) return started.error();
  return DecoderPtr{std::move(decoder)};
}

}  // namespace weir::media
