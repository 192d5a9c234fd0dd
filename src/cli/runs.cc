#include <algorithm>
#include <sstream>

#include "cli/commands.h"
#include "cli/run_text.h"
#include "define/diagnostics.h"
#include "stores/run_filter.h"

namespace coeval::cli {

namespace {

using stores::RunRow;
using stores::RunStore;

// Shown unless others are asked for, as far as some run has them.
constexpr const char* kKeyMetrics[] = {
    "test.auc", "test.average_precision", "test.log_loss", "test.brier", "test.rmse",
    "test.mae", "test.r_squared"};

int print_lines(Context& context, const std::vector<std::string>& lines) {
  for (const auto& line : lines) context.terminal.print(line);
  return 0;
}

Result<std::vector<std::string>> columns_of(const Context& context, RunStore& runs) {
  std::vector<std::string> columns;
  if (!context.in.metrics.empty()) {
    std::istringstream words(context.in.metrics);
    for (std::string word; std::getline(words, word, ',');) {
      const std::size_t from = word.find_first_not_of(' '), to = word.find_last_not_of(' ');
      if (from != std::string::npos) columns.push_back(word.substr(from, to + 1 - from));
    }
    return columns;
  }
  COEVAL_ASSIGN(const auto known, runs.fields());
  for (const char* metric : kKeyMetrics)
    if (std::ranges::find(known, metric) != known.end()) columns.emplace_back(metric);
  return columns;
}

// A model that the definition no longer has may still have runs.
Status check_model(Context& context, RunStore& runs, const std::string& model) {
  if (model.empty() || context.pick_model(model)) return {};
  stores::RunQuery query;
  query.model = model;
  query.limit = 1;
  COEVAL_ASSIGN(const auto page, runs.query(query));
  if (!page.rows.empty()) return {};
  return std::unexpected(context.pick_model(model).error());
}

Result<stores::RunQuery> query_of(Context& context, RunStore& runs) {
  stores::RunQuery query;
  if (!context.in.words.empty()) query.model = context.in.words.front();
  query.experiment = context.in.experiment;
  COEVAL_TRY(check_model(context, runs, query.model));
  COEVAL_ASSIGN(query.filter, stores::parse_run_filter(context.in.filter));
  query.sort = context.in.sort;
  if (query.sort.starts_with('-')) {
    query.ascending = true;
    query.sort.erase(0, 1);
  }
  query.limit = context.in.limit;
  COEVAL_ASSIGN(query.columns, columns_of(context, runs));
  const bool shown = query.sort.empty() || query.sort == "id" || query.sort == "started" ||
                     std::ranges::find(query.columns, query.sort) != query.columns.end();
  if (!shown && context.in.metrics.empty()) query.columns.push_back(query.sort);
  return query;
}

// Of a field that no run has, the one that may have been meant.
Error with_suggestion(Error error, RunStore& runs) {
  const std::size_t from = error.message.find('\''), to = error.message.rfind('\'');
  const auto known = runs.fields();
  if (error.code != Code::unknown_name || !known || to == from || !error.advice.empty())
    return error;
  error.advice = define::did_you_mean(error.message.substr(from + 1, to - from - 1), *known);
  if (error.advice.empty())
    error.advice =
        "coeval runs show RUN lists what one has: metrics such as test.auc, "
        "params.NAME, environment.NAME, state, …";
  return error;
}

std::string value_text(const stores::RunValue& value, const std::string& column) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) return "-";
  if (column == "started" || column == "ended")
    return second_text(static_cast<std::int64_t>(*number));
  return metric_text(*number);
}

data::Json value_json(const stores::RunValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* number = std::get_if<double>(&value);
  return number != nullptr ? data::Json(*number) : data::Json();
}

data::Json page_json(const stores::RunPage& page, const std::vector<std::string>& columns) {
  data::Json all{data::Json::Array{}};
  for (const RunRow& row : page.rows) {
    data::Json one{data::Json::Object{}};
    one.set("id", row.id);
    one.set("model", row.model);
    one.set("experiment", row.experiment);
    one.set("kind", stores::name(row.kind));
    one.set("state", stores::name(row.state));
    one.set("started", format_time(row.started_us));
    one.set("version", row.version);
    data::Json values{data::Json::Object{}};
    for (std::size_t i = 0; i < columns.size(); ++i)
      values.set(columns[i], value_json(row.values[i]));
    one.set("values", std::move(values));
    all.push(std::move(one));
  }
  data::Json json{data::Json::Object{}};
  json.set("runs", std::move(all));
  json.set("matched_count", page.matched);
  return json;
}

std::vector<std::string> page_lines(const stores::RunPage& page,
                                    const std::vector<std::string>& columns) {
  const bool kinds = std::ranges::any_of(
      page.rows, [](const RunRow& row) { return row.kind != stores::RunKind::build; });
  std::vector<std::vector<std::string>> rows(1, {"run", "model", "version", "state", "started"});
  if (kinds) rows[0].emplace_back("kind");
  rows[0].insert(rows[0].end(), columns.begin(), columns.end());
  for (const RunRow& row : page.rows) {
    std::vector<std::string> line = {
        row.id, row.model, row.version == 0 ? "-" : "v" + std::to_string(row.version),
        std::string(stores::name(row.state)), second_text(row.started_us)};
    if (kinds) line.emplace_back(stores::name(row.kind));
    for (std::size_t i = 0; i < columns.size(); ++i)
      line.push_back(value_text(row.values[i], columns[i]));
    rows.push_back(std::move(line));
  }
  return table(rows);
}

int list(Context& context, RunStore& runs) {
  const auto query = query_of(context, runs);
  if (!query) return context.report(query.error());
  const auto page = runs.query(*query);
  if (!page) return context.report(with_suggestion(page.error(), runs));
  if (context.terminal.json()) {
    context.terminal.print_json(page_json(*page, query->columns));
    return 0;
  }
  if (page->rows.empty()) {
    context.terminal.say("no such run; coeval build records one whenever it trains");
    return 0;
  }
  print_lines(context, page_lines(*page, query->columns));
  const auto shown = static_cast<std::int64_t>(page->rows.size());
  if (shown < page->matched)
    context.terminal.say(std::to_string(shown) + " of " + std::to_string(page->matched) +
                         " runs; --limit shows more");
  return 0;
}

int show_run(Context& context, RunStore& runs) {
  const auto run = find_run(runs, context.in.words[1]);
  if (!run) return context.report(run.error());
  if (!context.terminal.json()) return print_lines(context, run_lines(*run));
  context.terminal.print_json(run_json(*run));
  return 0;
}

int compare(Context& context, RunStore& runs) {
  const auto a = find_run(runs, context.in.words[1]);
  if (!a) return context.report(a.error());
  const auto b = find_run(runs, context.in.words[2]);
  if (!b) return context.report(b.error());
  if (!context.terminal.json()) return print_lines(context, comparison_lines(*a, *b));
  context.terminal.print_json(comparison_json(*a, *b));
  return 0;
}

}  // namespace

int runs(Context& context) {
  const auto& words = context.in.words;
  const bool shows = words.size() == 2 && words[0] == "show";
  const bool compares = words.size() == 3 && words[0] == "compare";
  // A model may be called show or compare; what follows makes it a question about runs.
  if (words.size() > 1 && !shows && !compares)
    return context.report(Error{Code::usage,
                                "what is asked of runs cannot be understood",
                                "coeval runs [MODEL], coeval runs show RUN, or coeval runs compare "
                                "RUN RUN, where a run is the beginning of its id, or late@v7",
                                {},
                                {}});
  if (const auto code = context.load_project()) return *code;
  const auto store = context.open_runs_for_reading();
  if (!store) return context.report(store.error());
  if (shows) return show_run(context, **store);
  if (compares) return compare(context, **store);
  return list(context, **store);
}

}  // namespace coeval::cli
