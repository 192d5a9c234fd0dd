#include "generate/fraud.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "data/text_tables.h"
#include "generate/fraud_probability.h"
#include "generate/fraud_world.h"
#include "generate/generated_for_tests.h"

namespace coeval::generate {
namespace {

FraudOptions small() {
  FraudOptions options;
  options.cards = 400;
  options.terminals = 900;
  options.days = 90;
  return options;
}

struct Rows {
  explicit Rows(const data::Batch& batch)
      : ts(numbers<std::int64_t>(batch, "ts")),
        arrived(numbers<std::int64_t>(batch, "arrived_at")),
        transaction(numbers<std::int64_t>(batch, "transaction")),
        known(numbers<std::int64_t>(batch, "label_known_at")),
        card(numbers<std::int32_t>(batch, "card")),
        terminal(numbers<std::int32_t>(batch, "terminal")),
        scenario(numbers<std::int32_t>(batch, "scenario")),
        amount(numbers<double>(batch, "amount")),
        probability(numbers<double>(batch, "true_probability")),
        fraud(booleans(batch, "fraud")),
        true_fraud(booleans(batch, "true_fraud")) {}
  explicit Rows(const FraudOptions& options) : Rows(rows_of(*good(make_fraud(options)), {}, 2)) {}
  std::size_t size() const { return ts.size(); }
  std::int64_t day(std::size_t row) const { return (ts[row] - kStartUs) / kDayUs; }
  std::int64_t second(std::size_t row) const { return (ts[row] - kStartUs) % kDayUs / kSecondUs; }

  std::vector<std::int64_t> ts, arrived, transaction, known;
  std::vector<std::int32_t> card, terminal, scenario;
  std::vector<double> amount, probability;
  std::vector<bool> fraud, true_fraud;
};

template <class Values>
double mean_of(const Values& values) {
  double sum = 0;
  for (const auto value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

TEST_CASE("cards pay at the terminals less than 5 away, whichever those are") {
  const FraudWorld world(small());
  std::size_t pairs = 0;
  for (std::size_t i = 0; i < world.cards().size(); ++i) {
    const Card& card = world.cards()[i];
    CHECK((card.home.x > 0 && card.home.x < 100 && card.home.y > 0 && card.home.y < 100));
    CHECK((card.mean > 5 && card.mean < 100 && card.daily > 0 && card.daily < 4));
    std::vector<std::int32_t> expected;
    for (std::size_t j = 0; j < world.terminals().size(); ++j)
      if (std::hypot(card.home.x - world.terminals()[j].x, card.home.y - world.terminals()[j].y) <
          5)
        expected.push_back(static_cast<std::int32_t>(j));
    const auto near = world.near(static_cast<std::int32_t>(i));
    CHECK(std::vector<std::int32_t>(near.begin(), near.end()) == expected);
    pairs += expected.size();
  }
  CHECK(pairs > 400 * 5);
}

// Each rule by itself, row by row: what the simulator's description says of it.
TEST_CASE("a row is fraud by one of the three rules, and none is that is not") {
  const FraudOptions options = small();
  const FraudWorld world(options);
  const Rows rows(options);
  std::map<std::pair<std::int64_t, std::int32_t>, bool> terminal_is_bad;
  for (std::int64_t from = 0; from < options.days; ++from) {
    std::array<std::int32_t, kTerminalsInAttack> chosen{};
    const auto terminals = world.compromised_terminals(from, chosen);
    CHECK(std::set(terminals.begin(), terminals.end()).size() == 2);
    for (const std::int32_t terminal : terminals)
      for (std::int64_t day = from; day < from + 28; ++day) terminal_is_bad[{day, terminal}] = true;
  }
  std::map<std::int64_t, int> of_scenario;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool bad_terminal = terminal_is_bad.contains({rows.day(i), rows.terminal[i]});
    ++of_scenario[rows.scenario[i]];
    CHECK(rows.true_fraud[i] == (rows.scenario[i] > 0));
    CHECK(rows.fraud[i] == rows.true_fraud[i]);
    CHECK((rows.probability[i] == 1) >= (rows.amount[i] > 220 || bad_terminal));
    if (rows.amount[i] > 220 || bad_terminal) CHECK(rows.true_fraud[i]);
    if (rows.scenario[i] == 2) CHECK(bad_terminal);
    if (rows.scenario[i] == 1) CHECK(rows.amount[i] > 220);
    if (rows.scenario[i] == 0) CHECK(rows.probability[i] < 1);
  }
  for (int scenario = 0; scenario < 4; ++scenario) CHECK(of_scenario[scenario] > 0);
}

TEST_CASE("of a compromised card's payments in its 14 days a third, rounded down, is multiplied") {
  const FraudOptions options = small();
  const FraudWorld world(options);
  const Rows rows(options);
  // Payments as they would be without fraud, found by card and moment.
  std::map<std::tuple<std::int32_t, std::int64_t>, std::vector<double>> honest;
  for (std::int32_t card = 0; card < 400; ++card)
    for (std::int64_t day = 0; day < options.days; ++day) {
      std::vector<Payment> payments;
      world.payments(card, day, payments);
      for (const Payment& one : payments)
        honest[{card, kStartUs + day * kDayUs + one.second * kSecondUs}].push_back(one.amount);
    }
  std::map<std::int32_t, std::vector<std::int64_t>> begins;
  for (std::int64_t day = 0; day < options.days; ++day) {
    std::set<std::int32_t> cards;
    for (const CompromisedCard& card : world.compromised_cards(day)) {
      cards.insert(card.card);
      begins[card.card].push_back(day);
    }
    CHECK(cards.size() == 3);
  }
  int checked = 0;
  for (std::int32_t card = 0; card < 400; ++card) {
    std::map<std::int64_t, std::int64_t> payments_on, multiplied_on;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows.card[i] != card) continue;
      const auto& was = honest.at({card, rows.ts[i]});
      if (was.size() != 1) continue;  // two in one second
      if (was[0] == 0) continue;      // five times nothing
      const bool multiplied = rows.amount[i] != was[0];
      CHECK(multiplied == (rows.scenario[i] == 3));
      ++payments_on[rows.day(i)];
      multiplied_on[rows.day(i)] += multiplied;
      bool compromised = false;
      for (const std::int64_t from : begins[card])
        compromised |= from <= rows.day(i) && rows.day(i) < from + 14;
      CHECK(multiplied <= compromised);
      if (multiplied && begins[card].size() == 1)
        CHECK(std::abs(rows.amount[i] - 5 * was[0]) < 0.006);
    }
    if (begins[card].size() != 1 || begins[card][0] + 14 > options.days) continue;
    std::int64_t n = 0, multiplied = 0;
    for (std::int64_t day = begins[card][0]; day < begins[card][0] + 14; ++day) {
      n += payments_on[day];
      multiplied += multiplied_on[day];
    }
    CHECK(multiplied == n / 3);
    ++checked;
  }
  CHECK(checked > 50);
}

TEST_CASE("true probabilities are those of what they are of") {
  FraudOptions options = small();
  options.cards = 2000;
  options.days = 183;
  options.unreported = 0.2;
  const Rows rows(options);
  // Over all rows, and over those whose probability is in a tenth of (0, 0.8).
  for (int tenth = 0; tenth < 10; ++tenth) {
    double expected = 0, variance = 0, found = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double p = rows.probability[i];
      if (p <= 0 || p >= 0.8 || static_cast<int>(p * 12.5) != tenth) continue;
      expected += p;
      variance += p * (1 - p);
      found += rows.fraud[i];
    }
    CAPTURE(tenth);
    CHECK(expected > 0);
    CHECK(std::abs(found - expected) < 4 * std::sqrt(variance) + 1e-9);
  }
  double reported = 0, all = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    reported += rows.fraud[i];
    all += rows.true_fraud[i];
    CHECK(rows.true_fraud[i] >= rows.fraud[i]);
    if (rows.probability[i] == 0) CHECK(!rows.true_fraud[i]);
  }
  CHECK(std::abs(reported / all - 0.8) < 4 * std::sqrt(0.16 / all));
}

TEST_CASE("5,000 cards and 10,000 terminals in 183 days: 1.75 M payments, 0.84 % of them fraud") {
  const FraudOptions options;
  const FraudWorld world(options);
  const Rows rows(options);
  const auto n = static_cast<double>(rows.size());
  double expected = 0;
  for (const Card& card : world.cards()) expected += card.daily * 183;
  expected *= 0.969237;  // of N(43200, 20000) in [1, 86400)
  CHECK(std::abs(n - expected) < 4 * std::sqrt(n));
  CHECK(std::abs(n / 1.75e6 - 1) < 0.03);
  CHECK(std::abs(mean_of(rows.true_fraud) - 0.0084) < 0.0006);

  double ratio = 0, seconds = 0, honest = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    seconds += static_cast<double>(rows.second(i));
    if (rows.scenario[i] == 3) continue;
    ratio += rows.amount[i] / world.cards()[static_cast<std::size_t>(rows.card[i])].mean;
    ++honest;
  }
  // Of N(m, m / 2) with negative ones replaced by U(0, 2m): 1.027 m, and not the largest missing.
  CHECK(std::abs(ratio / honest - 1.027) < 4 * 0.5 / std::sqrt(honest));
  CHECK(std::abs(seconds / n - 43'199.5) < 4 * 18'700 / std::sqrt(n));
  CHECK(std::ranges::is_sorted(rows.ts));
  CHECK(std::ranges::is_sorted(rows.transaction));
  for (std::size_t i = 0; i < rows.size(); i += 97) {
    CHECK(rows.arrived[i] == rows.ts[i]);
    CHECK(rows.known[i] == rows.ts[i] + 7 * kDayUs);
    const double hundredths = rows.amount[i] * 100;
    CHECK(std::abs(hundredths - std::round(hundredths)) < 1e-6);
  }
}

TEST_CASE("labels with a log-normal delay have its median and deviation") {
  FraudOptions options = small();
  options.label_delay = {true, 6, 0.6};
  const Rows rows(options);
  std::vector<double> logs;
  for (std::size_t i = 0; i < rows.size(); ++i)
    logs.push_back(std::log(static_cast<double>(rows.known[i] - rows.ts[i]) / kDayUs));
  const double n = static_cast<double>(logs.size()), mean = mean_of(logs);
  double squares = 0;
  for (const double one : logs) squares += (one - mean) * (one - mean);
  CHECK(std::abs(mean - std::log(6.0)) < 4 * 0.6 / std::sqrt(n));
  CHECK(std::abs(std::sqrt(squares / n) - 0.6) < 4 * 0.6 / std::sqrt(2 * n));
}

TEST_CASE("late, repeated and displaced rows come as often as asked, and change nothing else") {
  FraudOptions options = small();
  const Rows plain(options);
  options.late = 0.1;
  options.duplicates = 0.05;
  options.out_of_order = 0.2;
  const Rows rows(options);
  const auto n = static_cast<double>(plain.size());
  std::map<std::int64_t, int> times;
  double late = 0, before = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows.arrived[i] >= rows.ts[i]);
    CHECK(rows.known[i] >= rows.arrived[i]);
    if (times[rows.transaction[i]]++ == 0) late += rows.arrived[i] > rows.ts[i];
    if (i > 0) before += rows.ts[i] < rows.ts[i - 1];
    if (i > 0) CHECK(rows.day(i) >= rows.day(i - 1));
  }
  CHECK(times.size() == plain.size());
  CHECK(std::ranges::all_of(times, [](const auto& one) { return one.second <= 2; }));
  const auto copies = static_cast<double>(rows.size()) - n;
  CHECK(std::abs(copies / n - 0.05) < 4 * std::sqrt(0.05 * 0.95 / n));
  // Of a late one that comes twice the copy may stand first.
  CHECK(std::abs(late / n - 0.1) < 4 * std::sqrt(0.1 * 0.9 / n) + 0.003);
  CHECK(before / n > 0.1);
  CHECK(std::abs(mean_of(rows.amount) - mean_of(plain.amount)) < 0.5);
}

// Amounts, payments a day and frauds a day before and from day 100 on.
TEST_CASE("a drift changes what it names, from its day on") {
  FraudOptions options = small();
  options.cards = 2000;
  options.days = 200;
  struct Half {
    double rows = 0, amount = 0, bad_terminals = 0, factor = 0, multiplied = 0;
  };
  const auto halves = [&](std::optional<DriftKind> kind) {
    options.drifts.clear();
    if (kind) options.drifts.push_back({100, *kind});
    const FraudWorld world(options);
    const Rows rows(options);
    std::array<Half, 2> both;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Half& half = both[rows.day(i) >= 100 ? 1 : 0];
      ++half.rows;
      if (rows.scenario[i] != 3) half.amount += rows.amount[i];
      half.bad_terminals += rows.scenario[i] == 2;
      if (rows.scenario[i] != 3) continue;
      ++half.multiplied;
      half.factor +=
          rows.amount[i] / world.cards()[static_cast<std::size_t>(rows.card[i])].mean / 1.027;
    }
    for (Half& half : both) {
      half.amount /= half.rows;
      half.factor /= half.multiplied;
    }
    return both;
  };
  const auto none = halves(std::nullopt);
  CHECK(std::abs(none[1].rows / none[0].rows - 1) < 0.03);
  CHECK(std::abs(none[1].factor - 5) < 0.4);
  CHECK(std::abs(halves(DriftKind::amounts)[1].amount / none[1].amount - 1.5) < 0.02);
  CHECK(std::abs(halves(DriftKind::volume)[1].rows / none[1].rows - 1.5) < 0.02);
  CHECK(halves(DriftKind::attack)[1].bad_terminals > 2 * none[1].bad_terminals);
  CHECK(std::abs(halves(DriftKind::disguise)[1].factor - 2) < 0.2);
  for (const DriftKind kind : {DriftKind::amounts, DriftKind::volume, DriftKind::attack})
    CHECK(halves(kind)[0].rows == none[0].rows);
}

TEST_CASE(
    "a schema change is a column more: null before its day, absent from files that end there") {
  FraudOptions options = small();
  options.schema_change_day = 45;
  const auto generator = good(make_fraud(options));
  const data::Batch whole = rows_of(*generator);
  const data::Column* mode = whole.find("entry_mode");
  REQUIRE(mode != nullptr);
  const auto ts = numbers<std::int64_t>(whole, "ts");
  for (std::int64_t row = 0; row < whole.rows; ++row)
    CHECK(mode->is_null(row) == (ts[static_cast<std::size_t>(row)] < kStartUs + 45 * kDayUs));
  CHECK(rows_of(*generator, {0, 2, {}}).find("entry_mode") == nullptr);
  CHECK(rows_of(*generator, {1, 2, {}}).find("entry_mode") != nullptr);
}

TEST_CASE("the probability of a multiplied amount is Bayes's, over a grid") {
  const std::array<double, 1> share = {1.0 / 3};
  const double mean = 20;
  const auto density = [&](double amount) {
    const double z = (amount - mean) / (mean / 2);
    return std::exp(-0.5 * z * z) / (mean / 2 * std::sqrt(2 * M_PI)) +
           (amount <= 2 * mean ? 0.5 * std::erfc(2 / std::sqrt(2.0)) / (2 * mean) : 0);
  };
  for (double amount = 0.5; amount < 219; amount += 0.5) {
    const double times = density(amount / 5) / 5 / 3, plain = density(amount) * 2 / 3;
    CHECK(std::abs(fraud_probability({amount, mean, false, share, 5}) - times / (times + plain)) <
          1e-12);
  }
  CHECK(fraud_probability({220.01, mean, false, {}, 5}) == 1);
  CHECK(fraud_probability({220, mean, false, {}, 5}) == 0);
  CHECK(fraud_probability({10, mean, true, {}, 5}) == 1);
}

TEST_CASE("options that make no sense are refused by name") {
  for (const char* text : {"", "7", "x", "-1d", "lognormal:", "lognormal:6d:", "lognormal:6d:9",
                           "lognormal,6d", "99999d"}) {
    CAPTURE(text);
    CHECK(!parse_label_delay(text));
  }
  CHECK(parse_label_delay("36h")->days == 1.5);
  CHECK(parse_label_delay("lognormal")->days == 6);
  CHECK(parse_label_delay("lognormal:3d:0.8")->sigma == 0.8);
  for (const char* text : {"", "5", "5:", ":volume", "-1:volume", "5:rain", "x:volume"}) {
    CAPTURE(text);
    CHECK(!parse_drift(text));
  }
  CHECK(parse_drift("5:attack")->kind == DriftKind::attack);
  FraudOptions options;
  options.cards = 2;
  CHECK(check(options).error().message.starts_with("--cards"));
  options.cards = options.terminals = 1'000'000;
  CHECK(check(options).error().message.starts_with("--cards times --terminals"));
  options = {};
  options.late = std::nan("");
  CHECK(check(options).error().message.starts_with("--late"));
}

}  // namespace
}  // namespace coeval::generate
