#pragma once

#include <filesystem>
#include <vector>

#include "base/result.hpp"
#include "synth/canvas.hpp"
#include "synth/lettering.hpp"
#include "training/upscaling_network.hpp"

namespace weir::training {

/// How much better a network enlarges pictures than a bicubic resize (synth::enlarge() with the cubic kernel). A gain
/// is the PSNR of the network's result minus the PSNR of the bicubic resize, as the mean over the held-out pictures of
/// one kind. The PSNR is that of the luma (brightness), in dB, without a border of 2 pixels.
struct PsnrGain {
  double leaves_db = 0, comics_db = 0;  ///< gains on dead leaves (overlapping random shapes) and on comics
};

/// Pictures that are not used for training. They measure the quality of a network. The small pictures were only shrunk:
/// not blurred, without noise or JPEG compression.
class HeldOutSet {
 public:
  /// Draws the pictures. Errors: those of draw_pair().
  static Result<HeldOutSet> draw(const Recipe& recipe, synth::Lettering& lettering);

  /// Enlarges the pictures by the network with its current weights, keeps the results for write_strip(), and returns
  /// the mean gains. Errors: those of the device.
  Result<PsnrGain> measure_gain(const UpscalingNetwork& network, nn::train::TrainingDevice& device);
  /// Writes a picture file. Each row shows one of the first six pictures three times: enlarged by enlarge_bicubic(),
  /// enlarged by the network in the last measure_gain(), and the original. Errors: those of synth::write_canvas().
  Status write_strip(const std::filesystem::path& path) const;

 private:
  struct Sample {
    synth::Canvas small,  // input of the network
        base,             // `small` enlarged by enlarge_bicubic(): the network computes what is missing in it
        target,           // the original, which the result is compared with
        output;           // result of the network; `base` before the first measure_gain()
    bool is_comic = false;
    double bicubic_psnr_db = 0;  // PSNR of synth::enlarge() of `small`, the baseline of PsnrGain
  };
  std::vector<Sample> samples_;
  int scale_ = 2;
};

}  // namespace weir::training
