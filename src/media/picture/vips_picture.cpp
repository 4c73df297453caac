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

Result<ImageRef> load(const VipsApi& api, const VipsLoading& how, const InputFile& file, bool lenient) {
  const auto bytes = file.bytes();
  const VipsRef<VipsSource> source{api, file.fd() >= 0 ? api.vips_source_new_from_descriptor(file.fd())
                                                       : api.vips_source_new_from_memory(bytes.data(), bytes.size())};
  if (source.get() == nullptr) return vips_failure(api, file, "open");
  VipsImage* image = nullptr;
  if ((api.*how.load)(source.get(), &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                      lenient ? VIPS_FAIL_ON_NONE : VIPS_FAIL_ON_ERROR, nullptr) != 0)
    return vips_failure(api, file, std::string{name_of(how.format)});
  return ImageRef{api, image};
}

Result<ImageRef> to_srgb(const VipsApi& api, const InputFile& file, VipsImage* in, bool deep) {
  VipsImage* out = nullptr;
  const bool cmyk = in->Type == VIPS_INTERPRETATION_CMYK;
  const int result =
      cmyk ? api.vips_icc_transform(in, &out, "srgb", "embedded", TRUE, "input_profile", "cmyk", "depth", deep ? 16 : 8,
                                    nullptr)
           : api.vips_colourspace(in, &out, deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB, nullptr);
  if (result != 0) return vips_failure(api, file, "conversion to sRGB");
  return ImageRef{api, out};
}

bool is_plain(VipsInterpretation type) {
  return type == VIPS_INTERPRETATION_sRGB || type == VIPS_INTERPRETATION_RGB || type == VIPS_INTERPRETATION_RGB16 ||
         type == VIPS_INTERPRETATION_B_W || type == VIPS_INTERPRETATION_GREY16 || type == VIPS_INTERPRETATION_MULTIBAND;
}

Blob blob(const VipsApi& api, const VipsImage* image, const char* name) {
  if (api.vips_image_get_typeof(image, name) != api.vips_blob_get_type()) return {};
  const void* data = nullptr;
  std::size_t size = 0;
  if (api.vips_image_get_blob(image, name, &data, &size) != 0 || size > kMostMetadata) return {};
  const auto* first = static_cast<const std::byte*>(data);
  return Blob(first, first + size);
}

/// A whole number that libvips tells of a picture, or `otherwise`.
int number(const VipsApi& api, const VipsImage* image, const char* name, int otherwise) {
  int value = otherwise;
  const bool told = api.vips_image_get_typeof(image, name) != 0 && api.vips_image_get_int(image, name, &value) == 0;
  return told ? value : otherwise;
}

}  // namespace

Result<VipsPicture> open_vips_picture(const VipsApi& api, const VipsLoading& how, const InputFile& file, bool lenient) {
  auto loaded = load(api, how, file, lenient);
  if (!loaded) return loaded.error();
  const auto type = loaded->get()->Type;
  VipsPicture picture{*std::move(loaded), {}};
  ImageRef& image = picture.image;
  picture.has_profile = api.vips_image_get_typeof(image.get(), VIPS_META_ICC_NAME) != 0;
  picture.converted = !is_plain(type);
  if (picture.converted) {
    const auto format = image.get()->BandFmt;
    auto turned = to_srgb(api, file, image.get(), format != VIPS_FORMAT_UCHAR && type != VIPS_INTERPRETATION_LABQ);
    if (!turned) return turned.error();
    image = *std::move(turned);
  }
  const auto format = image.get()->BandFmt;
  if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT)
    return vips_unsupported(file,
                            std::string{name_of(how.format)} + ": samples are neither 8- nor 16-bit whole numbers");
  auto& info = picture.info;
  info.format = how.format;
  info.width = image.get()->Xsize;
  info.height = image.get()->Ysize;
  info.bits = format == VIPS_FORMAT_USHORT ? 16 : 8;
  const int bands = image.get()->Bands;
  info.colours = bands >= 3 ? 3 : 1;
  info.alpha = bands > info.colours && (bands == 2 || api.vips_image_hasalpha(image.get()) != 0);
  if (bands == info.channels()) return picture;
  VipsImage* cut = nullptr;  // samples beyond colour and alpha: masks, spot colours
  if (api.vips_extract_band(image.get(), &cut, 0, "n", info.channels(), nullptr) != 0)
    return vips_failure(api, file, "channels");
  image = ImageRef{api, cut};
  return picture;
}

Result<MetadataPtr> read_vips_metadata(const VipsApi& api, const VipsLoading& how, const InputFilePtr& file,
                                       const VipsPicture& picture) {
  const VipsImage* image = picture.image.get();
  auto found = std::make_shared<Metadata>();
  found->icc = blob(api, image, VIPS_META_ICC_NAME);
  found->exif = exif_body(blob(api, image, VIPS_META_EXIF_NAME));
  found->xmp = blob(api, image, VIPS_META_XMP_NAME);
  // A file that says nothing comes with one dot per millimetre.
  if (image->Xres != 1.0 || image->Yres != 1.0) {
    found->dots_per_mm_x = image->Xres;
    found->dots_per_mm_y = image->Yres;
  }
  if (auto read = how.read_container(file, number(api, image, VIPS_META_N_PAGES, 1), *found); !read)
    return read.error();
  if (picture.converted && !found->icc.empty()) {
    found->icc.clear();
    if (picture.has_profile) leave_out(*found, "icc", "not of RGB or grey samples; the colours became sRGB");
  }
  settle(*found);
  return MetadataPtr{std::move(found)};
}

int vips_orientation(const VipsApi& api, const VipsPicture& picture) {
  const int told = number(api, picture.image.get(), VIPS_META_ORIENTATION, 1);
  return told >= 1 && told <= 8 ? told : 1;
}

Error vips_failure(const VipsApi& api, const InputFile& file, const std::string& where) {
  const auto text = api.take_error();
  const auto says = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  if (says("nsupported") || says("not supported") || says("unimplemented") || says("nknown compression"))
    return file.error(Errc::unsupported, where + ": of a kind that is not read; convert it to PNG first");
  if (says("emory")) return file.error(Errc::over_budget, where + ": no memory for its decoder; raise --ram");
  return file.error(Errc::corrupt, where + ": cannot be decoded; the file is damaged, get it again");
}

}  // namespace weir::media
