#include "media/film/audio_converter.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "joined_films.hpp"

namespace weir::film {
namespace {

using testing::HasSubstr;

/// Sound with a click of 2 ms in each half second, beginning at 0.25 s, that lasts 2 s.
std::string clicks(int rate, const std::string& channels = "c=stereo") {
  const std::string wave = "if(lt(mod(t+0.25\\,0.5)\\,0.002)\\,0.7\\,0.02*sin(700*t))";
  return "-f lavfi -i \"aevalsrc='" + wave + (channels == "c=stereo" ? "|" + wave : "") +
         "':s=" + std::to_string(rate) + ":d=2" + (channels == "c=stereo" ? ":" + channels : "") + "\"";
}
const char* const kPicture = "-f lavfi -i testsrc2=s=64x64:r=25:d=2 ";
const char* const kPictureCodec = " -c:v libx264 -preset ultrafast -pix_fmt yuv420p ";

/// The sound of a stream ("a:0") as ffmpeg decodes it, as 16-bit samples of the first channel.
std::vector<std::int16_t> samples_of(const std::filesystem::path& film, const std::string& stream, int channels) {
  const std::string raw =
      output_of("ffmpeg -v error -i '" + film.string() + "' -map 0:" + stream + " -f s16le -c:a pcm_s16le -");
  std::vector<std::int16_t> samples(raw.size() / 2 / static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < samples.size(); ++i)
    std::memcpy(&samples[i], raw.data() + (i * 2 * static_cast<std::size_t>(channels)), 2);
  return samples;
}

/// The time in s of the first frame that ffprobe decodes of a stream.
double first_time(const std::filesystem::path& film, const std::string& stream) {
  const std::vector<std::string> lines =
      lines_of(output_of("ffprobe -v error -select_streams " + stream + " -read_intervals %+0.5 -show_entries " +
                         "frame=pts_time -of default=nw=1:nk=1 '" + film.string() + "'"));
  return lines.empty() ? NAN : std::stod(lines[0]);
}

/// The times in s at which clicks begin, relative to the first frame of the film.
std::vector<double> click_times(const std::filesystem::path& film, const std::string& stream, int rate, int channels) {
  const std::vector<std::int16_t> samples = samples_of(film, stream, channels);
  const double begin = first_time(film, stream) - first_time(film, "v:0");
  std::vector<double> times;
  constexpr int kLoud = 9000;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (std::abs(samples[i]) < kLoud) continue;
    times.push_back(begin + (static_cast<double>(i) / rate));
    i += static_cast<std::size_t>(rate) / 10;
  }
  return times;
}

class ConvertedAudio : public JoinedFilms {
 protected:
  void SetUp() override {
    JoinedFilms::SetUp();
    if (!IsSkipped() && (!has_program("ffmpeg") || !has_program("ffprobe"))) GTEST_SKIP() << "no ffmpeg";
  }
  std::filesystem::path draw(const std::string& arguments, const std::string& name) {
    std::filesystem::path path = folder_ / name;
    EXPECT_TRUE(run_ffmpeg(arguments + " '" + path.string() + "'")) << arguments;
    return path;
  }
  /// Joins and verifies a film with encoded sound. Returns the error; empty: none.
  std::string join(const EncodedFilm& film, Container container, const std::string& audio) {
    result_ = folder_ / ("result." + std::string{name_of(container)});
    JoinRequest request = film.request(container, result_);
    request.audio = audio;
    auto report = join_film(request);
    if (!report) return report.error().what;
    report_ = *std::move(report);
    const auto verified = verify_film(
        {.result = result_, .source = film.source, .index = film.index, .report = report_, .segments = film.segments});
    return verified ? std::string{} : verified.error().what;
  }
  EncodedFilm encode(const std::filesystem::path& source) {
    return encode_film(source, {0, 20}, VideoCodec::x264, folder_);
  }
  std::string hash_of_sound(const std::filesystem::path& film, const std::string& format) {
    return output_of("ffmpeg -v error -i '" + film.string() + "' -map 0:a -f hash -c:a " + format + " -");
  }

  std::filesystem::path result_;
  JoinReport report_;
};

TEST_F(ConvertedAudio, LosslessEncodersKeepEverySample) {
  const auto film16 = encode(draw(kPicture + clicks(44100) + kPictureCodec + "-c:a pcm_s16le", "film.mkv"));
  const auto film24 =
      encode(draw(std::string{kPicture} + "-f lavfi -i anoisesrc=r=48000:d=2:seed=3" + kPictureCodec + "-c:a pcm_s24le",
                  "film24.mov"));
  ASSERT_FALSE(HasFailure());
  for (const EncodedFilm* film : {&film16, &film24}) {
    const std::string format = film == &film16 ? "pcm_s16le" : "pcm_s24le";
    for (const auto& [container, codec] :
         {std::pair{Container::mkv, "flac"}, std::pair{Container::mkv, "pcm"}, std::pair{Container::mov, "pcm"},
          std::pair{Container::mp4, "alac"}, std::pair{Container::mp4, "flac"}, std::pair{Container::nut, "pcm"}}) {
      SCOPED_TRACE(format + " " + codec + " " + std::string{name_of(container)});
      ASSERT_EQ(join(*film, container, codec), "");
      EXPECT_TRUE(report_.plan.streams[1].is_lossless);
      EXPECT_THAT(report_.plan.streams[1].reason, HasSubstr("from " + format + ", lossless"));
      EXPECT_EQ(hash_of_sound(result_, format), hash_of_sound(film->source, format));
    }
  }
}

TEST_F(ConvertedAudio, ClicksStayWhereTheyWere) {
  for (const int rate : {48000, 44100, 11025}) {
    const auto film = encode(draw(kPicture + clicks(rate) + kPictureCodec + "-c:a pcm_s16le", "film.mkv"));
    ASSERT_FALSE(HasFailure());
    for (const Container container : {Container::mp4, Container::mkv, Container::nut}) {
      for (const char* codec : {"aac", "opus", "mp3", "ac3", "vorbis"}) {
        if (container == Container::mp4 && std::string{codec} == "vorbis") continue;
        SCOPED_TRACE(std::to_string(rate) + " " + codec + " in " + std::string{name_of(container)});
        ASSERT_EQ(join(film, container, codec), "");
        const int made =
            std::stoi(output_of("ffprobe -v error -select_streams a -show_entries stream=sample_rate -of " +
                                std::string{"default=nw=1:nk=1 '"} + result_.string() + "'"));
        const std::vector<double> times = click_times(result_, "a:0", made, 2);
        ASSERT_EQ(times.size(), 4u);
        // MKV rounds to ms; a resampler smooths the edge of the click over some samples.
        const double tolerance = (container == Container::mkv ? 0.0011 : 1e-6) + ((made == rate ? 2.0 : 4.0) / rate);
        for (std::size_t i = 0; i < times.size(); ++i)
          EXPECT_NEAR(times[i], 0.25 + (0.5 * static_cast<double>(i)), tolerance) << i;
      }
    }
  }
}

TEST_F(ConvertedAudio, SoundThatBeginsLateOrEarlyKeepsItsPlace) {
  // late-audio.mp4 has AAC with an edit list; late-video.mkv has Opus with padding.
  for (const char* name : {"late-audio.mp4", "late-video.mkv", "whole.mp4"}) {
    const auto film = encode(film_case(name));
    ASSERT_FALSE(HasFailure());
    const double wanted = first_time(film.source, "a:0") - first_time(film.source, "v:0");
    for (const Container container : {Container::mp4, Container::mkv}) {
      for (const char* codec : {"flac", "aac", "opus"}) {
        SCOPED_TRACE(std::string{name} + " " + codec + " in " + std::string{name_of(container)});
        ASSERT_EQ(join(film, container, codec), "");
        const double begin = first_time(result_, "a:0") - first_time(result_, "v:0");
        // The encoder's delay is played where the container cannot hide it.
        EXPECT_LE(begin, wanted + 0.0011);
        EXPECT_GE(begin, wanted - 0.0011 - (std::string{codec} == "flac" ? 0 : 1024.0 / 44100));
      }
    }
  }
}

TEST_F(ConvertedAudio, GapsBecomeSilence) {
  const auto whole = draw(kPicture + clicks(48000) + kPictureCodec + "-c:a pcm_s16le", "whole.mkv");
  const auto source = draw("-i '" + whole.string() + "' -c copy -bsf:a 'noise=drop=between(n\\,30\\,44)'", "film.mkv");
  const auto film = encode(source);
  ASSERT_FALSE(HasFailure());
  ASSERT_EQ(join(film, Container::mp4, "aac"), "");
  EXPECT_THAT(report_.plan.streams[1].reason, HasSubstr(" s of silence for gaps"));
  const std::vector<double> times = click_times(result_, "a:0", 48000, 2);
  ASSERT_EQ(times.size(), 3u);
  EXPECT_NEAR(times[0], 0.25, 0.0011);
  EXPECT_NEAR(times[1], 1.25, 0.0011);
  EXPECT_NEAR(times[2], 1.75, 0.0011);
  ASSERT_EQ(join(film, Container::mkv, "flac"), "");
}

TEST_F(ConvertedAudio, ChannelsAreKept) {
  const auto film = encode(draw(std::string{kPicture} +
                                    "-f lavfi -i 'aevalsrc=0.1|0.2|0.3|0.4|-0.1|-0.2:s=48000:d=2:c=5.1(side)' -f lavfi "
                                    "-i 'aevalsrc=0.1|0.2|0.3|0.4|-0.1|-0.2|-0.3|-0.4:s=44100:d=2:c=7.1' -map 0 -map 1 "
                                    "-map 2 -map 1" +
                                    kPictureCodec + "-c:a pcm_s16le -c:a:2 ac3",
                                "film.mkv"));
  ASSERT_FALSE(HasFailure());
  for (const char* codec : {"opus", "flac", "aac"}) {
    SCOPED_TRACE(codec);
    ASSERT_EQ(join(film, Container::mkv, codec), "");
    const auto channels = lines_of(output_of("ffprobe -v error -select_streams a -show_entries stream=channels -of " +
                                             std::string{"default=nw=1:nk=1 '"} + result_.string() + "'"));
    EXPECT_EQ(channels, (std::vector<std::string>{"6", "8", "6"}));
    // Each channel in its place: the means of the first stream.
    const std::string raw =
        output_of("ffmpeg -v error -ss 0.5 -i '" + result_.string() + "' -map 0:a:0 -t 0.1 -f f32le -c:a pcm_f32le -");
    ASSERT_GT(raw.size(), 6 * 4 * 1000u);
    const float wanted[6] = {0.1F, 0.2F, 0.3F, 0.4F, -0.1F, -0.2F};
    for (std::size_t channel = 0; channel < 6 && codec == std::string{"flac"}; ++channel) {
      float value = 0;
      std::memcpy(&value, raw.data() + (((500 * 6) + channel) * 4), 4);
      EXPECT_NEAR(value, wanted[channel], 0.02) << channel;
    }
  }
  EXPECT_THAT(join(film, Container::mkv, "mp3"),
              testing::AllOf(HasSubstr("audio (stream 1): mp3 takes no sound of 48000 Hz with the channels 5.1"),
                             HasSubstr("use --audio aac or opus or flac")));
}

TEST_F(ConvertedAudio, ImpossibleRequestsAreRefusedWithWhatWouldDo) {
  const auto source = draw(kPicture + clicks(48000) + kPictureCodec + "-c:a pcm_s16le", "film.mkv");
  const auto refusal = [&](Container container, const std::string& audio, VideoCodec codec = VideoCodec::x264) {
    const auto plan = plan_streams(source, {.container = container, .codec = codec, .audio = audio});
    return plan ? std::string{} : plan.error().what;
  };
  EXPECT_THAT(refusal(Container::mkv, "wax"), HasSubstr("'wax' is no encoder of sound: --audio copy, aac, opus, flac"));
  EXPECT_THAT(refusal(Container::webm, "copy", VideoCodec::av1),
              HasSubstr("webm cannot hold audio pcm_s16le (stream 1): use mkv or mov, or --audio opus or vorbis"));
  EXPECT_THAT(refusal(Container::webm, "aac", VideoCodec::av1),
              HasSubstr("webm cannot hold sound of aac (stream 1): use mkv or mp4 or mov, or --audio opus or vorbis"));
  EXPECT_THAT(refusal(Container::mp4, "pcm"), HasSubstr("mp4 cannot hold sound of pcm (stream 1): use mkv or mov, or"));
  EXPECT_EQ(refusal(Container::webm, "opus", VideoCodec::av1), "");
}

TEST_F(ConvertedAudio, DamagedSoundIsCountedAndItsPlaceIsSilent) {
  const auto whole = draw(kPicture + clicks(48000) + kPictureCodec + "-c:a flac", "whole.mkv");
  const auto source =
      draw("-i '" + whole.string() + "' -c copy -bsf:a 'noise=amount=if(eq(n\\,10)\\,3\\,0)'", "film.mkv");
  const auto film = encode(source);
  ASSERT_FALSE(HasFailure());
  ASSERT_EQ(join(film, Container::mkv, "pcm"), "");
  EXPECT_THAT(report_.plan.lost, testing::Contains(HasSubstr("of stream 1, which cannot be decoded")));
  const std::vector<double> times = click_times(result_, "a:0", 48000, 2);
  ASSERT_GE(times.size(), 3u);
  EXPECT_NEAR(times.back(), 1.75, 0.0011);
}

TEST_F(ConvertedAudio, TheVerifierFindsOtherSound) {
  const auto film = encode(draw(kPicture + clicks(48000) + kPictureCodec + "-c:a pcm_s16le", "film.mkv"));
  ASSERT_FALSE(HasFailure());
  const auto verify = [&](const std::string& filter) {
    const auto path = draw("-i '" + result_.string() + "' -c copy " + filter + " -copyts", "other.mkv");
    const auto verified = verify_film({.result = path, .source = film.source, .index = film.index, .report = report_});
    return verified ? std::string{} : verified.error().what;
  };
  ASSERT_EQ(join(film, Container::mkv, "flac"), "");
  EXPECT_EQ(verify(""), "");
  EXPECT_THAT(verify("-bsf:a 'noise=drop=gte(n\\,15)'"), HasSubstr("audio (stream 1 of the source): it has "));
  EXPECT_THAT(verify("-c:a flac -af volume=0.99"), HasSubstr("it has other samples"));
  EXPECT_THAT(verify("-bsf:a 'setts=pts=PTS+40:dts=DTS+40'"), HasSubstr("it begins at 0.04"));
  ASSERT_EQ(join(film, Container::mkv, "aac"), "");
  EXPECT_EQ(verify(""), "");
  EXPECT_THAT(verify("-bsf:a 'setts=pts=PTS+60:dts=DTS+60'"), HasSubstr("it begins at 0.0"));
  EXPECT_THAT(verify("-bsf:a 'noise=drop=gte(n\\,60)'"), HasSubstr("it ends at 1.2"));
}

}  // namespace
}  // namespace weir::film
