// Learns exclusive or with two inputs, eight hidden values and one output:
//
//   weir_example_xor [--device NAME]
//
// The exit status is 0 if the loss falls below 0.001.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "weir/nn.hpp"

int main(int argc, char** argv) {
  const std::string device = argc == 3 && std::strcmp(argv[1], "--device") == 0 ? argv[2] : "";
  namespace training = weir::training;
  auto created = training::Trainer::create({.threads = 1, .device = device, .seed = 1});
  if (!created) return std::fprintf(stderr, "error: %s\n", created.problem().what.c_str()), 1;
  training::Trainer& trainer = **created;
  const auto hidden = trainer.add_layer("hidden", 2, 8), out = trainer.add_layer("out", 8, 1);
  const std::vector<float> inputs{0, 0, 0, 1, 1, 0, 1, 1}, targets{0, 1, 1, 0};

  float last = 1;
  int step = 0;
  for (; step < 2000 && last >= 1e-3F; ++step) {
    const auto x = trainer.input({4, 2}, inputs), y = trainer.input({4, 1}, targets);
    const auto loss = mse(linear(tanh(linear(x, hidden)), out), y);
    if (const auto problem = trainer.step(loss, 0.02)) {
      return std::fprintf(stderr, "error: %s\n", problem->what.c_str()), 1;
    }
    last = (*trainer.read(loss))[0];
  }
  std::printf("xor: loss %.6f after %d steps\n", static_cast<double>(last), step);
  return last < 1e-3F ? 0 : 1;
}
