#include "define/split_and_gates.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "define/table_reader.h"

namespace coeval::define {

namespace {

using Kind = TomlValue::Kind;

constexpr std::string_view kSplitAdvice =
    "write split = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = "
    "2001-07-01 }";

// Words by which other tools ask for a random split.
constexpr std::array<std::string_view, 8> kRandomKeys = {
    "random", "shuffle", "fraction", "test_size", "train", "validate", "test", "k_fold"};

bool is_number(const TomlValue& value) {
  return value.kind == Kind::integer || value.kind == Kind::real;
}

bool asks_for_random(const TomlValue& split) {
  if (is_number(split)) return true;
  if (split.kind == Kind::string) return split.text.find("random") != std::string::npos;
  return std::ranges::any_of(split.entries, [](const TomlEntry& entry) {
    const bool word = std::ranges::count(kRandomKeys, entry.key) > 0;
    const bool random = entry.value.kind == Kind::string && entry.value.text == "random";
    return random || is_number(entry.value) || (word && entry.value.kind != Kind::moment);
  });
}

std::optional<std::int64_t> read_moment(TableReader& reader, std::string_view key,
                                        Diagnostics& errors) {
  const TomlEntry* entry = reader.require(key, std::string(kSplitAdvice));
  if (!entry ||
      !expect_kind(*entry, Kind::moment, reader.what(), "without quotes: 2001-05-01", errors))
    return std::nullopt;
  return entry->value.integer;
}

constexpr std::array<std::string_view, 5> kMetrics = {"auc", "average_precision", "brier",
                                                      "calibration_error", "log_loss"};

// ">= 0.77"
std::optional<Gate> parse_bound(std::string_view text) {
  Gate gate;
  if (text.starts_with("<="))
    gate.kind = Gate::Kind::at_most;
  else if (!text.starts_with(">="))
    return std::nullopt;
  text.remove_prefix(2);
  while (text.starts_with(' ')) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, gate.bound);
  if (read.ec != std::errc{} || read.ptr != end || !std::isfinite(gate.bound)) return std::nullopt;
  return gate;
}

void read_gate(const TomlEntry& entry, std::string_view metric, Model& model, Diagnostics& errors) {
  const std::string what = "gate of model " + in_quotes(model.name);
  const std::string advice = "write \">= 0.77\" or \"<= 0.03\"";
  if (!expect_kind(entry, Kind::string, what, advice, errors)) return;
  auto gate = parse_bound(entry.value.text);
  if (!gate) {
    errors.report(Code::bad_toml_value, entry.value.position,
                  "a gate on " + std::string(metric) + " cannot be " + in_quotes(entry.value.text),
                  advice);
    return;
  }
  gate->metric = metric;
  model.gates.push_back(*gate);
}

void read_better_than(TableReader& reader, const TomlValue& table, Model& model,
                      Diagnostics& errors) {
  const auto other = reader.string("better_than");
  if (!other) return;
  if (*other != "champion")
    errors.report(Code::unsupported, table.find("better_than")->value.position,
                  "better_than " + in_quotes(*other) + " is not in this version",
                  "write better_than = \"champion\"");
  model.gates.push_back({"auc", Gate::Kind::better_than_champion, 0});
}

}  // namespace

void read_split(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string what = "split of model " + in_quotes(model.name);
  if (asks_for_random(entry.value)) {
    errors.report(Code::random_split, entry.value.position, what + " is not by time",
                  std::string(kSplitAdvice));
    return;
  }
  if (!expect_kind(entry, Kind::table, "model " + in_quotes(model.name), std::string(kSplitAdvice),
                   errors))
    return;
  TableReader reader(entry.value, entry.position, what, errors);
  const auto train = read_moment(reader, "train_until", errors);
  const auto validate = read_moment(reader, "validate_until", errors);
  const auto test = read_moment(reader, "test_until", errors);
  reader.finish();
  if (!train || !validate || !test) return;
  model.split = {*train, *validate, *test};
  if (*train >= *validate || *validate >= *test)
    errors.report(Code::bad_split, entry.value.position,
                  "the dates of the " + what + " do not increase",
                  "train_until < validate_until < test_until");
}

std::span<const std::string_view> gate_metrics() { return kMetrics; }

void read_gates(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string what = "model " + in_quotes(model.name);
  if (!expect_kind(entry, Kind::table, what, "write gate = { auc = \">= 0.77\" }", errors)) return;
  TableReader reader(entry.value, entry.position, "gate of " + what, errors);
  for (const auto metric : kMetrics)
    if (const TomlEntry* gate = reader.take(metric)) read_gate(*gate, metric, model, errors);
  read_better_than(reader, entry.value, model, errors);
  reader.finish();
}

}  // namespace coeval::define
