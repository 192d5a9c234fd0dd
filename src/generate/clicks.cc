#include "generate/clicks.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include "exact/maths.h"
#include "generate/alias_table.h"
#include "generate/columns_of_rows.h"

namespace coeval::generate {

namespace {

using data::Type;

constexpr std::int64_t kRowsOfABatch = 1 << 16;
constexpr std::int64_t kMostDocuments = 20'000'000;  // of all queries together: they are in memory
constexpr double kQuerySkew = 0.8;
constexpr double kNoise = 0.8;

struct Document {
  std::array<float, kDocumentFeatures> features{};
  double shown_by = 0;  // what the ranker that was in use thought of it
  std::int32_t grade = 0;
};

struct Row {
  std::int64_t ts_us = 0, session = 0;
  const Document* document = nullptr;
  double examination = 0, attraction = 0;
  std::int32_t query = 0, number = 0, position = 0;
  bool clicked = false;
};

class Clicks final : public Generator {
 public:
  explicit Clicks(const ClicksOptions& options)
      : options_(options),
        draws_(options.seed),
        queries_(zipf_weights(static_cast<std::size_t>(options.queries), kQuerySkew)) {
    for (std::int64_t i = 0; i < options.queries * options.documents; ++i)
      documents_.push_back(document(i));
    for (std::int64_t k = 1; k <= options.positions; ++k)
      examination_.push_back(exact::pow(static_cast<double>(k), -options.position_bias));
  }

  data::Schema schema(std::int64_t, std::int64_t) const override {
    data::Schema all{{{"ts", Type::timestamp},
                      {"session", Type::int64},
                      {"query", Type::int32},
                      {"document", Type::int32},
                      {"position", Type::int32}}};
    for (std::size_t i = 0; i < kDocumentFeatures; ++i)
      all.fields.push_back({"f" + std::to_string(i), Type::float32});
    all.fields.push_back({"clicked", Type::boolean});
    all.fields.push_back({"grade", Type::int32});
    all.fields.push_back({"examination", Type::float64});
    all.fields.push_back({"attraction", Type::float64});
    all.fields.push_back({"true_probability", Type::float64});
    return all;
  }
  std::int64_t pieces() const override { return options_.sessions; }
  std::optional<std::int64_t> rows_per_piece() const override { return options_.positions; }
  std::int64_t pieces_per_batch() const override {
    return std::max<std::int64_t>(kRowsOfABatch / options_.positions, 1);
  }
  std::string label() const override { return "clicked"; }

  data::Batch make(std::int64_t first, std::int64_t end) const override {
    std::vector<Row> rows;
    rows.reserve(static_cast<std::size_t>((end - first) * options_.positions));
    std::vector<Shown> ranking;
    for (std::int64_t session = first; session < end; ++session)
      append_session(session, ranking, rows);
    return to_batch(rows);
  }

 private:
  // A document of a query, and how it was ranked: descending.
  struct Shown {
    double score;
    std::int32_t number;
    bool operator<(const Shown& other) const {
      return score > other.score || (score == other.score && number < other.number);
    }
  };

  Document document(std::int64_t number) const {
    Document made;
    for (std::uint32_t half = 0; half < 2; ++half) {
      const PhiloxBlock block = draws_.of(Purpose::document, number, half);
      for (std::size_t i = 0; i < 4; ++i)
        made.features[4 * half + i] = static_cast<float>(to_unit(block[i] >> 8 << 8));
    }
    const auto& f = made.features;
    made.grade = grade_of(hidden_relevance(f.data()));
    made.shown_by = 0.6 * static_cast<double>(f[0]) + 0.8 * static_cast<double>(f[6]) +
                    0.6 * static_cast<double>(f[7]);
    return made;
  }

  void append_session(std::int64_t session, std::vector<Shown>& ranking,
                      std::vector<Row>& rows) const {
    const PhiloxBlock block = draws_.of(Purpose::click_session, session);
    const auto query = static_cast<std::int32_t>(queries_.pick(block[0], block[1]));
    const auto first = static_cast<std::int32_t>(query * options_.documents);
    rank(session, first, ranking);
    const double at = (static_cast<double>(session % kSessionsADay) + to_unit(block[2], block[3])) /
                      static_cast<double>(kSessionsADay);
    const std::int64_t ts_us = kStartUs + session / kSessionsADay * kDayUs +
                               static_cast<std::int64_t>(at * static_cast<double>(kDayUs));
    PhiloxBlock chances{};
    for (std::size_t k = 0; k < examination_.size(); ++k) {
      if (k % 4 == 0)
        chances = draws_.of(Purpose::click, session, static_cast<std::uint32_t>(k / 4));
      const Document& shown = documents_[static_cast<std::size_t>(ranking[k].number)];
      const double attraction = attraction_of(shown.grade);
      rows.push_back({ts_us, session, &shown, examination_[k], attraction, query, ranking[k].number,
                      static_cast<std::int32_t>(k + 1),
                      to_unit(chances[k % 4]) < examination_[k] * attraction});
    }
  }

  // The first `positions` of the query's documents are in order afterwards.
  void rank(std::int64_t session, std::int32_t first, std::vector<Shown>& ranking) const {
    ranking.clear();
    PhiloxBlock noise{};
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(options_.documents); ++i) {
      if (i % 4 == 0)
        noise = draws_.of(Purpose::click_noise, session, static_cast<std::uint32_t>(i / 4));
      const double score = documents_[static_cast<std::size_t>(first + i)].shown_by +
                           kNoise * to_unit(noise[static_cast<std::size_t>(i % 4)]);
      ranking.push_back({score, first + i});
    }
    std::partial_sort(ranking.begin(), ranking.begin() + options_.positions, ranking.end());
  }

  data::Batch to_batch(std::span<const Row> rows) const {
    data::Batch batch{schema(0, 0), {}, static_cast<std::int64_t>(rows.size())};
    const auto number = [&](auto value) {
      batch.columns.push_back(fixed_column<std::int32_t>(Type::int32, rows, value));
    };
    const auto real = [&](auto value) {
      batch.columns.push_back(fixed_column<double>(Type::float64, rows, value));
    };
    batch.columns.push_back(fixed_column<std::int64_t>(Type::timestamp, rows,
                                                       [](const Row& row) { return row.ts_us; }));
    batch.columns.push_back(
        fixed_column<std::int64_t>(Type::int64, rows, [](const Row& row) { return row.session; }));
    number([](const Row& row) { return row.query; });
    number([](const Row& row) { return row.number; });
    number([](const Row& row) { return row.position; });
    for (std::size_t i = 0; i < kDocumentFeatures; ++i)
      batch.columns.push_back(fixed_column<float>(
          Type::float32, rows, [i](const Row& row) { return row.document->features[i]; }));
    batch.columns.push_back(boolean_column(rows, [](const Row& row) { return row.clicked; }));
    number([](const Row& row) { return row.document->grade; });
    real([](const Row& row) { return row.examination; });
    real([](const Row& row) { return row.attraction; });
    real([](const Row& row) { return row.examination * row.attraction; });
    return batch;
  }

  ClicksOptions options_;
  Draws draws_;
  AliasTable queries_;
  std::vector<Document> documents_;
  std::vector<double> examination_;
};

Status check(const ClicksOptions& options) {
  if (options.sessions < 0 || options.sessions > kMostDays * kSessionsADay)
    return fail(Code::out_of_range,
                "so many sessions are not made: " + std::to_string(options.sessions) +
                    "; at most " + std::to_string(kMostDays * kSessionsADay));
  if (options.positions < 1 || options.documents < options.positions || options.documents > 1000)
    return fail(Code::out_of_range,
                "--documents must be from --positions to 1000, and --positions at least 1; found " +
                    std::to_string(options.documents) + " and " +
                    std::to_string(options.positions));
  if (options.queries < 1 || options.queries > kMostDocuments / options.documents)
    return fail(Code::out_of_range, "--queries must be at least 1, and times --documents at most " +
                                        std::to_string(kMostDocuments) + ", found " +
                                        std::to_string(options.queries));
  if (!(options.position_bias >= 0 && options.position_bias <= 4))
    return fail(Code::out_of_range, "--position-bias must be from 0 to 4");
  return {};
}

}  // namespace

double hidden_relevance(const float* features) {
  const auto f = [features](int i) { return static_cast<double>(features[i]); };
  return 1.5 * f(0) + f(1) * f(2) + (f(3) > 0.7 ? 0.8 * f(4) : 0) + 0.5 * f(0) * f(5);
}

int grade_of(double relevance) {
  // Quantiles of the hidden function: 50, 72, 87, 95 %, of 400,000 documents.
  constexpr std::array<double, 4> kCuts = {1.2395, 1.6259, 1.9454, 2.2507};
  return static_cast<int>(std::ranges::upper_bound(kCuts, relevance) - kCuts.begin());
}

double attraction_of(int grade) { return 0.05 + 0.95 * ((1 << grade) - 1) / 15; }

Result<std::unique_ptr<Generator>> make_clicks(const ClicksOptions& options) {
  COEVAL_TRY(check(options));
  return std::make_unique<Clicks>(options);
}

}  // namespace coeval::generate
