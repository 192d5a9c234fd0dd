#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "training/model_card_document.h"

namespace coeval::training {

struct PlotPoint {
  double x = 0, y = 0;
  std::string title = {};  ///< told when the point is pointed at; may be empty
};

/// A curve in the unit square.
struct CurvePlot {
  std::string title, description, x_name, y_name;
  std::vector<PlotPoint> points;
  std::vector<PlotPoint> guide;   ///< what the curve is held against: a dashed line
  std::optional<PlotPoint> mark;  ///< where the threshold is
  bool dots = false;              ///< the points themselves are drawn too
  double most = 1;                ///< where both axes end
};
CardPlot draw_curve(const CurvePlot& plot, int id);

/// Points in order of x with a band around them; both axes may begin below 0.
struct BandPlot {
  std::string title, description, x_name, y_name;
  std::vector<PlotPoint> points, lower, upper;
  std::vector<PlotPoint> guide;  ///< what the points are held against: a dashed line
  double least_x = 0, most_x = 1, least_y = 0, most_y = 1;
};
CardPlot draw_band(const BandPlot& plot, int id);

/// Counts of numbers over even bins of [least, most].
struct NumberHistogram {
  std::string title, description, x_name;
  std::vector<double> counts;
  double least = 0, most = 1;
};
CardPlot draw_numbers(const NumberHistogram& plot, int id);

/// Counts of two classes over even bins of [0, 1], each as a share of its class.
struct ClassHistogram {
  std::string title, description;
  std::vector<double> positives, negatives;
  double threshold = 0;
};
CardPlot draw_histogram(const ClassHistogram& plot, int id);

/// Bars from the left, the longest first.
struct RankedBars {
  std::string title, description;
  struct Bar {
    std::string name, value;
    double length = 0;  ///< not negative
  };
  std::vector<Bar> bars;
};
CardPlot draw_bars(const RankedBars& plot, int id);

}  // namespace coeval::training
