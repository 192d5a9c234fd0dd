#include "training/model_card_plots.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <utility>

#include "data/utf8.h"
#include "quality/proposal.h"
#include "quality/report.h"

namespace coeval::training {
namespace {

using quality::markup_text;

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, digits);
  return {text.data(), end.ptr};
}

// The page's coordinates; a value that is none is drawn at the origin.
std::string place(double value) { return fixed(std::isfinite(value) ? value : 0, 1); }

std::string attribute(const char* name, double value) {
  return std::string(" ") + name + "=\"" + place(value) + "\"";
}

std::string begin_svg(double width, double height, const std::string& title,
                      const std::string& description, int id) {
  const std::string name = "plot-" + std::to_string(id);
  return "<svg viewBox=\"0 0 " + fixed(width, 0) + " " + fixed(height, 0) +
         "\" role=\"img\" aria-labelledby=\"" + name + "-title " + name + "-text\"><title id=\"" +
         name + "-title\">" + markup_text(title) + "</title><desc id=\"" + name + "-text\">" +
         markup_text(description) + "</desc>";
}

std::string words(double x, double y, const std::string& text, const char* anchor,
                  const std::string& more = "") {
  return "<text" + attribute("x", x) + attribute("y", y) + " text-anchor=\"" + anchor + "\"" +
         more + ">" + markup_text(text) + "</text>";
}

std::string title_of(const std::string& text) {
  return text.empty() ? "" : "<title>" + markup_text(text) + "</title>";
}

// A field with axes, in the page's coordinates.
struct Field {
  double left, right, top, bottom;
  double most_x = 1, most_y = 1;
  double least_x = 0, least_y = 0;

  double x(double value) const {
    return left + (value - least_x) / (most_x - least_x) * (right - left);
  }
  double y(double value) const {
    return bottom - (value - least_y) / (most_y - least_y) * (bottom - top);
  }

  std::string line(double x1, double y1, double x2, double y2, const char* kind) const {
    return "<line class=\"" + std::string(kind) + "\"" + attribute("x1", x1) + attribute("y1", y1) +
           attribute("x2", x2) + attribute("y2", y2) + "/>";
  }
  std::string path(std::span<const PlotPoint> points, const char* kind) const {
    std::string out = "<polyline class=\"" + std::string(kind) + "\" points=\"";
    for (std::size_t i = 0; i < points.size(); ++i)
      out += (i > 0 ? " " : "") + place(x(points[i].x)) + "," + place(y(points[i].y));
    return out + "\"/>";
  }
  std::string dot(const PlotPoint& point, const char* kind, double radius) const {
    return "<circle" + (*kind != 0 ? " class=\"" + std::string(kind) + "\"" : std::string()) +
           attribute("cx", x(point.x)) + attribute("cy", y(point.y)) + attribute("r", radius) +
           ">" + title_of(point.title) + "</circle>";
  }
  std::string axes(const std::string& x_name, const std::string& y_name, int digits_x,
                   int digits_y) const {
    constexpr int kSteps = 4;
    std::string out;
    for (int step = 0; step <= kSteps; ++step) {
      const double part = static_cast<double>(step) / kSteps;
      const double at_x = least_x + part * (most_x - least_x);
      const double at_y = least_y + part * (most_y - least_y);
      out += line(left, y(at_y), right, y(at_y), "axis") +
             words(left - 6, y(at_y) + 4, fixed(at_y, digits_y), "end") +
             words(x(at_x), bottom + 16, fixed(at_x, digits_x), "middle");
    }
    const double middle = (top + bottom) / 2;
    return out + words((left + right) / 2, bottom + 34, x_name, "middle") +
           words(12, middle, y_name, "middle",
                 " transform=\"rotate(-90 12 " + place(middle) + ")\"");
  }
};

// As many digits as ticks need that are a quarter of the axis apart.
int digits_for(double most) {
  constexpr int kLeast = 2, kMost = 6;
  int digits = kLeast;
  for (double tick = most / 4 * 100; digits < kMost; tick *= 10, ++digits)
    if (std::abs(tick - std::round(tick)) < 1e-6) break;
  return digits;
}

// As many digits as ticks a quarter of this width apart need to differ.
int digits_of_width(double width) {
  int digits = 0;
  for (double tick = width / 4; digits < 6 && tick > 0 && tick < 1; tick *= 10) ++digits;
  return digits;
}

// An axis that is a little wider than what is on it, and no point.
std::pair<double, double> padded(double least, double most) {
  double width = most - least;
  if (!(width > 0) || !std::isfinite(width)) width = std::max(std::abs(most), 1.0);
  return {least - width * 0.04, most + width * 0.04};
}

double sum(std::span<const double> values) {
  double total = 0;
  for (const double value : values) total += std::max(value, 0.0);
  return total;
}

// The end of an axis that holds `value`: the next of 1, 2, 4, 6 and 8 times a power of ten.
double round_up(double value) {
  if (!(value > 0) || !std::isfinite(value)) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 4.0, 6.0, 8.0})
    if (value <= factor * power) return factor * power;
  return 10 * power;
}

std::string shortened(const std::string& text, std::size_t most) {
  std::string out;
  std::string_view rest = text;
  for (std::size_t count = 0; !rest.empty(); ++count) {
    if (count + 1 == most && rest.size() > 1) return out + "…";
    const std::size_t size = std::max<std::size_t>(data::utf8_sequence(rest), 1);
    out += rest.substr(0, size);
    rest.remove_prefix(size);
  }
  return out;
}

}  // namespace

CardPlot draw_curve(const CurvePlot& plot, int id) {
  constexpr double kWidth = 300, kHeight = 270;
  const double most = round_up(std::min(plot.most, 1.0));
  const Field field{50, kWidth - 12, 10, kHeight - 44, most, most};
  const int digits = digits_for(most);
  std::string svg = begin_svg(kWidth, kHeight, plot.title, plot.description, id) +
                    field.axes(plot.x_name, plot.y_name, digits, digits);
  if (!plot.guide.empty()) svg += field.path(plot.guide, "guide");
  svg += field.path(plot.points, "curve");
  if (plot.dots)
    for (const PlotPoint& point : plot.points) svg += field.dot(point, "", 4);
  if (plot.mark) svg += field.dot(*plot.mark, "mark", 5);
  return {plot.title, svg + "</svg>", false};
}

CardPlot draw_band(const BandPlot& plot, int id) {
  constexpr double kWidth = 300, kHeight = 270;
  const auto [least_x, most_x] = padded(plot.least_x, plot.most_x);
  const auto [least_y, most_y] = padded(plot.least_y, plot.most_y);
  const Field field{58, kWidth - 12, 10, kHeight - 44, most_x, most_y, least_x, least_y};
  std::string svg = begin_svg(kWidth, kHeight, plot.title, plot.description, id) +
                    field.axes(plot.x_name, plot.y_name, digits_of_width(most_x - least_x),
                               digits_of_width(most_y - least_y));
  if (!plot.guide.empty()) svg += field.path(plot.guide, "guide");
  svg += field.path(plot.lower, "guide") + field.path(plot.upper, "guide") +
         field.path(plot.points, "curve");
  for (const PlotPoint& point : plot.points) svg += field.dot(point, "", 4);
  return {plot.title, svg + "</svg>", false};
}

CardPlot draw_numbers(const NumberHistogram& plot, int id) {
  constexpr double kWidth = 1000, kHeight = 300;
  const double all = sum(plot.counts);
  double most = 0;
  for (const double count : plot.counts) most = std::max(most, all > 0 ? count / all : 0);
  const Field field{56, kWidth - 12, 28, kHeight - 44, plot.most, round_up(most), plot.least, 0};
  const int digits = digits_of_width(plot.most - plot.least);
  std::string svg = begin_svg(kWidth, kHeight, plot.title, plot.description, id) +
                    field.axes(plot.x_name, "share of the rows", digits, digits_for(field.most_y));
  const double width = (plot.most - plot.least) / static_cast<double>(plot.counts.size());
  for (std::size_t bin = 0; bin < plot.counts.size(); ++bin) {
    if (!(plot.counts[bin] > 0)) continue;
    const double from = plot.least + width * static_cast<double>(bin), to = from + width;
    const double top = field.y(plot.counts[bin] / all);
    svg += "<rect class=\"second\"" + attribute("x", field.x(from) + 0.5) + attribute("y", top) +
           attribute("width", field.x(to) - field.x(from) - 1) +
           attribute("height", std::max(field.bottom - top, 0.5)) + ">" +
           title_of(fixed(from, digits + 1) + " to " + fixed(to, digits + 1) + ": " +
                    quality::with_separators(std::llround(std::min(plot.counts[bin], 1e15)))) +
           "</rect>";
  }
  return {plot.title, svg + "</svg>", true};
}

CardPlot draw_histogram(const ClassHistogram& plot, int id) {
  constexpr double kWidth = 1000, kHeight = 300;
  const double all_positives = sum(plot.positives), all_negatives = sum(plot.negatives);
  const auto share = [](double count, double all) {
    return all > 0 ? std::max(count, 0.0) / all : 0;
  };
  const std::size_t bins = std::min(plot.positives.size(), plot.negatives.size());
  double most = 0;
  for (std::size_t bin = 0; bin < bins; ++bin)
    most = std::max({most, share(plot.positives[bin], all_positives),
                     share(plot.negatives[bin], all_negatives)});
  const Field field{56, kWidth - 12, 28, kHeight - 44, 1, round_up(most)};
  std::string svg = begin_svg(kWidth, kHeight, plot.title, plot.description, id) +
                    field.axes("score", "share of the class", 2, digits_for(field.most_y));
  const auto bars = [&](const std::vector<double>& counts, double all, const char* kind,
                        const char* name) {
    for (std::size_t bin = 0; bin < bins; ++bin) {
      if (!(counts[bin] > 0)) continue;
      const double from = static_cast<double>(bin) / static_cast<double>(bins);
      const double to = static_cast<double>(bin + 1) / static_cast<double>(bins);
      const double top = field.y(share(counts[bin], all));
      svg += "<rect class=\"" + std::string(kind) + "\"" + attribute("x", field.x(from) + 0.5) +
             attribute("y", top) + attribute("width", field.x(to) - field.x(from) - 1) +
             attribute("height", std::max(field.bottom - top, 0.5)) + ">" +
             title_of(std::string(name) + ", score " + fixed(from, 2) + " to " + fixed(to, 2) +
                      ": " + quality::with_separators(std::llround(std::min(counts[bin], 1e15)))) +
             "</rect>";
    }
  };
  bars(plot.negatives, all_negatives, "first", "negatives");
  bars(plot.positives, all_positives, "second", "positives");
  const double at = field.x(std::clamp(plot.threshold, 0.0, 1.0));
  svg += field.line(at, field.top, at, field.bottom, "guide") +
         words(at + (plot.threshold > 0.5 ? -5 : 5), field.top + 12,
               "threshold " + fixed(plot.threshold, 4), plot.threshold > 0.5 ? "end" : "start");
  const auto legend = [&](double x, const char* kind, const char* name) {
    svg += "<rect class=\"" + std::string(kind) + "\"" + attribute("x", x) +
           " y=\"6\" width=\"12\" height=\"12\"/>" + words(x + 18, 16, name, "start");
  };
  legend(field.right - 170, "first", "negatives");
  legend(field.right - 80, "second", "positives");
  return {plot.title, svg + "</svg>", true};
}

CardPlot draw_bars(const RankedBars& plot, int id) {
  constexpr double kWidth = 1000, kRow = 22, kLeft = 250, kRight = 900;
  constexpr std::size_t kNameLength = 38;
  double most = 0;
  for (const auto& bar : plot.bars) most = std::max(most, bar.length);
  const double height = kRow * static_cast<double>(plot.bars.size()) + 8;
  std::string svg = begin_svg(kWidth, height, plot.title, plot.description, id);
  for (std::size_t i = 0; i < plot.bars.size(); ++i) {
    const auto& bar = plot.bars[i];
    const double top = kRow * static_cast<double>(i) + 6;
    const double width = most > 0 ? bar.length / most * (kRight - kLeft) : 0;
    svg += words(kLeft - 8, top + 12, shortened(bar.name, kNameLength), "end", " class=\"name\"") +
           "<rect" + attribute("x", kLeft) + attribute("y", top) + attribute("width", width) +
           " height=\"15\">" + title_of(bar.name + ": " + bar.value) + "</rect>" +
           words(kLeft + width + 6, top + 12, bar.value, "start");
  }
  return {plot.title, svg + "</svg>", true};
}

}  // namespace coeval::training
