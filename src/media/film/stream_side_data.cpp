#include "media/film/stream_side_data.hpp"

#include <cstring>

namespace weir::film {

#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 30, 100)

const std::uint8_t* find_side_data(const AVStream& stream, AVPacketSideDataType type) {
  const AVCodecParameters& parameters = *stream.codecpar;
  const AVPacketSideData* found =
      av_packet_side_data_get(parameters.coded_side_data, parameters.nb_coded_side_data, type);
  return found == nullptr ? nullptr : found->data;
}

Status add_side_data(AVStream& stream, AVPacketSideDataType type, const void* data, std::size_t size) {
  AVCodecParameters& parameters = *stream.codecpar;
  AVPacketSideData* added =
      av_packet_side_data_new(&parameters.coded_side_data, &parameters.nb_coded_side_data, type, size, 0);
  if (added == nullptr) return Error{Errc::over_budget, "no memory for a stream"};
  std::memcpy(added->data, data, size);
  return ok();
}

Status copy_side_data(const AVStream&, AVStream&) { return ok(); }  // avcodec_parameters_copy() does it

#else

const std::uint8_t* find_side_data(const AVStream& stream, AVPacketSideDataType type) {
  return av_stream_get_side_data(&stream, type, nullptr);
}

Status add_side_data(AVStream& stream, AVPacketSideDataType type, const void* data, std::size_t size) {
  std::uint8_t* memory = av_stream_new_side_data(&stream, type, size);
  if (memory == nullptr) return Error{Errc::over_budget, "no memory for a stream"};
  std::memcpy(memory, data, size);
  return ok();
}

Status copy_side_data(const AVStream& from, AVStream& to) {
  for (int i = 0; i < from.nb_side_data; ++i) {
    const AVPacketSideData& data = from.side_data[i];
    if (auto added = add_side_data(to, data.type, data.data, data.size); !added) return added;
  }
  return ok();
}

#endif

}  // namespace weir::film
