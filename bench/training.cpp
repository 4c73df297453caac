// Measures the steps per second of three small trainings, and the fraction of the float32 peak that the three passes of
// a convolution reach. bench/training compares it with bench/training_torch.py, which measures the same. Prints lines
// of NAME VALUE.
//
// usage: weir_training_bench THREADS SECONDS [NAME...]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "compute/kernels/peak_bench.hpp"
#include "nn/train/cpu_training_device.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/optimiser.hpp"
#include "nn/train/random.hpp"

namespace {

namespace train = weir::nn::train;
using train::Shape, train::Tape, train::TapeTensor, train::Window;

constexpr Window kSame{3, 1, 1};  // 3x3, stride 1, padding 1: the output has the size of the input

/// Returns random values in [0, 1).
std::vector<float> noise(const Shape& shape, std::uint64_t item) {
  train::Random random{1, item};
  std::vector<float> values(shape.count());
  for (float& value : values) value = static_cast<float>(random.uniform());
  return values;
}

/// Returns the number of calls of `work` per second, measured for `seconds` after a warm-up of seconds / 10.
double calls_per_second(double seconds, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  const auto run = [&](double length) {
    const auto start = Clock::now();
    int count = 0;
    double passed = 0;
    for (; passed < length; passed = std::chrono::duration<double>(Clock::now() - start).count()) {
      work();
      ++count;
    }
    return count / passed;
  };
  run(seconds / 10);
  return run(seconds);
}

/// A training that repeats its step on the same batch of random values.
class Training {
 public:
  Training(int threads, Shape in, Shape out) : device{threads}, set{device, 1}, tape{device}, in_{in}, out_{out} {}
  virtual ~Training() = default;
  /// Returns the number of steps per second, measured for `seconds`.
  double steps_per_second(double seconds) {
    auto made = train::Optimiser::create(set, {});
    if (!made) std::abort();
    const std::vector<float> x = noise(in_, 1), y = noise(out_, 2);
    return calls_per_second(seconds, [&] {
      tape.reset();
      if (!tape.backward(compute_loss(tape.input(in_, x), tape.input(out_, y))) || !made->step(1e-4) || !device.sync())
        std::abort();
    });
  }

 protected:
  virtual TapeTensor compute_loss(TapeTensor x, TapeTensor y) = 0;
  TapeTensor conv(TapeTensor x, const train::ParameterSet::Layer& l) {
    return conv2d(x, tape.parameter(*l.weights), tape.parameter(*l.bias), kSame);
  }
  TapeTensor dense(TapeTensor x, const train::ParameterSet::Layer& l) {
    return linear(x, tape.parameter(*l.weights), tape.parameter(*l.bias));
  }
  train::CpuTrainingDevice device;
  train::ParameterSet set;
  Tape tape;

 private:
  Shape in_, out_;
};

/// A network of two linear layers: 2 -> 8 -> 1.
class Xor final : public Training {
 public:
  explicit Xor(int threads) : Training{threads, {4, 2}, {4, 1}} {}

 private:
  TapeTensor compute_loss(TapeTensor x, TapeTensor y) override { return mse(dense(tanh(dense(x, hidden)), out), y); }
  train::ParameterSet::Layer hidden = set.add_layer("hidden", 2, 8), out = set.add_layer("out", 8, 1);
};

/// A network that recognises digits of 16 x 16 pixels: two convolutions, each with max pooling, and a linear layer.
class Digits final : public Training {
 public:
  explicit Digits(int threads) : Training{threads, {32, 1, 16, 16}, {32, 10}} {}

 private:
  TapeTensor compute_loss(TapeTensor x, TapeTensor y) override {
    const Window half{2, 2, 0};
    const TapeTensor h = max_pool(relu(conv(x, first)), half);
    return cross_entropy(dense(max_pool(relu(conv(h, second)), half), out), y);
  }
  train::ParameterSet::Layer first = set.add_layer("first", 1, 16, 3), second = set.add_layer("second", 16, 32, 3),
                             out = set.add_layer("out", 512, 10);
};

/// A network that enlarges pictures by 2: convolutions 3 -> 32, eight times 32 -> 32, 32 -> 12, with PReLU; 77,760
/// multiplications per input pixel.
class Enlarging final : public Training {
 public:
  explicit Enlarging(int threads) : Training{threads, {16, 3, 48, 48}, {16, 3, 96, 96}} {
    for (int i = 0; i < 9; ++i) {
      layers.push_back(set.add_layer("conv" + std::to_string(i), i == 0 ? 3 : 32, 32, 3));
      slopes.push_back(&set.add_filled_parameter("slopes" + std::to_string(i), 32, 0.25F));
    }
  }

 private:
  TapeTensor compute_loss(TapeTensor x, TapeTensor y) override {
    for (std::size_t i = 0; i < layers.size(); ++i) x = prelu(conv(x, layers[i]), tape.parameter(*slopes[i]));
    return charbonnier(pixel_shuffle(conv(x, last), 2), y);
  }
  std::vector<train::ParameterSet::Layer> layers;
  std::vector<train::Parameter*> slopes;
  train::ParameterSet::Layer last = set.add_layer("last", 32, 12, 3);
};

/// Returns the fraction of the peak of one core that a pass (0 forward, 1 gradient of the input, 2 gradient of the
/// weights) of a 3x3 convolution of [16, channels, 48, 48] reaches. The multiplications of the padding count too. Uses
/// the CPU time of the thread, because other programs may run on the machine.
double peak_fraction(int channels, int pass, double seconds) {
  train::CpuTrainingDevice device{1};
  const Shape picture{16, channels, 48, 48}, weights{9 * channels, channels};
  auto x = device.acquire(picture.count()), y = device.acquire(picture.count()), w = device.acquire(weights.count());
  if (!x || !y || !w || !device.write(x->operand(), noise(picture, 1)) ||
      !device.write(y->operand(), noise(picture, 2)) || !device.write(w->operand(), noise(weights, 3))) {
    std::abort();
  }
  const train::WindowShape s{16, 48, 48, channels, 48, 48, channels, kSame};
  const train::Command commands[] = {train::ConvolveCommand{x->operand(), w->operand(), {}, y->operand(), s},
                                     train::ConvolveBackCommand{x->operand(), w->operand(), y->operand(), s},
                                     train::ConvolveWeightsBackCommand{x->operand(), y->operand(), w->operand(), s}};
  const auto run = [&] {
    if (!device.record(commands[pass]) || !device.sync()) std::abort();
  };
  const double multiplications = 9.0 * channels * channels * 16 * 48 * 48;
  // Takes about `seconds`, if the speed is 2e10 multiplications per second.
  const int count = std::max(1, static_cast<int>(seconds * 2e10 / multiplications));
  run();
  const double start = weir::compute::thread_seconds();
  for (int i = 0; i < count; ++i) run();
  const double rate = count * multiplications / (weir::compute::thread_seconds() - start);
  return rate /
         weir::compute::measure_peak(weir::compute::best_training_kernels().name, weir::compute::Arithmetic::float32);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: weir_training_bench THREADS SECONDS [NAME...]\n"), 2;
  const auto threads = static_cast<int>(std::strtol(argv[1], nullptr, 10));
  const double seconds = std::strtod(argv[2], nullptr);
  const auto is_selected = [&](const std::string& name) {
    for (int i = 3; i < argc; ++i) {
      if (name == argv[i]) return true;
    }
    return argc == 3;
  };
  if (is_selected("xor")) std::printf("xor %.1f\n", Xor{threads}.steps_per_second(seconds));
  if (is_selected("digits")) std::printf("digits %.2f\n", Digits{threads}.steps_per_second(seconds));
  if (is_selected("enlarging")) std::printf("enlarging %.3f\n", Enlarging{threads}.steps_per_second(seconds));
  const char* passes[] = {"forward", "backward-data", "backward-weights"};
  for (const int channels : {16, 32, 48}) {
    for (int pass = 0; is_selected("peak") && pass < 3; ++pass) {
      std::printf("conv3x3-%d-%s %.3f\n", channels, passes[pass], peak_fraction(channels, pass, seconds / 3));
    }
  }
  return 0;
}
