#include "media/film/stream_side_data.hpp"

#include <cstring>

namespace weir::film {

namespace {

#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 30, 100)
const AVPacketSideData* all_side_data(const AVStream& stream) { return stream.codecpar->coded_side_data; }
int count_side_data(const AVStream& stream) { return stream.codecpar->nb_coded_side_data; }
std::uint8_t* new_side_data(AVStream& stream, AVPacketSideDataType type, std::size_t size) {
  AVCodecParameters& parameters = *stream.codecpar;
  AVPacketSideData* added =
      av_packet_side_data_new(&parameters.coded_side_data, &parameters.nb_coded_side_data, type, size, 0);
  return added == nullptr ? nullptr : static_cast<std::uint8_t*>(added->data);
}
#else
const AVPacketSideData* all_side_data(const AVStream& stream) { return stream.side_data; }
int count_side_data(const AVStream& stream) { return stream.nb_side_data; }
std::uint8_t* new_side_data(AVStream& stream, AVPacketSideDataType type, std::size_t size) {
  return av_stream_new_side_data(&stream, type, size);
}
#endif

const AVPacketSideData* find_entry(const AVStream& stream, AVPacketSideDataType type) {
  for (int i = 0; i < count_side_data(stream); ++i)
    if (all_side_data(stream)[i].type == type) return &all_side_data(stream)[i];
  return nullptr;
}

}  // namespace

const std::uint8_t* find_side_data(const AVStream& stream, AVPacketSideDataType type) {
  const AVPacketSideData* found = find_entry(stream, type);
  return found == nullptr ? nullptr : found->data;
}

std::vector<AVPacketSideDataType> side_data_types(const AVStream& stream) {
  std::vector<AVPacketSideDataType> types;
  types.reserve(static_cast<std::size_t>(count_side_data(stream)));
  for (int i = 0; i < count_side_data(stream); ++i) types.push_back(all_side_data(stream)[i].type);
  return types;
}

Status add_side_data(AVStream& stream, AVPacketSideDataType type, const void* data, std::size_t size) {
  std::uint8_t* memory = new_side_data(stream, type, size);
  if (memory == nullptr) return Error{Errc::over_budget, "no memory for a stream"};
  std::memcpy(memory, data, size);
  return ok();
}

Status copy_side_data(const AVStream& from, AVStream& to, AVPacketSideDataType type) {
  const AVPacketSideData* data = find_entry(from, type);
  return data == nullptr ? ok() : add_side_data(to, type, data->data, data->size);
}

Status copy_side_data(const AVStream& from, AVStream& to) {
  for (const AVPacketSideDataType type : side_data_types(from)) {
    // avcodec_parameters_copy() has copied them already in newer versions.
    if (find_entry(to, type) != nullptr) continue;
    if (auto copied = copy_side_data(from, to, type); !copied) return copied;
  }
  return ok();
}

}  // namespace weir::film
