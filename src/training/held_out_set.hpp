#pragma once

#include <filesystem>
#include <vector>

#include "base/result.hpp"
#include "synth/canvas.hpp"
#include "synth/lettering.hpp"
#include "training/upscaling_network.hpp"

namespace weir::training {

/// PSNR of the luma over bicubic's, in dB: leaves and comics, shrunk and nothing else.
struct PsnrGain {
  double leaves_db = 0, comics_db = 0;
};

/// Pictures that no batch is made of, to see how far a network is.
class HeldOutSet {
 public:
  /// Errors: those of draw_pair.
  static Result<HeldOutSet> draw(const Recipe& recipe, synth::Lettering& lettering);

  /// Runs the network with the weights as they are. Errors: those of the device.
  Result<PsnrGain> measure_gain(const UpscalingNetwork& network, nn::train::TrainingDevice& device);
  /// The pictures of the last look: for each a row of the small one's resize, the network's, and the right one.
  Status write_strip(const std::filesystem::path& path) const;

 private:
  struct Sample {
    synth::Canvas small, base, target, output;
    bool is_comic = false;
    double bicubic_psnr_db = 0;
  };
  std::vector<Sample> samples_;
  int scale_ = 2;
};

}  // namespace weir::training
