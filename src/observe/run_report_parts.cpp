#include "observe/run_report_parts.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "observe/progress.hpp"

namespace weir::observe {
namespace {

using Part = RunReport::Part;
using Stage = RunReport::Stage;

constexpr std::array<const char*, 6> kDeviceColours{"#3867b7", "#2a9d8f", "#8a4fa3", "#c98a1c", "#6b7f2a", "#5b7fa6"};
constexpr const char* kFailedColour = "#c0392b";
constexpr const char* kBeforeColour = "#c9c9c4";      // parts that were done before this run
constexpr const char* kUnfinishedColour = "#ececea";  // parts that are not done
// Sizes of a chart of parts, in SVG units.
constexpr double kChartWidth = 1000;
constexpr double kTitleHeight = 15;   // the title of a row, above it
constexpr double kStripHeight = 24;   // the row of the devices
constexpr double kColumnHeight = 54;  // the rows of speed and memory
constexpr double kRowGap = 8;
constexpr double kNumbersHeight = 14;  // the numbers of the parts, below the chart
constexpr double kMinMarkWidth = 9;    // a part of this width shows its number of attempts

/// Returns the part of a path after the last slash.
std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

double speed_of(const Part& part) { return part.result == "done" && part.seconds > 0 ? part.amount / part.seconds : 0; }

std::string colour_of(const RunReport& report, const Part& part) {
  if (part.result == "done") return device_colour(report, part.device);
  if (part.result == "skipped") return kBeforeColour;
  return part.result == "failed" ? kFailedColour : kUnfinishedColour;
}

std::string count_text(std::size_t count, const char* name) {
  return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
}

/// Returns the description of a part that is shown when the pointer is over it.
std::string tooltip(const RunReport& report, std::size_t position, const Part& part) {
  std::string text = fmt::format("{}: {}, {}", position + 1, escape_markup(file_name(part.item)),
                                 part.result == "skipped" ? "done before" : escape_markup(part.result));
  if (!part.device.empty()) text += " on " + escape_markup(part.device);
  if (part.seconds > 0) text += fmt::format(", {:.1f} s", part.seconds);
  if (speed_of(part) > 0) text += fmt::format(", {:.2f} {}/s", speed_of(part), escape_markup(report.unit));
  if (part.peak_bytes > 0) text += fmt::format(", {:.0f} MiB", part.peak_bytes / (1 << 20));
  if (part.attempts > 1) text += fmt::format(", {} attempts", part.attempts);
  if (!part.error.empty()) text += ": " + escape_markup(part.error);
  return text;
}

/// A chart of the parts of one stage: rows below each other, with a column for each part.
class PartsChart {
 public:
  PartsChart(const RunReport& report, const Stage& stage)
      : report_{report},
        stage_{stage},
        width_{kChartWidth / static_cast<double>(std::max<std::size_t>(column_count(), 1))} {}

  std::string html() {
    add_strip();
    add_columns(report_.unit.empty() ? "work per second" : report_.unit + " per second", "", speed_of);
    add_columns("largest memory of the worker", " MiB", [](const Part& part) { return part.peak_bytes / (1 << 20); });
    add_numbers();
    return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"parts\">{}</svg>", kChartWidth, y_,
                       content_);
  }

 private:
  std::size_t column_count() const {
    return std::max(stage_.count, stage_.parts.empty() ? 0 : stage_.parts.rbegin()->first + 1);
  }
  double gap() const { return width_ > 4 ? 1 : 0; }  // between two columns

  void add_title(const std::string& title) {
    content_ += fmt::format("<text x=\"0\" y=\"{:.1f}\">{}</text>", y_ + kTitleHeight - 4, escape_markup(title));
    y_ += kTitleHeight;
  }

  /// Adds a bar of the part that ends at the bottom of the row. `fraction`: its height, as a part of the row's.
  void add_bar(std::size_t position, const Part& part, double row_height, double fraction) {
    const double height = std::max(row_height * fraction, 1.0);
    content_ += fmt::format(
        "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"><title>{}</title></rect>",
        width_ * static_cast<double>(position), y_ + row_height - height, width_ - gap(), height,
        colour_of(report_, part), tooltip(report_, position, part));
  }

  /// Adds the row that shows where each part was made. Several attempts are shown as their number, or a dark notch if
  /// there is no room.
  void add_strip() {
    add_title("made on");
    content_ += fmt::format("<rect x=\"0\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>", y_, kChartWidth,
                            kStripHeight, kUnfinishedColour);
    for (const auto& [position, part] : stage_.parts) {
      add_bar(position, part, kStripHeight, 1);
      if (part.attempts <= 1) continue;
      const double middle = width_ * (static_cast<double>(position) + 0.5) - gap() / 2;
      content_ += width_ >= kMinMarkWidth
                      ? fmt::format("<text class=\"mark\" x=\"{:.2f}\" y=\"{:.2f}\" text-anchor=\"middle\">{}</text>",
                                    middle, y_ + kStripHeight / 2 + 4, part.attempts)
                      : fmt::format("<circle cx=\"{:.2f}\" cy=\"{:.2f}\" r=\"2\" fill=\"#222\"/>", middle, y_ + 4);
    }
    y_ += kStripHeight + kRowGap;
  }

  /// Adds a row of bars whose heights show a value of the parts; nothing if none has the value.
  void add_columns(const std::string& title, const char* unit, const std::function<double(const Part&)>& value_of) {
    double largest = 0;
    for (const auto& [position, part] : stage_.parts) largest = std::max(largest, value_of(part));
    if (largest <= 0) return;
    add_title(fmt::format("{}, up to {:.{}f}{}", title, largest, largest < 10 ? 2 : 0, unit));
    for (const auto& [position, part] : stage_.parts) {
      if (value_of(part) > 0) add_bar(position, part, kColumnHeight, value_of(part) / largest);
    }
    content_ += fmt::format("<line x1=\"0\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#bbb\"/>", kChartWidth,
                            y_ + kColumnHeight, y_ + kColumnHeight);
    y_ += kColumnHeight + kRowGap;
  }

  /// Adds the numbers of the parts from 1: about ten of them.
  void add_numbers() {
    const std::size_t step = std::max<std::size_t>(1, column_count() / 10);
    for (std::size_t position = 0; position < column_count(); position += step)
      content_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", width_ * static_cast<double>(position),
                              y_ + kNumbersHeight - 6, position + 1);
    y_ += kNumbersHeight;
  }

  const RunReport& report_;
  const Stage& stage_;
  double width_;  // of a column
  double y_ = 0;  // of the next row
  std::string content_;
};

/// Returns the legend of the colours that occur in the stage.
std::string legend_html(const RunReport& report, const Stage& stage) {
  std::vector<std::pair<std::string, std::string>> entries;  // colour and text
  std::set<std::string> devices;
  std::set<std::string> results;
  for (const auto& [position, part] : stage.parts) {
    results.insert(part.result);
    if (part.result == "done") devices.insert(part.device);
  }
  entries.reserve(devices.size() + 2);
  for (const std::string& device : devices) entries.emplace_back(device_colour(report, device), device);
  if (results.contains("skipped")) entries.emplace_back(kBeforeColour, "done before this run");
  if (results.contains("failed")) entries.emplace_back(kFailedColour, "failed");
  if (stage.parts.size() < stage.count || results.contains("unfinished") || results.contains("interrupted"))
    entries.emplace_back(kUnfinishedColour, "not done");
  std::string html = "<p class=\"legend\">";
  for (const auto& [colour, text] : entries)
    html += fmt::format("<span><i style=\"background:{}\"></i>{}</span>", colour, escape_markup(text));
  return html + "</p>";
}

/// Returns one sentence with the numbers of the parts by result.
std::string counts_html(const Stage& stage) {
  std::size_t done = 0;
  std::size_t before = 0;
  std::size_t failed = 0;
  std::size_t repeated = 0;
  for (const auto& [position, part] : stage.parts) {
    done += part.result == "done" ? 1 : 0;
    before += part.result == "skipped" ? 1 : 0;
    failed += part.result == "failed" ? 1 : 0;
    repeated += part.attempts > 1 ? 1 : 0;
  }
  std::string text = fmt::format("{}: {} done", count_text(stage.count, "part"), done);
  if (before > 0) text += fmt::format(", {} done before this run", before);
  if (failed > 0) text += fmt::format(", {} failed", failed);
  if (repeated > 0) text += fmt::format("; {} had more than one attempt", repeated);
  return "<p>" + text + ".</p>";
}

/// Returns a table of the devices that made parts of the stage: how many, how much work and at what speed.
std::string devices_html(const RunReport& report, const Stage& stage) {
  struct Sum {
    std::size_t parts = 0;
    double amount = 0, seconds = 0, peak_bytes = 0;
  };
  std::map<std::string, Sum> sums;
  for (const auto& [position, part] : stage.parts) {
    if (part.result != "done") continue;
    Sum& sum = sums[part.device];
    ++sum.parts;
    sum.amount += part.amount;
    sum.seconds += part.seconds;
    sum.peak_bytes = std::max(sum.peak_bytes, part.peak_bytes);
  }
  if (sums.empty()) return {};
  const std::string unit = escape_markup(report.unit.empty() ? "work" : report.unit);
  std::string html = fmt::format(
      "<table class=\"numbers\"><tr><th>device</th><th>parts</th><th>{}</th><th>time</th><th>{} per "
      "second</th><th>memory</th></tr>",
      unit, unit);
  for (const auto& [device, sum] : sums)
    html += fmt::format(
        "<tr><td><i style=\"background:{}\"></i>{}</td><td>{}</td><td>{:.6g}</td><td>{}</td><td>{:.2f}</td>"
        "<td>{:.0f} MiB</td></tr>",
        device_colour(report, device), escape_markup(device), sum.parts, sum.amount,
        format_duration(Seconds{sum.seconds}), sum.seconds > 0 ? sum.amount / sum.seconds : 0,
        sum.peak_bytes / (1 << 20));
  return html + "</table>";
}

/// Returns a row about a step that is one item: the only part of a stage, or the item itself.
std::string step_row(const std::string& item, const std::string& result, const std::string& device, double seconds) {
  if (result == "skipped")
    return fmt::format("<tr><td>{}</td><td colspan=\"2\">done before this run</td></tr>", escape_markup(item));
  return fmt::format("<tr><td>{}</td><td>{}{}</td><td>{}</td></tr>", escape_markup(item), escape_markup(result),
                     device.empty() ? "" : " on " + escape_markup(device), format_duration(Seconds{seconds}));
}

/// Returns a table of the steps before and after the stages of several parts, such as the index and the join of a film.
std::string steps_html(const RunReport& report, const std::string& item, const std::map<int, Stage>& stages) {
  std::string rows;
  for (const auto& [number, stage] : stages) {
    if (stage.count > 1 || stage.parts.empty()) continue;
    const Part& part = stage.parts.begin()->second;
    rows += step_row(file_name(part.item), part.result, part.device, part.seconds);
  }
  for (const auto& span : report.spans) {
    if (span.item == item && !span.device.empty())
      rows += step_row(file_name(item) + " itself", span.result, span.device, span.end_s - span.start_s);
  }
  return rows.empty() ? "" : "<table><tr><th>step</th><th>result</th><th>time</th></tr>" + rows + "</table>";
}

}  // namespace

std::string device_colour(const RunReport& report, const std::string& device) {
  const auto number =
      static_cast<std::size_t>(std::distance(report.devices.begin(), report.devices.lower_bound(device)));
  return kDeviceColours.at(number % kDeviceColours.size());
}

std::string stage_times_html(const RunReport& report) {
  std::string rows;
  for (const auto& [device, work] : report.devices) {
    std::vector<std::pair<double, std::string>> stages;
    for (const auto& [stage, seconds] : work.stage_seconds) stages.emplace_back(seconds, stage);
    std::sort(stages.rbegin(), stages.rend());  // the longest first
    for (const auto& [seconds, stage] : stages) {
      const double percent = work.busy_s > 0 ? std::min(100 * seconds / work.busy_s, 100.0) : 0;
      rows += fmt::format(
          "<tr><td>{}</td><td>{}</td><td>{:.0f} %</td><td class=\"bar\"><i "
          "style=\"width:{:.1f}%;background:{}\"></i></td>"
          "<td>{}</td></tr>",
          escape_markup(device), escape_markup(stage), percent, percent, device_colour(report, device),
          format_duration(Seconds{seconds}));
    }
  }
  if (rows.empty()) return {};
  return "<h2>Where the time went</h2><p>The time that a device spent in each stage, as a part of the time in which it "
         "had "
         "items. Stages that work at the same time can have more than 100 % together; one near 100 % limits the "
         "speed.</p>"
         "<table class=\"wide\">" +
         rows + "</table>\n";
}

std::string parts_html(const RunReport& report) {
  std::string html;
  for (const auto& [item, stages] : report.stages) {
    html += fmt::format("<h2>{}</h2>", escape_markup(file_name(item)));
    for (const auto& [number, stage] : stages) {
      if (stage.count <= 1) continue;
      html += counts_html(stage) + PartsChart{report, stage}.html() + legend_html(report, stage) +
              devices_html(report, stage);
    }
    html += steps_html(report, item, stages) + "\n";
  }
  return html;
}

}  // namespace weir::observe
