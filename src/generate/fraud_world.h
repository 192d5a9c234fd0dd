#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "generate/fraud_options.h"
#include "generate/philox.h"

namespace coeval::generate {

/// A square of 100 × 100, on which cards and terminals lie.
struct Place {
  double x = 0, y = 0;
};

struct Card {
  Place home;
  double mean = 0;   ///< of its amounts: U(5, 100); their standard deviation is half of it
  double daily = 0;  ///< mean number of payments a day: U(0, 4)
};

/// A payment as it would be without fraud. Which of a card's day it is makes it known again.
struct Payment {
  std::int32_t card = 0, terminal = 0;
  std::int32_t day = 0;
  std::uint32_t index = 0;   ///< of the payments drawn for that card and day
  std::uint32_t second = 0;  ///< of the day, 1 to 86,399
  double amount = 0;         ///< in hundredths, rounded half up
};

/// An amount as money has it: hundredths, halves upwards.
inline double to_hundredths(double amount) {
  return static_cast<double>(static_cast<std::int64_t>(amount * 100 + 0.5)) / 100;
}

/// A card that is compromised on the days [first, first + 14), and which of its payments then are
/// multiplied: of the n that it makes exactly ⌊n / 3⌋.
struct CompromisedCard {
  std::int32_t card = 0;
  std::int64_t first = 0;
  std::int64_t payments = 0;  ///< n
  struct Which {
    std::int32_t day = 0;
    std::uint32_t index = 0;
    friend auto operator<=>(const Which&, const Which&) = default;
  };
  std::vector<Which> multiplied;  ///< ascending
};

inline constexpr double kNearTerminal = 5;  ///< a card pays at terminals less far away than this
inline constexpr std::int64_t kTerminalDays = 28, kCardDays = 14;
inline constexpr std::size_t kCardsADay = 3, kTerminalsADay = 2, kTerminalsInAttack = 6;
inline constexpr double kAmountLimit = 220;

/// Cards, terminals, who is compromised when, and payments, by the rules of the Fraud Detection
/// Handbook's simulator (Le Borgne, Siblini, Lebichot, Bontempi 2022, chapter 3), with draws of our
/// own.
/// Threading: safe from any thread. Determinism: as Generator.
class FraudWorld {
 public:
  /// Complexity: about cards × terminals / 127 pairs are held, four bytes each. `options` are good.
  explicit FraudWorld(const FraudOptions& options);

  const std::vector<Card>& cards() const { return cards_; }
  const std::vector<Place>& terminals() const { return terminals_; }
  /// The terminals less than 5 away from a card, ascending.
  std::span<const std::int32_t> near(std::int32_t card) const;

  /// The payments of a card on a day: Poisson(daily), those dropped whose second is outside the
  /// day, and all of a card that has no terminal near it.
  void payments(std::int32_t card, std::int64_t day, std::vector<Payment>& to) const;

  /// The 2 (in an attack 6) different terminals whose 28 days begin on that day.
  std::span<const std::int32_t> compromised_terminals(
      std::int64_t day, std::array<std::int32_t, kTerminalsInAttack>& to) const;
  /// The 3 different cards whose 14 days begin on that day, with their payments.
  std::array<CompromisedCard, kCardsADay> compromised_cards(std::int64_t day) const;

  /// By what the amounts of compromised cards are multiplied on a day: 5, after a disguise 2.
  double factor(std::int64_t day) const { return has_drifted(DriftKind::disguise, day) ? 2 : 5; }
  /// What a card's mean amount is multiplied by on a day.
  double amounts(std::int64_t day) const { return has_drifted(DriftKind::amounts, day) ? 1.5 : 1; }

 private:
  bool has_drifted(DriftKind kind, std::int64_t day) const;
  void place_cards();
  void place_terminals();
  void find_near();
  std::optional<Payment> payment(std::int32_t card, std::int64_t day, std::uint32_t index) const;
  void choose_different(std::span<std::int32_t> to, Purpose purpose, std::int64_t day,
                        std::size_t among) const;

  FraudOptions options_;
  Draws draws_;
  std::vector<Card> cards_;
  std::vector<double> none_, none_more_;  // of each card exp(−daily), exp(−1.5 daily)
  std::vector<Place> terminals_;
  std::vector<std::int32_t> near_;
  std::vector<std::int64_t> near_from_;  // of each card its first in near_; one more
};

}  // namespace coeval::generate
