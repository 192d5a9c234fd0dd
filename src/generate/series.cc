#include "generate/series.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exact/maths.h"
#include "generate/columns_of_rows.h"
#include "generate/normal_quantile.h"
#include "generate/philox.h"

namespace coeval::generate {

namespace {

using data::Type;

constexpr std::int64_t kRowsOfABatch = 1 << 16;
constexpr std::int64_t kMostSeries = 2'000'000'000;
constexpr double kTwoPi = 6.283185307179586, kDaysOfAYear = 365.25;
constexpr std::array<std::string_view, 4> kRegions = {"east", "north", "south", "west"};

// A point on the unit circle.
struct Angle {
  double sine = 0, cosine = 1;
};
Angle angle_of(double turns) { return {exact::sin(kTwoPi * turns), exact::cos(kTwoPi * turns)}; }

// One series, as it would be without noise.
struct Shape {
  std::array<double, 7> weekly{};
  Angle phase;
  double level = 0, trend = 0, yearly = 0, deviation = 0;
  std::uint8_t region = 0;
};

struct Row {
  double plan = 0, value = 0, mean = 0, deviation = 0;
  std::int64_t day = 0;
  std::int32_t series = 0;
  std::uint8_t region = 0;
};

class Series final : public Generator {
 public:
  explicit Series(const SeriesOptions& options)
      : options_(options), draws_(options.seed), regions_(dictionary_of(kRegions)) {
    for (std::int64_t day = 0; day < options.days; ++day)
      year_.push_back(angle_of(static_cast<double>(day) / kDaysOfAYear));
  }

  data::Schema schema(std::int64_t, std::int64_t) const override {
    return {{{"ts", Type::timestamp},
             {"series", Type::int32},
             {"region", Type::string},
             {"plan", Type::float64},
             {"value", Type::float64},
             {"above_plan", Type::boolean},
             {"true_mean", Type::float64},
             {"true_deviation", Type::float64}}};
  }
  std::int64_t pieces() const override { return options_.series; }
  std::optional<std::int64_t> rows_per_piece() const override {
    if (options_.gaps > 0) return std::nullopt;
    return options_.days;
  }
  std::int64_t pieces_per_batch() const override {
    return std::max<std::int64_t>(kRowsOfABatch / std::max<std::int64_t>(options_.days, 1), 1);
  }
  std::string label() const override { return "above_plan"; }

  data::Batch make(std::int64_t first, std::int64_t end) const override {
    std::vector<Row> rows;
    rows.reserve(static_cast<std::size_t>((end - first) * options_.days));
    for (std::int64_t series = first; series < end; ++series) append(series, rows);
    return to_batch(rows);
  }

 private:
  Shape shape_of(std::uint32_t series) const {
    const PhiloxBlock level = draws_.at(Purpose::series, series, 0);
    const PhiloxBlock more = draws_.at(Purpose::series, series, 1);
    Shape shape;
    shape.level = exact::exp(4 + 0.7 * normal_quantile(to_unit(level[0], level[1])));
    shape.trend = shape.level / 2000 * normal_quantile(to_unit(level[2]));
    shape.yearly = 0.3 * to_unit(level[3]);
    shape.phase = angle_of(to_unit(more[0]));
    shape.deviation = (0.05 + 0.15 * to_unit(more[1])) * shape.level;
    shape.region = static_cast<std::uint8_t>(below(more[2], kRegions.size()));
    for (std::uint32_t day = 0; day < 7; ++day)
      shape.weekly[day] =
          0.15 * normal_quantile(to_unit(draws_.at(Purpose::series_weekly, series, day)[0]));
    return shape;
  }

  void append(std::int64_t number, std::vector<Row>& to) const {
    const auto series = static_cast<std::uint32_t>(number);
    const Shape shape = shape_of(series);
    PhiloxBlock block{}, gaps{};
    for (std::int64_t day = 0; day < options_.days; ++day) {
      const auto four = static_cast<std::uint32_t>(day / 4);
      const auto at = static_cast<std::size_t>(day % 4);
      if (at == 0) block = draws_.at(Purpose::series_point, series, four);
      if (options_.gaps > 0 && at == 0) gaps = draws_.at(Purpose::series_gap, series, four);
      if (options_.gaps > 0 && to_unit(gaps[at]) < options_.gaps) continue;
      const Angle& year = year_[static_cast<std::size_t>(day)];
      const double season =
          shape.weekly[static_cast<std::size_t>(day % 7)] +
          shape.yearly * (year.sine * shape.phase.cosine + year.cosine * shape.phase.sine);
      const double trend = shape.trend * static_cast<double>(day);
      const double mean = shape.level * (1 + season) + trend;
      to.push_back({shape.level + trend,
                    mean + shape.deviation * normal_quantile(to_unit(block[at])), mean,
                    shape.deviation, day, static_cast<std::int32_t>(number), shape.region});
    }
  }

  data::Batch to_batch(std::span<const Row> rows) const {
    data::Batch batch{schema(0, 0), {}, static_cast<std::int64_t>(rows.size())};
    const auto real = [&](auto value) {
      batch.columns.push_back(fixed_column<double>(Type::float64, rows, value));
    };
    batch.columns.push_back(fixed_column<std::int64_t>(
        Type::timestamp, rows, [](const Row& row) { return kStartUs + row.day * kDayUs; }));
    batch.columns.push_back(
        fixed_column<std::int32_t>(Type::int32, rows, [](const Row& row) { return row.series; }));
    batch.columns.push_back(text_column(rows, regions_, [](const Row& row) { return row.region; }));
    real([](const Row& row) { return row.plan; });
    real([](const Row& row) { return row.value; });
    batch.columns.push_back(
        boolean_column(rows, [](const Row& row) { return row.value > row.plan; }));
    real([](const Row& row) { return row.mean; });
    real([](const Row& row) { return row.deviation; });
    return batch;
  }

  SeriesOptions options_;
  Draws draws_;
  std::shared_ptr<const data::Column> regions_;
  std::vector<Angle> year_;
};

}  // namespace

Result<std::unique_ptr<Generator>> make_series(const SeriesOptions& options) {
  if (options.days < 1 || options.days > kMostDays)
    return fail(Code::out_of_range, "--days must be from 1 to " + std::to_string(kMostDays) +
                                        ", found " + std::to_string(options.days));
  if (options.series < 0 || options.series > kMostSeries)
    return fail(Code::out_of_range, "--series must be from 0 to " + std::to_string(kMostSeries) +
                                        ", found " + std::to_string(options.series));
  if (!(options.gaps >= 0 && options.gaps < 1))
    return fail(Code::out_of_range, "--gaps must be a share from 0 to below 1");
  return std::make_unique<Series>(options);
}

}  // namespace coeval::generate
