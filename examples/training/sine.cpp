// Learns sin(x) on [-pi, pi]:
//
//   weir_example_sine [--device NAME]
//
// The exit status is 0 if the mean square error on points that were not used for training
// is below 0.0001.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numbers>
#include <string>
#include <vector>

#include "weir/nn.hpp"

namespace {

namespace training = weir::training;

struct Points {
  std::vector<float> x, y;
};
/// Returns `count` points (x, sin(x)) at equal distances from -pi to pi. The first is `start` distances after -pi.
Points points(int count, double start) {
  Points made;
  for (int i = 0; i < count; ++i) {
    const double x = std::numbers::pi * (2 * (i + start) / count - 1);
    made.x.push_back(static_cast<float>(x));
    made.y.push_back(static_cast<float>(std::sin(x)));
  }
  return made;
}

/// The network: three linear layers with tanh between them.
struct Net {
  training::Layer first, second, out;
  training::Tensor loss(training::Trainer& trainer, const Points& p) const {
    const int count = static_cast<int>(p.x.size());
    const auto x = trainer.input({count, 1}, p.x), y = trainer.input({count, 1}, p.y);
    return mse(linear(tanh(linear(tanh(linear(x, first)), second)), out), y);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string device = argc == 3 && std::strcmp(argv[1], "--device") == 0 ? argv[2] : "";
  auto created = training::Trainer::create({.threads = 1, .device = device, .seed = 2});
  if (!created) return std::fprintf(stderr, "error: %s\n", created.problem().what.c_str()), 1;
  training::Trainer& trainer = **created;
  const Net net{trainer.add_layer("first", 1, 16), trainer.add_layer("second", 16, 16),
                trainer.add_layer("out", 16, 1)};
  const Points known = points(64, 0.5), unseen = points(64, 0.0);
  constexpr int kSteps = 3000;
  for (int step = 0; step < kSteps; ++step) {
    // The learning rate follows a cosine from 0.01 to 0.
    const double rate = 0.01 * (1 + std::cos(std::numbers::pi * step / kSteps)) / 2;
    if (const auto problem = trainer.step(net.loss(trainer, known), rate)) {
      return std::fprintf(stderr, "error: %s\n", problem->what.c_str()), 1;
    }
  }
  trainer.discard_step();
  const auto error = trainer.read(net.loss(trainer, unseen));
  if (!error) return std::fprintf(stderr, "error: %s\n", error.problem().what.c_str()), 1;
  std::printf("sine: mean square error %.7f on unseen points\n", static_cast<double>((*error)[0]));
  return (*error)[0] < 1e-4F ? 0 : 1;
}
