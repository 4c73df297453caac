#include "cli/batch_reporter.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "nn/catalogue.hpp"
#include "observe/progress.hpp"
#include "tasks/picture_report.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

/// What the worker reported, with what became of it afterwards.
Json item_json(const jobs::Item& item, const jobs::ItemEnd& end) {
  Json json = Json::parse(end.report.empty() ? "{}" : end.report, nullptr, false);
  if (!json.is_object()) json = Json::object();
  Json whole{{"status", jobs::name_of(end.status)},
             {"input", item.inputs.empty() ? "-" : item.inputs.front().native()},
             {"output", item.outputs.front().native()}};
  if (!end.why.empty()) whole["why"] = end.why;
  if (end.redone) whole["redone"] = true;
  if (!end.damaged.empty()) whole["damaged"] = end.damaged;
  if (!end.variant.empty()) whole["variant"] = end.variant;
  if (!end.device.empty()) whole["device"] = end.device;
  if (end.error)
    whole["error"] = {{"code", end.fault ? "fault" : weir::name_of(end.error->code)}, {"what", end.error->what}};
  for (const auto& [key, value] : json.items()) {
    if (!whole.contains(key)) whole[key] = value;
  }
  return whole;
}

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
            {"damages", totals.damages},
            {"megapixels", totals.amount},
            {"seconds", totals.seconds},
            {"interrupted", totals.interrupted},
            {"failures", totals.failures},
            {"lost", lost.empty() ? Json::object() : Json(lost)},
            {"devices", devices}}}};
}

/// The network of a worker's report: name, scale, noise. Empty if it has none.
jobs::Json network_of(const jobs::ItemEnd& end) {
  const auto report = jobs::parse_object(end.report);
  return report ? jobs::object_field(*report, "network") : jobs::Json::object();
}

std::optional<int> noise_of(const jobs::Json& network) {
  if (!network.contains("noise")) return std::nullopt;
  return static_cast<int>(jobs::number_field(network, "noise"));
}

std::string network_text(const jobs::Json& network) {
  if (network.empty()) return {};
  return printable(nn::described(jobs::text_field(network, "name"),
                                 static_cast<int>(jobs::number_field(network, "scale")), noise_of(network)));
}

}  // namespace

std::string BatchReporter::progress_text(const jobs::RunProgress& run, int columns) const {
  const std::size_t room = static_cast<std::size_t>(std::max(columns, 0));
  std::string head = run.items > 1 ? fmt::format("[{}/{}] ", run.ended, run.items) : std::string{};
  std::string rest;
  if (!run.halted.empty()) rest += "  " + run.halted;
  if (run.seconds > 0) rest += fmt::format("  {:.2f} MP/s", run.amount / run.seconds);
  if (run.left_s) rest += fmt::format("  {} left", observe::clock_text(observe::Seconds{*run.left_s}));
  const std::size_t taken = head.size() + rest.size();
  const std::size_t each = run.devices.empty() || room <= taken ? 0 : (room - taken) / run.devices.size();
  for (const auto& device : run.devices) {
    const std::string name = run.devices.size() > 1 ? printable(device.name) + " " : std::string{};
    const std::string percent =
        device.item.empty() ? std::string{"-"} : fmt::format("  {:3.0f} %", std::floor(100 * device.fraction));
    const std::size_t fixed = name.size() + percent.size() + 2;
    const bool told = !device.item.empty() && each > fixed;
    head += fmt::format("{}{}{}  ", name, told ? observe::shorten(device.item, each - fixed) : "", percent);
  }
  if (head.ends_with("  ")) head.resize(head.size() - 2);
  return (head + rest).substr(0, room);
}

void BatchReporter::ended(const jobs::Item& item, const jobs::ItemEnd& end) {
  log().status({});
  count_network(end);
  tell(item, end);
  count_lost(end);
  if (args().json) print_line(item_json(item, end));
}

void BatchReporter::tell(const jobs::Item& item, const jobs::ItemEnd& end) {
  const std::string name = item.inputs.empty() ? "-" : jobs::shown_name(item);
  if (end.status == jobs::ItemStatus::failed)
    log().error(failure_text(name, end.error.value_or(Error{Errc::unsupported, end.why})));
  if (!end.damaged.empty()) log().error(damage_line(name, end.damaged));
  for (const std::string& note : end.notes) log().warning(fmt::format("{}: {}", name, printable(note)));
  if (end.status != jobs::ItemStatus::done) return;
  const auto report = jobs::parse_object(end.report);
  const jobs::Json size = report ? jobs::object_field(*report, "output_picture") : jobs::Json::object();
  const std::string output = shown(item.outputs.front());
  if (size.empty()) return log().info(fmt::format("{} -> {}: {}", name, output, end.why));
  log().info(
      done_text({name, output, static_cast<int>(jobs::number_field(size, "width")),
                 static_cast<int>(jobs::number_field(size, "height")), network_text(network_of(end)), end.seconds}) +
      (end.variant.empty() ? "" : fmt::format(" (with {})", printable(end.variant))));
}

void BatchReporter::count_network(const jobs::ItemEnd& end) {
  if (end.status != jobs::ItemStatus::done) return;
  const jobs::Json network = network_of(end);
  if (network.empty()) return;
  const std::string name = jobs::text_field(network, "name");
  const int scale = static_cast<int>(jobs::number_field(network, "scale"));
  for (Used& used : networks_) {
    if (used.name == name && used.scale == scale) {
      ++used.items;
      return;
    }
  }
  networks_.push_back({name, scale, noise_of(network), 1});
}

std::string BatchReporter::networks_text() const {
  std::string text;
  for (const Used& used : networks_) {
    text += (text.empty() ? ", with " : ", ") + printable(nn::described(used.name, used.scale, used.noise));
    if (networks_.size() > 1) text += fmt::format(" {} times", used.items);
  }
  return text;
}

void BatchReporter::count_lost(const jobs::ItemEnd& end) {
  constexpr std::size_t kMostKinds = 64;
  if (end.status != jobs::ItemStatus::done) return;
  const auto report = jobs::parse_object(end.report);
  if (!report) return;
  std::set<std::string> kinds;
  for (const jobs::Json& entry : report->value("lost", jobs::Json::array()))
    if (entry.is_string()) kinds.insert(tasks::lost_kind(entry.get<std::string>()));
  for (const std::string& kind : kinds)
    if (lost_.size() < kMostKinds || lost_.contains(kind)) ++lost_[kind];
}

void BatchReporter::summary(const jobs::Totals& totals) {
  log().status({});
  if (totals.items > 1 && args().json) {
    Json json = summary_json(totals, lost_);
    Json& networks = json["summary"]["networks"] = Json::array();
    for (const Used& used : networks_) {
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
  for (const auto& [what, pictures] : lost_)
    lost += fmt::format("{} {} ({} picture{})", lost.empty() ? "lost:" : ",", printable(what), pictures,
                        pictures == 1 ? "" : "s");
  if (!lost.empty()) log().warning(lost);
  if (totals.devices.size() < 2) return;
  for (const auto& device : totals.devices)
    log().info(fmt::format("  {}: {} pictures, {:.1f} MP, busy {:.0f} %", printable(device.name), device.items,
                           device.amount, 100 * device.busy_s / std::max(totals.seconds, 1e-9)));
}

}  // namespace weir::cli
