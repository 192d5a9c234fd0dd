#include "generate/recsys.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exact/maths.h"
#include "generate/alias_table.h"
#include "generate/columns_of_rows.h"
#include "generate/normal_quantile.h"

namespace coeval::generate {

namespace {

using data::Type;

constexpr std::int64_t kRowsOfABatch = 1 << 16;
constexpr std::int64_t kMostOfEach = 10'000'000;
constexpr double kUserSkew = 0.6, kItemSkew = 0.9;
constexpr double kBase = -2, kUserBias = 0.5, kItemBias = 0.7, kStrength = 1.3;
constexpr double kFactorDeviation = 0.5946035575013605;  // 8^(−1/4): the product's variance is 1
constexpr std::array<std::string_view, 4> kSegments = {"north", "east", "south", "west"};
constexpr std::array<std::string_view, 8> kCategories = {"books", "film",  "food",  "games",
                                                         "home",  "music", "sport", "travel"};

// A user or an item.
struct Side {
  std::array<double, kLatentFactors> factors{};
  double bias = 0;
  std::uint8_t group = 0;  // segment or category
};

struct Row {
  std::int64_t ts_us = 0;
  double probability = 0;
  std::int32_t user = 0, item = 0;
  bool liked = false;
};

class Recsys final : public Generator {
 public:
  explicit Recsys(const RecsysOptions& options)
      : options_(options),
        draws_(options.seed),
        user_of_(zipf_weights(static_cast<std::size_t>(options.users), kUserSkew)),
        item_of_(zipf_weights(static_cast<std::size_t>(options.items), kItemSkew)),
        segments_(dictionary_of(kSegments)),
        categories_(dictionary_of(kCategories)) {
    for (std::int64_t i = 0; i < options.users; ++i) users_.push_back(user(i));
    for (std::int64_t i = 0; i < options.items; ++i) items_.push_back(item(i));
  }

  data::Schema schema(std::int64_t, std::int64_t) const override {
    return {{{"ts", Type::timestamp},
             {"user", Type::int32},
             {"item", Type::int32},
             {"segment", Type::string},
             {"category", Type::string},
             {"liked", Type::boolean},
             {"true_probability", Type::float64}}};
  }
  std::int64_t pieces() const override { return options_.rows; }
  std::optional<std::int64_t> rows_per_piece() const override { return 1; }
  std::int64_t pieces_per_batch() const override { return kRowsOfABatch; }
  std::string label() const override { return "liked"; }

  data::Batch make(std::int64_t first, std::int64_t end) const override {
    std::vector<Row> rows;
    rows.reserve(static_cast<std::size_t>(end - first));
    for (std::int64_t row = first; row < end; ++row) rows.push_back(exposure(row));
    return to_batch(rows);
  }

 private:
  std::array<double, kLatentFactors> factors(Purpose purpose, std::int64_t whom) const {
    std::array<double, kLatentFactors> made{};
    for (std::uint32_t half = 0; half < 2; ++half) {
      const PhiloxBlock block = draws_.of(purpose, whom, half);
      for (std::size_t i = 0; i < 4; ++i)
        made[4 * half + i] = kFactorDeviation * normal_quantile(to_unit(block[i]));
    }
    return made;
  }

  Side user(std::int64_t whom) const {
    Side made{factors(Purpose::user_factors, whom), 0, 0};
    made.bias = kUserBias * normal_quantile(to_unit(draws_.of(Purpose::user, whom)[0]));
    made.group =
        static_cast<std::uint8_t>((made.factors[0] > 0 ? 1 : 0) + (made.factors[1] > 0 ? 2 : 0));
    return made;
  }

  Side item(std::int64_t whom) const {
    Side made{factors(Purpose::item_factors, whom), 0, 0};
    made.bias = kItemBias * normal_quantile(to_unit(draws_.of(Purpose::item, whom)[0]));
    made.group =
        static_cast<std::uint8_t>(std::ranges::max_element(made.factors) - made.factors.begin());
    return made;
  }

  double probability(const Side& user, const Side& item) const {
    double product = 0;
    for (std::size_t i = 0; i < user.factors.size(); ++i)
      product += user.factors[i] * item.factors[i];
    return 1 / (1 + exact::exp(-(kBase + user.bias + item.bias + kStrength * product)));
  }

  Row exposure(std::int64_t number) const {
    const PhiloxBlock who = draws_.of(Purpose::exposure, number, 0);
    const PhiloxBlock what = draws_.of(Purpose::exposure, number, 1);
    Row row;
    row.user = static_cast<std::int32_t>(user_of_.pick(who[0], who[1]));
    row.item = static_cast<std::int32_t>(item_of_.pick(who[2], who[3]));
    row.probability = probability(users_[static_cast<std::size_t>(row.user)],
                                  items_[static_cast<std::size_t>(row.item)]);
    row.liked = to_unit(what[0], what[1]) < row.probability;
    const double at = (static_cast<double>(number % kExposuresADay) + to_unit(what[2], what[3])) /
                      static_cast<double>(kExposuresADay);
    row.ts_us = kStartUs + number / kExposuresADay * kDayUs +
                static_cast<std::int64_t>(at * static_cast<double>(kDayUs));
    return row;
  }

  data::Batch to_batch(std::span<const Row> rows) const {
    data::Batch batch{schema(0, 0), {}, static_cast<std::int64_t>(rows.size())};
    batch.columns.push_back(fixed_column<std::int64_t>(Type::timestamp, rows,
                                                       [](const Row& row) { return row.ts_us; }));
    batch.columns.push_back(
        fixed_column<std::int32_t>(Type::int32, rows, [](const Row& row) { return row.user; }));
    batch.columns.push_back(
        fixed_column<std::int32_t>(Type::int32, rows, [](const Row& row) { return row.item; }));
    batch.columns.push_back(text_column(rows, segments_, [this](const Row& row) {
      return users_[static_cast<std::size_t>(row.user)].group;
    }));
    batch.columns.push_back(text_column(rows, categories_, [this](const Row& row) {
      return items_[static_cast<std::size_t>(row.item)].group;
    }));
    batch.columns.push_back(boolean_column(rows, [](const Row& row) { return row.liked; }));
    batch.columns.push_back(
        fixed_column<double>(Type::float64, rows, [](const Row& row) { return row.probability; }));
    return batch;
  }

  RecsysOptions options_;
  Draws draws_;
  AliasTable user_of_, item_of_;
  std::shared_ptr<const data::Column> segments_, categories_;
  std::vector<Side> users_, items_;
};

Status within(const char* option, std::int64_t value, std::int64_t most) {
  if (value >= 1 && value <= most) return {};
  return fail(Code::out_of_range, std::string(option) + " must be from 1 to " +
                                      std::to_string(most) + ", found " + std::to_string(value));
}

}  // namespace

Result<std::unique_ptr<Generator>> make_recsys(const RecsysOptions& options) {
  if (options.rows < 0 || options.rows > kMostDays * kExposuresADay)
    return fail(Code::out_of_range, "at most " + std::to_string(kMostDays * kExposuresADay) +
                                        " rows are made, found " + std::to_string(options.rows));
  COEVAL_TRY(within("--users", options.users, kMostOfEach));
  COEVAL_TRY(within("--items", options.items, kMostOfEach));
  return std::make_unique<Recsys>(options);
}

}  // namespace coeval::generate
