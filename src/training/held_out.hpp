#pragma once

#include <filesystem>
#include <vector>

#include "base/result.hpp"
#include "synth/canvas.hpp"
#include "synth/lettering.hpp"
#include "training/network.hpp"

namespace weir::training {

/// PSNR of the luma over bicubic's, in dB: leaves and comics, shrunk and nothing else.
struct Gain {
  double leaves = 0, comics = 0;
};

/// Pictures that no batch is made of, to see how far a network is.
class HeldOut {
 public:
  /// Errors: those of draw_pair.
  static Result<HeldOut> draw(const Recipe& recipe, synth::Lettering& lettering);

  /// Runs the network with the weights as they are. Errors: those of the device.
  Result<Gain> look(const Network& network, nn::train::Device& device);
  /// The pictures of the last look: for each a row of the small one's resize, the network's, and the right one.
  Status write_strip(const std::filesystem::path& path) const;

 private:
  struct Shown {
    synth::Canvas small, base, wanted, made;
    bool comic = false;
    double base_psnr = 0;
  };
  std::vector<Shown> shown_;
  int scale_ = 2;
};

}  // namespace weir::training
