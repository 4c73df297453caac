#include "nn/train/cpu_training_device.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <variant>

#include "nn/train/cpu_executor.hpp"
#include "nn/train/reference_loops.hpp"

namespace weir::nn::train {

namespace {

using Loops = ReferenceLoops<float>;

/// Executes one command of the variant Command. In the lambdas, `i` is the index of the first value of a range and `n`
/// the number of its values.
struct CpuCommandVisitor {
  CpuExecutor& executor;
  const compute::TrainingKernels& kernels = executor.kernels();
  static float* data(Operand operand) { return CpuExecutor::data(operand); }
  /// Returns the address of the value with this index; null for an empty operand.
  static float* data(Operand operand, std::size_t index) { return operand ? data(operand) + index : nullptr; }
  static float to_float(double value) { return static_cast<float>(value); }
  /// Returns the number that the gradient is multiplied by.
  static float clip_factor(const GradientClip& clip) {
    if (!clip.squared_norm) return 1;
    const double norm = std::sqrt(static_cast<double>(*data(clip.squared_norm)));
    return norm > clip.max_norm ? to_float(clip.max_norm / norm) : 1.0F;
  }
  /// Calls f(first row, number of rows) for ranges of rows with at least about kMinRangeValues values, on all threads.
  template <class F>
  void parallel_for_rows(std::size_t rows, std::size_t channels, F&& f) const {
    constexpr std::size_t kMinRangeValues = 4096;
    const int grain = static_cast<int>(std::max<std::size_t>(1, kMinRangeValues / std::max<std::size_t>(1, channels)));
    executor.parallel_for(static_cast<int>(rows), grain, static_cast<double>(channels),
                          [&](int first, int last, int /*member*/) {
                            f(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
                          });
  }
  /// Returns a sum over the values 0..count-1. Divides them into chunks of a fixed size; chunk_sum(first, count)
  /// returns the sum over one chunk, and these sums are added in order.
  template <class F>
  double sum_chunks(std::size_t count, F&& chunk_sum) const {
    constexpr std::size_t kChunk = 8192;
    const std::size_t chunks = (count + kChunk - 1) / kChunk;
    std::vector<double> sums(chunks);
    executor.parallel_for(
        static_cast<int>(chunks), 1, static_cast<double>(kChunk), [&](int first, int last, int /*member*/) {
          for (std::size_t i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
            sums[i] = chunk_sum(i * kChunk, std::min(count, (i + 1) * kChunk) - i * kChunk);
          }
        });
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
  }
  /// Returns the values of the images first..first+count-1 of an operand that has `images` images.
  static Operand image_range(Operand operand, int images, int first, int count) {
    const std::size_t image_values = operand.count / static_cast<std::size_t>(images);
    return {data(operand) + static_cast<std::size_t>(first) * image_values,
            static_cast<std::size_t>(count) * image_values};
  }

  void operator()(const FillCommand& c) const { std::fill_n(data(c.out), c.out.count, to_float(c.value)); }
  void operator()(const MatrixProductCommand& c) const { executor.product(c); }
  void operator()(const TransposeCommand& c) const { Loops::transpose(c); }
  void operator()(const ConvolveCommand& c) const { executor.convolve(c); }
  void operator()(const ConvolveBackCommand& c) const { executor.convolve_back(c); }
  void operator()(const ConvolveWeightsBackCommand& c) const { executor.convolve_weights_back(c); }

  void operator()(const AddBiasCommand& c) const {
    parallel_for_rows(c.rows, c.channels, [&](std::size_t first, std::size_t rows) {
      const std::size_t from = first * c.channels;
      kernels.add_bias(data(c.in) + from, data(c.bias), data(c.out) + from, rows, c.channels);
    });
  }
  void operator()(const SumRowsCommand& c) const {
    executor.parallel_sum_rows(c.rows, c.channels, data(c.out), c.accumulate,
                               [&](std::size_t first, std::size_t rows, float* sums) {
                                 kernels.sum_rows(data(c.in) + first * c.channels, sums, rows, c.channels);
                               });
  }
  void operator()(const CombineCommand& c) const {
    executor.parallel_for_values(c.out.count, [&](std::size_t i, std::size_t n) {
      kernels.combine(data(c.a) + i, data(c.b, i), data(c.out) + i, to_float(c.alpha), to_float(c.beta), c.accumulate,
                      n);
    });
  }
  void operator()(const MultiplyCommand& c) const {
    executor.parallel_for_values(c.out.count, [&](std::size_t i, std::size_t n) {
      kernels.multiply(data(c.a) + i, data(c.b) + i, data(c.out) + i, to_float(c.scale), c.accumulate, n);
    });
  }
  void operator()(const ActivateCommand& c) const {
    executor.parallel_for_values(c.out.count, [&](std::size_t i, std::size_t n) {
      kernels.activate(c.kind, to_float(c.slope), data(c.in) + i, data(c.out) + i, n);
    });
  }
  void operator()(const ActivateBackCommand& c) const {
    executor.parallel_for_values(c.out.count, [&](std::size_t i, std::size_t n) {
      kernels.activate_back(c.kind, to_float(c.slope), data(c.in) + i, data(c.out) + i, data(c.out_gradient) + i,
                            data(c.in_gradient) + i, c.accumulate, n);
    });
  }
  void operator()(const PReluCommand& c) const {
    parallel_for_rows(c.rows, c.channels, [&](std::size_t first, std::size_t rows) {
      const std::size_t from = first * c.channels;
      kernels.prelu(data(c.in) + from, data(c.slopes), data(c.out) + from, rows, c.channels);
    });
  }
  void operator()(const PReluBackCommand& c) const {
    if (c.slope_gradient) {
      executor.parallel_sum_rows(c.rows, c.channels, data(c.slope_gradient), c.accumulate_slopes,
                                 [&](std::size_t first, std::size_t rows, float* sums) {
                                   const std::size_t from = first * c.channels;
                                   kernels.prelu_slopes(data(c.in) + from, data(c.out_gradient) + from, sums, rows,
                                                        c.channels);
                                 });
    }
    if (!c.in_gradient) return;
    parallel_for_rows(c.rows, c.channels, [&](std::size_t first, std::size_t rows) {
      const std::size_t from = first * c.channels;
      kernels.prelu_back(data(c.in) + from, data(c.slopes), data(c.out_gradient) + from, data(c.in_gradient) + from,
                         c.accumulate_in, rows, c.channels);
    });
  }
  void operator()(const PixelShuffleCommand& c) const {
    executor.parallel_for(c.images, 1, static_cast<double>(c.in.count) / c.images,
                          [&](int first, int last, int /*member*/) {
                            PixelShuffleCommand part = c;
                            part.in = image_range(c.in, c.images, first, last - first);
                            part.out = image_range(c.out, c.images, first, last - first);
                            part.images = last - first;
                            Loops::pixel_shuffle(part);
                          });
  }
  void operator()(const CopyChannelsCommand& c) const {
    parallel_for_rows(c.rows, static_cast<std::size_t>(c.count), [&](std::size_t first, std::size_t rows) {
      CopyChannelsCommand part = c;
      part.in.memory = data(c.in) + first * static_cast<std::size_t>(c.in_channels);
      part.out.memory = data(c.out) + first * static_cast<std::size_t>(c.out_channels);
      part.rows = rows;
      Loops::copy_channels(part);
    });
  }
  void operator()(const MaxPoolCommand& c) const { executor.max_pool(c); }
  void operator()(const MaxPoolBackCommand& c) const { executor.max_pool_back(c); }
  void operator()(const LossCommand& c) const {
    const double sum = sum_chunks(c.prediction.count, [&](std::size_t i, std::size_t n) {
      return kernels.loss(c.kind, to_float(c.epsilon), data(c.prediction) + i, data(c.target) + i, n);
    });
    *data(c.out) = to_float(sum / static_cast<double>(c.prediction.count));
  }
  void operator()(const LossBackCommand& c) const {
    const float scale = *data(c.out_gradient) / static_cast<float>(c.prediction.count);
    executor.parallel_for_values(c.prediction.count, [&](std::size_t i, std::size_t n) {
      kernels.loss_back(c.kind, to_float(c.epsilon), data(c.prediction) + i, data(c.target) + i, scale,
                        data(c.in_gradient) + i, c.accumulate, n);
    });
  }
  void operator()(const CrossEntropyCommand& c) const { Loops::cross_entropy(c); }
  void operator()(const CrossEntropyBackCommand& c) const { Loops::cross_entropy_back(c); }
  void operator()(const SumSquaresCommand& c) const {
    const double sum =
        sum_chunks(c.in.count, [&](std::size_t i, std::size_t n) { return kernels.sum_squares(data(c.in) + i, n); });
    *data(c.out) = to_float(sum) + (c.accumulate ? *data(c.out) : 0.0F);
  }
  void operator()(const AdamCommand& c) const {
    const float scale = clip_factor(c.clip);
    executor.parallel_for_values(c.weights.count, [&](std::size_t i, std::size_t n) {
      kernels.adam({data(c.weights) + i, data(c.gradient) + i, data(c.mean) + i, data(c.square) + i, scale,
                    to_float(c.rate), to_float(c.beta1), to_float(c.beta2), to_float(c.epsilon),
                    to_float(c.weight_decay), to_float(c.correct1), to_float(c.correct2)},
                   n);
    });
  }
  void operator()(const SgdCommand& c) const {
    const float scale = clip_factor(c.clip);
    executor.parallel_for_values(c.weights.count, [&](std::size_t i, std::size_t n) {
      kernels.sgd({data(c.weights) + i, data(c.gradient) + i, data(c.velocity) + i, scale, to_float(c.rate),
                   to_float(c.momentum), to_float(c.weight_decay)},
                  n);
    });
  }
};

}  // namespace

// A class of its own, so that the header can declare it without including cpu_executor.hpp.
struct CpuTrainingDevice::Executor : CpuExecutor {
  using CpuExecutor::CpuExecutor;
};

CpuTrainingDevice::CpuTrainingDevice(int threads, HostDeviceSettings settings, const compute::TrainingKernels& kernels)
    : HostTrainingDevice{sizeof(float), settings}, executor_{std::make_unique<Executor>(threads, kernels)} {}
CpuTrainingDevice::~CpuTrainingDevice() = default;

void CpuTrainingDevice::execute(const Command& command) { std::visit(CpuCommandVisitor{*executor_}, command); }

void CpuTrainingDevice::cleanup() {
  HostTrainingDevice::cleanup();
  executor_->cleanup();
}

Status CpuTrainingDevice::write(Operand to, std::span<const float> from) {
  assert(from.size() <= to.count);
  if (auto done = sync(); !done) return done;
  std::copy(from.begin(), from.end(), CpuExecutor::data(to));
  return ok();
}

Status CpuTrainingDevice::read(Operand from, std::span<float> to) {
  assert(to.size() <= from.count);
  if (auto done = sync(); !done) return done;
  std::copy_n(CpuExecutor::data(from), to.size(), to.begin());
  return ok();
}

}  // namespace weir::nn::train
