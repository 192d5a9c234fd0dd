#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "models/onnx_calibration.h"
#include "models/onnx_export.h"
#include "models/onnx_graph.h"

namespace coeval::models {
namespace {

constexpr std::int64_t kToFloat32 = 1, kToInt64 = 7, kToFloat64 = 11;
constexpr std::size_t kMaxCoefficients = std::size_t{1} << 24;

/// What each column's term needs, side by side: one entry a column.
struct Columns {
  std::vector<double> means, coefficients, missing;
  std::vector<float> codes;           ///< how many a category column has; 0 of a number
  std::vector<std::int64_t> places;   ///< where its coefficients begin in `table`
  std::vector<std::int64_t> unseen;   ///< where it finds 0
  std::vector<double> table = {0.0};  ///< the coefficients of all categories, after a 0
  std::vector<std::uint8_t> categorical;
};

Columns columns_of(const LinearModel& model) {
  Columns all;
  for (const LinearTerm& term : model.parts().terms) {
    all.means.push_back(term.mean);
    all.coefficients.push_back(term.coefficient);
    all.missing.push_back(term.missing);
    all.categorical.push_back(term.categorical ? 1 : 0);
    all.codes.push_back(static_cast<float>(term.coefficients.size()));
    all.places.push_back(static_cast<std::int64_t>(all.table.size()));
    all.unseen.push_back(0);
    all.table.insert(all.table.end(), term.coefficients.begin(), term.coefficients.end());
  }
  return all;
}

/// Turns one model into nodes.
class Export {
 public:
  explicit Export(const LinearModel& model)
      : model_(model),
        columns_(columns_of(model)),
        width_(static_cast<std::int64_t>(model.width())) {}

  std::string model(const std::optional<stats::CalibrationMap>& calibration,
                    const std::map<std::string, std::string>& metadata) {
    graph_.input(kOnnxInput, model_.width());
    graph_.output(kOnnxMargin);
    graph_.output("score");
    const std::string margin = add_margin();
    graph_.add_as(kOnnxMargin, "Cast", {margin}, {{"to", OnnxGraph::integer(kToFloat32)}});
    const bool logistic = model_.parts().link == LinearLink::logistic;
    add_score(graph_, calibration,
              graph_.cast(logistic ? add_logistic(margin) : margin, kToFloat32));
    return graph_.model(metadata);
  }

 private:
  template <class T>
  std::string row_of(const std::vector<T>& values) {
    return graph_.constant<T>(values, {width_});
  }

  /// A code is a whole number from 0 on; what is none of the dictionary's finds 0.
  std::string add_category_terms() {
    const std::string whole = graph_.add("Equal", {graph_.add("Floor", {kOnnxInput}), kOnnxInput});
    const std::string from_zero = graph_.add("GreaterOrEqual", {kOnnxInput, graph_.constant(0.0f)});
    const std::string known = graph_.add("Less", {kOnnxInput, row_of(columns_.codes)});
    const std::string seen = graph_.add("And", {whole, graph_.add("And", {from_zero, known})});
    const std::string code =
        graph_.cast(graph_.add("Where", {seen, kOnnxInput, graph_.constant(0.0f)}), kToInt64);
    const std::string place = graph_.add(
        "Where",
        {seen, graph_.add("Add", {code, row_of(columns_.places)}), row_of(columns_.unseen)});
    const auto size = static_cast<std::int64_t>(columns_.table.size());
    return graph_.add("Gather", {graph_.constant<double>(columns_.table, {size}), place});
  }

  /// float64 [rows, columns].
  std::string add_terms() {
    const std::string cells = graph_.cast(kOnnxInput, kToFloat64);
    std::string terms = graph_.add(
        "Mul", {row_of(columns_.coefficients), graph_.add("Sub", {cells, row_of(columns_.means)})});
    if (std::ranges::count(columns_.categorical, 1) > 0)
      terms = graph_.add("Where", {graph_.mask(columns_.categorical), add_category_terms(), terms});
    const std::string none =
        graph_.add("Or", {graph_.add("IsNaN", {kOnnxInput}), graph_.add("IsInf", {kOnnxInput})});
    return graph_.add("Where", {none, row_of(columns_.missing), terms});
  }

  // A running sum adds in the order of the columns, as the model does; its last entry is the
  // margin.
  std::string add_margin() {
    const std::string terms = add_terms();
    const std::string first = graph_.add("Shape", {terms}, {{"end", OnnxGraph::integer(1)}});
    const std::int64_t one = 1;
    const std::string one_column = graph_.constant<std::int64_t>({&one, 1}, {1});
    const std::string shape =
        graph_.add("Concat", {first, one_column}, {{"axis", OnnxGraph::integer(0)}});
    const std::string intercept =
        graph_.add("Expand", {graph_.constant(model_.parts().intercept), shape});
    const std::string all =
        graph_.add("Concat", {intercept, terms}, {{"axis", OnnxGraph::integer(1)}});
    const std::string sums = graph_.add("CumSum", {all, graph_.constant<std::int64_t>(1)});
    const std::int64_t last = width_;
    return graph_.add("Gather", {sums, graph_.constant<std::int64_t>({&last, 1}, {1})},
                      {{"axis", OnnxGraph::integer(1)}});
  }

  /// Without overflow on either side.
  std::string add_logistic(const std::string& margin) {
    const std::string one = graph_.constant(1.0);
    const std::string odds = graph_.add("Exp", {graph_.add("Neg", {graph_.add("Abs", {margin})})});
    const std::string all = graph_.add("Add", {one, odds});
    const std::string positive = graph_.add("GreaterOrEqual", {margin, graph_.constant(0.0)});
    return graph_.add("Where",
                      {positive, graph_.add("Div", {one, all}), graph_.add("Div", {odds, all})});
  }

  const LinearModel& model_;
  Columns columns_;
  std::int64_t width_;
  OnnxGraph graph_;
};

}  // namespace

Result<std::string> linear_to_onnx(const LinearModel& model,
                                   const std::optional<stats::CalibrationMap>& calibration,
                                   const std::map<std::string, std::string>& metadata) {
  std::size_t coefficients = 0;
  for (const LinearTerm& term : model.parts().terms) coefficients += term.coefficients.size();
  if (coefficients > kMaxCoefficients)
    return fail(
        Code::unsupported,
        "a model with " + std::to_string(coefficients) + " coefficients cannot be exported to ONNX",
        "use fewer categories");
  return Export(model).model(calibration, metadata);
}

}  // namespace coeval::models
