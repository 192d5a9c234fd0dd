#include "generate/fraud.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "exact/maths.h"
#include "generate/columns_of_rows.h"
#include "generate/fraud_probability.h"
#include "generate/fraud_world.h"
#include "generate/normal_quantile.h"
#include "generate/place_order.h"

namespace coeval::generate {

namespace {

using data::Type;

constexpr std::string_view kEntryMode = "entry_mode";
constexpr std::array<std::string_view, 3> kEntryModes = {"chip", "online", "swipe"};
constexpr std::int64_t kRowsOfABatch = 1 << 16;
constexpr std::uint32_t kMore = 1 << 12;  // above every index of a payment
constexpr double kLateSeconds = 6 * 3600.0;
constexpr std::uint32_t kHour = 3600;

struct Row {
  Payment payment;
  std::int64_t transaction = 0, arrived_us = 0, label_known_us = 0;
  double probability = 0;
  std::uint32_t place = 0;
  std::uint32_t original = 0;  // of a copy, in its day as drawn; of others their own
  std::uint8_t scenario = 0, entry_mode = 0;
  bool fraud = false, true_fraud = false, has_entry_mode = false;

  std::int64_t ts_us() const {
    return kStartUs + payment.day * kDayUs + payment.second * kSecondUs;
  }
};

// Who is compromised in a range of days.
class Compromised {
 public:
  Compromised(const FraudWorld& world, std::int64_t first, std::int64_t end)
      : world_(world), terminals_(world.terminals().size()), cards_(world.cards().size()) {
    for (std::int64_t day = std::max<std::int64_t>(first - kCardDays + 1, 0); day < end; ++day)
      for (CompromisedCard& card : world.compromised_cards(day))
        periods_.push_back(std::move(card));
  }

  void begin(std::int64_t day) {
    std::ranges::fill(terminals_, false);
    std::ranges::fill(cards_, false);
    std::array<std::int32_t, kTerminalsInAttack> chosen{};
    for (std::int64_t from = std::max<std::int64_t>(day - kTerminalDays + 1, 0); from <= day;
         ++from)
      for (const std::int32_t one : world_.compromised_terminals(from, chosen))
        terminals_[static_cast<std::size_t>(one)] = true;
    active_.clear();
    for (const CompromisedCard& period : periods_) {
      if (period.first > day || day >= period.first + kCardDays) continue;
      active_.push_back(&period);
      cards_[static_cast<std::size_t>(period.card)] = true;
    }
  }

  bool has_terminal(std::int32_t one) const { return terminals_[static_cast<std::size_t>(one)]; }
  bool has_card(std::int32_t one) const { return cards_[static_cast<std::size_t>(one)]; }
  const std::vector<const CompromisedCard*>& active() const { return active_; }

 private:
  const FraudWorld& world_;
  std::vector<CompromisedCard> periods_;
  std::vector<const CompromisedCard*> active_;
  std::vector<std::uint8_t> terminals_, cards_;
};

class Fraud final : public Generator {
 public:
  explicit Fraud(const FraudOptions& options)
      : options_(options),
        draws_(options.seed),
        world_(options),
        modes_(dictionary_of(kEntryModes)),
        batch_days_(std::max<std::int64_t>(kRowsOfABatch / (2 * options.cards + 1), 1)) {}

  data::Schema schema(std::int64_t, std::int64_t end) const override {
    data::Schema all{{{"ts", Type::timestamp},
                      {"arrived_at", Type::timestamp},
                      {"transaction", Type::int64},
                      {"card", Type::int32},
                      {"terminal", Type::int32},
                      {"amount", Type::float64},
                      {"fraud", Type::boolean},
                      {"label_known_at", Type::timestamp},
                      {"true_fraud", Type::boolean},
                      {"true_probability", Type::float64},
                      {"scenario", Type::int32}}};
    if (options_.schema_change_day && end > *options_.schema_change_day)
      all.fields.insert(all.fields.begin() + 6, {std::string(kEntryMode), Type::string, true});
    return all;
  }
  std::int64_t pieces() const override { return options_.days; }
  std::optional<std::int64_t> rows_per_piece() const override { return std::nullopt; }
  std::int64_t pieces_per_batch() const override { return batch_days_; }
  std::string label() const override { return "fraud"; }

  data::Batch make(std::int64_t first, std::int64_t end) const override {
    Compromised compromised(world_, first, end);
    std::vector<Row> rows;
    rows.reserve(static_cast<std::size_t>((end - first) * options_.cards * 2));
    for (std::int64_t day = first; day < end; ++day) {
      compromised.begin(day);
      append_day(day, compromised, rows);
    }
    return to_batch(rows);
  }

 private:
  // Blocks that say more of a payment: `which` of them.
  PhiloxBlock more(Purpose purpose, const Payment& payment, std::uint32_t which) const {
    return draws_.at(purpose, payment.index + which * kMore,
                     static_cast<std::uint32_t>(payment.card),
                     static_cast<std::uint32_t>(payment.day));
  }

  void append_day(std::int64_t day, const Compromised& compromised, std::vector<Row>& to) const {
    std::vector<Payment> payments;
    payments.reserve(static_cast<std::size_t>(2 * options_.cards));
    for (std::int32_t card = 0; card < static_cast<std::int32_t>(options_.cards); ++card)
      world_.payments(card, day, payments);
    std::vector<Row> rows;
    rows.reserve(payments.size() + payments.size() / 8);
    for (const Payment& payment : payments) {
      rows.push_back(row_of(payment, compromised));
      rows.back().original = static_cast<std::uint32_t>(rows.size() - 1);
    }
    if (options_.late > 0 || options_.duplicates > 0 || options_.out_of_order > 0) disturb(rows);
    append_in_order(day, rows, to);
  }

  // By the handbook's three rules, one after the other.
  Row row_of(const Payment& payment, const Compromised& compromised) const {
    Row row;
    row.payment = payment;
    row.place = payment.second;
    row.arrived_us = row.ts_us();
    const bool terminal = compromised.has_terminal(payment.terminal);
    if (payment.amount > kAmountLimit) row.scenario = 1;
    if (terminal) row.scenario = 2;
    if (compromised.has_card(payment.card))
      multiply(row, terminal, compromised);
    else
      row.probability = row.scenario > 0 ? 1 : 0;
    row.true_fraud = row.scenario > 0;
    label(row);
    if (options_.schema_change_day && payment.day >= *options_.schema_change_day) {
      const PhiloxBlock block = more(Purpose::payment_more, payment, 1);
      row.has_entry_mode = true;
      row.entry_mode = static_cast<std::uint8_t>(below(block[2], kEntryModes.size()));
    }
    return row;
  }

  void multiply(Row& row, bool terminal, const Compromised& compromised) const {
    Payment& payment = row.payment;
    const double factor = world_.factor(payment.day);
    std::vector<double> shares;
    for (const CompromisedCard* period : compromised.active()) {
      if (period->card != payment.card) continue;
      const auto n = static_cast<double>(period->payments);
      shares.push_back(static_cast<double>(period->multiplied.size()) / n);
      if (!std::ranges::binary_search(period->multiplied,
                                      CompromisedCard::Which{payment.day, payment.index}))
        continue;
      payment.amount = to_hundredths(payment.amount * factor);
      row.scenario = 3;
    }
    const double mean =
        world_.cards()[static_cast<std::size_t>(payment.card)].mean * world_.amounts(payment.day);
    row.probability = fraud_probability({payment.amount, mean, terminal, shares, factor});
  }

  void label(Row& row) const {
    row.fraud = row.true_fraud;
    const LabelDelay& delay = options_.label_delay;
    double seconds = delay.days * 86'400;
    if (delay.log_normal || options_.unreported > 0) {
      const PhiloxBlock block = more(Purpose::payment_label, row.payment, 0);
      if (delay.log_normal)
        seconds *= exact::exp(delay.sigma * normal_quantile(to_unit(block[0], block[1])));
      row.fraud = row.fraud && to_unit(block[2]) >= options_.unreported;
      row.probability *= 1 - options_.unreported;
    }
    row.label_known_us = row.ts_us() + static_cast<std::int64_t>(seconds) * kSecondUs;
  }

  // Late and out of order, then the copies behind all others.
  void disturb(std::vector<Row>& rows) const {
    const std::size_t count = rows.size();
    for (std::size_t i = 0; i < count; ++i) {
      const PhiloxBlock chance = more(Purpose::payment_more, rows[i].payment, 0);
      const PhiloxBlock block = more(Purpose::payment_more, rows[i].payment, 1);
      if (to_unit(chance[0]) < options_.late)
        arrive_later(rows[i],
                     static_cast<std::uint32_t>(-kLateSeconds * exact::log(to_unit(chance[3]))));
      if (to_unit(chance[1]) < options_.duplicates) {
        Row copy = rows[i];
        arrive_later(copy, 1 + below(block[0], kHour));
        rows.push_back(copy);
      }
      if (to_unit(chance[2]) < options_.out_of_order)
        rows[i].place = std::max(rows[i].place + below(block[1], 2 * kHour), kHour) - kHour;
    }
  }

  static void arrive_later(Row& row, std::uint32_t seconds) {
    row.arrived_us += seconds * kSecondUs;
    row.label_known_us = std::max(row.label_known_us, row.arrived_us);
    row.place = std::min(row.place + seconds, kPlaces - 1 - 2 * kHour);
  }

  // Transactions are numbered as their first rows stand.
  static void append_in_order(std::int64_t day, const std::vector<Row>& rows,
                              std::vector<Row>& to) {
    std::vector<std::uint32_t> places(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) places[i] = rows[i].place;
    const std::vector<std::uint32_t> order = order_by_place(places);
    std::vector<std::int64_t> numbers(rows.size());
    std::int64_t next = day << 32;
    for (const std::uint32_t index : order)
      if (rows[index].original == index) numbers[index] = next++;
    for (const std::uint32_t index : order) {
      to.push_back(rows[index]);
      to.back().transaction = numbers[rows[index].original];
    }
  }

  data::Batch to_batch(std::span<const Row> rows) const {
    data::Batch batch{schema(0, options_.days), {}, static_cast<std::int64_t>(rows.size())};
    const auto time = [&](auto value) {
      batch.columns.push_back(fixed_column<std::int64_t>(Type::timestamp, rows, value));
    };
    const auto number = [&](auto value) {
      batch.columns.push_back(fixed_column<std::int32_t>(Type::int32, rows, value));
    };
    const auto real = [&](auto value) {
      batch.columns.push_back(fixed_column<double>(Type::float64, rows, value));
    };
    time([](const Row& row) { return row.ts_us(); });
    time([](const Row& row) { return row.arrived_us; });
    batch.columns.push_back(fixed_column<std::int64_t>(
        Type::int64, rows, [](const Row& row) { return row.transaction; }));
    number([](const Row& row) { return row.payment.card; });
    number([](const Row& row) { return row.payment.terminal; });
    real([](const Row& row) { return row.payment.amount; });
    if (batch.schema.index_of(kEntryMode) >= 0)
      batch.columns.push_back(text_column(
          rows, modes_, [](const Row& row) { return row.entry_mode; },
          bits_of(rows, [](const Row& row) { return row.has_entry_mode; })));
    batch.columns.push_back(boolean_column(rows, [](const Row& row) { return row.fraud; }));
    time([](const Row& row) { return row.label_known_us; });
    batch.columns.push_back(boolean_column(rows, [](const Row& row) { return row.true_fraud; }));
    real([](const Row& row) { return row.probability; });
    number([](const Row& row) { return static_cast<std::int32_t>(row.scenario); });
    return batch;
  }

  FraudOptions options_;
  Draws draws_;
  FraudWorld world_;
  std::shared_ptr<const data::Column> modes_;
  std::int64_t batch_days_;
};

}  // namespace

Result<std::unique_ptr<Generator>> make_fraud(const FraudOptions& options) {
  COEVAL_TRY(check(options));
  return std::make_unique<Fraud>(options);
}

}  // namespace coeval::generate
