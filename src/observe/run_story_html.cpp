#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "observe/run_story.hpp"

namespace weir::observe {
namespace {

constexpr double kWidth = 1000;  // of the pictures, in SVG units
constexpr double kRow = 28;
constexpr double kPlot = 200;
constexpr std::array<const char*, 6> kColours{"#3867b7", "#c4632c", "#3c8d4f", "#8a4fa3", "#b23a48", "#5c6b73"};

constexpr const char* kStyle =
    "body{font:15px/1.45 system-ui,sans-serif;max-width:1060px;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em .2em 0;text-align:left;vertical-align:top}"
    "svg{width:100%;height:auto;background:#f6f6f4}svg text{font-size:11px;fill:#444}"
    ".done{fill:#4f9a63}.failed{fill:#c0392b}.retry{fill:#d98e2b}.interrupted,.unfinished{fill:#9a9a9a}"
    "code{overflow-wrap:anywhere}";

double scale_x(const RunStory& story, double at) { return kWidth * at / std::max(story.length, 1e-3); }

std::string axis(const RunStory& story, double y) {
  std::string out;
  for (int i = 0; i <= 5; ++i) {
    const double at = story.length * i / 5;
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{:.1f} s</text>", scale_x(story, at), y,
                       i == 0   ? "start"
                       : i == 5 ? "end"
                                : "middle",
                       at);
  }
  return out;
}

std::string totals_html(const RunStory& story) {
  std::string out = fmt::format("<p>Started {}, {:.1f} s, {}.</p><table>", markup_text(story.started), story.length,
                                story.ended ? "came to its end" : "did not come to its end");
  for (const auto& [name, value] : story.totals)
    out += fmt::format("<tr><th>{}</th><td>{:.6g}</td></tr>", markup_text(name), value);
  return out + "</table>";
}

std::string timeline_html(const RunStory& story) {
  std::vector<std::string> devices;
  for (const auto& span : story.spans) {
    if (std::find(devices.begin(), devices.end(), span.device) == devices.end()) devices.push_back(span.device);
  }
  std::sort(devices.begin(), devices.end());
  const double height = kRow * static_cast<double>(devices.size()) + 20;
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"timeline\">", kWidth, height);
  for (const auto& span : story.spans) {
    const auto row = static_cast<double>(std::find(devices.begin(), devices.end(), span.device) - devices.begin());
    const double x = scale_x(story, span.from);
    out += fmt::format(
        "<rect class=\"{}\" x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{}\" stroke=\"#fff\" "
        "stroke-width=\".4\">"
        "<title>{}: {}, {:.2f} s{}{}</title></rect>",
        markup_text(span.result), x, row * kRow + 12, std::max(scale_x(story, span.to) - x, 0.5), kRow - 14,
        markup_text(span.item), markup_text(span.result), span.to - span.from,
        span.variant.empty() ? "" : ", on " + markup_text(span.variant),
        span.error.empty() ? "" : ": " + markup_text(span.error));
  }
  for (std::size_t i = 0; i < devices.size(); ++i)
    out += fmt::format("<text x=\"2\" y=\"{:.1f}\">{}</text>", static_cast<double>(i) * kRow + 10,
                       devices[i].empty() ? "without a device" : markup_text(devices[i]));
  return out + axis(story, height - 4) + "</svg>";
}

std::string memory_html(const RunStory& story) {
  double most = 1;
  for (const auto& [device, samples] : story.memory) {
    for (const auto& sample : samples) most = std::max(most, sample.bytes);
  }
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"memory\">", kWidth, kPlot + 20);
  std::string legend;
  std::size_t number = 0;
  for (const auto& [device, samples] : story.memory) {
    const char* colour = kColours.at(number++ % kColours.size());
    std::string points;
    for (const auto& sample : samples)
      points += fmt::format("{:.1f},{:.1f} ", scale_x(story, sample.at), kPlot - (kPlot - 12) * sample.bytes / most);
    out += fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\" points=\"{}\"/>", colour, points);
    legend += fmt::format("<span style=\"color:{}\">&#9644; {}</span> &nbsp; ", colour, markup_text(device));
  }
  out += fmt::format("<text x=\"2\" y=\"10\">{:.1f} MiB</text>", most / (1 << 20));
  return out + axis(story, kPlot + 16) + "</svg><p>" + legend + "</p>";
}

std::string failures_html(const RunStory& story) {
  std::string rows;
  for (const auto& span : story.spans) {
    if (span.result == "failed")
      rows +=
          fmt::format("<tr><td><code>{}</code></td><td>{}</td></tr>", markup_text(span.item), markup_text(span.error));
  }
  return rows.empty() ? "<p>None.</p>" : "<table><tr><th>item</th><th>reason</th></tr>" + rows + "</table>";
}

/// Pictures that were made from damaged files, now or before; nothing if there are none.
std::string damages_html(const RunStory& story) {
  std::string rows;
  for (const auto& span : story.spans) {
    if (!span.damaged.empty())
      rows += fmt::format("<tr><td><code>{}</code></td><td>{}</td></tr>", markup_text(span.item),
                          markup_text(span.damaged));
  }
  return rows.empty() ? ""
                      : "<h2>From damaged files</h2><table><tr><th>item</th><th>damage</th></tr>" + rows + "</table>";
}

std::string remarks_html(const RunStory& story) {
  std::string rows;
  for (const auto& remark : story.remarks)
    rows += fmt::format("<tr><td>{:.1f} s</td><td>{}</td><td><code>{}</code></td></tr>", remark.at,
                        markup_text(remark.event), markup_text(remark.text));
  if (story.unreadable > 0)
    rows += fmt::format("<tr><td></td><td colspan=2>{} lines could not be read</td></tr>", story.unreadable);
  return rows.empty() ? "<p>None.</p>" : "<table>" + rows + "</table>";
}

}  // namespace

std::string story_html(const RunStory& story) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>weir: a run</title><style>{}</style>\n"
      "<h1>A run of weir</h1>\n{}\n<h2>Devices and items</h2>\n{}\n<h2>Memory after each item</h2>\n{}\n"
      "<h2>Failed items</h2>\n{}\n{}<h2>Warnings</h2>\n{}\n</html>\n",
      kStyle, totals_html(story), timeline_html(story), memory_html(story), failures_html(story), damages_html(story),
      remarks_html(story));
}

}  // namespace weir::observe
