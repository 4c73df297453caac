#pragma once

#include <optional>
#include <string_view>

namespace weir::nn {

/// Functions that read scale and noise level from the file name of a published network (without its ending). They
/// ignore case and return nothing for a name that follows none of the naming schemes below. Thread-safe.
///
/// Source: the files of the programs that distribute the networks:
///   realcugan-ncnn-vulkan      up2x-conservative, up2x-no-denoise, up2x-denoise1x
///   waifu2x-ncnn-vulkan        noise1_scale2.0x_model, noise1_model (1x), scale2.0x_model
///   srmd-ncnn-vulkan           srmd_x2, srmdnf_x2 ("nf": noise-free)
///   Real-ESRGAN-ncnn-vulkan    realesr-animevideov3-x2, realesrgan-x4plus, realesr-general-wdn-x4v3
///   OpenModelDB, upscayl       2x_Name, 4xName, 4x-Name, upscayl-lite-4x, spanx2_ch48, ClearReality4x

/// Returns the noise level (how strongly the network removes noise), with the numbers of the programs' own options:
///   - the digit of "denoise3x" and "noise3";
///   - 0 for "no-denoise";
///   - -1 for "conservative", "srmdnf" and waifu2x's networks without a noise part ("scale2.0x").
/// Returns nothing for other names.
std::optional<int> parse_noise_level(std::string_view name);

/// The largest scale of a network that is supported.
inline constexpr int kLargestScale = 16;

/// Returns the scale of the network, 1 to kLargestScale: 2 for "up2x", "scale2.0x", "2x_..." and "...-x2"; 4 for
/// "4xName", "x4plus" and "...4x"; 1 for waifu2x's "noise1_model". Returns nothing for other names. Used only for
/// networks that cannot be read; for all others the graph contains the scale.
std::optional<int> parse_scale(std::string_view name);

}  // namespace weir::nn
