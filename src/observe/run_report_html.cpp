// Writes a RunReport as an HTML page.

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "observe/progress.hpp"
#include "observe/run_report.hpp"
#include "observe/run_report_parts.hpp"

namespace weir::observe {
namespace {

// Sizes of the charts, in SVG units.
constexpr double kWidth = 1000;
constexpr double kAxisHeight = 20;                 // the labels of the time axis, below a chart
constexpr double kRowHeight = 28;                  // a device in the timeline: its name, its bar and a gap
constexpr double kNameHeight = 12;                 // the name, above the bar
constexpr double kBarHeight = kRowHeight - 14;     // 14: the name and a gap of 2
constexpr double kPlotHeight = 200;                // the memory curves
constexpr double kCurveHeight = kPlotHeight - 12;  // the highest curve; above it is the label of its value
constexpr const char* kCoordinatorColour = "#5c6b73";

constexpr const char* kStyle =
    "body{font:15px/1.45 system-ui,sans-serif;max-width:1060px;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.8em 0}td,th{padding:.2em 1.2em .2em 0;text-align:left;vertical-align:top}"
    ".numbers td+td,.numbers th+th{text-align:right;font-variant-numeric:tabular-nums}"
    ".totals{display:flex;flex-wrap:wrap;gap:.5em 2.4em}.totals b{display:block;font-size:1.7em;font-weight:600}"
    "svg{width:100%;height:auto;background:#f6f6f4}svg text{font-size:11px;fill:#444}"
    ".done{fill:#4f9a63}.failed{fill:#c0392b}.retry{fill:#d98e2b}.interrupted,.unfinished{fill:#9a9a9a}"
    "code{overflow-wrap:anywhere}svg text.mark{fill:#fff;font-weight:600}"
    ".legend span{margin-right:1.2em}.legend i,td>i{display:inline-block;width:.8em;height:.8em;margin-right:.4em}"
    ".wide{width:100%}.bar{width:60%}.bar i{height:.8em}h2{margin-top:1.6em}";

/// Returns the x position of a time in seconds.
double scale_x(const RunReport& report, double time_s) { return kWidth * time_s / std::max(report.duration_s, 1e-3); }

/// Returns the six labels of the time axis, at height `y`.
std::string axis(const RunReport& report, double y) {
  std::string out;
  constexpr int kLast = 5;
  for (int i = 0; i <= kLast; ++i) {
    const double time_s = report.duration_s * i / kLast;
    // The outer labels stay within the chart.
    const char* anchor = i == 0 ? "start" : "middle";
    if (i == kLast) anchor = "end";
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", scale_x(report, time_s), y,
                       anchor, format_duration(Seconds{time_s}));
  }
  return out;
}

/// Returns a timestamp without its milliseconds, "2026-11-21 14:30:00 UTC".
std::string start_text(const std::string& timestamp) {
  if (parse_timestamp(timestamp) == 0) return timestamp;
  return timestamp.substr(0, 10) + ' ' + timestamp.substr(11, 8) + " UTC";
}

std::string totals_html(const RunReport& report) {
  std::string out = fmt::format(
      "<p>Started {}, {}, {}.</p><div class=\"totals\">", escape_markup(start_text(report.start_time)),
      format_duration(Seconds{report.duration_s}), report.completed ? "ended normally" : "did not end normally");
  for (const auto& [name, value] : report.totals) {
    if (name == "seconds") continue;  // the duration above
    const std::string& label = name == "amount" && !report.unit.empty() ? report.unit : name;
    out += fmt::format("<span><b>{:.6g}</b>{}</span>", value, escape_markup(label));
  }
  return out + "</div>";
}

std::string timeline_html(const RunReport& report) {
  std::vector<std::string> devices;
  for (const auto& span : report.spans) {
    if (std::find(devices.begin(), devices.end(), span.device) == devices.end()) devices.push_back(span.device);
  }
  std::sort(devices.begin(), devices.end());
  const double height = kRowHeight * static_cast<double>(devices.size()) + kAxisHeight;
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"timeline\">", kWidth, height);
  for (const auto& span : report.spans) {
    const auto row = static_cast<double>(std::find(devices.begin(), devices.end(), span.device) - devices.begin());
    const double x = scale_x(report, span.start_s);
    out += fmt::format(
        "<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{}\" stroke=\"#fff\" "
        "stroke-width=\".4\">"
        "<title>{}: {}, {:.2f} s{}{}</title></rect>",
        escape_markup(span.result), x, row * kRowHeight + kNameHeight, std::max(scale_x(report, span.end_s) - x, 0.5),
        kBarHeight, escape_markup(span.item), escape_markup(span.result), span.end_s - span.start_s,
        span.variant.empty() ? "" : ", on " + escape_markup(span.variant),
        span.error.empty() ? "" : ": " + escape_markup(span.error));
  }
  for (std::size_t i = 0; i < devices.size(); ++i)
    out += fmt::format("<text x=\"2\" y=\"{:.1f}\">{}</text>", static_cast<double>(i) * kRowHeight + 10,
                       devices[i].empty() ? "without a device" : escape_markup(devices[i]));
  return out + axis(report, height - 4) + "</svg>";
}

std::string memory_html(const RunReport& report) {
  double max_bytes = 1;
  for (const auto& [device, samples] : report.memory) {
    for (const auto& sample : samples) max_bytes = std::max(max_bytes, sample.bytes);
  }
  std::string out =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"memory\">", kWidth, kPlotHeight + kAxisHeight);
  std::string legend;
  for (const auto& [device, samples] : report.memory) {
    const std::string colour = device == "coordinator" ? kCoordinatorColour : device_colour(report, device);
    std::string points;
    for (const auto& sample : samples)
      points += fmt::format("{:.1f},{:.1f} ", scale_x(report, sample.time_s),
                            kPlotHeight - kCurveHeight * sample.bytes / max_bytes);
    out += fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\" points=\"{}\"/>", colour, points);
    legend += fmt::format("<span style=\"color:{}\">&#9644; {}</span> &nbsp; ", colour, escape_markup(device));
  }
  out += fmt::format("<text x=\"2\" y=\"10\">{:.1f} MiB</text>", max_bytes / (1 << 20));
  return out + axis(report, kPlotHeight + 16) + "</svg><p>" + legend + "</p>";
}

std::string failures_html(const RunReport& report) {
  std::string rows;
  for (const auto& span : report.spans) {
    if (span.result == "failed")
      rows += fmt::format("<tr><td><code>{}</code></td><td>{}</td></tr>", escape_markup(span.item),
                          escape_markup(span.error));
  }
  return rows.empty() ? "<p>None.</p>" : "<table><tr><th>item</th><th>reason</th></tr>" + rows + "</table>";
}

/// Lists pictures that were made from damaged files, in this run or before; empty if there are none.
std::string damages_html(const RunReport& report) {
  std::string rows;
  for (const auto& span : report.spans) {
    if (!span.damaged.empty())
      rows += fmt::format("<tr><td><code>{}</code></td><td>{}</td></tr>", escape_markup(span.item),
                          escape_markup(span.damaged));
  }
  return rows.empty() ? ""
                      : "<h2>From damaged files</h2><table><tr><th>item</th><th>damage</th></tr>" + rows + "</table>";
}

std::string messages_html(const RunReport& report) {
  std::string rows;
  for (const auto& message : report.messages)
    rows += fmt::format("<tr><td>{:.1f} s</td><td>{}</td><td><code>{}</code></td></tr>", message.time_s,
                        escape_markup(message.event), escape_markup(message.text));
  if (report.unreadable_lines > 0)
    rows += fmt::format("<tr><td></td><td colspan=2>{} lines could not be read</td></tr>", report.unreadable_lines);
  return rows.empty() ? "<p>None.</p>" : "<table>" + rows + "</table>";
}

}  // namespace

std::string run_report_html(const RunReport& report) {
  return fmt::format(
      "{}<style>{}</style>\n"
      "<h1>A run of weir</h1>\n{}\n<h2>Devices and items</h2>\n{}\n{}{}<h2>Memory after each item</h2>\n{}\n"
      "<h2>Failed items</h2>\n{}\n{}<h2>Warnings</h2>\n{}\n</html>\n",
      kRunReportStart, kStyle, totals_html(report), timeline_html(report), stage_times_html(report), parts_html(report),
      memory_html(report), failures_html(report), damages_html(report), messages_html(report));
}

}  // namespace weir::observe
