#include "cli/report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "nn/catalogue.hpp"
#include "nn/network_names.hpp"
#include "observe/progress.hpp"

namespace weir::cli {
namespace {

std::string part_lines(const enhance::UpscalePlan& plan) {
  std::string text;
  for (const auto& part : plan.parts)
    text += fmt::format("    {:<16} {:>10}{}{}\n", part.name, to_text(part.ram),
                        part.disk == Bytes{} ? "" : "  disk " + to_text(part.disk),
                        part.device_memory == Bytes{} ? "" : "  of the GPU " + to_text(part.device_memory));
  return text;
}

}  // namespace

std::string display_path(const std::filesystem::path& path) { return printable(path.native()); }

std::string done_text(const DonePicture& picture) {
  const double megapixels = 1e-6 * picture.width * picture.height;
  return fmt::format("{} -> {}: {}x{}{}{}, {}, {:.2f} MP/s", picture.name, picture.output, picture.width,
                     picture.height, picture.network.empty() ? "" : " with ", picture.network,
                     observe::format_duration(observe::Seconds{picture.seconds}),
                     megapixels / std::max(picture.seconds, 1e-9));
}

std::string network_text(const nn::Network& network) {
  return printable(nn::format_network_label(network.name, network.family.scale, nn::parse_noise_level(network.name)));
}

void ResultOutput::print(const std::string& text) {
  if (problem_) return;
  if (auto written = write_standard_output(text); !written) problem_ = written.error();
}

std::string failure_text(const std::string& name, const Error& error) {
  const std::string what = one_line(error.what);
  return what.starts_with(name + ":") ? what : fmt::format("{}: {}", name, what);
}

std::string damage_line(const std::string& name, const std::string& damage) {
  return fmt::format("{}: damaged: {}", name, one_line(damage));
}

std::string damaged_text(std::size_t damaged, std::size_t items) {
  return fmt::format("{} of {} items {}", damaged, items,
                     damaged == 1 ? "is from a damaged file" : "are from damaged files");
}

std::string plan_text(const tasks::PictureItem& item, const tasks::PictureResult& result) {
  const enhance::UpscalePlan& plan = *result.plan;
  std::string text = fmt::format("{} -> {}\n", display_path(item.source.path), display_path(item.output));
  text +=
      fmt::format("  size      {}x{} -> {}x{}, {}{}\n", plan.input_width, plan.input_height, plan.output_width,
                  plan.output_height, media::name_of(item.format), plan.resized ? ", resized after the network" : "");
  const nn::Network& network = result.upscaler->network();
  const auto noise = nn::parse_noise_level(network.name);
  text += fmt::format("  network   {} ({}, {}x{}{}), {}, {}\n", printable(network.name), network.family.name,
                      network.family.scale, noise ? fmt::format(", noise {}", *noise) : "",
                      plan.network_runs > 1 ? ", twice" : "", plan.precision, plan.instruction_set);
  if (plan.tile > 0)
    text += fmt::format("  device    {}, tiles of {} pixels\n", printable(plan.device_name), plan.tile);
  text += fmt::format("  work      bands of {} rows, strips of {} columns with a halo of {}, {} {}\n", plan.band_height,
                      plan.strip_width, plan.strip_halo, plan.passes, plan.passes == 1 ? "pass" : "passes");
  text += fmt::format("  memory    {}, disk {}{}\n{}", to_text(plan.ram), to_text(plan.disk),
                      plan.tile > 0 ? ", of the GPU " + to_text(plan.device_memory) : "", part_lines(plan));
  return text + fmt::format("  time      {} expected\n", observe::format_duration(plan.expected_time));
}

}  // namespace weir::cli
