#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"

namespace weir::film {

/// Frees a file that is written, and closes it if FFmpeg opened it.
struct OutputFreer {
  void operator()(AVFormatContext* context) const {
    if ((context->oformat->flags & AVFMT_NOFILE) == 0 && (context->flags & AVFMT_FLAG_CUSTOM_IO) == 0)
      avio_closep(&context->pb);
    avformat_free_context(context);
  }
};
using OutputPtr = std::unique_ptr<AVFormatContext, OutputFreer>;

/// Whether open_input() reads packets in order to complete what the header says of the streams.
enum class Probe { yes, no };
/// Opens a film to read packets, without a decoder. Errors: io; corrupt (no film, or no readable header); unsupported.
Result<InputPtr> open_input(const std::filesystem::path& path, Probe probe = Probe::yes);

/// Owns options for FFmpeg.
class Options {
 public:
  Options() = default;
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  ~Options() { av_dict_free(&entries_); }
  void set(const char* name, const char* value) { av_dict_set(&entries_, name, value, 0); }
  void set(const char* name, std::int64_t value) { av_dict_set_int(&entries_, name, value, 0); }
  AVDictionary** get() { return &entries_; }

 private:
  AVDictionary* entries_ = nullptr;
};

/// Returns the text of a tag; empty if there is none.
inline std::string tag_of(const AVDictionary* tags, const char* name) {
  const AVDictionaryEntry* entry = av_dict_get(tags, name, nullptr, 0);
  return entry == nullptr ? std::string{} : std::string{entry->value};
}

}  // namespace weir::film
