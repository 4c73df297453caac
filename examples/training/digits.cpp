// Trains a small convolutional network on digits that this program draws, and tests it with other drawn digits.
//
//   weir_example_digits [--device NAME] [--threads N] [--steps N] [--least PERCENT]
//                       [--checkpoint FILE [--die-after STEP]]
//
// With --checkpoint, the program writes a checkpoint every 20 steps; if FILE exists at the start, the training
// continues from it. --die-after kills the process before step STEP, as `kill -9` does. Prints the confusion matrix.
// The exit status is 0 if more than PERCENT (97 by default) of the test digits are recognised. The default is 200 steps
// on the CPU.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "drawn_digits.hpp"
#include "weir/nn.hpp"

namespace {

namespace training = weir::training;
constexpr int kBatch = 32;     // digits of a step
constexpr int kUnseen = 1000;  // digits of the test

/// The network: two convolutions with max pooling, and a linear layer with a score for each digit.
struct Net {
  training::Layer first, second, out;
  explicit Net(training::Trainer& t)
      : first{t.add_layer("first", 1, 16, 3)},
        second{t.add_layer("second", 16, 32, 3)},
        out{t.add_layer("out", 512, 10)} {}
  training::Tensor scores(training::Tensor x) const {
    const training::Window same{3, 1, 1}, half{2, 2, 0};
    return linear(max_pool(relu(conv2d(max_pool(relu(conv2d(x, first, same)), half), second, same)), half), out);
  }
};

/// Returns a tensor of `count` drawn digits: the items first, first + 1, ... (see drawn::draw). A digit has one
/// channel, so its values in memory are its rows. With several channels, the channels of a pixel are adjacent (see
/// weir/nn.hpp).
training::Tensor pictures(training::Trainer& t, std::uint64_t first, int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) {
    const auto one = drawn::draw(first + static_cast<std::uint64_t>(i));
    values.insert(values.end(), one.begin(), one.end());
  }
  return t.input({count, 1, drawn::kSize, drawn::kSize}, values);
}

int report_error(const weir::Problem& problem) { return std::fprintf(stderr, "error: %s\n", problem.what.c_str()), 1; }

/// Prints the confusion matrix of the digits first, first + 1, ... Returns the share of correct answers.
double print_confusion(const std::vector<float>& scores, std::uint64_t first) {
  std::array<std::array<int, 10>, 10> counts{};
  int right = 0;
  for (std::size_t i = 0; i < scores.size() / 10; ++i) {
    const auto row = scores.begin() + static_cast<std::ptrdiff_t>(10 * i);
    const auto predicted = static_cast<std::size_t>(std::max_element(row, row + 10) - row);
    const std::size_t actual = (first + i) % 10;
    ++counts[actual][predicted];
    right += predicted == actual ? 1 : 0;
  }
  std::printf("true\\pred   0    1    2    3    4    5    6    7    8    9\n");
  for (std::size_t actual = 0; actual < 10; ++actual) {
    std::printf("%9zu", actual);
    for (const int count : counts[actual]) std::printf("%5d", count);
    std::printf("\n");
  }
  return right / (static_cast<double>(scores.size()) / 10);
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 0, steps = 200, die_after = -1;
  double least = 97;
  std::string checkpoint, device;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--threads") == 0) threads = static_cast<int>(std::strtol(argv[i + 1], nullptr, 10));
    if (std::strcmp(argv[i], "--steps") == 0) steps = static_cast<int>(std::strtol(argv[i + 1], nullptr, 10));
    if (std::strcmp(argv[i], "--least") == 0) least = std::strtod(argv[i + 1], nullptr);
    if (std::strcmp(argv[i], "--device") == 0) device = argv[i + 1];
    if (std::strcmp(argv[i], "--checkpoint") == 0) checkpoint = argv[i + 1];
    if (std::strcmp(argv[i], "--die-after") == 0) die_after = static_cast<int>(std::strtol(argv[i + 1], nullptr, 10));
  }
  auto created = training::Trainer::create({.threads = threads, .device = device, .seed = 3});
  if (!created) return report_error(created.problem());
  training::Trainer& trainer = **created;
  const Net net{trainer};

  std::uint64_t step = 0;
  if (!checkpoint.empty() && std::filesystem::exists(checkpoint)) {
    const auto position = trainer.restore(checkpoint);
    if (!position) return report_error(position.problem());
    step = *position;
    std::printf("continues at step %d\n", static_cast<int>(step));
  }
  const auto end = static_cast<std::uint64_t>(steps);
  for (; step < end; ++step) {
    if (static_cast<int>(step) == die_after) std::raise(SIGKILL);
    const auto x = pictures(trainer, step * kBatch, kBatch);
    std::vector<float> targets(std::size_t{kBatch} * 10);
    for (std::size_t i = 0; i < kBatch; ++i) targets[i * 10 + (step * kBatch + i) % 10] = 1;
    const auto loss = cross_entropy(net.scores(x), trainer.input({kBatch, 10}, targets));
    if (const auto problem = trainer.step(loss, 2e-3)) return report_error(*problem);
    if (!checkpoint.empty() && (step % 20 == 19 || step + 1 == end)) {
      if (const auto problem = trainer.save(checkpoint, step + 1)) return report_error(*problem);
    }
  }
  constexpr std::uint64_t kFirstUnseen =
      1000000;  // item of the first test digit; the first 31250 steps use smaller ones
  trainer.discard_step();
  const auto scores = trainer.read(net.scores(pictures(trainer, kFirstUnseen, kUnseen)));
  if (!scores) return report_error(scores.problem());
  const double share = print_confusion(*scores, kFirstUnseen);
  std::printf("digits: %.1f %% of %d unseen digits are right\n", 100 * share, kUnseen);
  return 100 * share > least ? 0 : 1;
}
