#include "generate/fraud_options.h"

#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "base/time.h"
#include "generate/generator.h"

namespace coeval::generate {

namespace {

// So many pairs of a card and a terminal near it are held at most (some 30 million).
constexpr std::int64_t kMostPairs = 4'000'000'000;

constexpr std::array<std::pair<std::string_view, DriftKind>, 4> kDriftKinds = {
    {{"amounts", DriftKind::amounts},
     {"volume", DriftKind::volume},
     {"attack", DriftKind::attack},
     {"disguise", DriftKind::disguise}}};

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

std::unexpected<Error> bad_delay(std::string_view text) {
  return fail(Code::usage, "--label-delay is no delay: " + quoted(text),
              "7d is always seven days; lognormal:6d:0.6 has a median of 6 days and a deviation of "
              "its logarithm of 0.6");
}

Result<double> days_of(std::string_view text, std::string_view whole) {
  const auto us = parse_duration(text);
  if (!us || *us < 0 || *us > 3650 * kDayUs) return bad_delay(whole);
  return static_cast<double>(*us) / static_cast<double>(kDayUs);
}

Status within(std::string_view option, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return {};
  return fail(Code::out_of_range, std::string(option) + " must be from " + std::to_string(least) +
                                      " to " + std::to_string(most) + ", found " +
                                      std::to_string(value));
}

Status share(std::string_view option, double value) {
  if (value >= 0 && value <= 1) return {};
  return fail(Code::out_of_range, std::string(option) + " must be a share from 0 to 1");
}

}  // namespace

Result<LabelDelay> parse_label_delay(std::string_view text) {
  constexpr std::string_view kLogNormal = "lognormal";
  LabelDelay delay;
  if (!text.starts_with(kLogNormal)) {
    COEVAL_ASSIGN(delay.days, days_of(text, text));
    return delay;
  }
  delay.log_normal = true;
  delay.days = 6;
  std::string_view rest = text.substr(kLogNormal.size());
  if (rest.empty()) return delay;
  if (rest[0] != ':') return bad_delay(text);
  rest.remove_prefix(1);
  const std::size_t colon = rest.find(':');
  COEVAL_ASSIGN(delay.days, days_of(rest.substr(0, colon), text));
  if (colon == std::string_view::npos) return delay;
  const auto sigma = number<double>(rest.substr(colon + 1));
  if (!sigma || !(*sigma >= 0 && *sigma <= 3)) return bad_delay(text);
  delay.sigma = *sigma;
  return delay;
}

Result<Drift> parse_drift(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto day = number<std::int64_t>(text.substr(0, colon));
  if (day && *day >= 0 && *day <= kMostDays && colon != std::string_view::npos)
    for (const auto& [name, kind] : kDriftKinds)
      if (text.substr(colon + 1) == name) return Drift{*day, kind};
  return fail(Code::usage, "--drift is no day and kind: " + quoted(text),
              "such as 120:volume; the kinds are amounts, volume, attack, disguise");
}

Status check(const FraudOptions& options) {
  COEVAL_TRY(within("--days", options.days, 0, kMostDays));
  COEVAL_TRY(within("--cards", options.cards, 3, 100'000'000));
  COEVAL_TRY(within("--terminals", options.terminals, 6, 100'000'000));
  if (options.cards > kMostPairs / options.terminals)
    return fail(Code::out_of_range,
                "--cards times --terminals must be at most " + std::to_string(kMostPairs) +
                    ", since the terminals near each card are kept in memory",
                "take fewer terminals, or make several data sets with seeds of their own");
  COEVAL_TRY(share("--unreported", options.unreported));
  COEVAL_TRY(share("--late", options.late));
  COEVAL_TRY(share("--duplicates", options.duplicates));
  COEVAL_TRY(share("--out-of-order", options.out_of_order));
  if (options.schema_change_day)
    COEVAL_TRY(within("--schema-change", *options.schema_change_day, 0, kMostDays));
  return {};
}

}  // namespace coeval::generate
