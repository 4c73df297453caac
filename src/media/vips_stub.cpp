// Until libvips is joined in: formats other than PNG and JPEG are refused.
#include "media/decoder.hpp"
#include "media/encoder.hpp"

namespace weir::media {

Result<DecoderPtr> open_other(InputFilePtr file, Format format, const ReadOptions&) {
  return file->error(Errc::unsupported, std::string{name_of(format)} + " cannot be read yet; convert it to PNG");
}

Status encode_other(const EncodeJob&, Format, RowSource&, ByteSink& sink, WriteReport&) {
  return Error{Errc::unsupported, sink.name() + ": this format cannot be written yet; use png or jpg"};
}

MediaNeed encode_other_need(const PictureInfo&, Format) { return {}; }

}  // namespace weir::media
