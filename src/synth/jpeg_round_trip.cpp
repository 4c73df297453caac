#include "synth/jpeg_round_trip.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include "media/picture/jpeg_error_handler.hpp"

namespace weir::synth {

namespace {

using media::JpegErrorHandler;

/// Owns bytes that libjpeg allocated.
struct Jpeg {
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): libjpeg's type
  Jpeg() = default;
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;
  ~Jpeg() { std::free(bytes); }
};

struct JpegOptions {
  int width = 0, height = 0, quality = 0;
  ChromaSubsampling chroma = ChromaSubsampling::full;
};

// libjpeg leaves these two functions with longjmp on failure, so they contain no objects with destructors.

bool compress(unsigned char* samples, const JpegOptions& options, Jpeg& jpeg, JpegErrorHandler& errors) {
  jpeg_compress_struct codec{};
  errors.install(codec.err);
  if (setjmp(errors.return_point) != 0) {  // NOLINT(cert-err52-cpp): libjpeg reports errors so
    jpeg_destroy_compress(&codec);
    return false;
  }
  jpeg_create_compress(&codec);
  jpeg_mem_dest(&codec, &jpeg.bytes, &jpeg.size);
  codec.image_width = static_cast<JDIMENSION>(options.width);
  codec.image_height = static_cast<JDIMENSION>(options.height);
  codec.input_components = 3;
  codec.in_color_space = JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, options.quality, TRUE);
  // The factors of luma; those of the two colour channels are 1.
  codec.comp_info[0].h_samp_factor = options.chroma == ChromaSubsampling::full ? 1 : 2;
  codec.comp_info[0].v_samp_factor = options.chroma == ChromaSubsampling::half_both ? 2 : 1;
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    JSAMPROW row = samples + std::size_t{3} * codec.image_width * codec.next_scanline;
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  return true;
}

bool decompress(const Jpeg& jpeg, unsigned char* samples, JpegErrorHandler& errors) {
  jpeg_decompress_struct codec{};
  errors.install(codec.err);
  if (setjmp(errors.return_point) != 0) {  // NOLINT(cert-err52-cpp): libjpeg reports errors so
    jpeg_destroy_decompress(&codec);
    return false;
  }
  jpeg_create_decompress(&codec);
  jpeg_mem_src(&codec, jpeg.bytes, jpeg.size);
  jpeg_read_header(&codec, TRUE);
  codec.out_color_space = JCS_RGB;
  jpeg_start_decompress(&codec);
  while (codec.output_scanline < codec.output_height) {
    JSAMPROW row = samples + std::size_t{3} * codec.output_width * codec.output_scanline;
    jpeg_read_scanlines(&codec, &row, 1);
  }
  jpeg_finish_decompress(&codec);
  jpeg_destroy_decompress(&codec);
  return true;
}

}  // namespace

Result<Canvas> jpeg_round_trip(const Canvas& canvas, int quality, ChromaSubsampling chroma) {
  std::vector<std::uint8_t> samples = to_bytes(canvas);
  Jpeg jpeg;
  JpegErrorHandler errors;
  if (!compress(samples.data(), {canvas.width, canvas.height, quality, chroma}, jpeg, errors) ||
      !decompress(jpeg, samples.data(), errors))
    return Error{Errc::io, std::string{"JPEG: "} + errors.message};
  Canvas result{canvas.width, canvas.height};
  std::size_t i = 0;
  for (Colour& pixel : result.pixels) {
    for (float& value : pixel) value = static_cast<float>(samples[i++]) / 255.0F;
  }
  return result;
}

}  // namespace weir::synth
