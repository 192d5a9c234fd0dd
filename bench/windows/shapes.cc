#include "windows/shapes.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "base/time.h"

namespace windows_bench {

using namespace coeval;

namespace {

constexpr std::int64_t kStartUs = 1'735'689'600'000'000;  // 2025-01-01
constexpr std::int64_t kHotKeys = 5;

/// What is drawn; the numbers are those of generate.py.
enum class Draw : std::uint64_t { event_time = 1, key, amount, item, question_time, question_key };

/// SplitMix64's finaliser over a counter.
std::uint64_t draw(Draw what, int source, std::int64_t i) {
  const std::uint64_t stream =
      static_cast<std::uint64_t>(what) + 16 * static_cast<std::uint64_t>(source);
  std::uint64_t z = (stream << 40) + static_cast<std::uint64_t>(i) + 0x9E37'79B9'7F4A'7C15;
  z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9;
  z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EB;
  return z ^ (z >> 31);
}

std::int64_t time_of(Draw what, int source, std::int64_t i, std::int64_t days, std::int64_t rows) {
  const std::int64_t step = days * kDayUs / rows;
  return kStartUs + i * step +
         static_cast<std::int64_t>(draw(what, source, i) % static_cast<std::uint64_t>(step));
}

std::int64_t key_of(const Shape& shape, Draw what, int source, std::int64_t i) {
  const std::uint64_t h = draw(what, source, i);
  std::uint64_t id = h % static_cast<std::uint64_t>(shape.keys);
  if (shape.skew == Skew::hot)
    id = h % 10 < kHotKeys ? h % 10
                           : kHotKeys + h / 10 % static_cast<std::uint64_t>(shape.keys - kHotKeys);
  return static_cast<std::int64_t>(id) * 1'000'003 + 17;
}

template <class T, class Make>
data::Column column(data::Type type, std::int64_t from, std::int64_t count, Make make) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    values[static_cast<std::size_t>(i)] = static_cast<T>(make(from + i));
  const auto bytes = std::as_bytes(std::span(values));
  return data::Column::fixed(type, {bytes.begin(), bytes.end()}, {}, count);
}

constexpr std::string_view kSums = R"toml(
events = "count()"
total = "sum(amount)"
mean = "mean(amount)"
)toml";

constexpr std::string_view kTwenty = R"toml(
events = "count()"
total = "sum(amount)"
mean = "mean(amount)"
largest = "max(amount)"
)toml";

constexpr std::string_view kOneSum = R"toml(
total = "sum(amount)"
)toml";

constexpr std::string_view kFiveWindows = R"("1h", "6h", "1d", "7d", "30d")";
constexpr std::string_view kTwentyWindows =
    R"("1h", "2h", "3h", "6h", "12h", "1d", "2d", "3d", "4d", "5d", "7d", "10d", "14d", "21d", "30d", )"
    R"("45d", "60d", "90d", "120d", "180d")";

constexpr std::string_view kWide = R"toml(
events = "count()"
total = "sum(amount)"
mean = "mean(amount)"
variance = "var(amount)"
deviation = "std(amount)"
smallest = "min(amount)"
largest = "max(amount)"
items = "distinct(item)"
newest = "last_k(amount, 5)"
trend = "slope(amount)"
decayed = "decayed_sum(amount, 1d)"
oldest = "first(amount)"
last = "last(amount)"
idle = "since_last()"
large = "count() where amount >= 50000"
large_total = "sum(amount) where amount >= 50000"
share = "mean(amount >= 50000)"
per_item = "ratio(amount, item)"
dear_items = "distinct(item) where amount >= 50000"
top_item = "max(item)"
)toml";

std::string_view aggregates(Features features) {
  switch (features) {
    case Features::sums:
      return kSums;
    case Features::twenty:
      return kTwenty;
    case Features::wide:
      return kWide;
    case Features::windows:
      return kOneSum;
  }
  return {};
}

Questions make_questions(const Shape& shape, std::int64_t from, std::vector<std::int64_t> at_us) {
  const auto count = static_cast<std::int64_t>(at_us.size());
  Questions made;
  made.keys.schema.fields = {{"key", data::Type::int64, false}};
  made.keys.rows = count;
  made.keys.columns.push_back(column<std::int64_t>(
      data::Type::int64, from, count,
      [&](std::int64_t i) { return key_of(shape, Draw::question_key, 0, i); }));
  made.at_us = std::move(at_us);
  return made;
}

}  // namespace

std::vector<Shape> shapes(bool quick) {
  const std::int64_t part = quick ? 10 : 1;
  const std::int64_t events = 10'000'000 / part, questions = 1'000'000 / part;
  return {
      {"backfill_sums", events, 100'000 / part, questions, 90},
      {"backfill_hot", events, 100, questions, 90, Skew::hot},
      {"backfill_wide", events, 100'000 / part, questions, 90, Skew::uniform, Features::wide},
      {"backfill_views", 100'000 / part, 1'000, 17'000 / part, 90, Skew::uniform, Features::wide,
       10},
      {"backfill_large", 10 * events, 1'000'000 / part, 10 * questions, 365, Skew::uniform,
       Features::windows},
  };
}

bool fits_memory(const Shape& shape) { return shape.features != Features::windows; }

std::string definition(const Shape& shape, const std::string& folder) {
  std::string toml = "[project]\nname = \"windows\"\n";
  for (int k = 0; k < shape.sources; ++k) {
    const std::string number = std::to_string(k);
    toml += "\n[source.s" + number + "]\npath = \"" + folder + "/events_" + number +
            ".parquet\"\ntime = \"ts\"\nknown = \"event time\"\n[source.s" + number +
            ".columns]\nts = { type = \"timestamp\" }\nkey = { type = \"int64\" }\n"
            "amount = { type = \"int64\" }\n";
    if (shape.features == Features::wide) toml += "item = { type = \"int32\" }\n";
    toml += "\n[view.v" + number + "]\nfrom = \"s" + number + "\"\nby = [\"key\"]\nwindows = [";
    toml += shape.features == Features::windows ? kTwentyWindows : kFiveWindows;
    toml += "]";
    toml += aggregates(shape.features);
  }
  return toml;
}

std::shared_ptr<const define::Project> project(const Shape& shape) {
  const std::string toml = definition(shape, ".");
  auto checked = define::check_text(toml, "coeval.toml");
  for (const auto& error : checked.errors)
    std::fputs(define::render(error, toml, false).c_str(), stderr);
  if (!checked.project) give_up("the definition of " + shape.name + " does not check");
  return std::make_shared<const define::Project>(std::move(*checked.project));
}

data::Batch events(const Shape& shape, const define::Project& project, int source,
                   std::int64_t from, std::int64_t count) {
  data::Batch batch;
  batch.schema = project.sources[static_cast<std::size_t>(source)].schema;
  batch.rows = count;
  for (const auto& field : batch.schema.fields) {
    if (field.name == "ts")
      batch.columns.push_back(column<std::int64_t>(field.type, from, count, [&](std::int64_t i) {
        return time_of(Draw::event_time, source, i, shape.days, shape.events);
      }));
    if (field.name == "key")
      batch.columns.push_back(column<std::int64_t>(field.type, from, count, [&](std::int64_t i) {
        return key_of(shape, Draw::key, source, i);
      }));
    if (field.name == "amount")
      batch.columns.push_back(column<std::int64_t>(field.type, from, count, [&](std::int64_t i) {
        return 1 + draw(Draw::amount, source, i) % 100'000;
      }));
    if (field.name == "item")
      batch.columns.push_back(column<std::int32_t>(field.type, from, count, [&](std::int64_t i) {
        return draw(Draw::item, source, i) % 50;
      }));
  }
  return batch;
}

Questions questions(const Shape& shape, std::int64_t from, std::int64_t count) {
  std::vector<std::int64_t> at(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    at[static_cast<std::size_t>(i)] =
        time_of(Draw::question_time, 0, from + i, shape.days, shape.questions);
  return make_questions(shape, from, std::move(at));
}

Questions questions_at(const Shape& shape, std::vector<std::int64_t> at_us) {
  return make_questions(shape, 0, std::move(at_us));
}

void report(std::string_view name, std::string_view figure, double value, std::string_view unit) {
  std::printf("%-12.*s %-24.*s %12.6g %.*s\n", static_cast<int>(name.size()), name.data(),
              static_cast<int>(figure.size()), figure.data(), value, static_cast<int>(unit.size()),
              unit.data());
  std::fflush(stdout);
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void give_up(const std::string& why) {
  std::fprintf(stderr, "windows_bench: %s\n", why.c_str());
  std::exit(1);
}

}  // namespace windows_bench
