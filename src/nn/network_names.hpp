#pragma once

#include <optional>
#include <string_view>

namespace weir::nn {

/// What the file name of a published network (without its ending) tells. Case is ignored; a name of no known scheme tells
/// nothing. Thread-safe.
///
/// Source: the files of the programs that the networks come with:
///   realcugan-ncnn-vulkan      up2x-conservative, up2x-no-denoise, up2x-denoise1x
///   waifu2x-ncnn-vulkan        noise1_scale2.0x_model, noise1_model (1x), scale2.0x_model
///   srmd-ncnn-vulkan           srmd_x2, srmdnf_x2 ("nf": noise-free)
///   Real-ESRGAN-ncnn-vulkan    realesr-animevideov3-x2, realesrgan-x4plus, realesr-general-wdn-x4v3
///   OpenModelDB, upscayl       2x_Name, 4xName, 4x-Name, upscayl-lite-4x, spanx2_ch48, ClearReality4x

/// The noise level: "denoise3x" and "noise3" 3; "no-denoise" 0; "conservative", the waifu2x network without a noise part
/// ("scale2.0x") and "srmdnf" -1, which is no denoising beyond what enlarging needs; otherwise none.
std::optional<int> parse_noise_level(std::string_view name);

/// The largest scale of a network.
inline constexpr int kLargestScale = 16;

/// The enlargement, 1 to kLargestScale: "up2x", "scale2.0x", "2x_...", "4xName", "...-x2", "x4plus", "...4x"; 1 for waifu2x's
/// "noise1_model"; otherwise none. For networks that cannot be read: of the others the graph tells it.
std::optional<int> parse_scale(std::string_view name);

}  // namespace weir::nn
