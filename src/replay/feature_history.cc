#include "replay/feature_history.h"

#include <algorithm>
#include <bit>

#include "data/cell_text.h"
#include "define/diagnostics.h"
#include "exact/integer_sum.h"
#include "kernel/evaluate.h"
#include "kernel/kernel.h"
#include "replay/dataset.h"
#include "replay/looked_up_rows.h"

namespace coeval::replay {

namespace {

using define::Aggregation;

const SourceHistory& history_of(const define::View& view, const Past& past) {
  return past.sources[static_cast<std::size_t>(view.source)];
}

std::span<const std::int64_t> times_of(const define::Project& project, const define::View& view,
                                       const SourceHistory& history) {
  const auto& source = project.sources[static_cast<std::size_t>(view.source)];
  return history.rows.columns[static_cast<std::size_t>(source.time_index)].values<std::int64_t>();
}

// The values that an event's key columns must have.
Result<std::vector<data::Value>> key_of(const define::View& view, const data::Batch& question) {
  std::vector<data::Value> key;
  for (const auto& name : view.keys) {
    const data::Column* column = question.find(name);
    if (column == nullptr)
      return fail(Code::missing_value,
                  "the question has no column '" + name + "', a key of view '" + view.name + "'");
    key.push_back(column->value(0));
  }
  return key;
}

bool has_key(const define::View& view, const data::Batch& rows, std::int64_t row,
             const std::vector<data::Value>& key) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto& column = rows.columns[static_cast<std::size_t>(view.key_columns[i])];
    if (data::is_null(key[i]) || column.is_null(row)) return false;
    if (const auto* text = std::get_if<std::string>(&key[i])) {
      if (column.string(row) != *text) return false;
    } else if (column.value(row) != key[i]) {
      return false;
    }
  }
  return true;
}

bool seen_by(const SourceHistory& history, std::int64_t row, Visibility seen) {
  if (history.known_us[static_cast<std::size_t>(row)] >= seen.at_us) return false;
  const std::int64_t place = history.place_in_file(row);
  return place >= 0 || static_cast<std::uint64_t>(-1 - place) < seen.position;
}

// semantics: T7
std::optional<Exclusion> fate_of(const SourceHistory& history, std::int64_t row, Visibility seen) {
  if (!history.amendments) return std::nullopt;
  const auto at = static_cast<std::size_t>(row);
  switch (history.amendments->roles[at]) {
    case kernel::Role::duplicate:
      return Exclusion::duplicate;
    case kernel::Role::deletion:
      return Exclusion::deletion;
    case kernel::Role::replaced:
      return Exclusion::replaced;
    default:
      break;
  }
  const std::int64_t by = history.taken_back_by[at];
  if (by >= 0 && seen_by(history, by, seen)) return Exclusion::replaced;
  return std::nullopt;
}

std::string key_text(const define::View& view, const std::vector<data::Value>& key,
                     const data::Schema& schema) {
  std::string text;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto type = schema.fields[static_cast<std::size_t>(view.key_columns[i])].type;
    text += (i == 0 ? "" : ", ") + view.keys[i] + "=" + data::to_text(key[i], type);
  }
  return text.empty() ? "all" : text;
}

// Rows for which `keep` says so stay; the others go to `excluded`.
template <class Keep>
void divide(std::vector<std::int64_t>& rows, std::vector<std::int64_t>& excluded, Keep keep) {
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < rows.size(); ++i)
    (keep(static_cast<std::int64_t>(i)) ? kept : excluded).push_back(rows[i]);
  rows = std::move(kept);
}

// An expression over the history's rows; a column without rows for none.
data::Column evaluated(const define::ExprPtr& expr, const data::Batch& rows) {
  if (!expr) return {};
  kernel::EvaluationCounts counts;
  return kernel::evaluate(*expr, rows, {}, counts);
}

// Which aggregates look at rows whose argument is null. (semantics: A7)
bool skips_nulls(const define::Aggregate& aggregate) {
  return aggregate.argument && aggregate.kind != Aggregation::latest;
}

class Scan {
 public:
  Scan(const define::Project& project, const Past& past, define::ViewFeature feature)
      : view_(view_of(project, feature)),
        aggregate_(aggregate_of(project, feature)),
        history_(history_of(view_, past)),
        rows_(looked_up_rows(project, past, view_)),
        times_(times_of(project, view_, history_)) {
    out_.feature = feature;
    const auto index = static_cast<std::size_t>(feature.feature);
    out_.name = view_.feature_name(index);
    window_ = &view_.windows[index % view_.windows.size()];
    zone_ = project.zone != nullptr ? project.zone : &TimeZone::utc();
  }

  FeatureHistory run(const std::vector<data::Value>& key, Visibility seen) {
    out_.seen = seen;
    out_.key = key_text(view_, key, rows_.schema);
    out_.bounds = window_bounds(*window_, seen.at_us, *zone_);
    by_time(key);
    by_value();
    return std::move(out_);
  }

 private:
  std::vector<std::int64_t>& excluded(Exclusion reason) {
    return out_.excluded[static_cast<std::size_t>(reason)];
  }

  // semantics: T3 T4 T6 T7
  std::vector<std::int64_t>& place_for(std::int64_t row) {
    const std::int64_t time = times_[static_cast<std::size_t>(row)];
    if (time >= out_.bounds.to_us) return excluded(Exclusion::not_before_end);
    if (!seen_by(history_, row, out_.seen)) return excluded(Exclusion::not_yet_known);
    if (const auto fate = fate_of(history_, row, out_.seen)) return excluded(*fate);
    const auto late = static_cast<exact::Int128>(history_.known_us[static_cast<std::size_t>(row)]) -
                      static_cast<exact::Int128>(time);
    if (late > retention_us(view_)) return excluded(Exclusion::dropped_late);
    if (time < out_.bounds.from_us) return excluded(Exclusion::before_begin);
    return out_.inside;
  }

  void by_time(const std::vector<data::Value>& key) {
    for (const std::int64_t row : history_.order)
      if (has_key(view_, rows_, row, key)) place_for(row).push_back(row);
    sort(out_.inside);
    for (auto& rows : out_.excluded) sort(rows);
  }

  // Rows come in position order, so that a stable sort settles ties by position. (semantics: T5)
  void sort(std::vector<std::int64_t>& rows) const {
    std::ranges::stable_sort(
        rows, {}, [this](std::int64_t row) { return times_[static_cast<std::size_t>(row)]; });
  }

  void by_value() {
    auto& inside = out_.inside;
    if (aggregate_.where) {
      const auto kept = evaluated(aggregate_.where, taken(inside));
      divide(inside, excluded(Exclusion::where_not_true),
             [&](std::int64_t i) { return !kept.is_null(i) && kept.bit(i); });
    }
    if (skips_nulls(aggregate_)) {
      const data::Batch rows = taken(inside);
      const auto argument = evaluated(aggregate_.argument, rows);
      const auto divisor = evaluated(aggregate_.divisor, rows);
      divide(inside, excluded(Exclusion::argument_null), [&](std::int64_t i) {
        return !argument.is_null(i) || (aggregate_.divisor && !divisor.is_null(i));
      });
    }
    const data::Batch rows = taken(inside);
    for (const std::int64_t row : inside)
      out_.values.event_time_us.push_back(times_[static_cast<std::size_t>(row)]);
    out_.values.argument = evaluated(aggregate_.argument, rows);
    out_.values.divisor = evaluated(aggregate_.divisor, rows);
    out_.values.at_us = out_.seen.at_us;
    out_.values.bounds = out_.bounds;
  }

  // Columns of lookups that the view does not read are empty, and stay so.
  data::Batch taken(const std::vector<std::int64_t>& wanted) const {
    data::Batch out{rows_.schema, {}, static_cast<std::int64_t>(wanted.size())};
    for (const auto& column : rows_.columns)
      out.columns.push_back(column.size() == rows_.rows ? data::take(column, wanted)
                                                        : data::Column());
    return out;
  }

  const define::View& view_;
  const define::Aggregate& aggregate_;
  const SourceHistory& history_;
  const data::Batch rows_;  // as the view reads them
  std::span<const std::int64_t> times_;
  const define::Window* window_ = nullptr;
  const TimeZone* zone_ = nullptr;
  FeatureHistory out_;
};

// Splits "column=value" where the column is a key of the view.
std::pair<std::string, std::string> named_value(const define::View& view, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {{}, text};
  const std::string name = text.substr(0, equals);
  if (std::ranges::find(view.keys, name) == view.keys.end()) return {{}, text};
  return {name, text.substr(equals + 1)};
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::string keys_text(const define::View& view) {
  std::string text;
  for (const auto& key : view.keys) text += (text.empty() ? "" : ",") + key;
  return text;
}

}  // namespace

std::string_view describe(Exclusion reason) {
  switch (reason) {
    case Exclusion::not_before_end:
      return "event time is at or after the window's end";
    case Exclusion::not_yet_known:
      return "not yet known at T";
    case Exclusion::dropped_late:
      return "late beyond retention: dropped";
    case Exclusion::before_begin:
      return "event time is before the window's begin";
    case Exclusion::where_not_true:
      return "where is not true";
    case Exclusion::argument_null:
      return "argument is null";
    case Exclusion::duplicate:
      return "duplicate";
    case Exclusion::deletion:
      return "a deletion, no event itself";
    case Exclusion::replaced:
      break;
  }
  return "replaced or deleted";
}

const define::View& view_of(const define::Project& project, define::ViewFeature feature) {
  return project.views[static_cast<std::size_t>(feature.view)];
}

const define::Aggregate& aggregate_of(const define::Project& project, define::ViewFeature feature) {
  const define::View& view = view_of(project, feature);
  return view.aggregates[static_cast<std::size_t>(feature.feature) / view.windows.size()];
}

Result<FeatureHistory> feature_history(const define::Project& project, const Past& past,
                                       define::ViewFeature feature, const data::Batch& question,
                                       Visibility seen) {
  COEVAL_ASSIGN(const auto key, key_of(view_of(project, feature), question));
  return Scan(project, past, feature).run(key, seen);
}

Result<data::Value> ask_kernel(std::shared_ptr<const define::Project> project, const Past& past,
                               define::ViewFeature feature, const data::Batch& question,
                               Visibility seen) {
  const define::View& view = view_of(*project, feature);
  const SourceHistory& history = history_of(view, past);
  COEVAL_ASSIGN(const auto kernel, kernel::Kernel::create(project, {feature.view}));
  COEVAL_TRY(learn(*kernel, past));
  COEVAL_ASSIGN(const auto events,
                kernel->prepare_events(view.source, history.rows, history.known_us,
                                       kernel::run_in_turn, history.amendments.get()));
  for (const std::int64_t row : history.order)
    if (seen_by(history, row, seen)) kernel->apply(feature.view, events, row);
  const std::int64_t at[] = {seen.at_us};
  const int views[] = {feature.view};
  COEVAL_ASSIGN(const auto asked, kernel->prepare_questions(question, at, views));
  std::vector<kernel::Cell> cells(view.feature_count());
  kernel->ask(feature.view, asked, 0, cells);
  const auto index = static_cast<std::size_t>(feature.feature);
  return kernel::to_column(view.feature_type(index), std::span(cells).subspan(index, 1)).value(0);
}

Result<Reading> read_as(const define::Project& project, const Past& past,
                        define::ViewFeature feature, const data::Batch& question, Visibility seen,
                        const data::Value& value) {
  const define::View& view = view_of(project, feature);
  const define::Aggregate& aggregate = aggregate_of(project, feature);
  const data::Value instead = aggregate.default_value.value_or(data::Value{});
  if (aggregate.max_age_us) {
    const auto aging = static_cast<std::size_t>(aggregate.age_aggregate);
    const define::ViewFeature age{
        feature.view, static_cast<int>(aging * view.windows.size() + view.longest_window())};
    COEVAL_ASSIGN(const auto found, feature_history(project, past, age, question, seen));
    const auto& times = found.values.event_time_us;
    const std::string limit = format_duration(*aggregate.max_age_us);
    const std::string then = aggregate.stale_is_default ? ", so the default" : ", so null";
    const data::Value stale = aggregate.stale_is_default ? instead : data::Value{};
    if (times.empty()) return Reading{stale, "no event within max_age = " + limit + then};
    if (seen.at_us - times.back() > *aggregate.max_age_us)
      return Reading{stale, "its newest event is of " + format_time(times.back()) +
                                ", older than max_age = " + limit + then};
  }
  if (data::is_null(value) && aggregate.default_value)
    return Reading{instead, "default in place of null"};
  return Reading{value, {}};
}

bool same_bits(const data::Value& a, const data::Value& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x == nullptr || y == nullptr) return a == b;
  return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
}

std::string fate_text(const SourceHistory& history, std::int64_t row, Visibility seen) {
  const auto fate = fate_of(history, row, seen);
  if (!fate) return {};
  const auto at = static_cast<std::size_t>(row);
  const auto of = [&](std::int64_t other) {
    return other < 0 ? std::string() : " of " + place_of(history, other);
  };
  const std::int64_t because_of = history.amendments->because_of[at];
  if (*fate == Exclusion::duplicate) return "duplicate" + of(because_of);
  if (*fate == Exclusion::deletion)
    return "deletion" + of(history.amendments->takes_back_number[at]);
  const std::int64_t by = because_of >= 0 ? because_of : history.taken_back_by[at];
  if (by < 0) return "replaced";
  const auto replacing = static_cast<std::size_t>(by);
  const bool deleted = history.amendments->roles[replacing] == kernel::Role::deletion;
  return (deleted ? "deleted by " : "replaced by ") + place_of(history, by) + ", known at " +
         format_time(history.known_us[replacing]);
}

std::string argument_text(const define::Project& project, const Past& past,
                          define::ViewFeature feature, std::int64_t row) {
  const define::Aggregate& aggregate = aggregate_of(project, feature);
  if (!aggregate.argument) return {};
  const define::View& view = view_of(project, feature);
  const std::int64_t rows[] = {row};
  const data::Batch event = looked_up_rows(project, past, view, rows);
  const auto text = [&](const define::ExprPtr& expr) {
    const data::Column column = evaluated(expr, event);
    return data::to_text(column.value(0), column.type());
  };
  return text(aggregate.argument) + (aggregate.divisor ? ", " + text(aggregate.divisor) : "");
}

Result<define::ViewFeature> find_feature(const define::Project& project, const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t v = 0; v < project.views.size(); ++v) {
    const define::View& view = project.views[v];
    if (!name.starts_with(view.name + ".")) continue;
    for (std::size_t f = 0; f < view.feature_count(); ++f) {
      if (view.aggregates[f / view.windows.size()].hidden) continue;
      names.push_back(view.feature_name(f));
      if (names.back() == name)
        return define::ViewFeature{static_cast<int>(v), static_cast<int>(f)};
    }
  }
  if (names.empty())
    for (const auto& view : project.views)
      for (std::size_t f = 0; f < view.feature_count(); ++f) names.push_back(view.feature_name(f));
  const std::string near = define::did_you_mean(name, names);
  return fail(Code::unknown_name, "no view has a feature '" + name + "'",
              !near.empty()   ? near
              : names.empty() ? "the definition has no view"
                              : "name one as view.aggregate_window, such as " + names.front());
}

Result<data::Batch> key_question(const define::Project& project, const define::View& view,
                                 const std::vector<std::string>& values) {
  const auto& schema = project.sources[static_cast<std::size_t>(view.source)].event_schema();
  std::vector<std::string> given = values;
  if (given.size() == 1 && view.keys.size() > 1) given = split_at_commas(given.front());
  if (given.size() != view.keys.size())
    return fail(Code::usage,
                "view '" + view.name + "' has " + std::to_string(view.keys.size()) +
                    (view.keys.size() == 1 ? " key" : " keys") + ", " +
                    std::to_string(given.size()) + " given",
                view.keys.empty() ? "leave --key out"
                                  : "--key " + keys_text(view) + ", with values for these columns");
  data::Batch question;
  question.rows = 1;
  for (std::size_t i = 0; i < view.keys.size(); ++i) {
    std::string value;
    bool found = false;
    for (std::size_t g = 0; g < given.size(); ++g) {
      auto [name, text] = named_value(view, given[g]);
      if (name.empty() ? g != i : name != view.keys[i]) continue;
      value = std::move(text);
      found = true;
    }
    if (!found)
      return fail(Code::usage, "--key gives no value for '" + view.keys[i] + "'",
                  "give one for each of " + keys_text(view));
    const data::Field& field = schema.fields[static_cast<std::size_t>(view.key_columns[i])];
    data::ColumnBuilder builder(field.type);
    auto cell = data::parse_cell(value, field.type);
    if (!cell)
      return std::unexpected(std::move(cell).error().within("reading --key " + field.name));
    data::append_cell(builder, *cell);
    question.schema.fields.push_back({view.keys[i], field.type, true});
    question.columns.push_back(builder.finish());
  }
  return question;
}

std::string place_of(const SourceHistory& history, std::int64_t row) {
  const std::int64_t place = history.place_in_file(row);
  if (place < 0) return "log position " + std::to_string(-1 - place);
  return history.path + (history.by_line ? " line " : " row ") + std::to_string(place);
}

}  // namespace coeval::replay
