#include "media/picture/vips_picture.hpp"

#include <memory>
#include <string_view>
#include <utility>

namespace weir::media {
namespace {

using ImageRef = VipsRef<VipsImage>;

Error vips_unsupported(const InputFile& file, const std::string& what) {
  return file.error(Errc::unsupported, what + "; convert it to 8- or 16-bit RGB first");
}

/// Opens the file with the loader of its format.
Result<ImageRef> load_image(const VipsApi& api, const VipsLoader& loader, const InputFile& file, bool lenient) {
  const auto bytes = file.bytes();
  const VipsRef<VipsSource> source{api, file.fd() >= 0 ? api.vips_source_new_from_descriptor(file.fd())
                                                       : api.vips_source_new_from_memory(bytes.data(), bytes.size())};
  if (source.get() == nullptr) return vips_failure(api, file, "open");
  VipsImage* image = nullptr;
  if ((api.*loader.load)(source.get(), &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                         lenient ? VIPS_FAIL_ON_NONE : VIPS_FAIL_ON_ERROR, nullptr) != 0)
    return vips_failure(api, file, std::string{name_of(loader.format)});
  return ImageRef{api, image};
}

Result<ImageRef> to_srgb(const VipsApi& api, const InputFile& file, VipsImage* image, bool to_16_bits) {
  VipsImage* converted = nullptr;
  const bool is_cmyk = image->Type == VIPS_INTERPRETATION_CMYK;
  const int result =
      is_cmyk ? api.vips_icc_transform(image, &converted, "srgb", "embedded", TRUE, "input_profile", "cmyk", "depth",
                                       to_16_bits ? 16 : 8, nullptr)
              : api.vips_colourspace(image, &converted,
                                     to_16_bits ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB, nullptr);
  if (result != 0) return vips_failure(api, file, "conversion to sRGB");
  return ImageRef{api, converted};
}

/// Returns whether samples of this type are grey or RGB and need no conversion.
bool is_grey_or_rgb(VipsInterpretation type) {
  return type == VIPS_INTERPRETATION_sRGB || type == VIPS_INTERPRETATION_RGB || type == VIPS_INTERPRETATION_RGB16 ||
         type == VIPS_INTERPRETATION_B_W || type == VIPS_INTERPRETATION_GREY16 || type == VIPS_INTERPRETATION_MULTIBAND;
}

/// Returns a metadata block that libvips read. If the block is larger than kMaxMetadataBytes, returns nothing and
/// records an omission.
/// field      name of libvips for the block
/// data_name  name for the omission
Blob read_blob(const VipsApi& api, const VipsImage* image, const char* field, std::string_view data_name,
               Metadata& into) {
  if (api.vips_image_get_typeof(image, field) != api.vips_blob_get_type()) return {};
  const void* data = nullptr;
  std::size_t size = 0;
  if (api.vips_image_get_blob(image, field, &data, &size) != 0) return {};
  if (size > kMaxMetadataBytes) {
    record_omission(into, data_name, "takes more than 4 MiB");
    return {};
  }
  const auto* first = static_cast<const std::byte*>(data);
  return Blob(first, first + size);
}

/// Returns an integer field of a picture, or `default_value` if it is missing.
int read_int(const VipsApi& api, const VipsImage* image, const char* name, int default_value) {
  int value = default_value;
  const bool found = api.vips_image_get_typeof(image, name) != 0 && api.vips_image_get_int(image, name, &value) == 0;
  return found ? value : default_value;
}

}  // namespace

Result<VipsPicture> open_vips_picture(const VipsApi& api, const VipsLoader& loader, const InputFile& file,
                                      bool lenient) {
  auto loaded = load_image(api, loader, file, lenient);
  if (!loaded) return loaded.error();
  const auto type = loaded->get()->Type;
  VipsPicture picture{*std::move(loaded), {}};
  ImageRef& image = picture.image;
  picture.has_profile = api.vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME) != 0;
  picture.converted = !is_grey_or_rgb(type);
  if (picture.converted) {
    const auto format = image.get()->BandFmt;
    auto converted = to_srgb(api, file, image.get(), format != VIPS_FORMAT_UCHAR && type != VIPS_INTERPRETATION_LABQ);
    if (!converted) return converted.error();
    image = *std::move(converted);
  }
  const auto format = image.get()->BandFmt;
  if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT)
    return vips_unsupported(file,
                            std::string{name_of(loader.format)} + ": samples are neither 8- nor 16-bit whole numbers");
  auto& info = picture.info;
  info.format = loader.format;
  info.width = image.get()->Xsize;
  info.height = image.get()->Ysize;
  info.bits = format == VIPS_FORMAT_USHORT ? 16 : 8;
  const int bands = image.get()->Bands;
  info.colours = bands >= 3 ? 3 : 1;
  info.alpha = bands > info.colours && (bands == 2 || api.vips_image_hasalpha(image.get()) != 0);
  if (bands == info.channels()) return picture;
  // the picture without the samples that are neither colour nor alpha (masks, spot colours)
  VipsImage* reduced = nullptr;
  if (api.vips_extract_band(image.get(), &reduced, 0, "n", info.channels(), nullptr) != 0)
    return vips_failure(api, file, "channels");
  image = ImageRef{api, reduced};
  return picture;
}

Result<MetadataPtr> read_vips_metadata(const VipsApi& api, const VipsLoader& loader, const InputFilePtr& file,
                                       const VipsPicture& picture) {
  const VipsImage* image = picture.image.get();
  auto found = std::make_shared<Metadata>();
  found->icc = read_blob(api, image, VIPS_META_ICC_NAME, "icc", *found);
  const Blob exif = read_blob(api, image, VIPS_META_EXIF_NAME, "exif", *found);
  found->exif = strip_exif_prefix(exif);
  if (!exif.empty() && found->exif.empty()) record_omission(*found, "exif", "damaged");
  found->xmp = read_blob(api, image, VIPS_META_XMP_NAME, "xmp", *found);
  // libvips reports one dot per millimetre for a file without a resolution.
  if (image->Xres != 1.0 || image->Yres != 1.0) {
    found->dots_per_mm_x = image->Xres;
    found->dots_per_mm_y = image->Yres;
  }
  if (auto read = loader.read_container_metadata(file, read_int(api, image, VIPS_META_N_PAGES, 1), *found); !read)
    return read.error();
  if (picture.converted && !found->icc.empty()) {
    found->icc.clear();
    if (picture.has_profile) record_omission(*found, "icc", "not of RGB or grey samples; the colours became sRGB");
  }
  normalize_metadata(*found);
  return MetadataPtr{std::move(found)};
}

int vips_orientation(const VipsApi& api, const VipsPicture& picture) {
  const int orientation = read_int(api, picture.image.get(), VIPS_META_ORIENTATION, 1);
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

Error vips_failure(const VipsApi& api, const InputFile& file, const std::string& place) {
  const auto text = api.take_error();
  const auto contains = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  // Some words lack the first letter, so that they are found in upper and in lower case.
  if (contains("nsupported") || contains("not supported") || contains("unimplemented") ||
      contains("nknown compression"))
    return file.error(Errc::unsupported, place + ": of a kind that is not read; convert it to PNG first");
  // Before the memory: if a file cannot be mapped into memory, the message of libvips names the memory.
  if (auto read_error = file.find_read_error()) return *std::move(read_error);
  if (contains("emory")) return file.error(Errc::over_budget, place + ": no memory for its decoder; raise --ram");
  return file.error(Errc::corrupt, place + ": cannot be decoded; the file is damaged, get it again");
}

}  // namespace weir::media
