#include "cli/generator_of.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include "generate/churn.h"
#include "generate/clicks.h"
#include "generate/fraud.h"
#include "generate/recsys.h"
#include "generate/series.h"

namespace coeval::cli {

namespace {

using Made = Result<std::unique_ptr<generate::Generator>>;

template <class T>
void set(T& to, const std::optional<T>& said) {
  if (said) to = *said;
}

// The shortest text that reads back to it.
template <class T>
std::string text_of(T value) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

// An option, the kind whose it is ("" is every kind's), and what was said.
struct Said {
  std::string_view name, kind;
  std::string value;
};

std::vector<Said> all_said(const GenerateWords& words) {
  std::vector<Said> said;
  const auto add = [&](std::string_view name, std::string_view kind, const auto& value) {
    if (value) said.push_back({name, kind, text_of(*value)});
  };
  add("--rows", "", words.rows);
  add("--days", "", words.days);
  add("--cards", "fraud", words.cards);
  add("--terminals", "fraud", words.terminals);
  if (!words.label_delay.empty()) said.push_back({"--label-delay", "fraud", words.label_delay});
  add("--unreported", "fraud", words.unreported);
  for (const std::string& drift : words.drifts) said.push_back({"--drift", "fraud", drift});
  add("--late", "fraud", words.late);
  add("--duplicates", "fraud", words.duplicates);
  add("--out-of-order", "fraud", words.out_of_order);
  add("--schema-change", "fraud", words.schema_change);
  add("--queries", "clicks", words.queries);
  add("--documents", "clicks", words.documents);
  add("--positions", "clicks", words.positions);
  add("--position-bias", "clicks", words.position_bias);
  add("--users", "recsys", words.users);
  add("--items", "recsys", words.items);
  add("--customers", "churn", words.customers);
  add("--series", "series", words.series);
  add("--gaps", "series", words.gaps);
  return said;
}

Made fraud(const GenerateWords& words) {
  generate::FraudOptions options;
  options.seed = words.seed;
  if (words.rows) options.days = generate::kMostDays;
  set(options.days, words.days);
  set(options.cards, words.cards);
  set(options.terminals, words.terminals);
  set(options.unreported, words.unreported);
  set(options.late, words.late);
  set(options.duplicates, words.duplicates);
  set(options.out_of_order, words.out_of_order);
  options.schema_change_day = words.schema_change;
  if (!words.label_delay.empty()) {
    COEVAL_ASSIGN(options.label_delay, generate::parse_label_delay(words.label_delay));
  }
  for (const std::string& text : words.drifts) {
    COEVAL_ASSIGN(const generate::Drift drift, generate::parse_drift(text));
    options.drifts.push_back(drift);
  }
  return generate::make_fraud(options);
}

// So many a day for so many days, where that can be counted.
std::int64_t times(std::int64_t days, std::int64_t each) {
  return days > generate::kMostDays ? std::numeric_limits<std::int64_t>::max() : days * each;
}

Made clicks(const GenerateWords& words) {
  generate::ClicksOptions options;
  options.seed = words.seed;
  if (words.rows) options.sessions = times(generate::kMostDays, generate::kSessionsADay);
  if (words.days) options.sessions = times(*words.days, generate::kSessionsADay);
  set(options.queries, words.queries);
  set(options.documents, words.documents);
  set(options.positions, words.positions);
  set(options.position_bias, words.position_bias);
  return generate::make_clicks(options);
}

Made recsys(const GenerateWords& words) {
  generate::RecsysOptions options;
  options.seed = words.seed;
  if (words.rows) options.rows = times(generate::kMostDays, generate::kExposuresADay);
  if (words.days) options.rows = times(*words.days, generate::kExposuresADay);
  set(options.users, words.users);
  set(options.items, words.items);
  return generate::make_recsys(options);
}

Made churn(const GenerateWords& words) {
  generate::ChurnOptions options;
  options.seed = words.seed;
  if (words.rows) options.customers = std::int64_t{1} << 40;
  set(options.customers, words.customers);
  set(options.days, words.days);
  return generate::make_churn(options);
}

Made series(const GenerateWords& words) {
  generate::SeriesOptions options;
  options.seed = words.seed;
  if (words.rows) options.series = 2'000'000'000;
  set(options.series, words.series);
  set(options.days, words.days);
  set(options.gaps, words.gaps);
  return generate::make_series(options);
}

struct Kind {
  std::string_view name;
  Made (*make)(const GenerateWords& words);
};
constexpr std::array kKinds = {Kind{"fraud", fraud}, Kind{"clicks", clicks}, Kind{"recsys", recsys},
                               Kind{"churn", churn}, Kind{"series", series}};

}  // namespace

Made generator_of(const Invocation& in) {
  for (const Said& said : all_said(in.generate))
    if (!said.kind.empty() && said.kind != in.subject)
      return fail(Code::usage,
                  std::string(said.name) + " is an option of " + std::string(said.kind) +
                      ", not of " + in.subject,
                  "coeval gen --help lists which option is whose");
  for (const Kind& kind : kKinds)
    if (kind.name == in.subject) return kind.make(in.generate);
  return fail(Code::usage, "no kind of data '" + in.subject + "'", "coeval gen --help lists them");
}

std::vector<std::pair<std::string, std::string>> said_options(const GenerateWords& words) {
  std::vector<std::pair<std::string, std::string>> options;
  for (const Said& said : all_said(words)) options.push_back({std::string(said.name), said.value});
  return options;
}

}  // namespace coeval::cli
