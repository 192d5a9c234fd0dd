#pragma once

#include <span>

namespace coeval::generate {

/// What an observer may know of a payment who knows which terminals and cards are compromised when,
/// and each card's habits, but not which payments of a compromised card were multiplied.
struct FraudView {
  double amount = 0;
  double mean = 0;  ///< of the card's amounts that day
  bool terminal_compromised = false;
  std::span<const double> shares;  ///< per period that the card is in: its ⌊n / 3⌋ / n
  double factor = 5;               ///< of multiplied amounts that day
};

/// The probability that the payment is fraud: no model of what is observable can be better.
/// 1 above 220 and at compromised terminals; 0 for cards that are not compromised; else by Bayes
/// from the density of the amount, once multiplied, twice, … and not.
/// Determinism: as Generator.
double fraud_probability(const FraudView& view);

}  // namespace coeval::generate
