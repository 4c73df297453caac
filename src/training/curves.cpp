// Makes the SVG picture of metrics_log.hpp: the curves of a training.
#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "training/metrics_log.hpp"

namespace weir::training {

namespace {

constexpr int kWidth = 800, kHeight = 240;  // size of a diagram in SVG units; all other sizes have the same unit
constexpr int kLeft = 60, kGap = 50;        // space on the left of a diagram, and below it

/// A curve of a diagram; `value` returns the value of a point, or nothing if the point is not part of the curve.
struct PlottedCurve {
  const char* name;
  const char* colour;
  std::function<std::optional<double>(const Metric&)> value;
};

/// Returns the SVG elements of a diagram whose upper edge is at `top`. The vertical axis reaches from the smallest to
/// the largest value of all curves.
std::string make_diagram(const std::vector<Metric>& metrics, const std::vector<PlottedCurve>& curves, int top,
                         const char* unit) {
  double low = 1e30;
  double high = -1e30;
  for (const Metric& metric : metrics) {
    for (const PlottedCurve& curve : curves) {
      if (const auto value = curve.value(metric)) {
        low = std::min(low, *value);
        high = std::max(high, *value);
      }
    }
  }
  if (low > high) return "";              // no curve has a point
  if (high - low < 1e-9) high = low + 1;  // prevents a division by zero below
  const double last_step = std::max<double>(1, static_cast<double>(metrics.back().step));
  std::string out = fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/>",
                                kLeft, top, kWidth, kHeight);
  for (const double part : {0.0, 0.5, 1.0}) {  // three numbers on each axis
    out += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>", kLeft - 6,
                       top + kHeight * (1 - part) + 4, low + part * (high - low));
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.0f}</text>", kLeft + kWidth * part,
                       top + kHeight + 16, part * last_step);
  }
  int legend_x = kLeft + 10;
  for (const PlottedCurve& curve : curves) {
    std::string points;
    for (const Metric& metric : metrics) {
      if (const auto value = curve.value(metric))
        points += fmt::format("{:.1f},{:.1f} ", kLeft + kWidth * static_cast<double>(metric.step) / last_step,
                              top + kHeight * (high - *value) / (high - low));
    }
    out += fmt::format("<polyline fill=\"none\" stroke=\"{}\" points=\"{}\"/>", curve.colour, points);
    out += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\">{} ({})</text>", legend_x, top + 16, curve.colour,
                       curve.name, unit);
    legend_x += 200;
  }
  return out;
}

}  // namespace

std::string make_curves_svg(const std::vector<Metric>& metrics) {
  using Value = std::optional<double>;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>",
      kLeft + kWidth + 20, 2 * (kHeight + kGap));
  if (!metrics.empty()) {
    const auto log_loss = [](const Metric& m) { return m.loss > 0 ? Value{std::log10(m.loss)} : Value{}; };
    const auto leaves = [](const Metric& m) { return m.gain ? Value{m.gain->leaves_db} : Value{}; };
    const auto comics = [](const Metric& m) { return m.gain ? Value{m.gain->comics_db} : Value{}; };
    out += make_diagram(metrics, {{"loss", "#2a6fb0", log_loss}}, 10, "log10");
    out +=
        make_diagram(metrics, {{"leaves over bicubic", "#2f8f4e", leaves}, {"comics over bicubic", "#c0562b", comics}},
                     10 + kHeight + kGap, "dB");
  }
  return out + "</svg>\n";
}

}  // namespace weir::training
