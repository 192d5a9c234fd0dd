#include "generate/fraud_world.h"

#include <algorithm>
#include <utility>

#include "exact/maths.h"
#include "generate/normal_quantile.h"
#include "generate/poisson.h"

namespace coeval::generate {

namespace {

constexpr double kSide = 100;
constexpr int kCells = 20;  // along a side, each as wide as a card reaches
constexpr double kNoon = 43'200, kSpread = 20'000;
constexpr std::uint32_t kSecondsADay = 86'400;

Place place_of(const PhiloxBlock& block) {
  return {kSide * to_unit(block[0]), kSide * to_unit(block[1])};
}

int cell_of(double along) { return std::min(static_cast<int>(along / kNearTerminal), kCells - 1); }

bool is_near(const Place& a, const Place& b) {
  const double x = a.x - b.x, y = a.y - b.y;
  return x * x + y * y < kNearTerminal * kNearTerminal;
}

}  // namespace

FraudWorld::FraudWorld(const FraudOptions& options) : options_(options), draws_(options.seed) {
  place_cards();
  place_terminals();
  find_near();
}

bool FraudWorld::has_drifted(DriftKind kind, std::int64_t day) const {
  return std::ranges::any_of(
      options_.drifts, [&](const Drift& drift) { return drift.kind == kind && day >= drift.day; });
}

void FraudWorld::place_cards() {
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(options_.cards); ++i) {
    const PhiloxBlock block = draws_.at(Purpose::card, i);
    const Card card{place_of(block), 5 + 95 * to_unit(block[2]), 4 * to_unit(block[3])};
    cards_.push_back(card);
    none_.push_back(exact::exp(-card.daily));
    none_more_.push_back(exact::exp(-1.5 * card.daily));
  }
}

void FraudWorld::place_terminals() {
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(options_.terminals); ++i)
    terminals_.push_back(place_of(draws_.at(Purpose::terminal, i)));
}

void FraudWorld::find_near() {
  std::vector<std::vector<std::int32_t>> cells(kCells * kCells);
  for (std::size_t i = 0; i < terminals_.size(); ++i) {
    const auto cell = cell_of(terminals_[i].y) * kCells + cell_of(terminals_[i].x);
    cells[static_cast<std::size_t>(cell)].push_back(static_cast<std::int32_t>(i));
  }
  near_from_.push_back(0);
  for (const Card& card : cards_) {
    const int x = cell_of(card.home.x), y = cell_of(card.home.y);
    for (int row = std::max(y - 1, 0); row <= std::min(y + 1, kCells - 1); ++row)
      for (int column = std::max(x - 1, 0); column <= std::min(x + 1, kCells - 1); ++column)
        for (const std::int32_t terminal : cells[static_cast<std::size_t>(row * kCells + column)])
          if (is_near(card.home, terminals_[static_cast<std::size_t>(terminal)]))
            near_.push_back(terminal);
    std::sort(near_.begin() + near_from_.back(), near_.end());
    near_from_.push_back(static_cast<std::int64_t>(near_.size()));
  }
}

std::span<const std::int32_t> FraudWorld::near(std::int32_t card) const {
  const auto from = static_cast<std::size_t>(near_from_[static_cast<std::size_t>(card)]);
  const auto to = static_cast<std::size_t>(near_from_[static_cast<std::size_t>(card) + 1]);
  return std::span(near_).subspan(from, to - from);
}

std::optional<Payment> FraudWorld::payment(std::int32_t card, std::int64_t day,
                                           std::uint32_t index) const {
  const PhiloxBlock block = draws_.at(Purpose::payment, index, static_cast<std::uint32_t>(card),
                                      static_cast<std::uint32_t>(day));
  const double time = kNoon + kSpread * normal_quantile(to_unit(block[0]));
  if (!(time >= 1 && time < kSecondsADay)) return std::nullopt;
  const std::span<const std::int32_t> terminals = near(card);
  if (terminals.empty()) return std::nullopt;
  const double mean = cards_[static_cast<std::size_t>(card)].mean * amounts(day);
  double amount = mean + mean / 2 * normal_quantile(to_unit(block[2]));
  if (amount < 0) amount = 2 * mean * to_unit(block[3]);
  return Payment{card,
                 terminals[below(block[1], static_cast<std::uint32_t>(terminals.size()))],
                 static_cast<std::int32_t>(day),
                 index,
                 static_cast<std::uint32_t>(time),
                 to_hundredths(amount)};
}

void FraudWorld::payments(std::int32_t card, std::int64_t day, std::vector<Payment>& to) const {
  const auto at = static_cast<std::size_t>(card);
  const bool more = has_drifted(DriftKind::volume, day);
  const PhiloxBlock block = draws_.at(Purpose::card_count, static_cast<std::uint32_t>(card),
                                      static_cast<std::uint32_t>(day));
  const int count = poisson(to_unit(block[0], block[1]), cards_[at].daily * (more ? 1.5 : 1),
                            more ? none_more_[at] : none_[at]);
  for (int index = 0; index < count; ++index)
    if (const auto made = payment(card, day, static_cast<std::uint32_t>(index)))
      to.push_back(*made);
}

void FraudWorld::choose_different(std::span<std::int32_t> to, Purpose purpose, std::int64_t day,
                                  std::size_t among) const {
  std::size_t chosen = 0;
  for (std::uint32_t attempt = 0; chosen < to.size(); ++attempt) {
    const PhiloxBlock block = draws_.at(purpose, static_cast<std::uint32_t>(day), attempt);
    const auto one = static_cast<std::int32_t>(below(block[0], static_cast<std::uint32_t>(among)));
    const auto before = to.first(chosen);
    if (std::ranges::find(before, one) == before.end()) to[chosen++] = one;
  }
}

std::span<const std::int32_t> FraudWorld::compromised_terminals(
    std::int64_t day, std::array<std::int32_t, kTerminalsInAttack>& to) const {
  const std::size_t count =
      has_drifted(DriftKind::attack, day) ? kTerminalsInAttack : kTerminalsADay;
  const auto chosen = std::span(to).first(count);
  choose_different(chosen, Purpose::terminals_compromised, day, terminals_.size());
  return chosen;
}

std::array<CompromisedCard, kCardsADay> FraudWorld::compromised_cards(std::int64_t day) const {
  std::array<std::int32_t, kCardsADay> chosen{};
  choose_different(chosen, Purpose::cards_compromised, day, cards_.size());
  std::array<CompromisedCard, kCardsADay> made;
  std::vector<Payment> payments_made;
  std::vector<std::pair<PhiloxBlock, CompromisedCard::Which>> ranked;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    payments_made.clear();
    ranked.clear();
    for (std::int64_t at = day; at < day + kCardDays; ++at) payments(chosen[i], at, payments_made);
    for (const Payment& one : payments_made) {
      // The first day is in the index, which is below 2^10: a card may be compromised twice.
      const auto who = static_cast<std::uint32_t>(one.day - day) << 10 | one.index;
      ranked.push_back({draws_.at(Purpose::multiplied, who, static_cast<std::uint32_t>(one.card),
                                  static_cast<std::uint32_t>(day)),
                        {one.day, one.index}});
    }
    std::ranges::sort(ranked);
    made[i] = {chosen[i], day, static_cast<std::int64_t>(ranked.size()), {}};
    for (std::size_t rank = 0; rank < ranked.size() / 3; ++rank)
      made[i].multiplied.push_back(ranked[rank].second);
    std::ranges::sort(made[i].multiplied);
  }
  return made;
}

}  // namespace coeval::generate
