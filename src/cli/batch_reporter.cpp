#include "cli/batch_reporter.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/item_json.hpp"
#include "nn/catalogue.hpp"
#include "observe/progress.hpp"
#include "tasks/picture_report.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

Json summary_json(const jobs::Totals& totals, const std::map<std::string, std::size_t>& lost) {
  Json devices = Json::array();
  for (const auto& device : totals.devices) {
    devices.push_back({{"device", device.name},
                       {"items", device.items},
                       {"megapixels", device.amount},
                       {"busy_seconds", device.busy_s},
                       {"busy_percent", 100 * device.busy_s / std::max(totals.seconds, 1e-9)}});
  }
  return {{"summary",
           {{"items", totals.items},
            {"done", totals.done},
            {"redone", totals.redone},
            {"skipped", totals.skipped},
            {"failed", totals.failed},
            {"smaller_variant", totals.smaller_variant},
            {"damaged", totals.damaged},
            {"damages", totals.damage_messages},
            {"megapixels", totals.amount},
            {"seconds", totals.seconds},
            {"interrupted", totals.interrupted},
            {"failures", totals.failure_messages},
            {"lost", lost.empty() ? Json::object() : Json(lost)},
            {"devices", devices}}}};
}

/// Returns the network in the task's report, an object with "name", "scale" and maybe "noise"; {} if there is none.
jobs::Json network_of(const jobs::ItemResult& result) {
  const auto report = jobs::parse_object(result.report);
  return report ? jobs::object_field(*report, "network") : jobs::Json::object();
}

std::optional<int> noise_of(const jobs::Json& network) {
  if (!network.contains("noise")) return std::nullopt;
  return static_cast<int>(jobs::number_field(network, "noise"));
}

std::string network_text(const jobs::Json& network) {
  if (network.empty()) return {};
  return printable(nn::format_network_label(jobs::text_field(network, "name"),
                                            static_cast<int>(jobs::number_field(network, "scale")), noise_of(network)));
}

}  // namespace

/// The text has the number of finished pictures, each device with its picture, the speed and the remaining time. The
/// names of the pictures share the columns that the rest of the text leaves, in equal parts.
std::string BatchReporter::progress_text(const jobs::RunProgress& run, int columns) const {
  const std::size_t max_columns = static_cast<std::size_t>(std::max(columns, 0));
  std::string head = run.total_items > 1 ? fmt::format("[{}/{}] ", run.finished_items, run.total_items) : std::string{};
  std::string rest;
  if (!run.idle_reason.empty()) rest += "  " + run.idle_reason;
  if (run.seconds > 0) rest += fmt::format("  {:.2f} MP/s", run.amount / run.seconds);
  if (run.remaining_s) rest += fmt::format("  {} left", observe::format_clock(observe::Seconds{*run.remaining_s}));
  const std::size_t used_columns = head.size() + rest.size();
  const std::size_t columns_per_device =
      run.devices.empty() || max_columns <= used_columns ? 0 : (max_columns - used_columns) / run.devices.size();
  for (const auto& device : run.devices) {
    const std::string name = run.devices.size() > 1 ? printable(device.name) + " " : std::string{};
    const std::string percent =
        device.item.empty() ? std::string{"-"} : fmt::format("  {:3.0f} %", std::floor(100 * device.fraction));
    const std::size_t fixed_columns = name.size() + percent.size() + 2;  // 2: the spaces after each device
    const bool show_item = !device.item.empty() && columns_per_device > fixed_columns;
    head +=
        fmt::format("{}{}{}  ", name,
                    show_item ? observe::shorten_name(device.item, columns_per_device - fixed_columns) : "", percent);
  }
  if (head.ends_with("  ")) head.resize(head.size() - 2);
  return (head + rest).substr(0, max_columns);
}

void BatchReporter::on_item_result(const jobs::Item& item, const jobs::ItemResult& result) {
  log().set_status({});
  count_network(result);
  log_result(item, result);
  count_losses(result);
  if (args().json) print_line(item_json(item, result));
}

void BatchReporter::log_result(const jobs::Item& item, const jobs::ItemResult& result) {
  const std::string name = item.inputs.empty() ? "-" : jobs::display_name(item);
  if (result.status == jobs::ItemStatus::failed)
    log().error(failure_text(name, result.error.value_or(Error{Errc::unsupported, result.why})));
  if (!result.damage.empty()) log().error(damage_line(name, result.damage));
  for (const std::string& note : result.notes) log().warning(fmt::format("{}: {}", name, printable(note)));
  if (result.status != jobs::ItemStatus::done) return;
  const auto report = jobs::parse_object(result.report);
  const jobs::Json size = report ? jobs::object_field(*report, "output_picture") : jobs::Json::object();
  const std::string output = display_path(item.outputs.front());
  if (size.empty()) return log().info(fmt::format("{} -> {}: {}", name, output, result.why));
  log().info(done_text({.name = name,
                        .output = output,
                        .width = static_cast<int>(jobs::number_field(size, "width")),
                        .height = static_cast<int>(jobs::number_field(size, "height")),
                        .network = network_text(network_of(result)),
                        .seconds = result.seconds}) +
             (result.variant.empty() ? "" : fmt::format(" (with {})", printable(result.variant))));
}

void BatchReporter::count_network(const jobs::ItemResult& result) {
  if (result.status != jobs::ItemStatus::done) return;
  const jobs::Json network = network_of(result);
  if (network.empty()) return;
  const std::string name = jobs::text_field(network, "name");
  const int scale = static_cast<int>(jobs::number_field(network, "scale"));
  for (NetworkUse& used : network_uses_) {
    if (used.name == name && used.scale == scale) {
      ++used.items;
      return;
    }
  }
  network_uses_.push_back({.name = name, .scale = scale, .noise = noise_of(network), .items = 1});
}

std::string BatchReporter::networks_text() const {
  std::string text;
  for (const NetworkUse& used : network_uses_) {
    text += (text.empty() ? ", with " : ", ") + printable(nn::format_network_label(used.name, used.scale, used.noise));
    if (network_uses_.size() > 1) text += fmt::format(" {} times", used.items);
  }
  return text;
}

void BatchReporter::count_losses(const jobs::ItemResult& result) {
  constexpr std::size_t kMaxKinds = 64;  // kinds can be texts from the pictures, so their number is limited
  if (result.status != jobs::ItemStatus::done) return;
  const auto report = jobs::parse_object(result.report);
  if (!report) return;
  std::set<std::string> kinds;
  for (const jobs::Json& entry : report->value("lost", jobs::Json::array()))
    if (entry.is_string()) kinds.insert(tasks::lost_kind(entry.get<std::string>()));
  for (const std::string& kind : kinds)
    if (loss_counts_.size() < kMaxKinds || loss_counts_.contains(kind)) ++loss_counts_[kind];
}

void BatchReporter::summary(const jobs::Totals& totals) {
  log().set_status({});
  if (totals.items > 1 && args().json) {
    Json json = summary_json(totals, loss_counts_);
    Json& networks = json["summary"]["networks"] = Json::array();
    for (const NetworkUse& used : network_uses_) {
      networks.push_back({{"name", used.name}, {"scale", used.scale}});
      if (used.noise) networks.back()["noise"] = *used.noise;
      networks.back()["items"] = used.items;
    }
    print_line(json);
  }
  if (totals.items < 2) return;
  log().info(fmt::format("{}, {:.1f} MP in {}{}", counts_text(totals, "pictures", 0), totals.amount,
                         observe::format_duration(observe::Seconds{totals.seconds}), networks_text()));
  std::string lost;
  for (const auto& [what, pictures] : loss_counts_)
    lost += fmt::format("{} {} ({} picture{})", lost.empty() ? "lost:" : ",", printable(what), pictures,
                        pictures == 1 ? "" : "s");
  if (!lost.empty()) log().warning(lost);
  if (totals.devices.size() < 2) return;
  for (const auto& device : totals.devices)
    log().info(fmt::format("  {}: {} pictures, {:.1f} MP, busy {:.0f} %", printable(device.name), device.items,
                           device.amount, 100 * device.busy_s / std::max(totals.seconds, 1e-9)));
}

}  // namespace weir::cli
