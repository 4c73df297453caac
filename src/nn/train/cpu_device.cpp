#include "nn/train/cpu_device.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <variant>

#include "nn/train/cpu_work.hpp"
#include "nn/train/reference_loops.hpp"

namespace weir::nn::train {

namespace {

using Loops = ReferenceLoops<float>;

struct Execute {
  CpuWork& work;
  const compute::TrainingKernels& k = work.kernels();
  static float* at(Operand operand) { return CpuWork::at(operand); }
  /// `values` further on; nothing stays nothing.
  static float* at(Operand operand, std::size_t values) { return operand ? at(operand) + values : nullptr; }
  static float as(double value) { return static_cast<float>(value); }
  static float clip(const Clip& clip) {
    if (!clip.squares) return 1;
    const double norm = std::sqrt(static_cast<double>(*at(clip.squares)));
    return norm > clip.most ? as(clip.most / norm) : 1.0F;
  }
  /// f(first row, rows) over rows of so many channels.
  template <class F>
  void share_rows(std::size_t rows, std::size_t channels, F&& f) const {
    const int each = static_cast<int>(std::max<std::size_t>(1, 4096 / std::max<std::size_t>(1, channels)));
    work.share(static_cast<int>(rows), each, static_cast<double>(channels), [&](int first, int last, int) {
      f(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    });
  }
  /// The sum of term(first, count) over chunks of a fixed size, in order.
  template <class F>
  double sum(std::size_t count, F&& term) const {
    constexpr std::size_t kChunk = 8192;
    const std::size_t chunks = (count + kChunk - 1) / kChunk;
    std::vector<double> sums(chunks);
    work.share(static_cast<int>(chunks), 1, static_cast<double>(kChunk), [&](int first, int last, int) {
      for (std::size_t i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
        sums[i] = term(i * kChunk, std::min(count, (i + 1) * kChunk) - i * kChunk);
      }
    });
    double all = 0;
    for (const double one : sums) all += one;
    return all;
  }
  static Operand part_of(Operand all, int images, int first, int count) {
    const std::size_t each = all.count / static_cast<std::size_t>(images);
    return {at(all) + static_cast<std::size_t>(first) * each, static_cast<std::size_t>(count) * each};
  }

  void operator()(const Fill& c) const { std::fill_n(at(c.out), c.out.count, as(c.value)); }
  void operator()(const Product& c) const { work.product(c); }
  void operator()(const Transpose& c) const { Loops::transpose(c); }
  void operator()(const Convolve& c) const { work.convolve(c); }
  void operator()(const ConvolveBack& c) const { work.convolve_back(c); }
  void operator()(const ConvolveWeights& c) const { work.convolve_weights(c); }

  void operator()(const AddBias& c) const {
    share_rows(c.rows, c.channels, [&](std::size_t first, std::size_t rows) {
      const std::size_t from = first * c.channels;
      k.add_bias(at(c.in) + from, at(c.bias), at(c.out) + from, rows, c.channels);
    });
  }
  void operator()(const SumRows& c) const {
    work.share_sums(c.rows, c.channels, at(c.out), c.accumulate, [&](std::size_t first, std::size_t rows, float* sums) {
      k.sum_rows(at(c.in) + first * c.channels, sums, rows, c.channels);
    });
  }
  void operator()(const Combine& c) const {
    work.share_values(c.out.count, [&](std::size_t i, std::size_t n) {
      k.combine(at(c.a) + i, at(c.b, i), at(c.out) + i, as(c.alpha), as(c.beta), c.accumulate, n);
    });
  }
  void operator()(const Multiply& c) const {
    work.share_values(c.out.count, [&](std::size_t i, std::size_t n) {
      k.multiply(at(c.a) + i, at(c.b) + i, at(c.out) + i, as(c.scale), c.accumulate, n);
    });
  }
  void operator()(const Activate& c) const {
    work.share_values(c.out.count, [&](std::size_t i, std::size_t n) {
      k.activate(c.curve, as(c.slope), at(c.in) + i, at(c.out) + i, n);
    });
  }
  void operator()(const ActivateBack& c) const {
    work.share_values(c.out.count, [&](std::size_t i, std::size_t n) {
      k.activate_back(c.curve, as(c.slope), at(c.in) + i, at(c.out) + i, at(c.out_gradient) + i, at(c.in_gradient) + i,
                      c.accumulate, n);
    });
  }
  void operator()(const PRelu& c) const {
    share_rows(c.rows, c.channels, [&](std::size_t first, std::size_t rows) {
      const std::size_t from = first * c.channels;
      k.prelu(at(c.in) + from, at(c.slopes), at(c.out) + from, rows, c.channels);
    });
  }
  void operator()(const PReluBack& c) const {
    if (c.slope_gradient) {
      work.share_sums(c.rows, c.channels, at(c.slope_gradient), c.accumulate_slopes,
                      [&](std::size_t first, std::size_t rows, float* sums) {
                        const std::size_t from = first * c.channels;
                        k.prelu_slopes(at(c.in) + from, at(c.out_gradient) + from, sums, rows, c.channels);
                      });
    }
    if (!c.in_gradient) return;
    share_rows(c.rows, c.channels, [&](std::size_t first, std::size_t rows) {
      const std::size_t from = first * c.channels;
      k.prelu_back(at(c.in) + from, at(c.slopes), at(c.out_gradient) + from, at(c.in_gradient) + from, c.accumulate_in,
                   rows, c.channels);
    });
  }
  void operator()(const PixelShuffle& c) const {
    work.share(c.images, 1, static_cast<double>(c.in.count) / c.images, [&](int first, int last, int) {
      PixelShuffle part = c;
      part.in = part_of(c.in, c.images, first, last - first);
      part.out = part_of(c.out, c.images, first, last - first);
      part.images = last - first;
      Loops::pixel_shuffle(part);
    });
  }
  void operator()(const CopyChannels& c) const {
    share_rows(c.rows, static_cast<std::size_t>(c.count), [&](std::size_t first, std::size_t rows) {
      CopyChannels part = c;
      part.in.memory = at(c.in) + first * static_cast<std::size_t>(c.in_channels);
      part.out.memory = at(c.out) + first * static_cast<std::size_t>(c.out_channels);
      part.rows = rows;
      Loops::copy_channels(part);
    });
  }
  void operator()(const MaxPool& c) const { work.max_pool(c); }
  void operator()(const MaxPoolBack& c) const { work.max_pool_back(c); }
  void operator()(const Loss& c) const {
    const double all = sum(c.prediction.count, [&](std::size_t i, std::size_t n) {
      return k.distance(c.distance, as(c.epsilon), at(c.prediction) + i, at(c.target) + i, n);
    });
    *at(c.out) = as(all / static_cast<double>(c.prediction.count));
  }
  void operator()(const LossBack& c) const {
    const float scale = *at(c.out_gradient) / static_cast<float>(c.prediction.count);
    work.share_values(c.prediction.count, [&](std::size_t i, std::size_t n) {
      k.distance_back(c.distance, as(c.epsilon), at(c.prediction) + i, at(c.target) + i, scale, at(c.in_gradient) + i,
                      c.accumulate, n);
    });
  }
  void operator()(const CrossEntropy& c) const { Loops::cross_entropy(c); }
  void operator()(const CrossEntropyBack& c) const { Loops::cross_entropy_back(c); }
  void operator()(const SumSquares& c) const {
    const double all = sum(c.in.count, [&](std::size_t i, std::size_t n) { return k.sum_squares(at(c.in) + i, n); });
    *at(c.out) = as(all) + (c.accumulate ? *at(c.out) : 0.0F);
  }
  void operator()(const Adam& c) const {
    const float scale = clip(c.clip);
    work.share_values(c.weights.count, [&](std::size_t i, std::size_t n) {
      k.adam({at(c.weights) + i, at(c.gradient) + i, at(c.mean) + i, at(c.square) + i, scale, as(c.rate), as(c.beta1),
              as(c.beta2), as(c.epsilon), as(c.decay), as(c.correct1), as(c.correct2)},
             n);
    });
  }
  void operator()(const Sgd& c) const {
    const float scale = clip(c.clip);
    work.share_values(c.weights.count, [&](std::size_t i, std::size_t n) {
      k.sgd({at(c.weights) + i, at(c.gradient) + i, at(c.velocity) + i, scale, as(c.rate), as(c.momentum), as(c.decay)},
            n);
    });
  }
};

}  // namespace

struct CpuDevice::Work : CpuWork {
  using CpuWork::CpuWork;
};

CpuDevice::CpuDevice(int threads, HostSettings settings, const compute::TrainingKernels& kernels)
    : HostDevice{sizeof(float), settings}, work_{std::make_unique<Work>(threads, kernels)} {}
CpuDevice::~CpuDevice() = default;

void CpuDevice::execute(const Command& command) { std::visit(Execute{*work_}, command); }

void CpuDevice::cleanup() {
  HostDevice::cleanup();
  work_->cleanup();
}

Status CpuDevice::write(Operand to, std::span<const float> from) {
  assert(from.size() <= to.count);
  if (auto done = sync(); !done) return done;
  std::copy(from.begin(), from.end(), CpuWork::at(to));
  return ok();
}

Status CpuDevice::read(Operand from, std::span<float> to) {
  assert(to.size() <= from.count);
  if (auto done = sync(); !done) return done;
  std::copy_n(CpuWork::at(from), to.size(), to.begin());
  return ok();
}

}  // namespace weir::nn::train
