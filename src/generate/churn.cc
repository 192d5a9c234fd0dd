#include "generate/churn.h"

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
#include "generate/poisson.h"

namespace coeval::generate {

namespace {

using data::Type;

constexpr std::int64_t kRowsOfABatch = 1 << 16;
constexpr std::int64_t kMostCustomers = std::int64_t{1} << 40;
constexpr std::array<std::string_view, 3> kPlans = {"basic", "plus", "pro"};
constexpr std::array<double, 3> kPrices = {9, 19, 49};
constexpr std::array<std::string_view, 2> kContracts = {"monthly", "yearly"};
constexpr std::uint8_t kPro = 2, kMonthly = 0;

struct Row {
  std::int64_t ts_us = 0, customer = 0, signed_up_us = 0;
  double revenue = 0, hazard = 0;
  std::int32_t months = 0, usage = 0, tickets = 0;
  std::uint8_t plan = 0, contract = 0;
  bool churned = false, decided = false;
};

double hazard_of(const Row& row, double engagement) {
  const double x = -2.9 - 0.8 * engagement + 0.5 * row.tickets - 0.02 * std::min(row.months, 24) +
                   (row.contract == kMonthly ? 0.4 : 0) - (row.plan == kPro ? 0.3 : 0);
  return 1 / (1 + exact::exp(-x));
}

class Churn final : public Generator {
 public:
  explicit Churn(const ChurnOptions& options)
      : options_(options),
        draws_(options.seed),
        plans_(dictionary_of(kPlans)),
        contracts_(dictionary_of(kContracts)) {}

  data::Schema schema(std::int64_t, std::int64_t) const override {
    return {{{"ts", Type::timestamp},
             {"customer", Type::int64},
             {"signed_up_at", Type::timestamp},
             {"months", Type::int32},
             {"plan", Type::string},
             {"contract", Type::string},
             {"usage", Type::int32},
             {"tickets", Type::int32},
             {"revenue", Type::float64},
             {"churned", Type::boolean, true},
             {"true_probability", Type::float64}}};
  }
  std::int64_t pieces() const override { return options_.customers; }
  std::optional<std::int64_t> rows_per_piece() const override { return std::nullopt; }
  std::int64_t pieces_per_batch() const override {
    // Half the days are left on average, and a customer stays for about 14 months.
    const std::int64_t months = std::clamp<std::int64_t>(options_.days / kMonthDays / 2, 1, 14);
    return std::max<std::int64_t>(kRowsOfABatch / months, 1);
  }
  std::string label() const override { return "churned"; }

  data::Batch make(std::int64_t first, std::int64_t end) const override {
    std::vector<Row> rows;
    rows.reserve(static_cast<std::size_t>(kRowsOfABatch));
    for (std::int64_t customer = first; customer < end; ++customer) append(customer, rows);
    return to_batch(rows);
  }

 private:
  void append(std::int64_t customer, std::vector<Row>& to) const {
    const PhiloxBlock block = draws_.of(Purpose::customer, customer, 0);
    Row row;
    row.customer = customer;
    const std::int64_t end_us = kStartUs + options_.days * kDayUs;
    row.signed_up_us =
        kStartUs +
        static_cast<std::int64_t>(to_unit(block[0]) * static_cast<double>(options_.days) * 86'400) *
            kSecondUs;
    row.plan = static_cast<std::uint8_t>(below(block[1], kPlans.size()));
    row.contract = static_cast<std::uint8_t>(below(block[2], kContracts.size()));
    double engagement = normal_quantile(to_unit(block[3]));
    for (row.ts_us = row.signed_up_us + kMonthDays * kDayUs; row.ts_us <= end_us;
         row.ts_us += kMonthDays * kDayUs) {
      ++row.months;
      live_a_month(row, engagement);
      row.decided = row.ts_us + kMonthDays * kDayUs <= end_us;
      to.push_back(row);
      if (row.churned) return;
    }
  }

  void live_a_month(Row& row, double& engagement) const {
    const auto month = static_cast<std::uint32_t>(row.months);
    const PhiloxBlock block = draws_.of(Purpose::customer_month, row.customer, month);
    engagement = 0.8 * engagement + 0.6 * normal_quantile(to_unit(block[0]));
    const double uses = 20 * exact::exp(0.5 * engagement);
    const double often = std::min(uses, 100.0);
    const double asks = engagement < -0.5 ? 1 : 0.3;
    row.usage = poisson(to_unit(block[1]), often, exact::exp(-often));
    row.tickets = poisson(to_unit(block[2]), asks, exact::exp(-asks));
    row.revenue = kPrices[row.plan] + std::max(row.usage - 25, 0) / 10.0;
    row.hazard = hazard_of(row, engagement);
    row.churned = to_unit(block[3]) < row.hazard;
  }

  data::Batch to_batch(std::span<const Row> rows) const {
    data::Batch batch{schema(0, 0), {}, static_cast<std::int64_t>(rows.size())};
    const auto wide = [&](Type type, auto value) {
      batch.columns.push_back(fixed_column<std::int64_t>(type, rows, value));
    };
    const auto number = [&](auto value) {
      batch.columns.push_back(fixed_column<std::int32_t>(Type::int32, rows, value));
    };
    const auto real = [&](auto value) {
      batch.columns.push_back(fixed_column<double>(Type::float64, rows, value));
    };
    wide(Type::timestamp, [](const Row& row) { return row.ts_us; });
    wide(Type::int64, [](const Row& row) { return row.customer; });
    wide(Type::timestamp, [](const Row& row) { return row.signed_up_us; });
    number([](const Row& row) { return row.months; });
    batch.columns.push_back(text_column(rows, plans_, [](const Row& row) { return row.plan; }));
    batch.columns.push_back(
        text_column(rows, contracts_, [](const Row& row) { return row.contract; }));
    number([](const Row& row) { return row.usage; });
    number([](const Row& row) { return row.tickets; });
    real([](const Row& row) { return row.revenue; });
    batch.columns.push_back(boolean_column(
        rows, [](const Row& row) { return row.churned && row.decided; },
        bits_of(rows, [](const Row& row) { return row.decided; })));
    real([](const Row& row) { return row.hazard; });
    return batch;
  }

  ChurnOptions options_;
  Draws draws_;
  std::shared_ptr<const data::Column> plans_, contracts_;
};

}  // namespace

Result<std::unique_ptr<Generator>> make_churn(const ChurnOptions& options) {
  if (options.days < 0 || options.days > kMostDays)
    return fail(Code::out_of_range, "--days must be from 0 to " + std::to_string(kMostDays) +
                                        ", found " + std::to_string(options.days));
  if (options.customers < 0 || options.customers > kMostCustomers)
    return fail(Code::out_of_range, "--customers must be from 0 to " +
                                        std::to_string(kMostCustomers) + ", found " +
                                        std::to_string(options.customers));
  return std::make_unique<Churn>(options);
}

}  // namespace coeval::generate
