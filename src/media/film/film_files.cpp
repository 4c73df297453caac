#include "media/film/film_files.hpp"

#include "base/text.hpp"

namespace weir::film {

Result<InputPtr> open_input(const std::filesystem::path& path, Probe probe) {
  av_log_set_level(AV_LOG_QUIET);  // the caller reports what is wrong, with the name of the film
  AVFormatContext* context = nullptr;
  const std::string url = "file:" + path.string();
  if (const int result = avformat_open_input(&context, url.c_str(), nullptr, nullptr); result < 0)
    return ffmpeg_error(result, printable(path.string()));
  InputPtr input{context};
  if (probe == Probe::no) return input;
  if (const int result = avformat_find_stream_info(context, nullptr); result < 0)
    return ffmpeg_error(result, printable(path.string()));
  return input;
}

}  // namespace weir::film
