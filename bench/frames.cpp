// Measures what a frame of a film costs in the network: pictures of 16-bit RGB in memory, one plan for all of them.
//   weir_frame_bench [--device NAME] [--threads N] [--frames N] NETWORK.param...
// For each network and size, N times in turns (default 20): a frame with new memory, and a frame that uses the memory of
// the frame before it.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "enhance/picture_upscaler.hpp"
#include "nn/vulkan/gpu.hpp"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

template <class T>
T value_or_exit(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "error: %s\n", result.error().what.c_str());
  std::exit(1);
}

/// Reads a picture that is in memory.
class FrameReader final : public media::PictureReader {
 public:
  FrameReader(const media::PictureInfo& info, const std::vector<std::byte>& samples) : info_{info}, samples_{samples} {}
  const media::PictureInfo& info() const override { return info_; }
  media::MetadataPtr metadata() const override { return nullptr; }
  media::MediaNeed need() const override { return {}; }
  Status read(std::span<std::byte> rows) override {
    std::memcpy(rows.data(), samples_.data() + position_, rows.size());
    position_ += rows.size();
    return ok();
  }
  Status rewind() override {
    position_ = 0;
    return ok();
  }

 private:
  media::PictureInfo info_;
  const std::vector<std::byte>& samples_;
  std::size_t position_ = 0;
};

/// Writes a picture into memory that is there already.
class FrameWriter final : public media::PictureWriter {
 public:
  explicit FrameWriter(std::vector<std::byte>& samples) : samples_{samples} {}
  Status write(std::span<const std::byte> rows) override {
    std::memcpy(samples_.data() + position_, rows.data(), rows.size());
    position_ += rows.size();
    return ok();
  }
  Result<media::WriteReport> finish() override { return media::WriteReport{}; }

 private:
  std::vector<std::byte>& samples_;
  std::size_t position_ = 0;
};

std::vector<std::byte> draw_samples(const media::PictureInfo& info) {
  std::vector<std::byte> samples(info.row_bytes() * static_cast<std::size_t>(info.height));
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::byte>((i / 3 * 7 + i % 3 * 50) % 256);
  return samples;
}

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) * 1e-3;
}

rusage usage() {
  rusage now{};
  getrusage(RUSAGE_SELF, &now);
  return now;
}

/// The costs of frames that were enlarged in the same way.
struct FrameCosts {
  std::vector<double> times_ms;
  long page_faults = 0;
  double system_ms = 0, user_ms = 0;  // of all threads and frames

  void add(double time_ms, const rusage& before, const rusage& after) {
    times_ms.push_back(time_ms);
    page_faults += after.ru_minflt - before.ru_minflt;
    system_ms += milliseconds(after.ru_stime) - milliseconds(before.ru_stime);
    user_ms += milliseconds(after.ru_utime) - milliseconds(before.ru_utime);
  }
  double median_ms() {
    std::sort(times_ms.begin(), times_ms.end());
    return times_ms[times_ms.size() / 2];
  }
  void print(const std::string& name) {
    const auto frames = static_cast<double>(times_ms.size());
    fmt::print("| {} | {:.2f} | {:.2f} | {:.0f} | {:.2f} | {:.2f} |\n", name, median_ms(), times_ms.front(),
               static_cast<double>(page_faults) / frames, system_ms / frames, user_ms / frames);
  }
};

/// Enlarges frames of one size, and keeps what belongs to them.
class FrameRun {
 public:
  FrameRun(const std::shared_ptr<const nn::Network>& network, const enhance::UpscaleSettings& settings, int width,
           int height, bool keep_memory)
      : info_{.width = width, .height = height, .colours = 3, .alpha = false, .bits = 16},
        upscaler_{value_or_exit(enhance::PictureUpscaler::create(network, settings))},
        samples_{draw_samples(info_)},
        keep_memory_{keep_memory} {
    media::WriteOptions output;
    output.row_format = enhance::rows_info(*network, info_, settings);
    output.final_width = output.row_format.width;
    output.final_height = output.row_format.height;
    result_.resize(output.row_format.row_bytes() * static_cast<std::size_t>(output.row_format.height));
    plan_ = value_or_exit(upscaler_->plan(info_, {}, output));
    enlarge();  // packs the weights
  }

  void measure() {
    const rusage before = usage();
    const auto start = Clock::now();
    enlarge();
    costs_.add(std::chrono::duration<double, std::milli>(Clock::now() - start).count(), before, usage());
  }
  FrameCosts& costs() { return costs_; }

 private:
  void enlarge() {
    FrameReader reader{info_, samples_};
    FrameWriter writer{result_};
    value_or_exit(upscaler_->run({plan_, reader, writer, {}, {}, keep_memory_}));
  }

  media::PictureInfo info_;
  std::unique_ptr<enhance::PictureUpscaler> upscaler_;
  enhance::UpscalePlan plan_;
  std::vector<std::byte> samples_, result_;
  bool keep_memory_;
  FrameCosts costs_;
};

/// Measures frames of one size and prints two rows of the table.
void measure(const std::shared_ptr<const nn::Network>& network, const enhance::UpscaleSettings& settings, int width,
             int height, int frames) {
  FrameRun with_new{network, settings, width, height, /*keep_memory=*/false};
  FrameRun with_kept{network, settings, width, height, /*keep_memory=*/true};
  for (int frame = 0; frame < frames; ++frame) {
    with_new.measure();
    with_kept.measure();
  }
  const std::string name = fmt::format("{} | {}x{}", network->name, width, height);
  with_new.costs().print(name + " | new");
  with_kept.costs().print(
      fmt::format("{} | kept: {:.3f} of the time", name, with_kept.costs().median_ms() / with_new.costs().median_ms()));
}

int measure_all(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  enhance::UpscaleSettings settings;
  settings.threads = 2;
  int frames = 20;
  std::vector<std::string> networks;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--device" && i + 1 < argc)
      settings.gpu = value_or_exit(nn::vulkan::find_gpu(argv[++i]));
    else if (word == "--threads" && i + 1 < argc)
      settings.threads = std::max(1, static_cast<int>(std::strtol(argv[++i], nullptr, 10)));
    else if (word == "--frames" && i + 1 < argc)
      frames = std::max(1, static_cast<int>(std::strtol(argv[++i], nullptr, 10)));
    else
      networks.push_back(word);
  }
  fmt::print(
      "| network | frame | memory | ms, median | ms, shortest | page faults | system ms | user ms |\n"
      "|---|---|---|---|---|---|---|---|\n");
  for (const std::string& path : networks) {
    const auto network = std::make_shared<const nn::Network>(value_or_exit(nn::load_network(path)));
    measure(network, settings, 320, 180, frames);
    measure(network, settings, 480, 270, frames);
    measure(network, settings, 960, 540, frames);
  }
  return 0;
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) { return weir::measure_all(argc, argv); }
