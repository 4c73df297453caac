#include "synth/jpeg_round_trip.hpp"

#include <cmath>
#include <memory>
#include <vector>

#include <turbojpeg.h>

namespace weir::synth {

namespace {

struct Destroy {
  void operator()(void* handle) const noexcept { tjDestroy(handle); }
};
using Handle = std::unique_ptr<void, Destroy>;
struct FreeJpeg {
  void operator()(unsigned char* bytes) const noexcept { tjFree(bytes); }
};

int sampling_of(Chroma chroma) {
  return chroma == Chroma::full ? TJSAMP_444 : chroma == Chroma::half_columns ? TJSAMP_422 : TJSAMP_420;
}

Error failure(const Handle& handle) { return {Errc::io, std::string{"JPEG: "} + tjGetErrorStr2(handle.get())}; }

}  // namespace

Result<Canvas> jpeg_round_trip(const Canvas& canvas, int quality, Chroma chroma) {
  std::vector<unsigned char> samples;
  samples.reserve(canvas.pixels.size() * 3);
  for (const Colour& pixel : canvas.pixels) {
    for (const float value : pixel)
      samples.push_back(static_cast<unsigned char>(std::lround(std::clamp(value, 0.0F, 1.0F) * 255.0F)));
  }
  const Handle encoder{tjInitCompress()};
  unsigned char* raw = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): TurboJPEG's type
  const int encoded = tjCompress2(encoder.get(), samples.data(), canvas.width, 0, canvas.height, TJPF_RGB, &raw, &size,
                                  sampling_of(chroma), quality, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, FreeJpeg> jpeg{raw};
  if (encoded != 0) return failure(encoder);
  const Handle decoder{tjInitDecompress()};
  if (tjDecompress2(decoder.get(), jpeg.get(), size, samples.data(), canvas.width, 0, canvas.height, TJPF_RGB,
                    TJFLAG_ACCURATEDCT) != 0)
    return failure(decoder);
  Canvas result{canvas.width, canvas.height};
  std::size_t i = 0;
  for (Colour& pixel : result.pixels) {
    for (float& value : pixel) value = static_cast<float>(samples[i++]) / 255.0F;
  }
  return result;
}

}  // namespace weir::synth
